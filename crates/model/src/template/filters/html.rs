//! HTML as plain text.

use std::collections::HashMap;

/// Text is laid out at no width: line breaks come from the document only.
const NO_WRAP: usize = 100_000;

/// The library's time grows with the square of the nesting; what is nested more deeply loses its tags only.
const DEEPEST: usize = 100;

/// Only so many bytes of an element's name are looked at.
const LONGEST_NAME: usize = 24;

/// Elements that hold nothing, or that the next one of their kind closes.
const NOT_NESTED: &[&str] = &[
    "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link", "meta", "option", "p",
    "source", "tbody", "td", "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// What ends what; the first that fits counts.
const PAIRS: [(&str, &str); 4] = [
    ("<script", "</script>"),
    ("<style", "</style>"),
    ("<!--", "-->"),
    ("<", ">"),
];

/// The text that a reader of the document sees, with its line breaks and bullets.
pub(super) fn to_text(html: &str) -> String {
    if is_too_deep(html) {
        return strip(html);
    }
    let text = html2text::config::plain_no_decorate().string_from_read(html.as_bytes(), NO_WRAP);
    text.map(|text| text.trim().to_owned()).unwrap_or_else(|_| strip(html))
}

/// Takes tags and comments away, and scripts and style sheets with their content, as Liquid does.
pub(super) fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    // An end that was not found once will not be found further on either.
    let mut ends = [true; PAIRS.len()];
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        rest = &rest[open..];
        let length = PAIRS.iter().zip(&mut ends).find_map(|((start, end), still)| {
            let fits = *still
                && rest
                    .get(..start.len())
                    .is_some_and(|begin| begin.eq_ignore_ascii_case(start));
            let found = fits.then(|| find_ignoring_case(&rest[start.len()..], end))?;
            *still = found.is_some();
            found.map(|at| start.len() + at + end.len())
        });
        match length {
            Some(length) => rest = &rest[length..],
            None => break,
        }
    }
    out + rest
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    let first = wanted.chars().next()?;
    let mut starts = text.match_indices(first).map(|(at, _)| at);
    starts.find(|at| {
        text.get(*at..at + wanted.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(wanted))
    })
}

/// An upper bound: an end tag closes only an element of its own name.
fn is_too_deep(html: &str) -> bool {
    let mut open: HashMap<String, usize> = HashMap::new();
    let mut depth = 0_usize;
    for (at, _) in html.match_indices('<') {
        let tag = &html[at + 1..];
        let (name, closes) = tag.strip_prefix('/').map_or((tag, false), |name| (name, true));
        // Real names are short; a longer one is cut, which finds it again when it is closed.
        let letters = name
            .bytes()
            .take(LONGEST_NAME)
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'-');
        let end = letters.count();
        let name = name[..end].to_ascii_lowercase();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || NOT_NESTED.contains(&name.as_str()) {
            continue;
        }
        let count = open.entry(name).or_default();
        match closes {
            true if *count > 0 => (*count, depth) = (*count - 1, depth - 1),
            true => {}
            false => (*count, depth) = (*count + 1, depth + 1),
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}
