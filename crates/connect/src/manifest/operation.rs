//! Manifest: the calls.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{BulkSpec, PagesSpec, RuleSpec, SourceSpec, WhenSpec};

/// What can be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperationKind {
    /// Makes a record.
    Create,
    /// Changes the record with a known id.
    Update,
    /// Makes or changes the record that carries our key; safe to repeat.
    Upsert,
    /// Looks for a record of the same person or company before one is made.
    Find,
    /// Looks for the record that a lost call may have made.
    Probe,
    /// Removes the record with a known id; safe to repeat.
    Delete,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Create,
        Self::Update,
        Self::Upsert,
        Self::Find,
        Self::Probe,
        Self::Delete,
    ];

    /// Its name in manifests, in the store and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Upsert => "upsert",
            Self::Find => "find",
            Self::Probe => "probe",
            Self::Delete => "delete",
        }
    }

    /// The kind with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether it changes nothing at the vendor.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Find | Self::Probe)
    }
}

impl std::fmt::Display for OperationKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What may be done after a call whose answer was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// The same call again.
    Repeat,
    /// Only looking whether it took effect.
    #[default]
    Probe,
}

/// One way to carry out an operation. Of several, the first that is available is used.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationSpec {
    /// Paths (`record.Email`, `object.facts.keyField`) that must have a value.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Paths that must have none.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The request.
    pub request: RequestSpec,
    /// What proves success.
    pub result: ResultSpec,
    /// Rules that precede the object's and the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// What may be done after a lost answer; reads and updates can always be repeated.
    #[serde(default)]
    pub recovery: Recovery,
    /// For how long after the first try the vendor recognises the same call (`recovery: repeat`); later it is looked for, or by a
    /// person. Without it: for ever.
    #[serde(default)]
    pub repeat_seconds: Option<u32>,
    /// How long a written record may stay invisible to this read.
    #[serde(default)]
    pub read_lag_seconds: u64,
    /// How several records go in one request.
    #[serde(default)]
    pub bulk: Option<BulkSpec>,
    /// How a read goes on when what it looks for is not on the first page. Candidates are all items of a page. Only what no page
    /// holds is not there: behind more pages than are read it may be.
    #[serde(default)]
    pub pages: Option<PagesSpec>,
}

/// A request.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestSpec {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The whole address, where it does not start at `base_url`.
    #[serde(default)]
    pub url: Option<String>,
    /// Path behind `base_url`. Each value is encoded so that it stays in its segment.
    #[serde(default)]
    pub path: Option<String>,
    /// Query parameters.
    #[serde(default)]
    pub query: IndexMap<String, QuerySpec>,
    /// Further headers.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// User and password of HTTP Basic (RFC 7617).
    #[serde(default)]
    pub basic: Option<(String, String)>,
    /// The body as a tree of templates, sent as JSON.
    #[serde(default)]
    pub body: Option<Value>,
    /// The body as a form.
    #[serde(default)]
    pub form: Option<IndexMap<String, QuerySpec>>,
    /// Members of the body whose names are not known beforehand.
    #[serde(default)]
    pub insert: Vec<InsertSpec>,
}

/// A parameter of a query or a form: a template, JSON text, or a query in a language whose literals need escaping.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum QuerySpec {
    /// A template.
    Plain(String),
    /// SOQL; values are escaped as inside quotes.
    Soql {
        /// The query.
        soql: String,
    },
    /// JSON text of a tree of templates; left out when nothing is left of the tree.
    Json {
        /// The tree.
        json: Value,
        /// Members of it whose names are not known beforehand.
        #[serde(default)]
        insert: Vec<InsertSpec>,
    },
}

