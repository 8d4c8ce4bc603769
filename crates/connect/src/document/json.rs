//! JSON text → value and places. `serde_json` decides what the text means; the scanner here only follows a text that is
//! known to be good and notes where things stand.

use indexmap::IndexMap;
use indexmap::map::Entry;
use serde_json::Value;
use serde_json::error::Category;

use super::place::{Node, Parts, Spot};
use super::{DEPTH_LIMIT, Flaw};

/// Reads a text that starts with `{` or `[`.
pub(super) fn read(text: &str) -> Result<(Value, Node), Vec<Flaw>> {
    let value = serde_json::from_str(text).map_err(|error| vec![as_flaw(text, &error)])?;
    let mut scanner = Scanner {
        text,
        at: 0,
        spot: Spot { line: 1, column: 1 },
        flaws: Vec::new(),
    };
    let root = scanner.value(0);
    if scanner.flaws.is_empty() {
        Ok((value, root))
    } else {
        Err(scanner.flaws)
    }
}

fn as_flaw(text: &str, error: &serde_json::Error) -> Flaw {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let spot = spot_of(text, error);
    let next = match error.classify() {
        Category::Eof => "The file ends too early: close what is open, or save it again in full.",
        _ => "Correct the JSON at this place; an editor that knows JSON marks it.",
    };
    if message == "recursion limit exceeded" {
        return Flaw::too_deep(spot);
    }
    Flaw::new(spot, format!("This is not valid JSON: {message}"), next)
}

/// `serde_json` counts columns in bytes and names the last byte that it read.
fn spot_of(text: &str, error: &serde_json::Error) -> Spot {
    let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
    let mut end = error.column().saturating_sub(1).min(line.len());
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    Spot {
        line: error.line().max(1),
        column: line[..end].chars().count() + 1,
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
    spot: Spot,
    flaws: Vec<Flaw>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        match self.peek() {
            Some(b'\n') => {
                self.spot = Spot {
                    line: self.spot.line + 1,
                    column: 1,
                }
            }
            // Bytes that continue a character of UTF-8 are no column of their own.
            Some(byte) if byte & 0xc0 != 0x80 => self.spot.column += 1,
            _ => {}
        }
        self.at += 1;
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.step();
        }
    }

    /// Follows one value; inside `depth` others.
    fn value(&mut self, depth: usize) -> Node {
        self.skip_space();
        let start = self.spot;
        match self.peek() {
            Some(b'{' | b'[') if depth == DEPTH_LIMIT => {
                self.flaws.push(Flaw::too_deep(start));
                // Nothing after this place can be followed; reading ends with this one problem.
                self.at = self.text.len();
                Node::leaf(start)
            }
            Some(b'{') => Node {
                key: None,
                value: start,
                parts: Parts::Map(self.members(depth)),
            },
            Some(b'[') => Node {
                key: None,
                value: start,
                parts: Parts::List(self.items(depth)),
            },
            Some(b'"') => {
                self.string();
                Node::leaf(start)
            }
            _ => {
                self.word(start);
                Node::leaf(start)
            }
        }
    }

    fn items(&mut self, depth: usize) -> Vec<Node> {
        let mut items = Vec::new();
        self.step();
        loop {
            self.skip_space();
            match self.peek() {
                None => return items,
                Some(b']') => {
                    self.step();
                    return items;
                }
                Some(b',') => self.step(),
                Some(_) => items.push(self.value(depth + 1)),
            }
        }
    }

    fn members(&mut self, depth: usize) -> IndexMap<String, Node> {
        let mut members = IndexMap::new();
        self.step();
        loop {
            self.skip_space();
            match self.peek() {
                None => return members,
                Some(b'}') => {
                    self.step();
                    return members;
                }
                Some(b',') => self.step(),
                Some(_) => self.member(depth, &mut members),
            }
        }
    }

    fn member(&mut self, depth: usize, members: &mut IndexMap<String, Node>) {
        let start = self.spot;
        let key = self.string();
        self.skip_space();
        // The colon.
        self.step();
        let mut node = self.value(depth + 1);
        node.key = Some(start);
        match members.entry(key) {
            Entry::Vacant(free) => {
                free.insert(node);
            }
            Entry::Occupied(taken) => {
                let first = taken.get().key.unwrap_or(taken.get().value);
                self.flaws.push(Flaw::duplicate(start, taken.key(), first));
            }
        }
    }

    /// Goes past a text in quotes and says what it holds.
    fn string(&mut self) -> String {
        let start = self.at;
        self.step();
        while let Some(byte) = self.peek() {
            self.step();
            match byte {
                b'"' => break,
                b'\\' => self.step(),
                _ => {}
            }
        }
        let written = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(written).unwrap_or_default()
    }

    /// Goes past a number, `true`, `false` or `null`.
    fn word(&mut self, start: Spot) {
        let from = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'))
        {
            self.step();
        }
        let word = self.text.get(from..self.at).unwrap_or_default();
        let is_whole = word.trim_start_matches('-').bytes().all(|byte| byte.is_ascii_digit()) && !word.is_empty();
        if is_whole && word.parse::<i64>().is_err() && word.parse::<u64>().is_err() {
            self.flaws.push(Flaw::inexact_number(start));
        }
        if self.at == from {
            // A text that serde_json accepted has no such place; the step keeps the loop going all the same.
            self.step();
        }
    }
}
