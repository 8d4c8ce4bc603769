//! A letter as connectors write it: the JSON body of a request.

use lettre::{
    Address,
    message::{Mailbox, Mailboxes},
};
use serde::Deserialize;

use super::Fault;

/// A letter. Members that are absent or blank say nothing.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(super) struct Letter {
    /// The sender's address, with a name or without.
    pub from: String,
    /// The sender's name, where `from` has none.
    pub from_name: String,
    pub reply_to: Addresses,
    pub to: Addresses,
    pub cc: Addresses,
    /// Recipients whom the others do not see.
    pub bcc: Addresses,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// Names the letter: the same key gives the same `Message-ID` for ever.
    pub key: String,
    /// Names what it belongs to: all letters with the same text are one thread.
    pub thread: String,
    /// The `Message-ID` of the letter that it answers.
    pub in_reply_to: String,
    /// Those of the letters before that one.
    pub references: String,
    /// When it was written, RFC 3339.
    pub date: String,
    /// Whether a program wrote it (RFC 3834): automatic answers to it are not wanted.
    pub automatic: bool,
}

/// Addresses: one text or several, each with any number of mailboxes, with names or without.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Addresses {
    One(String),
    Many(Vec<String>),
}

impl Default for Addresses {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

impl Addresses {
    /// The mailboxes.
    ///
    /// # Errors
    /// Those that are none, under the name of the member that they stand in.
    pub fn read(&self, field: &'static str) -> Result<Vec<Mailbox>, Fault> {
        let texts = match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts,
        };
        let mut all = Vec::new();
        for text in texts.iter().map(|text| one_line(text)).filter(|text| !text.is_empty()) {
            all.extend(mailboxes(&text).ok_or_else(|| {
                Fault::new(
                    field,
                    format!("`{text}` is no e-mail address; write name@example.org or Name <name@example.org>"),
                )
            })?);
        }
        Ok(all)
    }
}

/// Reads `a@example.org`, `Name <a@example.org>` with whatever people write as a name, and lists of these.
fn mailboxes(text: &str) -> Option<Vec<Mailbox>> {
    if let Some((name, address)) = text.strip_suffix('>').and_then(|text| text.split_once('<'))
        && !name.contains('@')
    {
        let name = name.trim().trim_matches('"').trim();
        let address: Address = address.trim().parse().ok()?;
        return Some(vec![Mailbox::new((!name.is_empty()).then(|| name.to_owned()), address)]);
    }
    let list: Mailboxes = text.replace(';', ",").trim_end_matches([',', ' ']).parse().ok()?;
    Some(list.into())
}

/// The text in one line: a line break in a header would begin another header, so none gets there.
pub(super) fn one_line(text: &str) -> String {
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    let words = text.split(|letter: char| breaks(letter) || letter == ' ');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_people_write_them() {
        let read = |text: &str| {
            let list = Addresses::One(text.into()).read("to").unwrap();
            list.iter()
                .map(|one| (one.name.clone().unwrap_or_default(), one.email.to_string()))
                .collect::<Vec<_>>()
        };
        let one = |name: &str, address: &str| (name.to_owned(), address.to_owned());
        assert_eq!(read("a@example.org"), [one("", "a@example.org")]);
        assert_eq!(
            read("王小明 (VIP), Ltd. <a@example.org>"),
            [one("王小明 (VIP), Ltd.", "a@example.org")]
        );
        assert_eq!(
            read("\"O'Hara, Ana\" <a@example.org>"),
            [one("O'Hara, Ana", "a@example.org")]
        );
        assert_eq!(
            read("a@example.org; Bob <b@example.org>, "),
            [one("", "a@example.org"), one("Bob", "b@example.org")]
        );
        assert!(read(" ").is_empty());
        assert!(Addresses::One("nobody".into()).read("to").is_err());
        assert!(
            Addresses::One("a@example.org>\r\nRCPT TO:<b@example.org".into())
                .read("to")
                .is_err()
        );
    }

    #[test]
    fn no_line_break_of_any_kind_stays_in_a_line() {
        assert_eq!(one_line(" a\r\nBcc: b\u{2028}c\td\u{0} e "), "a Bcc: b c d e");
    }
}
