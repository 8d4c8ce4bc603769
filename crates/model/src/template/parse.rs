//! From text to expressions.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Number, Value};

use super::{
    LONGEST_SOURCE, Piece,
    error::TemplateError,
    expression::{Call, Expression, Operand},
    filters,
    path::{Path, Step},
};
use crate::nearest::nearest;

/// More filters than this in one expression are refused.
const MOST_FILTERS: usize = 32;
/// More steps than this in one path are refused.
const MOST_STEPS: usize = 32;

pub(super) fn template(source: &str) -> Result<Vec<Piece>, TemplateError> {
    if source.len() > LONGEST_SOURCE {
        let message = format!("the template is longer than {LONGEST_SOURCE} bytes");
        return Err(TemplateError::at(source, LONGEST_SOURCE, message, None));
    }
    let mut pieces = Vec::new();
    let mut rest = 0;
    let mut trim_next = false;
    while let Some(start) = source[rest..].find("{{").map(|at| rest + at) {
        let trim_before = source[start..].starts_with("{{-");
        push_literal(&mut pieces, source, (rest, start), trim_next, trim_before)?;
        let mut parser = Parser {
            source,
            at: start + if trim_before { 3 } else { 2 },
        };
        pieces.push(Piece::Expression(parser.expression()?));
        trim_next = parser.close(start)?;
        rest = parser.at;
    }
    push_literal(&mut pieces, source, (rest, source.len()), trim_next, false)?;
    Ok(pieces)
}

fn push_literal(
    pieces: &mut Vec<Piece>,
    source: &str,
    (from, to): (usize, usize),
    trim_start: bool,
    trim_end: bool,
) -> Result<(), TemplateError> {
    let mut text = &source[from..to];
    if let Some(at) = text.find("{%") {
        let hint = Some("conditions belong into routes, defaults into `| default: …`".to_owned());
        return Err(TemplateError::at(
            source,
            from + at,
            "tags (`{% … %}`) are not supported",
            hint,
        ));
    }
    if trim_start {
        text = text.trim_start();
    }
    if trim_end {
        text = text.trim_end();
    }
    if !text.is_empty() {
        pieces.push(Piece::Literal(text.to_owned()));
    }
    Ok(())
}

/// Words that are values.
const WORDS: [&str; 4] = ["true", "false", "nil", "null"];

/// Letters and digits of any script with their vowel signs and joiners, `_` and `-`. Other signs end a name, so that a
/// full-width `｜` or `：` is a mistake that is reported, not a part of a variable that does not exist.
static NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}\p{M}\p{Pc}\p{Join_Control}-]+").expect("the pattern is constant"));

/// Whether a text can stand in a path without quotes.
pub(super) fn is_name(text: &str) -> bool {
    NAME.find(text).is_some_and(|found| found.end() == text.len())
}

/// Whether a text can begin a path without quotes.
pub(super) fn is_variable(text: &str) -> bool {
    let is_value = text.starts_with(|c: char| c.is_ascii_digit() || c == '-') || WORDS.contains(&text);
    is_name(text) && !is_value
}

/// Signs of Chinese and Russian keyboards, and what is meant by them.
fn meant_by(found: char) -> Option<char> {
    Some(match found {
        '｜' => '|',
        '：' => ':',
        '，' => ',',
        '．' | '。' => '.',
        '‘' | '’' | '“' | '”' | '「' | '」' | '«' | '»' => '\'',
        '［' | '【' => '[',
        '］' | '】' => ']',
        _ => return None,
    })
}

