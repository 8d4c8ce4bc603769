//! Letters as they go out, read back by another library.

use mail_parser::{HeaderValue, Message, MessageParser, MimeHeaders};
use serde_json::{Value, json};

use super::{
    compose::{Composed, compose},
    letter::Letter,
};

fn composed(value: &Value) -> Composed {
    compose(&serde_json::from_value::<Letter>(value.clone()).unwrap()).unwrap()
}

fn fault(value: &Value) -> (&'static str, String) {
    let fault = compose(&serde_json::from_value::<Letter>(value.clone()).unwrap()).unwrap_err();
    (fault.field, fault.message)
}

fn with(over: &Value) -> Value {
    let mut letter =
        json!({"from": "hub@example.org", "to": ["ana@example.com"], "subject": "S", "text": "T", "key": "k1"});
    for (name, value) in over.as_object().unwrap() {
        letter[name] = value.clone();
    }
    letter
}

fn names(message: &Message<'_>) -> Vec<String> {
    message.headers_raw().map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn a_letter_in_several_scripts_arrives_as_it_was_written() {
    let text = "Здравствуйте!\n.точка в начале\nСколько стоит? 多少钱？ Giá bao nhiêu? 👩‍👩‍👧\n";
    let html = "<p>Здравствуйте! 多少钱？</p>";
    let subject =
        "Вопрос 客户的问题 – Câu hỏi của khách hàng о цене и сроках поставки, который не помещается в одну строку";
    let letter = with(&json!({
        "fromName": "Хаб «Офис»", "to": ["王小明 <wang@example.com>", "b@example.com; c@example.com"], "cc": "Ánh <anh@example.com>",
        "subject": subject, "text": text, "html": html, "date": "2026-11-27T20:00:00Z", "replyTo": "client@example.net", "automatic": true,
    }));
    let composed = composed(&letter);
    assert!(composed.bytes.is_ascii(), "no server has to be able to take more");
    let longest = composed.bytes.split(|byte| *byte == b'\n').map(<[u8]>::len).max();
    assert!(longest.is_some_and(|longest| longest <= 999), "{longest:?}");
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    assert_eq!(message.subject(), Some(subject));
    let from = message.from().unwrap().first().unwrap();
    assert_eq!(
        (from.name(), from.address()),
        (Some("Хаб «Офис»"), Some("hub@example.org"))
    );
    let to: Vec<_> = message.to().unwrap().iter().map(|one| one.address().unwrap()).collect();
    assert_eq!(to, ["wang@example.com", "b@example.com", "c@example.com"]);
    assert_eq!(message.to().unwrap().first().unwrap().name(), Some("王小明"));
    assert_eq!(message.cc().unwrap().first().unwrap().name(), Some("Ánh"));
    assert_eq!(message.date().unwrap().to_timestamp(), 1_795_809_600);
    assert_eq!(message.content_type().unwrap().subtype(), Some("alternative"));
    assert_eq!(message.body_text(0).unwrap().replace("\r\n", "\n"), text);
    assert_eq!(message.body_html(0).unwrap(), html);
    assert_eq!(message.header_raw("Auto-Submitted").unwrap().trim(), "auto-generated");
    let envelope: Vec<String> = composed.envelope.to().iter().map(ToString::to_string).collect();
    assert_eq!(
        envelope,
        ["wang@example.com", "b@example.com", "c@example.com", "anh@example.com"]
    );
}

#[test]
fn no_value_can_begin_a_header_or_a_body() {
    let evil = "x\r\nBcc: victim@example.com\r\n\r\nbody\u{2028}\n.\r\nRCPT TO:<victim@example.com>";
    let letter = with(&json!({
        "subject": evil, "fromName": evil, "thread": evil, "inReplyTo": evil, "references": evil, "key": evil, "date": evil,
        "to": [format!("{} <ana@example.com>", evil.replace(['@', '<', '>'], " "))],
    }));
    let composed = composed(&letter);
    let message = MessageParser::default().parse(&composed.bytes).unwrap();
    assert!(
        names(&message)
            .iter()
            .all(|name| !name.eq_ignore_ascii_case("bcc") && !name.contains("RCPT")),
        "{:?}",
        names(&message)
    );
    assert_eq!(message.body_text(0).as_deref().map(str::trim), Some("T"));
    assert_eq!(composed.envelope.to().len(), 1);
    assert_eq!(
        message.from().unwrap().first().unwrap().address(),
        Some("hub@example.org")
    );
}

#[test]
fn hidden_recipients_get_it_and_are_not_named() {
    let composed = composed(&with(&json!({"bcc": ["boss@example.com", "ana@example.com"]})));
    let envelope: Vec<String> = composed.envelope.to().iter().map(ToString::to_string).collect();
    assert_eq!(envelope, ["ana@example.com", "boss@example.com"]);
    assert!(!String::from_utf8_lossy(&composed.bytes).contains("boss"));
}

#[test]
fn each_try_of_a_letter_has_the_same_id_and_each_other_letter_another() {
    let id = |over: Value| composed(&with(&over)).message_id;
    let first = id(json!({}));
    assert_eq!(first, id(json!({"date": "2026-11-27T20:00:00Z", "subject": "Re: S"})));
    assert!(
        first.starts_with("<hub.") && first.ends_with("@example.org>"),
        "{first}"
    );
    for other in [json!({"key": "k2"}), json!({"to": "b@example.com"}), json!({"key": ""})] {
        assert_ne!(first, id(other.clone()), "{other}");
    }
    let bytes = composed(&with(&json!({}))).bytes;
    let message = MessageParser::default().parse(&bytes).unwrap();
    assert_eq!(message.message_id().map(|id| format!("<{id}>")), Some(first));
}

#[test]
fn letters_of_a_conversation_stand_in_one_thread() {
    let parent = |over: Value| {
        let bytes = composed(&with(&over)).bytes;
        let message = MessageParser::default().parse(&bytes).unwrap();
        let ids = |value: &HeaderValue<'_>| match value {
            HeaderValue::Text(id) => vec![id.to_string()],
            HeaderValue::TextList(ids) => ids.iter().map(ToString::to_string).collect(),
            _ => Vec::new(),
        };
        (ids(message.in_reply_to()), ids(message.references()))
    };
    let (first, second) = (
        parent(json!({"thread": "c-7", "key": "a"})),
        parent(json!({"thread": "c-7", "key": "b"})),
    );
    assert_eq!(first, second);
    assert_eq!((first.0.len(), first.0 == first.1), (1, true));
    assert_ne!(first, parent(json!({"thread": "c-8"})));
    assert_eq!(parent(json!({})), (vec![], vec![]));
    // A thread that is there already is continued.
    let (reply, references) =
        parent(json!({"thread": "c-7", "inReplyTo": "<3@x.example>", "references": "<1@x.example> <2@x.example>"}));
    assert_eq!(
        (reply, references),
        (
            vec!["3@x.example".to_owned()],
            ["1@x.example", "2@x.example", "3@x.example"].map(String::from).to_vec()
        )
    );
    let many: Vec<String> = (0..60).map(|at| format!("<{at}@x.example>")).collect();
    let (reply, references) = parent(json!({"references": many.join("\r\n ")}));
    assert_eq!((reply[0].as_str(), references.len()), ("59@x.example", 20));
    assert_eq!(
        (references[0].as_str(), references[1].as_str()),
        ("0@x.example", "41@x.example")
    );
}

#[test]
fn what_cannot_be_sent_is_told_with_the_member_that_is_wrong() {
    assert_eq!(
        fault(&with(&json!({"to": []}))),
        ("to", "there is no recipient".to_owned())
    );
    assert_eq!(fault(&with(&json!({"cc": "call me"}))).0, "cc");
    assert_eq!(fault(&with(&json!({"from": "a@example.org, b@example.org"}))).0, "from");
    assert_eq!(fault(&with(&json!({"text": " ", "html": ""}))).0, "text");
    assert_eq!(fault(&with(&json!({"text": "x".repeat(26 << 20)}))).0, "text");
    assert!(serde_json::from_value::<Letter>(json!({"tо": "homoglyph@example.org"})).is_err());
}
