//! The description of a classifier, for the description of the API. What it means is read by `switchboard_connect::guide`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// How messages are classified that come without category or priority.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierDefinition)]
pub struct ClassifierSchema {
    /// `false`: kept, but nothing is classified.
    #[schema(required = false, default = true)]
    enabled: bool,
    /// The members of a message whose text is looked at.
    #[schema(required = false, default = json!(["subject", "messageContent"]))]
    fields: Vec<String>,
    /// Your own rules; the first that matches decides.
    #[schema(required = false, max_items = 500)]
    rules: Vec<RuleSchema>,
    /// Rules of this program that come after them; GET /v1/classifier/presets lists them.
    #[schema(example = "customer-service")]
    preset: Option<String>,
    /// What is decided when no rule matches.
    otherwise: Option<VerdictSchema>,
    /// Your names for categories and priorities of the preset, by name of the preset.
    #[schema(required = false)]
    names: BTreeMap<String, String>,
    /// A model that is asked; nothing is sent anywhere without it.
    model: Option<ModelSchema>,
}

/// What is decided about a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierVerdict)]
pub struct VerdictSchema {
    /// What it is about.
    category: Option<String>,
    /// How urgent it is.
    priority: Option<String>,
    /// Words for it.
    #[schema(required = false)]
    tags: Vec<String>,
}

/// A rule. It says `words` or `when`, or both; then both must hold.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierRule)]
pub struct RuleSchema {
    /// Your name of it, shown with what it decided.
    #[schema(min_length = 1)]
    name: String,
    /// One of these has to stand in the text; `*` at the end or start lets a word go on there.
    #[schema(required = false, example = json!(["refund*", "退款", "возврат*", "hoàn tiền"]))]
    words: Vec<String>,
    /// CEL; what must hold besides.
    #[schema(example = "platform == 'wework'")]
    when: Option<String>,
    /// What it is about.
    category: Option<String>,
    /// How urgent it is.
    priority: Option<String>,
    /// Words for it.
    #[schema(required = false)]
    tags: Vec<String>,
}

/// A server that speaks OpenAI's chat completions, and what it is asked.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierModelDefinition)]
pub struct ModelSchema {
    /// `false`: kept, but nothing is sent.
    #[schema(required = false, default = true)]
    enabled: bool,
    /// The address that `/chat/completions` is appended to.
    #[schema(required = false, default = "https://api.openai.com/v1")]
    base_url: String,
    /// The model's id at the server.
    #[schema(min_length = 1, example = "gpt-5.4-mini")]
    model: String,
    /// The server's key; kept sealed, never shown.
    #[schema(write_only)]
    api_key: Option<String>,
    /// `undecided`: about what the rules leave open; `always`: about every message that lacks category or priority.
    #[schema(required = false, default = "undecided", pattern = "^(undecided|always)$")]
    ask: String,
    /// Which members of a request the server knows: `auto`, `openai` or `compatible`.
    #[schema(required = false, default = "auto", pattern = "^(auto|openai|compatible)$")]
    dialect: String,
    /// How the form of the answer is asked for: `json_schema`, `json_object` or `plain`.
    #[schema(
        required = false,
        default = "json_schema",
        pattern = "^(json_schema|json_object|plain)$"
    )]
    output: String,
    /// The categories to choose from, each with what it means; without them those of the rules.
    #[schema(required = false)]
    categories: BTreeMap<String, String>,
    /// The priorities to choose from; without them those of the rules.
    #[schema(required = false)]
    priorities: Vec<String>,
    /// What it is told besides.
    instructions: Option<String>,
    /// So many characters of a message are sent.
    #[schema(required = false, default = 2000, minimum = 20, maximum = 100_000)]
    max_characters: u32,
    /// So many tokens may the answer have.
    #[schema(required = false, default = 300, minimum = 20, maximum = 100_000)]
    max_answer_tokens: u32,
    /// How long one call may take, in milliseconds.
    #[schema(required = false, default = 20_000, minimum = 100, maximum = 70_000)]
    timeout_ms: u32,
    /// So long does a message wait for the model, in milliseconds; then the rules decide alone.
    #[schema(required = false, default = 60_000, minimum = 100, maximum = 3_600_000)]
    patience_ms: u32,
    /// What it may cost.
    budget: Option<BudgetSchema>,
}

/// What a model may cost on a day (UTC).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ClassifierBudget)]
pub struct BudgetSchema {
    /// Calls at most.
    #[schema(required = false, default = 1000)]
    requests_per_day: u64,
    /// Tokens of questions and answers at most.
    #[schema(required = false, default = 500_000)]
    tokens_per_day: u64,
}
