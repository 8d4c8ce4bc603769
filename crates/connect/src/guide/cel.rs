//! CEL texts in configuration files.

use switchboard_model::{
    condition::Condition,
    problem::{Code, Problem},
};

use super::reader::Part;

/// Reads a CEL text; one that cannot be read is reported at the place inside of it.
pub(super) fn read(part: &Part<'_, '_>) -> Option<String> {
    let source = part.text()?;
    match Condition::parse(source) {
        Ok(_) => Some(source.to_owned()),
        Err(error) => {
            let error = error.to_string();
            let (offset, message) = locate(source, &error);
            part.report_inside("", offset, problem(message));
            None
        }
    }
}

/// A condition that cannot be read.
pub(super) fn problem(message: &str) -> Problem {
    let next = "Correct it; the forms of conditions are in the configuration reference.";
    Problem::new(
        Code::ConditionSyntax,
        format!("The condition cannot be read: {message}"),
        next,
    )
}

/// The byte of `source` that a message is about, and the message without its place inside of the text, which a person who
/// looks at the file cannot use.
fn locate<'e>(source: &str, error: &'e str) -> (usize, &'e str) {
    let located = error.strip_prefix("line ").and_then(|rest| {
        let (line, rest) = rest.split_once(", column ")?;
        let (column, message) = rest.split_once(": ")?;
        let (line, column) = (
            line.parse::<usize>().ok()?.checked_sub(1)?,
            column.parse::<usize>().ok()?.checked_sub(1)?,
        );
        let before: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
        let rest = &source[before..];
        let inside = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
        Some((before + inside, message))
    });
    located.unwrap_or((0, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_is_found_inside_of_its_text() {
        let table = [
            ("a == '客户' &&\n b === 2", "a == '客户' &&\n b ==".len()),
            ("a == '类别' = 1", "a == '类别' ".len()),
            ("a +", 3),
            ("", 0),
            ("a.all(x, x > 1)", 0),
        ];
        for (source, expected) in table {
            let error = Condition::parse(source)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default();
            let (offset, message) = locate(source, &error);
            assert_eq!(offset, expected, "{source}: {error}");
            assert!(
                !message.is_empty() && !message.starts_with("line"),
                "{source}: {message}"
            );
        }
    }

    #[test]
    fn a_message_of_another_form_is_taken_as_it_is() {
        assert_eq!(locate("x", "line 9, column 9: far: away"), (1, "far: away"));
        for message in ["too long", "line x, column 1: y", "line 0, column 0: y", "line 1", ""] {
            assert_eq!(locate("x", message), (0, message));
        }
    }
}
