//! Filters on text. Lengths count what a reader takes for one character (grapheme clusters).

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::{Arguments, Filter, Kind, Outcome, as_text, number, on_text};
use crate::template::path;

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("upcase", (0, 0), "all letters large", |input, _| {
        on_text(input, |text| text.to_uppercase())
    })
    .gives(Kind::Text),
    Filter::new("downcase", (0, 0), "all letters small", |input, _| {
        on_text(input, |text| text.to_lowercase())
    })
    .gives(Kind::Text),
    Filter::new("capitalize", (0, 0), "the first letter large", |input, _| {
        on_text(input, |text| capitalize(&text))
    })
    .gives(Kind::Text),
    Filter::new("strip", (0, 0), "without white space at both ends", |input, _| {
        on_text(input, |text| text.trim().into())
    })
    .gives(Kind::Text),
    Filter::new("lstrip", (0, 0), "without white space at the start", |input, _| {
        on_text(input, |text| text.trim_start().into())
    })
    .gives(Kind::Text),
    Filter::new("rstrip", (0, 0), "without white space at the end", |input, _| {
        on_text(input, |text| text.trim_end().into())
    })
    .gives(Kind::Text),
    Filter::new("strip_newlines", (0, 0), "without line breaks", |input, _| {
        on_text(input, |text| text.replace(['\r', '\n'], ""))
    })
    .gives(Kind::Text),
    Filter::new(
        "newline_to_br",
        (0, 0),
        "`<br />` in front of each line break",
        |input, _| on_text(input, |text| text.replace("\r\n", "\n").replace('\n', "<br />\n")),
    )
    .gives(Kind::Text),
    Filter::new("replace", (1, 2), "`replace: 'a', 'b'`: every `a` becomes `b`", replace).gives(Kind::Text),
    Filter::new(
        "replace_first",
        (1, 2),
        "the first `a` becomes `b`",
        |input, arguments| on_text(input, |text| text.replacen(&*arguments.text(0), &arguments.text(1), 1)),
    )
    .gives(Kind::Text),
    Filter::new("remove", (1, 1), "without every `a`", |input, arguments| {
        on_text(input, |text| text.replace(&*arguments.text(0), ""))
    })
    .gives(Kind::Text),
    Filter::new("append", (1, 1), "`a` behind it", |input, arguments| {
        on_text(input, |text| text + &arguments.text(0))
    })
    .gives(Kind::Text),
    Filter::new("prepend", (1, 1), "`a` in front of it", |input, arguments| {
        on_text(input, |text| arguments.text(0).into_owned() + &text)
    })
    .gives(Kind::Text),
    Filter::new(
        "truncate",
        (0, 2),
        "`truncate: 50, '…'`: at most so many characters, the ending included",
        truncate,
    )
    .gives(Kind::Text)
    .checked(|literals| literals.whole(0, 0)),
    Filter::new(
        "truncatewords",
        (0, 2),
        "`truncatewords: 15`: at most so many words",
        truncate_words,
    )
    .gives(Kind::Text)
    .checked(|literals| literals.whole(0, 0)),
    Filter::new(
        "slice",
        (1, 2),
        "`slice: 0, 3`: three characters from the first on; a negative start counts from the end",
        slice,
    )
    .checked(|literals| literals.whole(0, i64::MIN).and(literals.whole(1, 0))),
    Filter::new("escape", (0, 0), "safe inside HTML", |input, _| {
        on_text(input, |text| escape_html(&text))
    })
    .gives(Kind::Text),
    Filter::new("url_encode", (0, 0), "safe inside an address", |input, _| {
        on_text(input, |text| encode(&text))
    })
    .gives(Kind::Text),
    Filter::new("url_decode", (0, 0), "the reverse of `url_encode`", |input, _| {
        on_text(input, |text| decode(&text))
    })
    .gives(Kind::Text),
    Filter::new("digits", (0, 0), "the digits only", |input, _| {
        on_text(input, |text| text.chars().filter(char::is_ascii_digit).collect())
    })
    .gives(Kind::Text),
    Filter::new("size", (0, 0), "how many characters, items or members", size).gives(Kind::Integer),
];

fn capitalize(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

fn replace(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(value) = input else { return Ok(None) };
    let (text, from, to) = (as_text(&value), arguments.text(0), arguments.text(1));
    if to.len() > from.len() {
        let growth = text.matches(&*from).count().saturating_mul(to.len() - from.len());
        arguments.has_room_for(text.len().saturating_add(growth))?;
    }
    Ok(Some(text.replace(&*from, &to).into()))
}

fn truncate(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let most = arguments.count(0, 50)?;
    let ending = arguments.text_or(1, "...");
    on_text(input, |text| cut(text, most, &ending))
}

/// At most `most` characters; what is cut off is replaced by `ending`, which counts.
fn cut(text: String, most: usize, ending: &str) -> String {
    // A text with no more bytes than that has no more characters either.
    if text.len() <= most || text.graphemes(true).nth(most).is_none() {
        return text;
    }
    let ending: Vec<&str> = ending.graphemes(true).take(most).collect();
    let kept = most - ending.len();
    // At the seam both sides could join to fewer characters, never to more.
    text.graphemes(true).take(kept).chain(ending).collect()
}

fn truncate_words(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let most = arguments.count(0, 15)?.max(1);
    let ending = arguments.text_or(1, "...");
    on_text(input, |text| {
        let mut words = text.split_whitespace();
        let kept: Vec<&str> = words.by_ref().take(most).collect();
        if words.next().is_some() {
            kept.join(" ") + &ending
        } else {
            text
        }
    })
}

fn slice(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let start = arguments
        .get(0)
        .and_then(number::whole)
        .ok_or("the start is no whole number")?;
    let length = arguments.count(1, 1)?;
    if let Some(Value::Array(items)) = &input {
        let (from, to) = range(start, length, items.len());
        return Ok(Some(items[from..to].to_vec().into()));
    }
    on_text(input, |text| {
        let all: Vec<&str> = text.graphemes(true).collect();
        let (from, to) = range(start, length, all.len());
        all[from..to].concat()
    })
}

fn range(start: i64, length: usize, size: usize) -> (usize, usize) {
    let from = if start < 0 {
        match size.checked_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)) {
            Some(from) => from,
            None => return (0, 0),
        }
    } else {
        usize::try_from(start).unwrap_or(usize::MAX).min(size)
    };
    (from, from.saturating_add(length).min(size))
}

fn escape_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Everything but the unreserved characters of RFC 3986 is encoded, so that the result is safe in a path too.
fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let encoded = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let byte = encoded
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        out.push(byte.unwrap_or(if bytes[at] == b'+' { b' ' } else { bytes[at] }));
        at += if byte.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn size(input: Option<Value>, _: &Arguments<'_, '_>) -> Outcome {
    Ok(input
        .and_then(|value| path::size(&value).or_else(|| path::size(&as_text(&value).into())))
        .map(Value::from))
}
