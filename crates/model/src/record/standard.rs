//! The kinds of records that every workspace has.

use std::sync::LazyLock;

use indexmap::IndexMap;

use super::{
    field::{Choice, Field, FieldKind},
    key::MatchBy,
    object::{EXTERNAL_IDS, MESSENGER_IDS, ObjectType, Policy},
};

/// One of them as a table.
struct Draft {
    name: &'static str,
    singular: &'static str,
    title: &'static str,
    /// Name, kind, other names.
    fields: &'static [(&'static str, &'static str, &'static [&'static str])],
    /// By what they are known, the strongest first.
    keys: &'static [&'static str],
    suspicions: &'static [&'static [&'static str]],
    titled_by: &'static [&'static str],
}

/// A number is a key where one system gives it (invoices); orders of several shops can have the same.
const DRAFTS: &[Draft] = &[
    Draft {
        name: "people",
        singular: "person",
        title: "People",
        fields: &[
            ("firstName", "text", &["first_name", "firstname"]),
            ("lastName", "text", &["last_name", "lastname"]),
            ("email", "email", &["senderEmail"]),
            ("phone", "phone", &["senderPhone", "telephone"]),
            ("jobTitle", "text", &["job_title"]),
            ("company", "lookup:companies", &["companyName"]),
            ("city", "text", &[]),
            ("country", "text", &[]),
            ("address", "text", &[]),
            ("website", "url", &[]),
            ("linkedin", "url", &["linkedinLink"]),
            ("birthday", "date", &[]),
            ("language", "text", &[]),
            ("status", "text", &[]),
            ("priority", "text", &[]),
            ("leadSource", "text", &["lead_source"]),
            ("marketingConsent", "boolean", &["marketing_consent"]),
            ("tags", "multi-select", &[]),
            ("owner", "json", &[]),
            ("notes", "text", &[]),
            (MESSENGER_IDS, "ids", &[]),
        ],
        keys: &["externalId", "email", "phone", "messengerId"],
        suspicions: &[&["firstName", "lastName"]],
        titled_by: &["firstName", "lastName"],
    },
    Draft {
        name: "companies",
        singular: "company",
        title: "Companies",
        fields: &[
            ("name", "text", &["companyName"]),
            ("domain", "url", &["domainName", "website"]),
            ("email", "email", &[]),
            ("phone", "phone", &[]),
            ("address", "text", &[]),
            ("city", "text", &[]),
            ("country", "text", &[]),
            ("industry", "text", &[]),
            ("employees", "integer", &[]),
            ("annualRevenue", "money", &[]),
            ("taxId", "text", &[]),
            ("tags", "multi-select", &[]),
            ("owner", "json", &[]),
            ("notes", "text", &[]),
        ],
        keys: &["externalId", "domain", "name"],
        suspicions: &[&["phone"], &["email"]],
        titled_by: &["name"],
    },
    Draft {
        name: "opportunities",
        singular: "opportunity",
        title: "Opportunities",
        fields: &[
            ("name", "text", &["title"]),
            ("value", "number", &["amount"]),
            ("currency", "text", &[]),
            ("stage", "text", &[]),
            ("probability", "number", &[]),
            ("closeDate", "date", &["close_date"]),
            ("person", "lookup:people", &["pointOfContact", "contact"]),
            ("company", "lookup:companies", &["companyName"]),
            ("leadSource", "text", &["lead_source"]),
            ("lostReason", "text", &[]),
            ("tags", "multi-select", &[]),
            ("owner", "json", &[]),
            ("notes", "text", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["name"],
    },
    Draft {
        name: "tasks",
        singular: "task",
        title: "Tasks",
        fields: &[
            ("title", "text", &["name"]),
            ("description", "text", &["body"]),
            (
                "status",
                "select:todo|To do,in_progress|In progress,done|Completed,cancelled|Cancelled",
                &[],
            ),
            ("priority", "text", &[]),
            ("dueAt", "datetime", &["due", "dueDate", "due_at"]),
            ("assignee", "json", &["owner"]),
            ("person", "lookup:people", &[]),
            ("company", "lookup:companies", &[]),
            ("opportunity", "lookup:opportunities", &[]),
            ("tags", "multi-select", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["title"],
    },
    Draft {
        name: "notes",
        singular: "note",
        title: "Notes",
        fields: &[
            ("title", "text", &[]),
            ("body", "text", &["text", "content"]),
            ("person", "lookup:people", &[]),
            ("company", "lookup:companies", &[]),
            ("opportunity", "lookup:opportunities", &[]),
            ("author", "json", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["title"],
    },
    Draft {
        name: "tickets",
        singular: "ticket",
        title: "Tickets",
        fields: &[
            ("subject", "text", &["title", "name"]),
            ("description", "text", &["body"]),
            ("status", "text", &[]),
            ("priority", "text", &[]),
            ("category", "text", &[]),
            ("channel", "text", &["platform"]),
            ("person", "lookup:people", &["requester"]),
            ("company", "lookup:companies", &[]),
            ("assignee", "json", &["owner"]),
            ("tags", "multi-select", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["subject"],
    },
    Draft {
        name: "calls",
        singular: "call",
        title: "Calls",
        fields: &[
            ("direction", "text", &["type"]),
            ("phone", "phone", &[]),
            ("status", "text", &[]),
            ("startedAt", "datetime", &["date"]),
            ("duration", "integer", &[]),
            ("recording", "url", &["recordingUrl"]),
            ("person", "lookup:people", &[]),
            ("company", "lookup:companies", &[]),
            ("employee", "json", &["owner"]),
            ("notes", "text", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["direction", "phone"],
    },
    Draft {
        name: "meetings",
        singular: "meeting",
        title: "Meetings",
        fields: &[
            ("title", "text", &["subject", "name"]),
            ("description", "text", &[]),
            ("startsAt", "datetime", &["start"]),
            ("endsAt", "datetime", &["end"]),
            ("location", "text", &[]),
            ("link", "url", &["url"]),
            ("recording", "url", &[]),
            ("status", "text", &[]),
            ("participants", "json", &[]),
            ("person", "lookup:people", &[]),
            ("company", "lookup:companies", &[]),
            ("opportunity", "lookup:opportunities", &[]),
            ("owner", "json", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["title"],
    },
    Draft {
        name: "products",
        singular: "product",
        title: "Products",
        fields: &[
            ("name", "text", &["title"]),
            ("sku", "text", &["code"]),
            ("description", "text", &[]),
            ("price", "number", &[]),
            ("currency", "text", &[]),
            ("unit", "text", &[]),
            ("active", "boolean", &[]),
            ("tags", "multi-select", &[]),
        ],
        keys: &["externalId", "sku"],
        suspicions: &[&["name"]],
        titled_by: &["name"],
    },
    Draft {
        name: "orders",
        singular: "order",
        title: "Orders",
        fields: &[
            ("number", "text", &["name"]),
            ("status", "text", &[]),
            ("total", "number", &["amount", "value"]),
            ("currency", "text", &[]),
            ("items", "json", &["lineItems"]),
            ("orderedAt", "datetime", &["date"]),
            ("fulfilledAt", "datetime", &[]),
            ("person", "lookup:people", &["customer"]),
            ("company", "lookup:companies", &[]),
            ("opportunity", "lookup:opportunities", &[]),
            ("notes", "text", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["number"],
    },
    Draft {
        name: "invoices",
        singular: "invoice",
        title: "Invoices",
        fields: &[
            ("number", "text", &["name"]),
            ("status", "text", &[]),
            ("total", "number", &["amount", "value"]),
            ("paid", "number", &[]),
            ("currency", "text", &[]),
            ("items", "json", &["lineItems"]),
            ("issuedOn", "date", &["date"]),
            ("dueOn", "date", &["dueDate"]),
            ("person", "lookup:people", &["customer"]),
            ("company", "lookup:companies", &[]),
            ("order", "lookup:orders", &[]),
            ("opportunity", "lookup:opportunities", &[]),
        ],
        keys: &["externalId", "number"],
        suspicions: &[],
        titled_by: &["number"],
    },
    Draft {
        name: "payments",
        singular: "payment",
        title: "Payments",
        fields: &[
            ("amount", "number", &["total", "value"]),
            ("currency", "text", &[]),
            ("status", "text", &[]),
            ("method", "text", &[]),
            ("paidAt", "datetime", &["date"]),
            ("reference", "text", &["number"]),
            ("person", "lookup:people", &["customer"]),
            ("company", "lookup:companies", &[]),
            ("invoice", "lookup:invoices", &[]),
            ("order", "lookup:orders", &[]),
        ],
        keys: &["externalId"],
        suspicions: &[],
        titled_by: &["reference"],
    },
];

/// Every standard object, in the order of the documentation.
pub static STANDARD: LazyLock<Vec<ObjectType>> = LazyLock::new(|| DRAFTS.iter().map(of_draft).collect());

/// The standard object with this name (`people`) or word for one (`person`).
pub fn standard(name: &str) -> Option<&'static ObjectType> {
    STANDARD
        .iter()
        .find(|object| object.name == name || object.singular == name)
}

fn of_draft(draft: &Draft) -> ObjectType {
    let mut fields: IndexMap<String, Field> = draft
        .fields
        .iter()
        .map(|(name, kind, aliases)| {
            let mut field = Field::new(*name, kind_of(kind));
            field.aliases = aliases.iter().map(|alias| (*alias).to_owned()).collect();
            ((*name).to_owned(), field)
        })
        .collect();
    fields.insert(EXTERNAL_IDS.to_owned(), Field::new(EXTERNAL_IDS, FieldKind::Ids));
    let key = |word: &&str| match *word {
        "externalId" => MatchBy::External,
        "messengerId" => MatchBy::Messenger,
        field => MatchBy::Field(field.to_owned()),
    };
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    ObjectType {
        name: draft.name.to_owned(),
        singular: draft.singular.to_owned(),
        title: draft.title.to_owned(),
        is_table: false,
        fields,
        keys: draft.keys.iter().map(key).collect(),
        suspicions: draft.suspicions.iter().map(|fields| owned(fields)).collect(),
        titled_by: owned(draft.titled_by),
        policy: Policy::Update,
        country: None,
    }
}

/// `select:value|Title,…` and `lookup:object` carry what they need behind the colon.
fn kind_of(text: &str) -> FieldKind {
    let (word, rest) = text.split_once(':').unwrap_or((text, ""));
    let choices = || {
        let each = rest.split(',').filter(|choice| !choice.is_empty());
        each.map(|choice| {
            let (value, title) = choice.split_once('|').unwrap_or((choice, ""));
            Choice {
                value: value.to_owned(),
                title: (!title.is_empty()).then(|| title.to_owned()),
            }
        })
        .collect()
    };
    match word {
        "integer" => FieldKind::Integer,
        "number" => FieldKind::Number,
        "boolean" => FieldKind::Boolean,
        "date" => FieldKind::Date,
        "datetime" => FieldKind::Datetime,
        "email" => FieldKind::Email,
        "phone" => FieldKind::Phone,
        "url" => FieldKind::Url,
        "money" => FieldKind::Money,
        "select" => FieldKind::Select(choices()),
        "multi-select" => FieldKind::MultiSelect(choices()),
        "json" => FieldKind::Json,
        "ids" => FieldKind::Ids,
        "lookup" => FieldKind::Lookup(rest.to_owned()),
        _ => FieldKind::Text,
    }
}
