//! Regular expressions. One that was used once is kept ready.

use std::collections::HashMap;
use std::sync::LazyLock;

use parking_lot::Mutex;
use regex::Regex;
use rhai::{Array, Dynamic, Engine};

use super::Wrong;

/// More are never kept; scripts have some dozens.
const KEPT: usize = 2_000;

static READY: LazyLock<Mutex<HashMap<String, Regex>>> = LazyLock::new(Mutex::default);

/// `matches(text, regex)` and `captures(text, regex)`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("matches", |text: Dynamic, pattern: &str| -> Result<bool, Wrong> {
        let regex = ready(pattern)?;
        Ok(text.as_immutable_string_ref().is_ok_and(|text| regex.is_match(&text)))
    });
    engine.register_fn("captures", |text: Dynamic, pattern: &str| -> Result<Dynamic, Wrong> {
        let regex = ready(pattern)?;
        let Ok(text) = text.as_immutable_string_ref() else {
            return Ok(Dynamic::UNIT);
        };
        let Some(groups) = regex.captures(&text) else {
            return Ok(Dynamic::UNIT);
        };
        let group =
            |found: Option<regex::Match<'_>>| found.map_or(Dynamic::UNIT, |found| found.as_str().to_owned().into());
        Ok(Dynamic::from_array(groups.iter().map(group).collect::<Array>()))
    });
}

/// The compiled expression.
///
/// # Errors
/// What is wrong with it.
pub fn ready(pattern: &str) -> Result<Regex, Wrong> {
    if let Some(regex) = READY.lock().get(pattern) {
        return Ok(regex.clone());
    }
    let regex =
        Regex::new(pattern).map_err(|error| Wrong::from(format!("`{pattern}` is no regular expression: {error}")))?;
    let mut all = READY.lock();
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(pattern.to_owned(), regex.clone());
    Ok(regex)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{fails, says};

    #[test]
    fn texts_are_matched_and_taken_apart() {
        for (script, expected) in [
            (r#"matches("ab12", "^[a-z]+[0-9]+$")"#, json!(true)),
            (r#"matches("ü", "^.$")"#, json!(true)),
            (r#"matches("ab", "^b")"#, json!(false)),
            (r#"matches((), ".*")"#, json!(false)),
            (r#"captures("id=7;", "id=([0-9]+)(x)?")"#, json!(["id=7", "7", null])),
            (r#"captures("none", "id=([0-9]+)")"#, json!(null)),
            (r#"captures(5, "5")"#, json!(null)),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
        assert!(fails(r#"matches("a", "(")"#).contains("no regular expression"));
    }
}
