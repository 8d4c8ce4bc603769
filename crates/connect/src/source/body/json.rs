//! JSON whose numbers keep their digits, and whose keys that stand twice are told.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Texts with more digits than a number of the machine can tell apart become texts.
const EXACT_DIGITS: usize = 15;
/// So many keys that stand twice are named.
const MOST_NOTES: usize = 5;

/// Reads one value. An empty text is `null`.
pub(super) fn read(text: &str, notes: &mut Vec<String>) -> Result<Value, String> {
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Ok(Value::Null);
    }
    let exact = keep_digits(text);
    let mut reader = serde_json::Deserializer::from_str(&exact);
    let mut twice = Vec::new();
    let seed = Seed { twice: &mut twice };
    let value = seed
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| error.to_string())?;
    twice.dedup();
    for key in twice.iter().take(MOST_NOTES) {
        notes.push(format!(
            "the key `{key}` stands twice in one object; the last one counts"
        ));
    }
    Ok(value)
}

/// Puts numbers into quotes that would lose digits as numbers.
fn keep_digits(text: &str) -> std::borrow::Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out = String::new();
    let (mut copied, mut at, mut in_text) = (0, 0, false);
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_text = !in_text,
            b'\\' if in_text => at += 1,
            b'-' | b'0'..=b'9' if !in_text => {
                let rest = bytes[at..].iter();
                let length = rest
                    .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'))
                    .count();
                let number = &text[at..at + length];
                if loses_digits(number) {
                    out.push_str(&text[copied..at]);
                    out.push('"');
                    out.push_str(number);
                    out.push('"');
                    copied = at + length;
                }
                at += length - 1;
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return text.into();
    }
    out.push_str(&text[copied..]);
    out.into()
}

/// A number that is none, such as `1-2`, is left for the parser to complain about.
fn loses_digits(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return false;
    }
    let is_whole = !number.contains(['.', 'e', 'E']);
    let mantissa = number.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.chars().filter(char::is_ascii_digit).collect::<String>();
    let significant = digits.trim_start_matches('0').trim_end_matches('0').len();
    let valid = serde_json::from_str::<serde::de::IgnoredAny>(number).is_ok();
    valid && (is_whole || significant > EXACT_DIGITS || !number.parse::<f64>().is_ok_and(f64::is_finite))
}

/// Makes a value and writes down keys that stand twice.
struct Seed<'s> {
    twice: &'s mut Vec<String>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is too large"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Seed {
            twice: &mut *self.twice,
        })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            let value = members.next_value_seed(Seed {
                twice: &mut *self.twice,
            })?;
            if map.contains_key(&key) && self.twice.len() < MOST_NOTES {
                self.twice.push(key.clone());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
