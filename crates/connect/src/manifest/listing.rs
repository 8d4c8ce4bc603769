//! Manifest: what is read from the account: ids of what people name, lists over several pages.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::{OneOrMany, RequestSpec, RuleSpec, SourceSpec, WhenSpec};

/// How a list that comes in several pages is read to its end. The request sees `page.number`, `page.offset` (items so far),
/// `page.size` and `page.cursor` (absent for the first page). Without `cursor`, `link` and `more` a page with fewer than
/// `size` items is the last one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagesSpec {
    /// Items of one page.
    #[serde(default)]
    pub size: Option<u64>,
    /// The number of the first page.
    #[serde(default = "one")]
    pub first: u64,
    /// Where the cursor of the next page is; without one the page is the last.
    #[serde(default)]
    pub cursor: Option<SourceSpec>,
    /// Where the address of the next page is, whole or from the root of the same host; without one the page is the last.
    #[serde(default)]
    pub link: Option<SourceSpec>,
    /// There is a further page only when this yields a value.
    #[serde(default)]
    pub more: Option<SourceSpec>,
    /// The most pages that are read.
    #[serde(default = "most_pages")]
    pub most: u32,
}

fn one() -> u64 {
    1
}

fn most_pages() -> u32 {
    20
}

/// What becomes of a value for which the vendor knows no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unresolved {
    /// The record is refused, with the name of the field.
    #[default]
    Reject,
    /// The field (or the item of a list) is left out.
    Omit,
    /// It stays as it is.
    Keep,
}

/// A value that the vendor wants as its own id: it is looked up by a call before the calls of the record, and kept for a while.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResolveSpec {
    /// Its name: calls of the record see the id as `resolved.<name>`.
    pub name: String,
    /// What is looked up, for people: "user with this e-mail".
    pub title: String,
    /// The objects whose records need it; empty means all.
    #[serde(default)]
    pub objects: Vec<String>,
    /// The member of the record, or JSON pointer inside it, whose text (or each text of the list there) is replaced by the id.
    #[serde(default)]
    pub field: Option<String>,
    /// In place of `field`: the object in the record, by name or JSON pointer, each of whose members is looked up by its key and
    /// brought into the form that `forms` give for it.
    #[serde(default)]
    pub members: Option<String>,
    /// With `members`: inside a candidate, the word by which a form is chosen.
    #[serde(default, rename = "type")]
    pub form_type: Option<SourceSpec>,
    /// With `members`: trees of templates by that word. They see `value` (what the record has), `field` (what was found), `type` and
    /// `option`. Without a form, and when the value is a list or an object already, it stays as it is. A record is refused when nothing of a
    /// value is left in its form.
    #[serde(default)]
    pub forms: IndexMap<String, Value>,
    /// With `members`: options of a candidate; `option` is the id of the one that goes by the value, or the value itself.
    #[serde(default)]
    pub options: Option<NamedSpec>,
    /// With `members`: template of the member's new name; without it the name stays.
    #[serde(default)]
    pub key: Option<String>,
    /// With `members`: whether the forms become members or the items of a list.
    #[serde(default, rename = "as")]
    pub shape: MembersShape,
    /// Template of what is looked up, when it is not the value of `field`.
    #[serde(default, rename = "for")]
    pub wanted: Option<String>,
    /// Only texts that match this regular expression are looked up.
    #[serde(default)]
    pub pattern: Option<String>,
    /// Texts that match this regular expression are ids already.
    #[serde(default)]
    pub id_pattern: Option<String>,
    /// Paths that must have a value.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Paths that must have none.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The request; it sees the text as `wanted`. One that does not name it is made once for all texts.
    pub request: RequestSpec,
    /// What proves that the answer tells, also that there is none.
    pub when: WhenSpec,
    /// JSONPath of the candidates; absent: the answer is the only one.
    #[serde(default)]
    pub items: Option<String>,
    /// Where a candidate has the texts that it goes by. One of them must be the wanted text, regardless of case; without any
    /// the first candidate is meant.
    #[serde(default, rename = "match")]
    pub names: OneOrMany<SourceSpec>,
    /// The id, inside a candidate.
    pub value: SourceSpec,
    /// How further pages are read.
    #[serde(default)]
    pub pages: Option<PagesSpec>,
    /// Rules that precede `when` and the connector's; `missing` means that there is none.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// What becomes of a text for which there is none.
    #[serde(default)]
    pub absent: Unresolved,
    /// How long an answer is believed.
    #[serde(default = "hour")]
    pub lifetime_seconds: u32,
    /// How long it is believed that there is none.
    #[serde(default = "minute")]
    pub absent_seconds: u32,
}

/// What the forms of members become.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MembersShape {
    /// Members of an object.
    #[default]
    Members,
    /// Items of a list.
    List,
}

/// Things that go by names, inside a value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedSpec {
    /// JSONPath of them.
    pub each: String,
    /// Where one has its names.
    #[serde(rename = "match")]
    pub names: OneOrMany<SourceSpec>,
    /// Where one has its id.
    pub value: SourceSpec,
}

fn hour() -> u32 {
    3600
}

fn minute() -> u32 {
    60
}
