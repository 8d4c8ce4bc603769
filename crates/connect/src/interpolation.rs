//! Text with expressions in a place that has a syntax of its own: a path, a query language. Each value is escaped for that
//! place, so that a value can never change the structure around it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use serde_json::Value;
use switchboard_model::template::{Scope, Template, TemplateError};

/// Everything but RFC 3986's unreserved characters is encoded.
pub const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How values are made harmless.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// Nothing is escaped: a whole address that a user gives.
    Nothing,
    /// Inside one segment of a path.
    Segment,
    /// Inside a quoted SOQL literal: `\` and `'` (fact sheet salesforce §5), and control characters, which a literal may not hold.
    /// A list becomes quoted literals with commas between them.
    Soql,
}

/// Why a text could not be filled in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FillError {
    /// An expression has no value, and leaving it out would change the meaning.
    #[error("`{0}` has no value")]
    Absent(String),
    /// A value would leave its place: `.` or `..` as a segment of a path.
    #[error("`{0}` is no usable part of an address")]
    Unsafe(String),
    /// The expression failed.
    #[error("{0}")]
    Failed(String),
}

#[derive(Debug)]
enum Piece {
    Text(String),
    Value { source: String, template: Template },
}

/// A compiled text whose values are escaped one by one.
#[derive(Debug)]
pub struct Interpolation {
    pieces: Vec<Piece>,
    escape: Escape,
}

impl Interpolation {
    /// Compiles `source`.
    ///
    /// # Errors
    /// The first expression that cannot be read, and its byte offset in `source`.
    pub fn parse(source: &str, escape: Escape) -> Result<Self, (usize, TemplateError)> {
        let mut pieces = Vec::new();
        let mut rest = 0;
        while let Some(start) = source[rest..].find("{{").map(|at| rest + at) {
            let end = expression_end(source, start);
            if start > rest {
                pieces.push(Piece::Text(source[rest..start].to_owned()));
            }
            let expression = &source[start..end];
            let template = Template::parse(expression).map_err(|error| (start, error))?;
            pieces.push(Piece::Value {
                source: expression.to_owned(),
                template,
            });
            rest = end;
        }
        if rest < source.len() {
            pieces.push(Piece::Text(source[rest..].to_owned()));
        }
        Ok(Self { pieces, escape })
    }

    /// Fills in the values.
    ///
    /// # Errors
    /// When an expression is absent, blank or unsafe.
    pub fn fill(&self, scope: &Scope<'_>) -> Result<String, FillError> {
        let mut text = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Value { source, template } => {
                    let value = template
                        .render(scope)
                        .map_err(|error| FillError::Failed(error.to_string()))?;
                    match (self.escape, value) {
                        (Escape::Soql, Some(Value::Array(list))) if !list.is_empty() => push_soql_list(&mut text, list),
                        (_, value) => {
                            let value = as_text(value).ok_or_else(|| FillError::Absent(source.clone()))?;
                            self.push(&mut text, &value)?;
                        }
                    }
                }
            }
        }
        Ok(text)
    }

    fn push(&self, text: &mut String, value: &str) -> Result<(), FillError> {
        match self.escape {
            Escape::Segment if matches!(value, "." | "..") => return Err(FillError::Unsafe(value.to_owned())),
            Escape::Segment => text.extend(percent_encoding::utf8_percent_encode(value, STRICT)),
            Escape::Soql => push_soql(text, value),
            Escape::Nothing => text.push_str(value),
        }
        Ok(())
    }
}

/// What stands between the brackets of `IN (…)`: each value quoted. What is no scalar becomes an empty text.
fn push_soql_list(text: &mut String, list: Vec<Value>) {
    for (at, value) in list.into_iter().enumerate() {
        text.push_str(if at == 0 { "'" } else { ",'" });
        push_soql(text, &as_text(Some(value)).unwrap_or_default());
        text.push('\'');
    }
}

fn push_soql(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' | '\'' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_control() => {}
            other => text.push(other),
        }
    }
}

/// Text of a scalar; `None` for what is absent, blank or no scalar.
fn as_text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The byte after the expression that starts at `start`; quoted `}}` do not end it.
fn expression_end(source: &str, start: usize) -> usize {
    let mut quote = None;
    let bytes = source.as_bytes();
    for at in start + 2..bytes.len() {
        match (quote, bytes[at]) {
            (None, b'}') if bytes.get(at + 1) == Some(&b'}') => return at + 2,
            (None, mark @ (b'\'' | b'"')) => quote = Some(mark),
            (Some(mark), byte) if byte == mark => quote = None,
            _ => {}
        }
    }
    source.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn fill(source: &str, escape: Escape, data: &Value) -> Result<String, FillError> {
        Interpolation::parse(source, escape).unwrap().fill(&Scope::new(data))
    }

    #[test]
    fn a_value_cannot_leave_its_segment() {
        for (value, path) in [
            (json!("251"), "/contacts/251"),
            (json!("a/b?c#d"), "/contacts/a%2Fb%3Fc%23d"),
            (json!("ana@example.org"), "/contacts/ana%40example.org"),
            (json!("客"), "/contacts/%E5%AE%A2"),
            (json!(7), "/contacts/7"),
        ] {
            assert_eq!(
                fill("/contacts/{{ id }}", Escape::Segment, &json!({"id": value})).as_deref(),
                Ok(path)
            );
        }
        for value in [json!(".."), json!("."), json!(""), json!(null), json!(["x"])] {
            assert!(
                fill("/contacts/{{ id }}", Escape::Segment, &json!({"id": value})).is_err(),
                "{value}"
            );
        }
    }

    #[test]
    fn an_absent_value_is_an_error_that_names_the_expression() {
        let error = fill("/contacts/{{ id }}", Escape::Segment, &json!({})).unwrap_err();
        assert_eq!(error, FillError::Absent("{{ id }}".into()));
    }

    #[test]
    fn a_quote_in_a_value_does_not_end_the_soql_literal() {
        let data = json!({"name": "O'Brien\\' OR Name != '"});
        let query = fill("SELECT Id FROM Lead WHERE Name = '{{ name }}'", Escape::Soql, &data);
        assert_eq!(
            query.unwrap(),
            r"SELECT Id FROM Lead WHERE Name = 'O\'Brien\\\' OR Name != \''"
        );
    }

    proptest! {
        #[test]
        fn no_soql_value_holds_a_quote_that_is_not_escaped(value in "\\PC+") {
            let query = fill("'{{ v }}'", Escape::Soql, &json!({"v": value})).unwrap();
            let mut letters = query[1..query.len() - 1].chars();
            while let Some(letter) = letters.next() {
                prop_assert_ne!(letter, '\'');
                if letter == '\\' {
                    prop_assert!(letters.next().is_some());
                }
            }
        }

        #[test]
        fn a_filled_path_has_as_many_segments_as_its_pattern(value in "\\PC+") {
            if let Ok(path) = fill("/a/{{ v }}/b", Escape::Segment, &json!({"v": value})) {
                prop_assert_eq!(path.matches('/').count(), 3);
                prop_assert!(!path.contains(['?', '#']));
            }
        }
    }
}
