//! A kind of record.

use indexmap::IndexMap;

use super::{field::Field, key::MatchBy};

/// The field that holds what other systems call a record, by the name of the system.
pub const EXTERNAL_IDS: &str = "externalIds";
/// The field that holds a person's ids on messengers, by the messenger.
pub const MESSENGER_IDS: &str = "messengerIds";

/// What happens when a record comes that is there already, by one of its keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Policy {
    /// The one that is there is changed.
    #[default]
    Update,
    /// The one that is there is found and left as it is.
    Find,
    /// Another one is made; both are listed as possible duplicates.
    Create,
    /// Another one is made and marked: a person has to say whether they are one.
    Ask,
}

impl Policy {
    /// The words for it.
    pub const NAMES: &'static [&'static str] = &["update", "find", "create", "ask"];

    /// Its word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Update => "update",
            Self::Find => "find",
            Self::Create => "create",
            Self::Ask => "ask",
        }
    }

    /// The policy with this word.
    pub fn find(name: &str) -> Option<Self> {
        [Self::Update, Self::Find, Self::Create, Self::Ask]
            .into_iter()
            .find(|policy| policy.name() == name)
    }
}

/// A kind of record: people, companies, a table of the user's own.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectType {
    /// Its name in addresses, files and the database: `people`, `customers`.
    pub name: String,
    /// The word for one of them, the first half of event types: `person`, `row` for a table.
    pub singular: String,
    /// For people.
    pub title: String,
    /// Whether it is a table of the user's own.
    pub is_table: bool,
    /// Its fields, in the order in which they are shown.
    pub fields: IndexMap<String, Field>,
    /// By what two records are known to be one, the strongest first.
    pub keys: Vec<MatchBy>,
    /// Fields that together make two records suspicious of being one.
    pub suspicions: Vec<Vec<String>>,
    /// The fields whose values, joined, are the record's title.
    pub titled_by: Vec<String>,
    /// What happens when a record comes that is there already.
    pub policy: Policy,
    /// The country of telephone numbers that come without one, `BY`.
    pub country: Option<String>,
}

impl ObjectType {
    /// The field that is meant by a name: its own, or one of its other names. For a lookup `company` that is also `companyId`.
    pub fn field(&self, name: &str) -> Option<&Field> {
        if let Some(field) = self.fields.get(name) {
            return Some(field);
        }
        self.fields.values().find(|field| {
            field.aliases.iter().any(|alias| alias == name)
                || (matches!(field.kind, super::FieldKind::Lookup(_)) && name.strip_suffix("Id") == Some(&field.name))
        })
    }

    /// The names under which fields are taken.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let each = self.fields.values();
        each.flat_map(|field| std::iter::once(field.name.as_str()).chain(field.aliases.iter().map(String::as_str)))
    }
}
