//! What can be set at the simulated model server.

use serde::{Deserialize, Serialize};

use crate::options::Setup;

/// The settings of the server.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Any key that is not empty is taken.
    pub accept_any_credentials: bool,
    /// The registered keys.
    pub keys: Vec<String>,
    /// No key is needed, as with servers of one's own.
    pub no_key: bool,
    /// The ids of the models that there are.
    pub models: Vec<String>,
    /// How answers are.
    pub answers: Answers,
    /// Answers of so few tokens are cut off; 0: none is. Models that think need more (fact sheet §12).
    pub thinking_tokens: u64,
    /// `max_tokens` and `temperature` are refused, as reasoning models do (fact sheet §5).
    pub reasoning: bool,
    /// Calls in any 60 seconds, before the scale of the options (fact sheet §8).
    pub calls_per_minute: u64,
}

/// How answers are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answers {
    /// As asked for.
    #[default]
    Good,
    /// `message.refusal` instead of an answer.
    Refusal,
    /// Stopped by the content filter.
    Filtered,
    /// Cut off in the middle.
    Cut,
    /// Prose, as servers give that do not know `response_format`.
    Prose,
    /// JSON with a value that was not asked for.
    Invented,
    /// JSON in a block of code with words around it.
    Wrapped,
    /// Every call is refused because the account has no money left.
    NoMoney,
}

impl Settings {
    /// The first settings of a server.
    pub fn new(setup: &Setup) -> Self {
        Self {
            accept_any_credentials: setup.accept_any_credentials,
            ..Self::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept_any_credentials: false,
            keys: Vec::new(),
            no_key: false,
            models: vec!["gpt-5.4-mini".into(), "llama-3.1-8b".into()],
            answers: Answers::Good,
            thinking_tokens: 0,
            reasoning: false,
            calls_per_minute: 500,
        }
    }
}
