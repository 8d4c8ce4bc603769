//! The events that the suite sends. Each carries a marker by which its record is found at the vendor.

use serde_json::{Map, Value, json};

/// One sample person and their message.
#[derive(Debug, Clone)]
pub struct Sample {
    number: u32,
    data: Map<String, Value>,
}

impl Sample {
    /// The sample with this number, 0 to 99 (so many telephone numbers are reserved for such use).
    pub fn new(number: u32) -> Self {
        let marker = marker(number);
        let data = json!({
            "senderName": format!("Sample {number} {marker}"),
            "senderEmail": format!("{marker}@example.org"),
            "senderPhone": format!("+120255501{:02}", number % 100),
            "messageContent": format!("I would like to know more. {marker}"),
            "subject": format!("Question {marker}"),
            "tenantName": format!("Example {marker}"),
            "category": "sales",
            "priority": "high",
            "platform": "website",
        });
        Self {
            number,
            data: data.as_object().cloned().unwrap_or_default(),
        }
    }

    /// Somebody of whom nothing is known but a messenger's id.
    pub fn stranger(id: &str) -> Self {
        let data = json!({ "senderId": id, "platform": "website" });
        Self {
            number: 0,
            data: data.as_object().cloned().unwrap_or_default(),
        }
    }

    /// Several, from `first` on.
    pub fn several(first: u32, count: u32) -> Vec<Self> {
        (first..first + count).map(Self::new).collect()
    }

    /// The same person with other words.
    #[must_use]
    pub fn again(mut self, word: &str) -> Self {
        let marker = self.marker();
        self.put("senderName", format!("Sample {} {word} {marker}", self.number));
        self.put("messageContent", format!("I have another question, {word}. {marker}"));
        self.put("subject", format!("Question {word} {marker}"));
        self
    }

    /// The same with a text that vendors stumble over: long, in several scripts, with quotes, mark-up and line breaks.
    #[must_use]
    pub fn awkward(mut self) -> Self {
        let marker = self.marker();
        let odd = "«Zoë O'Hara» said \"it's 5 > 3 & <b>bold</b>\"\r\n\t価格はいくらですか？ 多少钱 Сколько стоит 👩‍👩‍👧‍👦🏳️‍🌈 {\"a\": [1]} \\ %7B {{x}} ; DROP\n";
        let long: String = odd.chars().cycle().take(20_000).collect();
        let name: String = "Ana «O'Hara» <i>王小明</i> 👩‍👩‍👧‍👦 & \"Co\" "
            .chars()
            .cycle()
            .take(400)
            .collect();
        self.put("senderName", format!("{marker} {name} {marker}"));
        self.put("messageContent", format!("{marker} {long}"));
        self.put("subject", format!("{marker} {name}"));
        self
    }

    /// The same with a further member.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.data.insert(name.to_owned(), value);
        self
    }

    /// What its record is found by.
    pub fn marker(&self) -> String {
        marker(self.number)
    }

    /// What the sender says.
    pub fn data(&self) -> &Map<String, Value> {
        &self.data
    }

    fn put(&mut self, name: &str, text: String) {
        self.data.insert(name.to_owned(), text.into());
    }
}

fn marker(number: u32) -> String {
    format!("sb{number:06}")
}
