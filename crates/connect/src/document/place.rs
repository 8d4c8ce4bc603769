//! Where the parts of a value stand in its text.

use std::fmt;

use indexmap::IndexMap;

/// A line and a column, both from 1; columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) line: usize,
    pub(super) column: usize,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// The places of one value and of all that it holds. A tree like the value's own rather than a map of pointers: the
/// pointers of a deep document with long keys would take many times the room of its text.
#[derive(Debug, Clone)]
pub(super) struct Node {
    /// Where the key stands that this is the value of.
    pub(super) key: Option<Spot>,
    /// Where the value starts.
    pub(super) value: Spot,
    pub(super) parts: Parts,
}

/// What a value holds.
#[derive(Debug, Clone)]
pub(super) enum Parts {
    None,
    List(Vec<Node>),
    Map(IndexMap<String, Node>),
}

impl Node {
    pub(super) fn leaf(value: Spot) -> Self {
        Self {
            key: None,
            value,
            parts: Parts::None,
        }
    }

    /// The node at a JSON pointer, or the last one on the way to it that exists.
    pub(super) fn nearest(&self, pointer: &str) -> &Self {
        let mut node = self;
        for token in pointer.split('/').skip(1) {
            let token = token.replace("~1", "/").replace("~0", "~");
            let child = match &node.parts {
                Parts::None => None,
                Parts::List(items) => token.parse().ok().and_then(|at: usize| items.get(at)),
                Parts::Map(members) => members.get(&token),
            };
            match child {
                Some(child) => node = child,
                None => break,
            }
        }
        node
    }
}

/// The spot of byte `offset` of `value`, whose written form starts at `start` of `text`. `None` when the written form
/// cannot be followed that far.
pub(super) fn inside(text: &str, start: Spot, value: &str, offset: usize) -> Option<Spot> {
    let rest = rest_at(text, start)?;
    let quote = rest.chars().next().filter(|first| matches!(first, '"' | '\''));
    // A block scalar whose content starts with a quote looks like a quoted one at first.
    quote
        .and_then(|_| follow(rest, start, quote, value, offset))
        .or_else(|| follow(rest, start, None, value, offset))
}

fn follow(rest: &str, start: Spot, quote: Option<char>, value: &str, offset: usize) -> Option<Spot> {
    let mut raw = Raw {
        rest,
        spot: start,
        quote,
        indent: start.column - 1,
    };
    // A block scalar starts, for the parser, at its first line that is not empty.
    let empty_lines = if quote.is_none() {
        value.len() - value.trim_start_matches('\n').len()
    } else {
        0
    };
    if quote.is_some() {
        raw.next();
    }
    for (_, wanted) in value
        .char_indices()
        .take_while(|(at, _)| *at < offset)
        .skip(empty_lines)
    {
        raw.pass(wanted)?;
    }
    Some(raw.spot)
}

fn rest_at(text: &str, spot: Spot) -> Option<&str> {
    let line_start = text
        .split_inclusive('\n')
        .take(spot.line - 1)
        .map(str::len)
        .sum::<usize>();
    let line = text.get(line_start..)?;
    let (in_line, _) = line.char_indices().nth(spot.column - 1)?;
    line.get(in_line..)
}

/// The written form of a text value, followed from its start.
struct Raw<'a> {
    rest: &'a str,
    spot: Spot,
    /// `"` or `'`; `None` for a plain scalar and for the content of a block scalar.
    quote: Option<char>,
    /// Spaces before each line of a block scalar.
    indent: usize,
}

impl Raw<'_> {
    fn next(&mut self) -> Option<char> {
        let next = self.rest.chars().next()?;
        self.rest = &self.rest[next.len_utf8()..];
        self.spot = match next {
            '\n' => Spot {
                line: self.spot.line + 1,
                column: 1,
            },
            _ => Spot {
                column: self.spot.column + 1,
                ..self.spot
            },
        };
        Some(next)
    }

    /// Goes past the written form of one character of the value. Folded lines are not followed: there a line break
    /// stands where the value has a space.
    fn pass(&mut self, wanted: char) -> Option<()> {
        match (self.next()?, self.quote) {
            ('\\', Some('"')) => self.pass_escape(wanted),
            ('\'', Some('\'')) => (self.next()? == '\'' && wanted == '\'').then_some(()),
            ('\n', None) if wanted == '\n' => {
                self.skip_indent();
                Some(())
            }
            (raw, _) => (raw == wanted).then_some(()),
        }
    }

    /// Goes past what follows a backslash. What the escape stands for is not checked: the parser knew.
    fn pass_escape(&mut self, wanted: char) -> Option<()> {
        let digits = match self.next()? {
            'x' => 2,
            // JSON writes a character beyond U+FFFF as two escapes: `\ud83d\ude00`.
            'u' if wanted.len_utf16() == 2 => 10,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        (0..digits).try_for_each(|_| self.next().map(drop))
    }

    fn skip_indent(&mut self) {
        for _ in 0..self.indent {
            if self.rest.starts_with(' ') {
                self.next();
            }
        }
    }
}
