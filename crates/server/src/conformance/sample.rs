//! The events that the suite sends. Each carries a marker by which its record is found at the vendor.

use serde_json::{Map, Value, json};
use switchboard_model::{
    event::{Event, EventType},
    id::{EventId, WorkspaceId},
};

use super::failure::Failure;
use crate::reserved;

/// One sample person and their message.
#[derive(Debug, Clone)]
pub struct Sample {
    number: u32,
    data: Map<String, Value>,
}

impl Sample {
    /// The sample with this number, below [`reserved::NUMBERS`] (so many telephone numbers there are for such use).
    pub fn new(number: u32) -> Self {
        let marker = marker(number);
        let (area, last) = reserved::american((number % reserved::NUMBERS) as usize).unwrap_or_default();
        let data = json!({
            "senderName": format!("Sample {number} {marker}"),
            "senderEmail": format!("{marker}@example.org"),
            "senderPhone": format!("+1{area}55501{last:02}"),
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

    /// The same as an event that was accepted.
    pub fn event(&self, workspace: WorkspaceId, received_ms: i64) -> Result<Event, Failure> {
        let kind = EventType::find("message.received");
        Ok(Event {
            id: EventId(1 << 30),
            workspace,
            kind: kind.ok_or_else(|| Failure::new("the mapping can be filled in", "no event type"))?,
            received_ms,
            data: self.data.clone(),
        })
    }

    fn put(&mut self, name: &str, text: String) {
        self.data.insert(name.to_owned(), text.into());
    }
}

fn marker(number: u32) -> String {
    format!("sb{number:06}")
}

/// Every marker that stands in a text, in the order in which they stand there.
pub fn markers_in(text: &str) -> Vec<&str> {
    const DIGITS: usize = 6;
    let starts = text.match_indices("sb").map(|(at, found)| (at, at + found.len()));
    let marker = |(at, digits): (usize, usize)| {
        let end = digits + DIGITS;
        let all = text.get(digits..end)?.bytes().all(|byte| byte.is_ascii_digit());
        all.then(|| &text[at..end])
    };
    starts.filter_map(marker).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_are_found_wherever_they_stand() {
        let data = |number: u32| Value::from(Sample::new(number).data().clone());
        let text = format!("{} {}", data(17)["senderEmail"], data(4_321));
        let found = markers_in(&text);
        assert_eq!(found[0], "sb000017");
        assert!(
            found[1..].iter().all(|marker| *marker == "sb004321") && found.len() > 3,
            "{found:?}"
        );
        assert_eq!(markers_in("sb12345 sbsb1234567 sb价格1234"), ["sb123456"]);
    }
}
