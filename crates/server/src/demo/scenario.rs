//! What the demo connects, and what each message should lead to. The mappings are those of the users' files.

use serde_json::{Value, json};
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_model::problem::{Code, Problem};

use super::generator::Message;

/// The categories that the messenger's classifier knows.
pub const CATEGORIES: [&str; 4] = ["销售线索", "技术支持", "客户服务", "产品反馈"];

/// What one record stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person.
    Person,
    /// An event.
    Event,
}

/// Records that the run should leave at a vendor.
#[derive(Debug, Clone, Copy)]
pub struct Expectation {
    /// The simulated vendor.
    pub vendor: &'static str,
    /// The vendor's name of the object.
    pub object: &'static str,
    /// What one of them stands for.
    pub kind: Kind,
    /// The categories that lead to it; empty: every message does.
    pub categories: &'static [&'static str],
}

impl Expectation {
    /// Whether this message should lead to such a record.
    pub fn concerns(&self, message: &Message) -> bool {
        self.categories.is_empty()
            || message
                .category
                .is_some_and(|category| self.categories.contains(&category))
    }
}

/// Everything that should be there after a run; says in other words what `files/routes.yaml` says.
pub const EXPECTATIONS: [Expectation; 6] = [
    Expectation {
        vendor: "salesforce",
        object: "Lead",
        kind: Kind::Person,
        categories: &[],
    },
    Expectation {
        vendor: "salesforce",
        object: "Case",
        kind: Kind::Event,
        categories: &[],
    },
    Expectation {
        vendor: "hubspot",
        object: "contacts",
        kind: Kind::Person,
        categories: &["销售线索"],
    },
    Expectation {
        vendor: "hubspot",
        object: "tickets",
        kind: Kind::Event,
        categories: &["销售线索", "客户服务"],
    },
    Expectation {
        vendor: "notion",
        object: "pages",
        kind: Kind::Event,
        categories: &["技术支持", "产品反馈"],
    },
    Expectation {
        vendor: "webhook",
        object: "deliveries",
        kind: Kind::Event,
        categories: &[],
    },
];

const SYSTEMS: [(&str, &str); 3] = [
    ("salesforce.json", include_str!("files/salesforce.json")),
    ("hubspot.json", include_str!("files/hubspot.json")),
    ("notion.json", include_str!("files/notion.json")),
];
const ROUTES: (&str, &str) = ("routes.yaml", include_str!("files/routes.yaml"));

/// The connections and routes of the demo, as the users' files say.
///
/// # Errors
/// When a file cannot be read, which a test rules out.
pub fn items(registry: &Registry, webhook: &str) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    for (name, text) in SYSTEMS.into_iter().chain([ROUTES]) {
        items.extend(read(registry, name, text)?);
    }
    let webhook: Value = json!({ "connections": [{
        "key": "webhook", "connector": "webhook", "name": "Webhook", "settings": { "url": webhook },
    }]});
    items.extend(read(registry, "webhook.json", &webhook.to_string())?);
    Ok(items)
}

fn read(registry: &Registry, name: &str, text: &str) -> Result<Vec<Item>, Problem> {
    let document = Document::parse(text, name)?;
    guide::read(&document, registry).map_err(|problems| {
        Problem::all(problems)
            .unwrap_or_else(|| Problem::new(Code::Internal, format!("{name} cannot be read"), "Report this."))
    })
}
