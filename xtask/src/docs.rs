//! `cargo xtask docs`: the parts of the documentation that are made from something else. `ci` looks whether they are true.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::tidy::{Finding, Tree};

/// The description of manifests.
const SCHEMA: &str = "connectors/manifest.schema.json";
/// The page that is made of it.
const PAGE: &str = "docs/reference/manifest.md";

/// Writes what is made.
pub fn write(root: &Path) -> Result<()> {
    let schema = std::fs::read_to_string(root.join(SCHEMA)).with_context(|| format!("{SCHEMA} cannot be read"))?;
    std::fs::write(root.join(PAGE), page(&schema)?).with_context(|| format!("{PAGE} cannot be written"))
}

/// Finds what is out of date.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let Some(schema) = tree.get(SCHEMA) else {
        return Vec::new();
    };
    match (page(&schema.text), tree.get(PAGE)) {
        (Err(error), _) => vec![Finding::at(schema, 1, format!("{error:#}"))],
        (Ok(page), Some(present)) if present.text == page => Vec::new(),
        _ => vec![Finding::path(
            PAGE,
            1,
            "is not what `cargo xtask docs` makes of the schema",
        )],
    }
}

/// The page about the members of manifests.
fn page(schema: &str) -> Result<String> {
    let schema: Value = serde_json::from_str(schema).context("it is no JSON")?;
    let mut page = String::from(
        "# Members of connector.yaml\n\nMade by `cargo xtask docs` from [manifest.schema.json](../../connectors/manifest.schema.json), \
         against which every manifest is checked. How a connector is written: [a connector of one's own](../guide/connector.md).\n\n\
         ## The whole file\n",
    );
    section(&schema, &mut page);
    for (name, part) in schema["$defs"].as_object().context("it has no $defs")? {
        let _ = write!(page, "\n## {name}\n");
        section(part, &mut page);
    }
    Ok(page)
}

fn section(part: &Value, page: &mut String) {
    if let Some(text) = part["description"].as_str() {
        let _ = write!(page, "\n{text}\n");
    }
    let forms = ["anyOf", "oneOf"]
        .iter()
        .filter_map(|key| part[*key].as_array())
        .flatten();
    let objects: Vec<&Value> = std::iter::once(part)
        .chain(forms)
        .filter(|form| form["properties"].is_object())
        .collect();
    if objects.is_empty() {
        let _ = write!(page, "\nForm: {}.\n", form(part));
    }
    for object in objects {
        let Some(members) = object["properties"].as_object() else {
            continue;
        };
        table(object, members, page);
    }
}

fn table(object: &Value, members: &Map<String, Value>, page: &mut String) {
    page.push_str("\n| member | form | meaning |\n|---|---|---|\n");
    let needed: Vec<&str> = object["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, member) in members {
        let mark = if needed.contains(&name.as_str()) {
            " (needed)"
        } else {
            ""
        };
        let meaning = member["description"].as_str().unwrap_or_default();
        let _ = writeln!(page, "| `{name}`{mark} | {} | {} |", cell(&form(member)), cell(meaning));
    }
}

/// The form of a value in few words.
fn form(value: &Value) -> String {
    if let Some(reference) = value["$ref"].as_str() {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return format!("[{name}](#{name})");
    }
    if let Some(words) = value["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{}`", plain(word)))
            .collect::<Vec<_>>()
            .join(", ");
    }
    if let Some(only) = value.get("const") {
        return format!("`{}`", plain(only));
    }
    let alternatives = value["anyOf"].as_array().or_else(|| value["oneOf"].as_array());
    if let Some(alternatives) = alternatives {
        return alternatives.iter().map(form).collect::<Vec<_>>().join(" or ");
    }
    let kinds = match &value["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => return "anything".to_owned(),
    };
    let words = kinds.into_iter().map(|kind| match kind {
        "array" if value["items"].is_object() => format!("list of {}", form(&value["items"])),
        "array" => "list".to_owned(),
        "object" if value["additionalProperties"].is_object() => {
            format!("object of {}", form(&value["additionalProperties"]))
        }
        "string" => "text".to_owned(),
        other => other.to_owned(),
    });
    words.collect::<Vec<_>>().join(" or ")
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text inside of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEMA_TEXT: &str = r##"{"properties": {"slug": {"type": "string", "description": "Its name."},
        "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}}}, "required": ["slug"],
        "$defs": {"rule": {"anyOf": [{"type": "string"}, {"properties": {"kind": {"enum": ["a", "b"]}}}]}}}"##;

    #[test]
    fn each_member_has_a_row() {
        let page = page(SCHEMA_TEXT).unwrap();
        for row in [
            "| `slug` (needed) | text | Its name. |",
            "| `rules` | list of [rule](#rule) |  |",
            "## rule",
            "| `kind` | `a`, `b` |  |",
        ] {
            assert!(page.contains(row), "{row} in {page}");
        }
    }

    #[test]
    fn a_page_that_is_out_of_date_is_found() {
        let page = page(SCHEMA_TEXT).unwrap();
        assert!(check(&Tree::of(&[(SCHEMA, SCHEMA_TEXT), (PAGE, &page)])).is_empty());
        assert_eq!(check(&Tree::of(&[(SCHEMA, SCHEMA_TEXT), (PAGE, "old")])).len(), 1);
        assert_eq!(check(&Tree::of(&[(SCHEMA, SCHEMA_TEXT)])).len(), 1);
    }
}
