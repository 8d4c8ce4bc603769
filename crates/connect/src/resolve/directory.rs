//! What the vendor answered: who goes by which names, and what can be asked.

use serde_json::Value;

/// What names a question: equal for two look-ups that one answer serves.
pub type QuestionId = [u8; 32];

/// What the vendor answered to one question: who goes by which names.
#[derive(Debug, Default)]
pub struct Directory {
    pub(super) entries: Vec<(Vec<String>, Value)>,
    /// Whether any entry answers, as the request was about one text alone.
    pub(super) first: bool,
}

impl Directory {
    /// Who goes by which names.
    pub fn of(entries: impl IntoIterator<Item = (Vec<String>, Value)>) -> Self {
        let entries = entries.into_iter();
        let normal_names = |names: Vec<String>| names.iter().map(|name| normal(name)).collect();
        Self {
            entries: entries.map(|(names, value)| (normal_names(names), value)).collect(),
            first: false,
        }
    }

    /// The first names of what is in it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries
            .iter()
            .filter_map(|(names, _)| names.last().map(String::as_str))
    }

    /// The id of what goes by this name.
    pub fn find(&self, wanted: &str) -> Option<&Value> {
        let name = normal(wanted);
        let mut entries = self.entries.iter();
        let found = entries.find(|(names, _)| self.first || names.contains(&name));
        found.map(|(_, value)| value)
    }
}

/// As names are compared.
pub(super) fn normal(name: &str) -> String {
    name.trim().to_lowercase()
}

/// One look-up that a record needs.
#[derive(Debug, Clone)]
pub struct Question {
    /// What it is kept under.
    pub id: QuestionId,
    /// The text that is looked up.
    pub wanted: String,
    /// How long an answer is believed, in milliseconds.
    pub lifetime_ms: i64,
    /// How long it is believed that there is none, in milliseconds.
    pub absent_ms: i64,
    pub(super) resolver: usize,
}

impl Question {
    /// A question of no connector, for tests of what keeps answers.
    pub fn new(id: QuestionId, wanted: &str, lifetime_ms: i64, absent_ms: i64) -> Self {
        Self {
            id,
            wanted: wanted.to_owned(),
            lifetime_ms,
            absent_ms,
            resolver: usize::MAX,
        }
    }
}
