//! The shape of a manifest file, exactly as it is written. Meaning is given to it by the modules that compile its parts.
//!
//! The published description of this shape is `connectors/manifest.schema.json`; a test compares the two.

mod account;
mod answer;
mod authorize;
mod bulk;
mod discover;
mod limit;
mod listing;
mod object;
mod operation;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use account::{AssertionSpec, AuthSpec, GuideSpec, TokenResultSpec, TokenSpec};
pub use answer::{
    AfterSpec, AfterUnit, FieldsSpec, OutcomeKind, RuleSpec, SourceDetail, SourceSpec, StatusSpec, WhenSpec,
};
pub use authorize::{AuthorizeSpec, CallbackSpec, GrantEndSpec};
pub use bulk::{Absent, BulkAnswerSpec, BulkListSpec, BulkSpec, Envelope};
pub use discover::{ChoicesSpec, DiscoverSpec, Openness, OptionsSpec, Unlisted};
pub use limit::{BucketKind, BucketUnit, FeedSpec, LimitSpec, ResetSpec, ResetUnit};
pub use listing::{MembersShape, NamedSpec, PagesSpec, ResolveSpec, Unresolved};
pub use object::{
    FieldSpec, FieldType, Invalid, ObjectSpec, Other, Overlong, PlacesSpec, RecordKind, ShapeRuleSpec, ValueStyle,
};
pub use operation::{
    CaseSpec, InsertSpec, OperationKind, OperationSpec, PrepareScope, PrepareSpec, PrepareStepSpec, QuerySpec,
    Recovery, RequestSpec, ResultSpec, SameForm, SameSpec, TestSpec,
};

/// One value, or a list of them. The list comes first: a struct can be read from a list, too.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// Written as a list.
    Many(Vec<T>),
    /// Written alone.
    One(T),
}

impl<T> OneOrMany<T> {
    /// All of them, each with the end of its JSON pointer (empty for one that is written alone).
    pub fn each(&self) -> impl Iterator<Item = (String, &T)> {
        let (one, many): (Option<&T>, &[T]) = match self {
            Self::One(one) => (Some(one), &[]),
            Self::Many(many) => (None, many),
        };
        let many = many.iter().enumerate().map(|(at, item)| (format!("/{at}"), item));
        one.into_iter().map(|item| (String::new(), item)).chain(many)
    }
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// What kind of system it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Customers, leads, deals.
    Crm,
    /// Tickets.
    Support,
    /// Tasks and projects.
    Project,
    /// Documents and tables.
    Knowledge,
    /// Chat and collaboration.
    Chat,
    /// Newsletters and campaigns.
    Marketing,
    /// Invoices and payments.
    Accounting,
    /// Telephone systems.
    Telephony,
    /// Programs of the user's own.
    Developer,
}

/// A whole manifest.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Its name in configuration files and the API; also the name of its folder.
    pub slug: String,
    /// Other names that configuration files use for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The vendor's own name of the product.
    pub name: String,
    /// One line for the list of connectors.
    pub summary: String,
    /// What kind of system it is.
    pub category: Category,
    /// The vendor's colour, `#rrggbb`, for the monogram.
    pub color: String,
    /// The vendor's documentation of the interface.
    pub docs: String,
    /// What people should know beside the tables of the connector's page: what it leaves alone, and why.
    #[serde(default)]
    pub remarks: Vec<String>,
    /// JSON Schema of the settings that are no secrets.
    pub settings: Value,
    /// Tables for the filter `lookup`.
    #[serde(default)]
    pub lookups: IndexMap<String, IndexMap<String, Value>>,
    /// Values that are worked out once per connection, in this order; templates see them as `values.…`.
    #[serde(default)]
    pub values: IndexMap<String, String>,
    /// How the users' guides write this connector's configuration.
    #[serde(default)]
    pub guide: GuideSpec,
    /// The ways to authenticate.
    pub auth: Vec<AuthSpec>,
    /// Where paths start.
    pub base_url: String,
    /// Headers of every call.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// A template that gives an object of further headers (those that a user adds in the settings).
    #[serde(default)]
    pub extra_headers: Option<String>,
    /// How a connection is tried.
    pub test: Vec<TestSpec>,
    /// What is looked up or set up before first use.
    #[serde(default)]
    pub prepare: Vec<PrepareSpec>,
    /// Values that the vendor wants as its own ids, looked up before the calls of a record, in this order.
    #[serde(default)]
    pub resolve: Vec<ResolveSpec>,
    /// Settings whose values the account offers, and where.
    #[serde(default)]
    pub choices: IndexMap<String, ChoicesSpec>,
    /// What the vendor allows.
    pub limits: Vec<LimitSpec>,
    /// Templates of what names the vendor's account (settings, secrets, facts): connections for which they give the same
    /// share their limits. Without them it is `settings.baseUrl` and all secrets that the vendor does not replace.
    #[serde(default)]
    pub account: OneOrMany<String>,
    /// A template that gives the waits in seconds after the first, second … failed try; a delivery is given up after one try
    /// more. Where it gives none, the hub's own schedule counts.
    #[serde(default)]
    pub retry_seconds: Option<String>,
    /// What answers mean, for every call.
    pub classify: Vec<RuleSpec>,
    /// What can be done with every object that does not say otherwise.
    #[serde(default)]
    pub operations: IndexMap<OperationKind, OneOrMany<OperationSpec>>,
    /// The vendor's objects.
    pub objects: IndexMap<String, ObjectSpec>,
}