/// Something that is put into a tree: a member whose name is a template (left out when the name is absent), or a further item
/// of a list. An object or list that is not there is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InsertSpec {
    /// JSON pointer of the object or list.
    #[serde(default)]
    pub at: String,
    /// Paths that must have a value; else nothing is put there.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Template of the member's name.
    #[serde(default)]
    pub name: Option<String>,
    /// The member's value, a tree of templates.
    #[serde(default)]
    pub value: Option<Value>,
    /// The item, a tree of templates.
    #[serde(default)]
    pub append: Option<Value>,
}

/// What proves success, and what is read then.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultSpec {
    /// What must hold.
    pub when: WhenSpec,
    /// The record's id (inside a candidate, for reads). A call that should yield one and does not is no success.
    #[serde(default)]
    pub id: Option<SourceSpec>,
    /// Where the answer says whether the record is new.
    #[serde(default)]
    pub created: Option<SourceSpec>,
    /// JSONPath of the records that a read found.
    #[serde(default)]
    pub candidates: Option<String>,
    /// What each of these must yield in a candidate for it to count: `equals: "{{ key }}"` finds the one with our key.
    #[serde(default, rename = "where")]
    pub conditions: Vec<SourceSpec>,
    /// Where a candidate says when it was made: those from before the record was first sent do not count. A candidate that does not
    /// say proves nothing.
    #[serde(default)]
    pub not_before: Option<SourceSpec>,
    /// Whether candidates come newest first: behind one that was made too early nothing can follow, so no further page is read.
    #[serde(default)]
    pub newest_first: bool,
    /// What a candidate must share with the record that was sent.
    #[serde(default)]
    pub same: Vec<SameSpec>,
}

/// Texts that must agree: each text at `sent` in our record must be among those at `got` in the candidate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SameSpec {
    /// JSONPath in our record.
    pub sent: String,
    /// JSONPath in the candidate.
    pub got: String,
    /// How they are compared.
    #[serde(default, rename = "as")]
    pub form: SameForm,
}

/// How texts are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SameForm {
    /// As they are.
    #[default]
    Text,
    /// Regardless of case.
    Lower,
    /// Their digits, without zeros in front: telephone numbers.
    Digits,
}

/// One step of the connection test.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSpec {
    /// Settings and facts that it needs; without them it is passed over.
    #[serde(default)]
    pub requires: Vec<String>,
    /// The request.
    pub request: RequestSpec,
    /// What proves that all is well.
    pub when: WhenSpec,
    /// What a person is told; the answer is `answer`.
    pub message: String,
    /// Rules that precede the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// Whether a refusal of this step only leads to the next one.
    #[serde(default)]
    pub optional: bool,
    /// Whether success here makes further steps needless.
    #[serde(default)]
    pub enough: bool,
}

/// For what a preparation is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrepareScope {
    /// Once per connection.
    Connection,
    /// Once per object in use.
    Object,
}

/// Something that is looked up or set up before first use, and kept as facts.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareSpec {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// For what it is made.
    pub scope: PrepareScope,
    /// The objects that it is made for; empty means all.
    #[serde(default)]
    pub objects: Vec<String>,
    /// Whether a refusal by the vendor just leaves the facts unset.
    #[serde(default)]
    pub optional: bool,
    /// The calls.
    pub steps: IndexMap<String, PrepareStepSpec>,
}

/// One call of a preparation.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrepareStepSpec {
    /// Paths that must have a value; else the step is passed over.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Paths that must have none; else the step is passed over.
    #[serde(default)]
    pub unless: Vec<String>,
    /// The request.
    pub request: RequestSpec,
    /// What answers lead to; the first that holds.
    pub cases: Vec<CaseSpec>,
    /// Rules for answers that no case takes; they precede the connector's.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
}

/// What one kind of answer leads to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseSpec {
    /// What must hold.
    pub when: WhenSpec,
    /// What is learned.
    #[serde(default)]
    pub facts: IndexMap<String, SourceSpec>,
    /// The name of a later step; absent: the preparation is done.
    #[serde(default)]
    pub then: Option<String>,
    /// What stops the preparation: a sentence for the person.
    #[serde(default)]
    pub fail: Option<String>,
}
