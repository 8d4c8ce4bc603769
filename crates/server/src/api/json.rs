//! Bytes → JSON value, with limits, and with a place for everything that is wrong.

use std::cell::Cell;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value, map::Entry};
use switchboard_model::problem::{Code, Problem};

/// Reads a body. `depth` is the deepest nesting that is allowed; a key that stands twice in one object is refused, because
/// readers differ in which of the two they take.
///
/// # Errors
/// [`Code::BrokenJson`] or [`Code::TooDeep`] with line and column.
pub fn read(bytes: &[u8], depth: usize) -> Result<Value, Problem> {
    let text = utf8(bytes)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(broken("The body is empty, JSON is expected", None));
    }
    let fault = Cell::new(Code::BrokenJson);
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = Node {
        left: depth,
        fault: &fault,
    }
    .deserialize(&mut reader)
    .and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let place = place(text, &error);
        if fault.get() == Code::TooDeep {
            let next = format!("Use at most {depth} levels of objects and lists.");
            return Problem::new(
                Code::TooDeep,
                format!("There are more than {depth} levels at {place}"),
                next,
            )
            .at(place);
        }
        broken(&explain(&error, &place), Some(place))
    })
}

/// The body as text.
///
/// # Errors
/// [`Code::BrokenJson`] with the byte where it stops being UTF-8.
pub fn utf8(bytes: &[u8]) -> Result<&str, Problem> {
    simdutf8::compat::from_utf8(bytes).map_err(|error| {
        let at = error.valid_up_to();
        let line = bytes[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem::new(
            Code::BrokenJson,
            format!(
                "The body is not UTF-8 from byte {at} on (line {line}; the byte is 0x{:02x})",
                bytes[at]
            ),
            "Send the text as UTF-8, not as GBK, Windows-1251 or another encoding.",
        )
        .at(format!("byte {at}"))
    })
}

fn broken(detail: &str, place: Option<String>) -> Problem {
    let problem = Problem::new(
        Code::BrokenJson,
        detail,
        "Correct the JSON; most languages have a function that writes it.",
    );
    match place {
        Some(place) => problem.at(place),
        None => problem,
    }
}

/// Line and column from 1; columns in characters, as editors count them.
fn place(text: &str, error: &serde_json::Error) -> String {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let until = line.floor_char_boundary(error.column());
    format!("line {}, column {}", error.line(), line[..until].chars().count())
}

/// serde_json's sentence with the place in it, without the words of the library.
fn explain(error: &serde_json::Error, place: &str) -> String {
    let text = error.to_string();
    let sentence = text.split(" at line ").next().unwrap_or(&text);
    let ended = if error.is_eof() {
        "The body ends too early: "
    } else {
        ""
    };
    format!("{ended}{sentence} at {place}")
}

/// One value, with `left` levels of nesting allowed below.
#[derive(Clone, Copy)]
struct Node<'a> {
    left: usize,
    fault: &'a Cell<Code>,
}

impl Node<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        match self.left.checked_sub(1) {
            Some(left) => Ok(Self { left, ..self }),
            None => {
                self.fault.set(Code::TooDeep);
                Err(E::custom("nested too deeply"))
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // The greatest number that a double holds exactly; beyond it digits of an id would be lost in silence.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if value.fract() == 0.0 && value.abs() > EXACT * 2048.0 && value.abs() < 1e40 {
            return Err(E::custom(
                "a whole number with more digits than can be kept exactly; send it as text in quotes",
            ));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            match object.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(members.next_value_seed(inner)?);
                }
                Entry::Occupied(occupied) => {
                    let key: String = occupied.key().chars().take(80).collect();
                    return Err(A::Error::custom(format_args!(
                        "the key `{key}` stands twice in one object"
                    )));
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_column() {
        for (body, code, place, words) in [
            ("", Code::BrokenJson, None, "empty"),
            (
                "{\n  \"a\": 1,\n}",
                Code::BrokenJson,
                Some("line 3, column 1"),
                "trailing comma",
            ),
            ("{\"a\": ", Code::BrokenJson, Some("line 1, column 6"), "ends too early"),
            (
                "{\"a\": 1} x",
                Code::BrokenJson,
                Some("line 1, column 10"),
                "trailing characters",
            ),
            (
                "{'a': 1}",
                Code::BrokenJson,
                Some("line 1, column 2"),
                "key must be a string",
            ),
            (
                "{\"客户\": 1,\n \"客户\": 2}",
                Code::BrokenJson,
                Some("line 2, column 5"),
                "`客户` stands twice",
            ),
            ("[[[[1]]]]", Code::TooDeep, Some("line 1, column 4"), "more than 3"),
            (
                "{\"id\": 123456789012345678901234}",
                Code::BrokenJson,
                Some("line 1, column 31"),
                "in quotes",
            ),
        ] {
            let problem = read(body.as_bytes(), 3).unwrap_err();
            assert_eq!(problem.code, code, "{body}: {problem}");
            assert_eq!(problem.place.as_deref(), place, "{body}");
            assert!(problem.detail.contains(words), "{body}: {}", problem.detail);
        }
    }

    #[test]
    fn text_in_another_encoding_is_told_by_its_first_byte() {
        // 你好 in GBK.
        let problem = read(b"{\n\"a\": \"\xc4\xe3\xba\xc3\"}", 64).unwrap_err();
        assert!(
            problem.detail.contains("byte 8") && problem.detail.contains("line 2"),
            "{}",
            problem.detail
        );
        assert!(problem.next.contains("UTF-8"));
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_and_not_a_crash() {
        assert_eq!(
            read("[".repeat(100_000).as_bytes(), 64).unwrap_err().code,
            Code::TooDeep
        );
    }

    #[test]
    fn values_come_in_as_they_were_sent() {
        let body = "\u{feff}{\"a\": [1, -2, 1.5, 18446744073709551615, true, null, \"😀 \\ud83d\\ude00\"], \"b\": {}}";
        let expected = json!({"a": [1, -2, 1.5, 18_446_744_073_709_551_615_u64, true, null, "😀 😀"], "b": {}});
        assert_eq!(read(body.as_bytes(), 64), Ok(expected));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fail_otherwise_than_with_a_problem(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, 8);
        }
    }
}
