//! What a person says about classification.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// How messages are classified that come without category or priority. One for each workspace.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClassifierSpec {
    /// `false`: kept, but nothing is classified.
    pub enabled: bool,
    /// The members of a message whose text is looked at.
    pub fields: Vec<String>,
    /// The user's own rules; the first that matches decides.
    pub rules: Vec<RuleSpec>,
    /// Rules of this program that come after them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<String>,
    /// What is decided when no rule matches.
    pub otherwise: Verdict,
    /// The user's names for categories and priorities of the preset, by name of the preset.
    pub names: IndexMap<String, String>,
    /// A model that is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelSpec>,
}

impl Default for ClassifierSpec {
    fn default() -> Self {
        Self {
            enabled: true,
            fields: vec!["subject".into(), "messageContent".into()],
            rules: Vec::new(),
            preset: None,
            otherwise: Verdict::default(),
            names: IndexMap::new(),
            model: None,
        }
    }
}

/// A rule: when one of the words is there and the condition holds, the verdict is its own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleSpec {
    /// The user's own name of it, shown with what it decided.
    pub name: String,
    /// One of these has to stand in the text; none: any text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// CEL; what must hold besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// What is decided.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// What is decided about a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Verdict {
    /// What it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
    /// Words for it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
}

impl Verdict {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.category.is_none() && self.priority.is_none() && self.tags.is_empty()
    }
}

/// A server that speaks OpenAI's chat completions, and what it is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ModelSpec {
    /// `false`: kept, but nothing is sent.
    pub enabled: bool,
    /// The address that `/chat/completions` is appended to.
    pub base_url: String,
    /// The model's id at the server.
    pub model: String,
    /// When it is asked.
    pub ask: Ask,
    /// Which members of the request the server knows.
    pub dialect: Dialect,
    /// How the answer's form is asked for.
    pub output: Output,
    /// The categories that it chooses from; empty: those of the rules.
    pub categories: IndexMap<String, String>,
    /// The priorities that it chooses from; empty: those of the rules.
    pub priorities: Vec<String>,
    /// What it is told besides, for instance what the company sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// So many characters of a message are sent; the rest is cut off.
    pub max_characters: usize,
    /// So many tokens may the answer have.
    pub max_answer_tokens: u32,
    /// How long one call may take, in milliseconds.
    pub timeout_ms: u64,
    /// So long does a message wait for the model at most, in milliseconds; then the rules decide alone.
    pub patience_ms: u64,
    /// So many calls a day (UTC) at most.
    pub requests_per_day: u64,
    /// So many tokens a day (UTC) at most, of questions and answers together.
    pub tokens_per_day: u64,
}

impl Default for ModelSpec {
    fn default() -> Self {
        Self {
            enabled: true,
            base_url: "https://api.openai.com/v1".into(),
            model: String::new(),
            ask: Ask::Undecided,
            dialect: Dialect::Auto,
            output: Output::JsonSchema,
            categories: IndexMap::new(),
            priorities: Vec::new(),
            instructions: None,
            max_characters: 2_000,
            max_answer_tokens: 300,
            timeout_ms: 20_000,
            patience_ms: 60_000,
            requests_per_day: 1_000,
            tokens_per_day: 500_000,
        }
    }
}

/// When a model is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// When the rules leave category or priority open.
    #[default]
    Undecided,
    /// About every message that lacks one of them; the rules decide what it does not.
    Always,
}

/// Which members of a request a server knows (fact sheet openai §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// `openai` for addresses of openai.com and Azure, `compatible` for all others.
    #[default]
    Auto,
    /// `developer`, `max_completion_tokens`, `store: false`.
    Openai,
    /// `system`, `max_tokens`.
    Compatible,
}

/// How the form of the answer is asked for (fact sheet openai §5).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// A strict JSON Schema.
    #[default]
    JsonSchema,
    /// Any JSON object; its members stand in the question.
    JsonObject,
    /// In words alone, for servers that know neither.
    Plain,
}
