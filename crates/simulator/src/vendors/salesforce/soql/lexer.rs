//! Cuts a query into words.

use jiff::civil::Date;

use super::super::trouble::Trouble;
use super::super::values;
use super::{Literal, malformed};

/// One word of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Token {
    /// A name or a word of the language, as written.
    Word(String),
    /// A value that is no word.
    Value(Literal),
    /// `( ) , = != < <= > >=`
    Sign(&'static str),
}

/// All words.
///
/// # Errors
/// `MALFORMED_QUERY` for a sign that does not belong, an unknown escape, a text without an end, a date that is none.
pub fn tokens(text: &str) -> Result<Vec<Token>, Trouble> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, after) = match first {
            '\'' => quoted(&rest[1..])?,
            '0'..='9' | '-' | '+' => number(rest)?,
            _ if first.is_alphabetic() || first == '_' => {
                let end = rest.find(|sign: char| !(sign.is_alphanumeric() || "_.".contains(sign)));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                (Token::Word(word.to_owned()), after)
            }
            _ => sign(rest)?,
        };
        found.push(token);
        rest = after;
    }
    Ok(found)
}

fn sign(text: &str) -> Result<(Token, &str), Trouble> {
    const SIGNS: [(&str, &str); 10] = [
        ("!=", "!="),
        ("<>", "!="),
        ("<=", "<="),
        (">=", ">="),
        ("<", "<"),
        (">", ">"),
        ("=", "="),
        ("(", "("),
        (")", ")"),
        (",", ","),
    ];
    let found = SIGNS
        .iter()
        .find_map(|(written, meant)| Some((*meant, text.strip_prefix(written)?)));
    let (meant, after) = found.ok_or_else(|| {
        let sign: String = text.chars().take(1).collect();
        malformed(format!(
            "line 1:{} no viable alternative at character '{sign}'",
            text.len()
        ))
    })?;
    Ok((Token::Sign(meant), after))
}

/// A text after its opening quote. Only a few characters may be escaped, the quote and the backslash have to be.
fn quoted(text: &str) -> Result<(Token, &str), Trouble> {
    let mut value = String::new();
    let mut signs = text.char_indices();
    while let Some((at, sign)) = signs.next() {
        match sign {
            '\'' => return Ok((Token::Value(Literal::Text(value)), &text[at + 1..])),
            '\\' => match signs.next().map(|(_, escaped)| escaped) {
                Some(escaped @ ('\'' | '"' | '\\' | '_' | '%')) => value.push(escaped),
                Some('n' | 'N') => value.push('\n'),
                Some('r' | 'R') => value.push('\r'),
                Some('t' | 'T') => value.push('\t'),
                _ => return Err(malformed("Illegal string literal: Invalid string literal escape")),
            },
            _ => value.push(sign),
        }
    }
    Err(malformed("unexpected token: <EOF>: a string literal has no end"))
}

fn number(text: &str) -> Result<(Token, &str), Trouble> {
    let end = text.find(|sign: char| !(sign.is_ascii_alphanumeric() || "+-:.".contains(sign)));
    let (word, after) = text.split_at(end.unwrap_or(text.len()));
    let number = || {
        word.parse::<f64>()
            .ok()
            .filter(|number| number.is_finite())
            .map(Literal::Number)
    };
    let day = || (word.len() == 10 && word.parse::<Date>().is_ok()).then(|| Literal::Day(word.to_owned()));
    let moment = || values::parse_moment(word).map(Literal::Moment);
    let value = number().or_else(day).or_else(moment);
    let value = value.ok_or_else(|| malformed(format!("unexpected token: '{word}'")))?;
    Ok((Token::Value(value), after))
}
