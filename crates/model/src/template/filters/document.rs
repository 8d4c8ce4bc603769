//! Filters for the forms of text that vendors want.

use serde_json::{Value, json};
use unicode_segmentation::UnicodeSegmentation;

use super::{Arguments, Filter, Kind, Outcome, as_text, has_room_for_items, html, on_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new(
        "html_to_text",
        (0, 0),
        "HTML as plain text with its line breaks",
        |input, _| on_text(input, |text| html::to_text(&text)),
    )
    .gives(Kind::Text),
    Filter::new("strip_html", (0, 0), "without tags", |input, _| {
        on_text(input, |text| html::strip(&text))
    })
    .gives(Kind::Text),
    Filter::new(
        "adf",
        (0, 0),
        "plain text as an Atlassian document, a paragraph a line; what is a document stays",
        |input, _| {
            let given = |value: Value| match value["type"] == "doc" {
                true => Ok(value),
                false => document(&as_text(&value)),
            };
            input.map(given).transpose()
        },
    )
    .gives(Kind::Object),
    Filter::new(
        "chunks",
        (1, 1),
        "`chunks: 2000`: a list of texts of at most so many UTF-16 units, cut between characters",
        chunks,
    )
    .gives(Kind::List)
    .checked(|literals| literals.whole(0, 1)),
];

/// Atlassian Document Format, version 1: a paragraph for each line; an empty line is an empty paragraph.
fn document(text: &str) -> Result<Value, String> {
    has_room_for_items(text.lines().count())?;
    let paragraphs: Vec<Value> = text
        .lines()
        .map(|line| match line {
            "" => json!({"type": "paragraph"}),
            line => json!({"type": "paragraph", "content": [{"type": "text", "text": line}]}),
        })
        .collect();
    Ok(json!({"type": "doc", "version": 1, "content": paragraphs}))
}

fn chunks(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let most = arguments.count(0, 2000)?.max(1);
    let Some(value) = input else { return Ok(None) };
    let text = as_text(&value);
    has_room_for_items(text.encode_utf16().count() / most)?;
    Ok(Some(split_utf16(&text, most).into()))
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
