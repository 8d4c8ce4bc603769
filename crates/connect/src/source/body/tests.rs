use proptest::prelude::*;
use serde_json::json;

use super::*;

fn posted(media: &str, body: impl Into<Vec<u8>>) -> Body {
    let request = Request {
        headers: vec![("Content-Type".into(), media.into())],
        body: body.into(),
        ..Request::default()
    };
    read(&request, &BodySpec::default())
}

#[test]
fn a_body_is_read_as_what_it_says_or_looks_like() {
    let form = "application/x-www-form-urlencoded";
    for (media, body, expected) in [
        ("application/json", "{\"a\":1}", json!({"a": 1})),
        ("application/vnd.api+json; charset=utf-8", "[1]", json!([1])),
        ("", "{\"a\":1}", json!({"a": 1})),
        ("text/plain", "\u{feff}{\"a\":1}\r\n", json!({"a": 1})),
        (form, "a=1&b=%E4%BD%A0+x&a=2", json!({"a": ["1", "2"], "b": "你 x"})),
        (form, "{\"a\":1}", json!({"a": 1})),
        ("text/plain", "call me", json!("call me")),
        ("application/json", "", json!(null)),
        ("", "", json!("")),
    ] {
        let read = posted(media, body);
        assert_eq!((read.value, read.fault), (expected, None), "{media} {body}");
    }
}

#[test]
fn numbers_keep_their_digits() {
    let body = r#"{"a":9007199254740993,"b":18446744073709551615,"c":123456789012345678901234567890,"d":-1.5,"e":"12345678901234567890123","f":0.1234567890123456789,"g":1e400,"h":59.90}"#;
    assert_eq!(
        posted("application/json", body).value,
        json!({
            "a": 9_007_199_254_740_993_i64, "b": u64::MAX, "c": "123456789012345678901234567890", "d": -1.5,
            "e": "12345678901234567890123", "f": "0.1234567890123456789", "g": "1e400", "h": 59.9
        })
    );
}

#[test]
fn a_key_that_stands_twice_is_told() {
    let read = posted("application/json", r#"{"a":1,"b":{"a":1,"a":2},"a":3}"#);
    assert_eq!(read.value, json!({"a": 3, "b": {"a": 2}}));
    assert!(read.notes[0].contains("`a` stands twice"), "{:?}", read.notes);
}

#[test]
fn what_cannot_be_read_is_its_text_with_the_reason() {
    let deep = format!("{}1{}", "[".repeat(5_000), "]".repeat(5_000));
    for (media, body) in [
        ("application/json", b"{\"a\":".to_vec()),
        ("application/json", b"{\"a\":\"\\ud800\"}".to_vec()),
        ("application/json", b"{\"a\":\"\xff\"}".to_vec()),
        ("application/json", b"{\"a\":1} x".to_vec()),
        ("application/json", b"{\"a\":1-2}".to_vec()),
        ("application/json; charset=klingon", b"{}".to_vec()),
        ("application/json", deep.into_bytes()),
        ("multipart/form-data", b"--X".to_vec()),
        (
            "multipart/form-data; boundary=X",
            b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1".to_vec(),
        ),
    ] {
        let read = posted(media, body.clone());
        assert!(read.fault.is_some(), "{media}: {:?}", read.value);
        assert_eq!(read.value, json!(String::from_utf8_lossy(&body)));
    }
}

#[test]
fn other_character_sets_are_read() {
    let gbk = b"{\"name\":\"\xd5\xc5\xc8\xfd\"}".to_vec();
    assert_eq!(
        posted("application/json; charset=GBK", gbk.clone()).value,
        json!({"name": "张三"})
    );
    let spec = BodySpec {
        charset: Some("gbk".into()),
        ..BodySpec::default()
    };
    let request = Request {
        body: gbk,
        ..Request::default()
    };
    assert_eq!(read(&request, &spec).value, json!({"name": "张三"}));
}

#[test]
fn a_field_of_a_form_can_be_the_payload() {
    let spec = BodySpec {
        json_field: Some("payload".into()),
        ..BodySpec::default()
    };
    let request = |body: &str| Request {
        headers: vec![("content-type".into(), "application/x-www-form-urlencoded".into())],
        body: body.into(),
        ..Request::default()
    };
    assert_eq!(
        read(&request("payload=%7B%22a%22%3A1%7D"), &spec).value,
        json!({"a": 1})
    );
    assert_eq!(
        read(&request("command=%2Flead"), &spec).value,
        json!({"command": "/lead"})
    );
    assert!(read(&request("payload=%7B"), &spec).fault.is_some());
}

proptest! {
    #[test]
    fn no_body_makes_it_panic(
        body in prop::collection::vec(any::<u8>(), 0..400),
        media in prop::sample::select(vec![
            "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=X", "text/plain; charset=utf-16", "",
        ]),
    ) {
        let read = posted(media, body);
        prop_assert!(read.fault.is_none() || read.value.is_string());
    }

    #[test]
    fn what_is_json_reads_as_any_other_reader_does(text in "[\\[\\]{},:\"0-9a-z .eE+-]{0,60}") {
        let mut notes = Vec::new();
        let ours = super::json::read(&text, &mut notes);
        let theirs = serde_json::from_str::<serde_json::Value>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok() || text.trim().is_empty() || ours.is_ok() && text.contains(['e', 'E']));
    }
}
