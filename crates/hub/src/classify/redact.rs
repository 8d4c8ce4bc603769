//! What of a message is shown to a model: its text, cut, without addresses and numbers of people.
//!
//! A category does not depend on somebody's telephone number, so nobody else has to see it.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// In place of an e-mail address.
const EMAIL: &str = "[e-mail]";
/// In place of a telephone number, a card number, an account.
const NUMBER: &str = "[number]";

static EMAILS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+").expect("the pattern is constant")
});

/// Seven digits or more, with what people write between them.
static NUMBERS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\+?\p{Nd}(?:[ ().\-/\u{a0}]{0,2}\p{Nd}){6,}").expect("the pattern is constant"));

/// The text that is sent, of at most `most` characters.
pub fn redacted(text: &str, most: usize) -> String {
    let without = EMAILS.replace_all(text, EMAIL);
    let without: Cow<'_, str> = NUMBERS.replace_all(&without, NUMBER);
    let end = without.char_indices().nth(most).map_or(without.len(), |(at, _)| at);
    without[..end].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_numbers_of_people_are_not_sent() {
        for (text, sent) in [
            ("Write to ana.petrova@example.org, please", "Write to [e-mail], please"),
            ("请联系张三@例子.公司", "[e-mail]"),
            ("Звоните +375 (29) 000-00-00!", "Звоните [number]!"),
            ("card 4111 1111 1111 1111", "card [number]"),
            ("Gọi 0912.345.678 nhé", "Gọi [number] nhé"),
            ("order 1001 of 2026", "order 1001 of 2026"),
            ("5 products, 12.50 each", "5 products, 12.50 each"),
        ] {
            assert_eq!(redacted(text, 1_000), sent, "{text}");
        }
    }

    #[test]
    fn a_long_message_is_cut_at_a_character() {
        assert_eq!(redacted(&"退款".repeat(50), 3), "退款退");
        assert_eq!(redacted("short", 100), "short");
        assert_eq!(redacted("", 10), "");
    }
}