struct Parser<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn error<T>(&self, at: usize, message: impl Into<String>, hint: Option<String>) -> Result<T, TemplateError> {
        Err(TemplateError::at(self.source, at, message, hint))
    }

    fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn take(&mut self, text: &str) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(text);
        if found {
            self.at += text.len();
        }
        found
    }

    /// Reads `}}` or `-}}`; answers whether white space behind it is to go.
    fn close(&mut self, start: usize) -> Result<bool, TemplateError> {
        if self.take("-}}") {
            return Ok(true);
        }
        if self.take("}}") {
            return Ok(false);
        }
        match self.rest().chars().next() {
            None => self.error(start, "`{{` is never closed", Some("add `}}`".into())),
            Some(found) => {
                let hint = match meant_by(found) {
                    Some(meant) => format!("write `{meant}`"),
                    None => "expected `|` or `}}`".to_owned(),
                };
                self.error(self.at, format!("unexpected `{found}`"), Some(hint))
            }
        }
    }

    fn expression(&mut self) -> Result<Expression, TemplateError> {
        self.skip_space();
        if self.rest().starts_with("}}") || self.rest().starts_with("-}}") {
            return self.error(self.at, "the expression is empty", Some("name a variable".into()));
        }
        let operand = self.operand()?;
        let mut calls = Vec::new();
        while self.take("|") {
            if calls.len() == MOST_FILTERS {
                return self.error(self.at, format!("more than {MOST_FILTERS} filters"), None);
            }
            calls.push(self.call()?);
        }
        Ok(Expression { operand, calls })
    }

    fn call(&mut self) -> Result<Call, TemplateError> {
        self.skip_space();
        let start = self.at;
        let name = self.name();
        if name.is_empty() {
            return self.error(start, "a filter's name is missing", None);
        }
        let Some(filter) = filters::find(name) else {
            let hint = nearest(name, filters::names()).map(|known| format!("did you mean `{known}`?"));
            return self.error(start, format!("there is no filter `{name}`"), hint);
        };
        let mut call = Call {
            filter,
            positional: Vec::new(),
            named: Vec::new(),
        };
        if self.take(":") {
            loop {
                self.argument(&mut call)?;
                if !self.take(",") {
                    break;
                }
            }
        }
        filter
            .check(&call)
            .or_else(|message| self.error(start, message, None))?;
        Ok(call)
    }

    fn argument(&mut self, call: &mut Call) -> Result<(), TemplateError> {
        self.skip_space();
        let start = self.at;
        let name = self.name();
        if !name.is_empty() && self.take(":") {
            let Some(known) = call.filter.named.iter().find(|known| **known == name) else {
                let hint = match call.filter.named {
                    [] => None,
                    known => Some(format!("known: {}", known.join(", "))),
                };
                return self.error(
                    start,
                    format!("filter `{}` has no argument `{name}`", call.filter.name),
                    hint,
                );
            };
            if call.named.iter().any(|(given, _)| given == known) {
                return self.error(start, format!("`{name}` is given twice"), None);
            }
            call.named.push((known, self.operand()?));
            return Ok(());
        }
        self.at = start;
        call.positional.push(self.operand()?);
        Ok(())
    }

    fn operand(&mut self) -> Result<Operand, TemplateError> {
        self.skip_space();
        match self.rest().chars().next() {
            Some('\'' | '"') => Ok(Operand::Literal(Value::String(self.quoted()?))),
            Some(c)
                if c.is_ascii_digit() || (c == '-' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())) =>
            {
                self.number().map(Operand::Literal)
            }
            _ => self.path_or_word(),
        }
    }

    fn quoted(&mut self) -> Result<String, TemplateError> {
        let start = self.at;
        let quote = &self.rest()[..1];
        match self.rest()[1..].find(quote) {
            Some(length) => {
                let text = self.rest()[1..=length].to_owned();
                self.at += length + 2;
                Ok(text)
            }
            None => self.error(start, "the text is never closed", Some(format!("add {quote}"))),
        }
    }

    fn number(&mut self) -> Result<Value, TemplateError> {
        let start = self.at;
        let length = self.rest()[1..]
            .find(|c: char| !(c.is_ascii_digit() || c == '.'))
            .map_or(self.rest().len(), |at| at + 1);
        let text = &self.rest()[..length];
        let number = match text.parse::<i64>() {
            Ok(whole) => Some(Number::from(whole)),
            Err(_) => text
                .parse::<f64>()
                .ok()
                .filter(|_| text.contains('.') && !text.ends_with('.'))
                .and_then(Number::from_f64),
        };
        let glued = NAME.is_match(&self.rest()[length..]);
        match number.filter(|_| !glued) {
            Some(number) => {
                self.at += length;
                Ok(Value::Number(number))
            }
            None => self.error(
                start,
                format!("`{text}` is no number"),
                Some("names cannot begin with a digit".into()),
            ),
        }
    }

    fn name(&mut self) -> &'s str {
        let rest = self.rest();
        let end = NAME.find(rest).map_or(0, |found| found.end());
        // `-}}` closes an expression; its dash belongs to no name.
        let end = if rest[end..].starts_with("}}") && rest[..end].ends_with('-') {
            end - 1
        } else {
            end
        };
        self.at += end;
        &rest[..end]
    }

    fn path_or_word(&mut self) -> Result<Operand, TemplateError> {
        let start = self.at;
        let root = match self.name() {
            "true" => return Ok(Operand::Literal(Value::Bool(true))),
            "false" => return Ok(Operand::Literal(Value::Bool(false))),
            "nil" | "null" => return Ok(Operand::Literal(Value::Null)),
            "" if self.rest().starts_with("['") || self.rest().starts_with("[\"") => match self.step()? {
                Some(Step::Key(key)) => key,
                _ => return self.error(start, "expected a quoted name in `[…]`", None),
            },
            "" => {
                let found = self.rest().chars().next();
                let hint = found.and_then(meant_by).map(|meant| format!("write `{meant}`"));
                let found = found.map_or("the end".to_owned(), |found| format!("`{found}`"));
                return self.error(start, format!("expected a variable or a value, found {found}"), hint);
            }
            name => name.to_owned(),
        };
        let mut steps = Vec::new();
        while let Some(step) = self.step()? {
            if steps.len() == MOST_STEPS {
                return self.error(start, format!("more than {MOST_STEPS} steps"), None);
            }
            steps.push(step);
        }
        Ok(Operand::Path(Path { root, steps }))
    }

    fn step(&mut self) -> Result<Option<Step>, TemplateError> {
        if self.rest().starts_with('.') {
            self.at += 1;
            let start = self.at;
            let name = self.name();
            if name.is_empty() {
                return self.error(start, "a name is missing behind `.`", None);
            }
            return Ok(Some(Step::Key(name.to_owned())));
        }
        if !self.rest().starts_with('[') {
            return Ok(None);
        }
        self.at += 1;
        let start = self.at;
        self.skip_space();
        let literal = match self.rest().chars().next() {
            Some('\'' | '"') => Value::String(self.quoted()?),
            Some('0'..='9' | '-') => self.number()?,
            // Nothing else, above all no path: brackets in brackets would have no end.
            _ => Value::Null,
        };
        let step = match literal {
            Value::String(key) => Step::Key(key),
            Value::Number(number) if number.is_i64() => Step::Index(number.as_i64().unwrap_or_default()),
            _ => return self.error(start, "expected a whole number or a quoted name in `[…]`", None),
        };
        if !self.take("]") {
            return self.error(self.at, "`[` is never closed", Some("add `]`".into()));
        }
        Ok(Some(step))
    }
}
