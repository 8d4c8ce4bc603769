//! Text of a configuration file or a manifest → JSON value, and the place of each of its parts for messages.
//!
//! JSON and YAML are read. What JSON cannot hold exactly, or what two readers could understand differently, is refused:
//! duplicate keys, keys that are no text, several YAML documents, whole numbers that lose digits. It does not know what the
//! values mean.

mod json;
mod place;
mod yaml;

use serde_json::Value;
use switchboard_model::problem::{Code, Problem};

use place::{Node, Spot};

/// Deepest nesting of objects and lists.
pub const DEPTH_LIMIT: usize = 64;
/// Longest text, in bytes.
pub const SIZE_LIMIT: usize = 4 * 1024 * 1024;

/// Most problems of one text that are told at once; nobody reads more, and a broken file of full size has very many.
pub(crate) const PROBLEM_LIMIT: usize = 200;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// A text that was read: its value, and where each part of the value stands.
#[derive(Debug, Clone)]
pub struct Document {
    name: String,
    text: String,
    value: Value,
    root: Node,
}

/// Something wrong at a spot of the text, before the name of the text is put to it.
struct Flaw {
    spot: Spot,
    code: Code,
    detail: String,
    next: String,
}

impl Flaw {
    fn new(spot: Spot, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            spot,
            code: Code::WrongValue,
            detail: detail.into(),
            next: next.into(),
        }
    }

    fn too_deep(spot: Spot) -> Self {
        Self {
            code: Code::TooDeep,
            ..Self::new(spot, "The nesting is too deep", limit_advice())
        }
    }

    fn duplicate(spot: Spot, key: &str, first: Spot) -> Self {
        let detail = format!("The key `{key}` is here a second time; the first is at {first}");
        Self::new(spot, detail, "Remove one of the two.")
    }

    /// The number itself is not repeated: it may be a credential that was written without quotes.
    fn inexact_number(spot: Spot) -> Self {
        Self::new(
            spot,
            "The number has more digits than can be kept exactly",
            "Put it in quotes, then it is kept as it is written.",
        )
    }
}

fn limit_advice() -> String {
    format!("Use at most {DEPTH_LIMIT} levels of objects and lists.")
}

impl Document {
    /// Reads `text`: JSON when it starts with `{` or `[`, otherwise YAML 1.2 (core schema: `yes` and `2024-01-31` are
    /// texts). `name` is the file's name for messages. An empty text is `null`.
    ///
    /// # Errors
    /// One problem with its place for each thing that is wrong, as far as reading could go on.
    pub fn parse(text: &str, name: &str) -> Result<Self, Problem> {
        if text.len() > SIZE_LIMIT {
            let detail = format!("{name} has {} bytes, the limit is {SIZE_LIMIT}", text.len());
            return Err(Problem::new(Code::TooLarge, detail, "Split it into several files."));
        }
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let is_json = text.trim_start().starts_with(['{', '[']);
        let read = if is_json { json::read(text) } else { yaml::read(text) };
        match read {
            Ok((value, root)) => Ok(Self {
                name: name.to_owned(),
                text: text.to_owned(),
                value,
                root,
            }),
            Err(flaws) => Err(as_problem(flaws, name)),
        }
    }

    /// The name that messages give it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the text says.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// What the text says, without the places.
    pub fn into_value(self) -> Value {
        self.value
    }

    /// `file:line:column` of the value at a JSON pointer (RFC 6901), or of its nearest ancestor that exists. Lines and
    /// columns count from 1, columns in characters.
    pub fn place(&self, pointer: &str) -> String {
        self.name_spot(self.root.nearest(pointer).value)
    }

    /// Like [`place`](Self::place), but of the key that the value stands under, for messages about the key itself.
    pub fn place_of_key(&self, pointer: &str) -> String {
        let node = self.root.nearest(pointer);
        self.name_spot(node.key.unwrap_or(node.value))
    }

    /// `file:line:column` of the byte `offset` inside the text value at a JSON pointer; the start of the value where the
    /// way of writing it does not tell (for example folded lines with escapes).
    pub fn place_inside(&self, pointer: &str, offset: usize) -> String {
        let start = self.root.nearest(pointer).value;
        let value = self.value.pointer(pointer).and_then(Value::as_str);
        let inside = value.and_then(|value| place::inside(&self.text, start, value, offset));
        self.name_spot(inside.unwrap_or(start))
    }

    /// A problem at the value under a JSON pointer.
    pub fn problem(&self, code: Code, pointer: &str, detail: impl Into<String>, next: impl Into<String>) -> Problem {
        Problem::new(code, detail, next).at(self.place(pointer))
    }

    fn name_spot(&self, spot: Spot) -> String {
        format!("{}:{spot}", self.name)
    }
}

/// Never called with an empty list; were it, the answer would still be a problem.
fn as_problem(flaws: Vec<Flaw>, name: &str) -> Problem {
    let untold = flaws.len().saturating_sub(PROBLEM_LIMIT);
    let named = |flaw: Flaw| Problem::new(flaw.code, flaw.detail, flaw.next).at(format!("{name}:{}", flaw.spot));
    let mut problems: Vec<Problem> = flaws.into_iter().take(PROBLEM_LIMIT).map(named).collect();
    problems.extend(not_told(untold));
    let nothing = || Problem::new(Code::WrongValue, format!("{name} cannot be read"), "Check the file.");
    Problem::all(problems).unwrap_or_else(nothing)
}

/// Says that there are more problems than are told.
pub(crate) fn not_told(count: usize) -> Option<Problem> {
    let detail = format!("There are {count} more problems");
    (count > 0).then(|| Problem::new(Code::WrongValue, detail, "Correct those that are listed first."))
}
