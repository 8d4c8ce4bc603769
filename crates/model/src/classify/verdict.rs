//! What was decided about a message, by whom and why, and how that becomes part of its data.

use serde_json::{Map, Value, json};

use super::{CLASSIFIED, DECIDED, Verdict, is_open};

/// Who decided, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// A rule.
    Rule {
        /// Its name.
        rule: String,
        /// The word of it that stands in the text.
        found: Option<String>,
    },
    /// A model.
    Model {
        /// Its id.
        model: String,
        /// What it said about its choice.
        reason: Option<String>,
    },
    /// No rule matched.
    Otherwise,
}

impl Because {
    fn to_json(&self) -> Map<String, Value> {
        let value = match self {
            Self::Rule {
                rule,
                found: Some(found),
            } => json!({"by": "rule", "rule": rule, "found": found}),
            Self::Rule { rule, found: None } => json!({"by": "rule", "rule": rule}),
            Self::Model {
                model,
                reason: Some(reason),
            } => json!({"by": "model", "model": model, "reason": reason}),
            Self::Model { model, reason: None } => json!({"by": "model", "model": model}),
            Self::Otherwise => json!({"by": "otherwise"}),
        };
        match value {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}

/// A value and who decided it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The value.
    pub value: String,
    /// Who decided, and why.
    pub because: Because,
}

/// What was decided about the members of a message that were open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    open: [bool; 3],
    /// What it is about.
    pub category: Option<Said>,
    /// How urgent it is.
    pub priority: Option<Said>,
    /// Words for it, each with the one who said it first.
    pub tags: Vec<Said>,
    /// What a person should know about it, for instance why a model was not asked.
    pub note: Option<String>,
}

impl Decision {
    /// A decision about a message of which nothing is decided yet.
    pub fn of_open(data: &Map<String, Value>) -> Self {
        Self {
            open: DECIDED.map(|name| is_open(data, name)),
            ..Self::default()
        }
    }

    /// Takes from a verdict what is open and undecided.
    pub fn take(&mut self, verdict: &Verdict, because: &Because) {
        let said = |value: &String| Said {
            value: value.clone(),
            because: because.clone(),
        };
        let [category, priority, tags] = self.open;
        if category && self.category.is_none() {
            self.category = verdict.category.as_ref().map(said);
        }
        if priority && self.priority.is_none() {
            self.priority = verdict.priority.as_ref().map(said);
        }
        if tags {
            let known = |tag: &&String| self.tags.iter().all(|other| other.value != **tag);
            let new: Vec<Said> = verdict.tags.iter().filter(known).map(said).collect();
            self.tags.extend(new);
        }
    }

    /// Whether category or priority is open and nobody has decided it.
    pub fn is_undecided(&self) -> bool {
        let [category, priority, _] = self.open;
        (category && self.category.is_none()) || (priority && self.priority.is_none())
    }

    /// Which of category and priority a model may decide.
    pub fn wanted(&self) -> (bool, bool) {
        (self.open[0], self.open[1])
    }

    /// Fills what is undecided with what another one has decided.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.category = self.category.or(other.category);
        self.priority = self.priority.or(other.priority);
        let new = |tag: &Said| self.tags.iter().all(|known| known.value != tag.value);
        let new: Vec<Said> = other.tags.into_iter().filter(new).collect();
        self.tags.extend(new);
        self.note = self.note.or(other.note);
        self
    }

    /// Puts what was decided into the data. Members that the sender gave stay; what stood in the place of a decided one is kept in
    /// `classified`.
    pub fn apply(self, data: &mut Map<String, Value>) {
        let mut classified = Map::new();
        let single = [("category", self.category), ("priority", self.priority)];
        for (name, said) in single.into_iter().filter_map(|(name, said)| Some((name, said?))) {
            let mut because = said.because.to_json();
            // Blank text, which is as good as nothing.
            if let Some(was) = data.insert(name.into(), said.value.into()) {
                because.insert("was".into(), was);
            }
            classified.insert(name.into(), because.into());
        }
        if !self.tags.is_empty() {
            let tags: Map<String, Value> = self
                .tags
                .iter()
                .map(|said| (said.value.clone(), said.because.to_json().into()))
                .collect();
            data.insert("tags".into(), self.tags.into_iter().map(|said| said.value).collect());
            classified.insert("tags".into(), tags.into());
        }
        if let Some(note) = self.note {
            classified.insert("note".into(), note.into());
        }
        if !classified.is_empty() {
            data.insert(CLASSIFIED.into(), classified.into());
        }
    }
}
