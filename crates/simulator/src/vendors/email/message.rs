//! A message as it came: checked against RFC 5322, and taken apart for those who look.

use mail_parser::{Address, HeaderValue, Message, MessageParser, MimeHeaders, PartType};
use serde_json::{Map, Value, json};

/// RFC 5322 §2.1.1, without the line break.
const LONGEST_LINE: usize = 998;
/// RFC 5322 §3.6: exactly one of each.
const ONCE: [&str; 2] = ["From", "Date"];
/// At most one of each; a mail without an id is taken by no large provider.
const AT_MOST_ONCE: [&str; 7] = [
    "Message-ID",
    "Subject",
    "To",
    "Cc",
    "Reply-To",
    "In-Reply-To",
    "References",
];

/// What is wrong with a message, in the words of a reply; `None`: nothing.
pub fn fault(data: &[u8]) -> Option<String> {
    let end = find(data, b"\r\n\r\n").unwrap_or(data.len());
    let (head, mut lines) = (&data[..end], data.split(|byte| *byte == b'\n'));
    if lines.any(|line| line.strip_suffix(b"\r").unwrap_or(line).len() > LONGEST_LINE) {
        return Some("5.6.0 a line is longer than 998 octets".into());
    }
    if data
        .iter()
        .enumerate()
        .any(|(at, byte)| *byte == b'\n' && (at == 0 || data[at - 1] != b'\r'))
    {
        return Some("5.6.0 a line ends in a bare LF".into());
    }
    if !head.is_ascii() {
        return Some("5.6.7 a header has 8-bit characters".into());
    }
    let count = |wanted: &str| names(head).filter(|name| name.eq_ignore_ascii_case(wanted)).count();
    let missing = ONCE.iter().find(|name| count(name) != 1);
    if let Some(name) = missing {
        return Some(format!(
            "5.6.0 the header {name} is there {} times and not once",
            count(name)
        ));
    }
    let twice = AT_MOST_ONCE.iter().find(|name| count(name) > 1);
    if let Some(name) = twice {
        return Some(format!("5.6.0 the header {name} is there more than once"));
    }
    (count("Message-ID") == 0).then(|| "5.7.1 a message without Message-ID is not taken".into())
}

fn names(head: &[u8]) -> impl Iterator<Item = String> {
    let lines = head
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b" ") && !line.starts_with(b"\t"));
    lines.map(|line| {
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        String::from_utf8_lossy(name).trim().to_owned()
    })
}

fn find(data: &[u8], wanted: &[u8]) -> Option<usize> {
    data.windows(wanted.len()).position(|part| part == wanted)
}

/// What a reader's program shows of it.
pub fn shown(data: &[u8]) -> Map<String, Value> {
    let Some(message) = MessageParser::default().parse(data) else {
        return Map::new();
    };
    let row = json!({
        "messageId": message.message_id(),
        "inReplyTo": ids(message.in_reply_to()),
        "references": ids(message.references()),
        "from": people(message.from()),
        "to": people(message.to()),
        "cc": people(message.cc()),
        "bcc": people(message.bcc()),
        "replyTo": people(message.reply_to()),
        "subject": message.subject(),
        "date": message.date().map(mail_parser::DateTime::to_rfc3339),
        "automatic": message.header_raw("Auto-Submitted").map(str::trim),
        "contentType": message.content_type().map(|kind| {
            format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
        }),
        "text": part(&message, false),
        "html": part(&message, true),
    });
    let Value::Object(row) = row else { return Map::new() };
    row.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

fn part(message: &Message<'_>, html: bool) -> Option<String> {
    message.parts.iter().find_map(|part| match &part.body {
        PartType::Text(text) if !html => Some(text.to_string()),
        PartType::Html(text) if html => Some(text.to_string()),
        _ => None,
    })
}

fn ids(value: &HeaderValue<'_>) -> Value {
    match value {
        HeaderValue::Text(id) => json!([id]),
        HeaderValue::TextList(ids) => json!(ids),
        _ => Value::Null,
    }
}

fn people(list: Option<&Address<'_>>) -> Value {
    let Some(list) = list else { return Value::Null };
    let one = |person: &mail_parser::Addr<'_>| match (person.name(), person.address()) {
        (Some(name), Some(address)) => json!(format!("{name} <{address}>")),
        (_, address) => json!(address),
    };
    Value::Array(list.iter().map(one).collect())
}
