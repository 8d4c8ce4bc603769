//! Filters for the forms of text that vendors want.

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::{Arguments, Filter, Outcome, on_text, to_text, whole_at};

/// Text is laid out at no width: line breaks come from the document only.
const NO_WRAP: usize = 100_000;

pub(super) const FILTERS: &[Filter] = &[
    Filter::new(
        "html_to_text",
        (0, 0),
        "HTML as plain text with its line breaks",
        |input, _| on_text(input, |html| plain(&html)),
    ),
    Filter::new("strip_html", (0, 0), "without tags", |input, _| {
        on_text(input, |html| strip(&html))
    }),
    Filter::new(
        "adf",
        (0, 0),
        "plain text as an Atlassian document, a paragraph a line",
        |input, _| Ok(input.map(|value| document(&to_text(&value)))),
    ),
    Filter::new(
        "chunks",
        (1, 1),
        "`chunks: 2000`: a list of texts of at most so many UTF-16 units, cut between characters",
        chunks,
    )
    .checked(|literals| whole_at(literals, 0)),
];

fn plain(html: &str) -> String {
    let text = html2text::config::plain_no_decorate().string_from_read(html.as_bytes(), NO_WRAP);
    text.map(|text| text.trim().to_owned()).unwrap_or_else(|_| strip(html))
}

fn strip(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        match rest[open..].find('>') {
            Some(close) => rest = &rest[open + close + 1..],
            None => {
                out.push_str(&rest[open..]);
                return out;
            }
        }
    }
    out + rest
}

/// Atlassian Document Format, version 1: a paragraph for each line; an empty line is an empty paragraph.
fn document(text: &str) -> Value {
    let paragraphs: Vec<Value> = text
        .lines()
        .map(|line| match line {
            "" => json!({"type": "paragraph"}),
            line => json!({"type": "paragraph", "content": [{"type": "text", "text": line}]}),
        })
        .collect();
    json!({"type": "doc", "version": 1, "content": paragraphs})
}

fn chunks(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let most = arguments.count(0, 2000)?.max(1);
    let Some(value) = input else { return Ok(None) };
    Ok(Some(split_utf16(&to_text(&value), most).into()))
}

/// Splits between grapheme clusters; a single cluster that is longer is split between code points.
fn split_utf16(text: &str, most: usize) -> Vec<Value> {
    let mut parts: Vec<String> = Vec::new();
    let mut units = usize::MAX;
    let mut push = |piece: &str| {
        let length = piece.encode_utf16().count();
        match parts.last_mut() {
            Some(last) if units.saturating_add(length) <= most => {
                last.push_str(piece);
                units += length;
            }
            _ => {
                parts.push(piece.to_owned());
                units = length;
            }
        }
    };
    for cluster in text.graphemes(true) {
        if cluster.encode_utf16().count() <= most {
            push(cluster);
        } else {
            cluster.chars().for_each(|point| push(point.encode_utf8(&mut [0; 4])));
        }
    }
    parts.into_iter().map(Value::String).collect()
}
