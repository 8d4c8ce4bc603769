//! The messages that are posted, and their numbers as the receiver finds them again.

use std::sync::LazyLock;

use bytes::Bytes;
use memchr::memmem::Finder;

/// What stands before run and number in each message. It has letters and hyphens only, so that no product on the way writes it
/// otherwise, whatever form its own messages have.
const MARK: &str = "swbench-";
const RUN_DIGITS: usize = 8;
const NUMBER_DIGITS: usize = 10;
/// Stands for the number while a template is made.
const BLANK: &str = "##########";

static FINDER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(MARK));

/// The form of all messages of one run; only the number differs.
#[derive(Debug)]
pub struct Template {
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Template {
    /// Messages of this type and of about this many bytes, at least those that their members need.
    pub fn new(kind: &str, run: u32, bytes: usize) -> Self {
        let before = format!(
            r#"{{"type":"{kind}","id":"b-{run:08x}-{BLANK}","data":{{"messageId":"{MARK}{run:08x}-{BLANK}","platform":"whatsapp","priority":"medium","senderName":"Ana Пример","senderEmail":"ana-{BLANK}@example.org","messageContent":""#
        );
        let after = "\"}}";
        let filler = "I would like to know more about the offer. 请告诉我更多。 ";
        let room = bytes.saturating_sub(before.len() + after.len());
        let mut text = before;
        while text.len() + after.len() < bytes && room > 0 {
            let left = bytes - text.len() - after.len();
            let end = (0..=left.min(filler.len()))
                .rev()
                .find(|end| filler.is_char_boundary(*end));
            match end {
                Some(end) if end > 0 => text.push_str(&filler[..end]),
                _ => text.push_str(&".".repeat(left)),
            }
        }
        text.push_str(after);
        let places = memchr::memmem::find_iter(text.as_bytes(), BLANK).collect();
        Self {
            bytes: text.into_bytes(),
            places,
        }
    }

    /// The message with this number.
    pub fn message(&self, number: u64) -> Bytes {
        let mut bytes = self.bytes.clone();
        self.write(&mut bytes, 0, number);
        bytes.into()
    }

    /// Several messages as one JSON array; one alone stands for itself.
    pub fn messages(&self, numbers: std::ops::Range<u64>) -> Bytes {
        if numbers.end - numbers.start == 1 {
            return self.message(numbers.start);
        }
        let mut bytes = vec![b'['];
        for number in numbers {
            if bytes.len() > 1 {
                bytes.push(b',');
            }
            let at = bytes.len();
            bytes.extend_from_slice(&self.bytes);
            self.write(&mut bytes, at, number);
        }
        bytes.push(b']');
        bytes.into()
    }

    fn write(&self, bytes: &mut [u8], at: usize, number: u64) {
        let mut digits = [b'0'; NUMBER_DIGITS];
        let mut rest = number;
        for digit in digits.iter_mut().rev() {
            *digit += (rest % 10) as u8;
            rest /= 10;
        }
        for place in &self.places {
            bytes[at + place..at + place + NUMBER_DIGITS].copy_from_slice(&digits);
        }
    }
}

/// Run and number of every message in a body, whatever is around them.
pub fn numbers(body: &[u8]) -> impl Iterator<Item = (u32, u64)> + '_ {
    FINDER.find_iter(body).filter_map(|at| {
        let rest = &body[at + MARK.len()..];
        let run = std::str::from_utf8(rest.get(..RUN_DIGITS)?).ok()?;
        let number = std::str::from_utf8(rest.get(RUN_DIGITS + 1..RUN_DIGITS + 1 + NUMBER_DIGITS)?).ok()?;
        Some((u32::from_str_radix(run, 16).ok()?, number.parse().ok()?))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_message_has_the_wanted_size_and_its_number_once() {
        for bytes in [300, 301, 302, 1024, 4000] {
            let template = Template::new("message.received", 0xab, bytes);
            let message = template.message(1_234_567);
            assert_eq!(message.len(), bytes);
            let value: Value = serde_json::from_slice(&message).unwrap();
            assert_eq!(value["id"], "b-000000ab-0001234567");
            assert_eq!(value["data"]["senderEmail"], "ana-0001234567@example.org");
            assert_eq!(numbers(&message).collect::<Vec<_>>(), [(0xab, 1_234_567)]);
        }
        assert!(Template::new("message.received", 1, 10).message(1).len() < 300);
    }

    #[test]
    fn numbers_are_found_in_a_batch_and_in_foreign_text() {
        let template = Template::new("lead.received", u32::MAX, 400);
        let batch = template.messages(7..10);
        let value: Value = serde_json::from_slice(&batch).unwrap();
        assert_eq!(value.as_array().unwrap().len(), 3);
        let run = u32::MAX;
        assert_eq!(numbers(&batch).collect::<Vec<_>>(), [(run, 7), (run, 8), (run, 9)]);
        assert!(template.messages(7..8).starts_with(b"{"));
        assert_eq!(
            numbers(br#"a=1&id=swbench-00000001-0000000002&x"#).collect::<Vec<_>>(),
            [(1, 2)]
        );
        assert_eq!(
            numbers(b"swbench-").count() + numbers(b"swbench-00000001-zz").count(),
            0
        );
    }
}
