//! JSON, forms, percent encoding and the lengths of texts.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use rhai::{Array, Dynamic, Engine, INT, Map};

use super::Wrong;
use super::json::{from_script, to_script};

/// What RFC 3986 calls unreserved stays as it is.
const RESERVED: AsciiSet = NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// `parse_json`, `to_json`, `parse_form`, `percent`, `unpercent`, `text_chars`, `text_bytes`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("parse_json", |text: &str| {
        serde_json::from_str(text).map_or(Dynamic::UNIT, |value| to_script(&value))
    });
    // The engine's own packages have a `to_json` for maps, which would come first.
    engine.register_fn("to_json", |map: Map| to_json(&Dynamic::from_map(map)));
    engine.register_fn("to_json", |value: Dynamic| to_json(&value));
    engine.register_fn("parse_form", |text: &str| {
        first_of_each(url::form_urlencoded::parse(text.as_bytes()))
    });
    engine.register_fn("percent", |text: &str| utf8_percent_encode(text, &RESERVED).to_string());
    engine.register_fn("unpercent", |text: &str| {
        percent_decode_str(text).decode_utf8_lossy().into_owned()
    });
    engine.register_fn("text_chars", |text: &str| {
        INT::try_from(text.chars().count()).unwrap_or(INT::MAX)
    });
    engine.register_fn("text_bytes", |text: &str| INT::try_from(text.len()).unwrap_or(INT::MAX));
}

fn to_json(value: &Dynamic) -> Result<String, Wrong> {
    Ok(from_script(value)?.to_string())
}

/// Name → first value.
#[must_use]
pub fn first_of_each<N: AsRef<str>, V: Into<String>>(pairs: impl Iterator<Item = (N, V)>) -> Map {
    let mut all = Map::new();
    for (name, value) in pairs {
        all.entry(name.as_ref().into())
            .or_insert_with(|| Dynamic::from(value.into()));
    }
    all
}

/// Name → all values.
#[must_use]
pub fn all_of_each<N: AsRef<str>, V: Into<String>>(pairs: impl Iterator<Item = (N, V)>) -> Map {
    let mut all: std::collections::BTreeMap<String, Array> = std::collections::BTreeMap::new();
    for (name, value) in pairs {
        all.entry(name.as_ref().to_owned())
            .or_default()
            .push(Dynamic::from(value.into()));
    }
    all.into_iter()
        .map(|(name, values)| (name.into(), Dynamic::from_array(values)))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    #[test]
    fn texts_are_read_and_written() {
        for (script, expected) in [
            (r#"parse_json("{\"a\": [1, null]}")"#, json!({"a": [1, null]})),
            (r#"parse_json("[1]")"#, json!([1])),
            (r#"parse_json("{")"#, json!(null)),
            (
                r#"to_json(#{b: 1, a: [(), "ü", 1.5]})"#,
                json!(r#"{"a":[null,"ü",1.5],"b":1}"#),
            ),
            (r#"to_json("x")"#, json!(r#""x""#)),
            (
                r#"parse_form("a=1&b=%C3%A4+x&a=2&c")"#,
                json!({"a": "1", "b": "ä x", "c": ""}),
            ),
            (r#"percent("a b/ä~")"#, json!("a%20b%2F%C3%A4~")),
            (r#"unpercent("a%20b%2F%C3%A4")"#, json!("a b/ä")),
            (r#"[text_chars("ä王"), text_bytes("ä王")]"#, json!([2, 5])),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }
}
