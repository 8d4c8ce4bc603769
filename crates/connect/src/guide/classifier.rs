//! `classifier`: how messages are classified that come without category or priority.

use indexmap::IndexMap;
use serde_json::Value;
use switchboard_model::{
    classify::{Ask, Classifier, ClassifierSpec, Dialect, ModelSpec, Output, RuleSpec, Verdict},
    problem::Code,
};

use super::reader::{Part, one_of, question};

const KEYS: [&str; 7] = ["enabled", "fields", "rules", "preset", "otherwise", "names", "model"];
const RULE_KEYS: [&str; 6] = ["name", "words", "when", "category", "priority", "tags"];
const VERDICT_KEYS: [&str; 3] = ["category", "priority", "tags"];
#[rustfmt::skip]
const MODEL_KEYS: [&str; 15] = [
    "enabled", "base_url", "model", "api_key", "ask", "dialect", "output", "categories", "priorities", "instructions", "max_characters",
    "max_answer_tokens", "timeout_ms", "patience_ms", "budget",
];
const BUDGET_KEYS: [&str; 2] = ["requests_per_day", "tokens_per_day"];

/// The classifier of a workspace as a file describes it.
#[derive(Clone, PartialEq)]
pub struct ClassifierItem {
    /// Everything but the secret.
    pub spec: ClassifierSpec,
    /// The key of the model's server, when one is given.
    pub api_key: Option<String>,
}

impl std::fmt::Debug for ClassifierItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClassifierItem")
            .field("spec", &self.spec)
            .finish_non_exhaustive()
    }
}

/// Reads `classifier`. What is wrong is reported; then the answer is of no use.
pub(super) fn read(part: &Part<'_, '_>) -> Option<ClassifierItem> {
    part.object()?;
    part.only(&KEYS);
    let mut spec = ClassifierSpec::default();
    if let Some(enabled) = part.member("enabled").and_then(|flag| flag.flag()) {
        spec.enabled = enabled;
    }
    if let Some(fields) = part.member("fields") {
        spec.fields = fields.texts();
    }
    let rules = part.member("rules").and_then(|rules| rules.items()).unwrap_or_default();
    spec.rules = rules.iter().filter_map(read_rule).collect();
    spec.preset = text_of(part, "preset");
    if let Some(otherwise) = part
        .member("otherwise")
        .filter(|otherwise| otherwise.object().is_some())
    {
        otherwise.only(&VERDICT_KEYS);
        spec.otherwise = read_verdict(&otherwise);
    }
    if let Some(names) = part.member("names") {
        spec.names = read_texts(&names);
    }
    let mut api_key = None;
    if let Some(model) = part.member("model") {
        spec.model = read_model(&model);
        api_key = text_of(&model, "api_key");
    }
    for problem in Classifier::compile(spec.clone()).err().into_iter().flatten() {
        part.adopt(problem);
    }
    Some(ClassifierItem { spec, api_key })
}

fn read_rule(part: &Part<'_, '_>) -> Option<RuleSpec> {
    part.object()?;
    part.only(&RULE_KEYS);
    Some(RuleSpec {
        name: text_of(part, "name").unwrap_or_default(),
        words: part.member("words").map(|words| words.texts()).unwrap_or_default(),
        when: text_of(part, "when"),
        verdict: read_verdict(part),
    })
}

fn read_verdict(part: &Part<'_, '_>) -> Verdict {
    Verdict {
        category: text_of(part, "category"),
        priority: text_of(part, "priority"),
        tags: part.member("tags").map(|tags| tags.texts()).unwrap_or_default(),
    }
}

fn read_model(part: &Part<'_, '_>) -> Option<ModelSpec> {
    part.object()?;
    part.only(&MODEL_KEYS);
    let mut model = ModelSpec::default();
    if let Some(enabled) = part.member("enabled").and_then(|flag| flag.flag()) {
        model.enabled = enabled;
    }
    if let Some(address) = text_of(part, "base_url") {
        model.base_url = address;
    }
    model.model = text_of(part, "model").unwrap_or_default();
    model.instructions = text_of(part, "instructions");
    let word = |key| part.member(key);
    model.ask = choice(word("ask"), &[("undecided", Ask::Undecided), ("always", Ask::Always)]).unwrap_or_default();
    let dialects = [
        ("auto", Dialect::Auto),
        ("openai", Dialect::Openai),
        ("compatible", Dialect::Compatible),
    ];
    model.dialect = choice(word("dialect"), &dialects).unwrap_or_default();
    let outputs = [
        ("json_schema", Output::JsonSchema),
        ("json_object", Output::JsonObject),
        ("plain", Output::Plain),
    ];
    model.output = choice(word("output"), &outputs).unwrap_or_default();
    if let Some(categories) = part.member("categories") {
        model.categories = match categories.value() {
            Value::Array(_) => categories
                .texts()
                .into_iter()
                .map(|name| (name, String::new()))
                .collect(),
            _ => read_texts(&categories),
        };
    }
    if let Some(priorities) = part.member("priorities") {
        model.priorities = priorities.texts();
    }
    let number = |part: &Part<'_, '_>, key: &str| {
        let member = part.member(key)?;
        let number = member.whole_number().and_then(|number| u64::try_from(number).ok());
        if number.is_none() && member.value().is_i64() {
            member.report_form("a whole number of 0 or more");
        }
        number
    };
    if let Some(most) = number(part, "max_characters") {
        model.max_characters = usize::try_from(most).unwrap_or(usize::MAX);
    }
    if let Some(most) = number(part, "max_answer_tokens") {
        model.max_answer_tokens = u32::try_from(most).unwrap_or(u32::MAX);
    }
    model.timeout_ms = number(part, "timeout_ms").unwrap_or(model.timeout_ms);
    model.patience_ms = number(part, "patience_ms").unwrap_or(model.patience_ms);
    if let Some(budget) = part.member("budget").filter(|budget| budget.object().is_some()) {
        budget.only(&BUDGET_KEYS);
        model.requests_per_day = number(&budget, "requests_per_day").unwrap_or(model.requests_per_day);
        model.tokens_per_day = number(&budget, "tokens_per_day").unwrap_or(model.tokens_per_day);
    }
    Some(model)
}

/// One of some words.
fn choice<T: Copy>(part: Option<Part<'_, '_>>, words: &[(&str, T)]) -> Option<T> {
    let part = part?;
    let text = part.text()?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
    if found.is_none() {
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let detail = format!("`{text}` is not known here{}", question(text, known.iter().copied()));
        part.report(Code::WrongValue, detail, one_of(&known));
    }
    found
}

fn text_of(part: &Part<'_, '_>, key: &str) -> Option<String> {
    part.member(key)?.text().map(str::to_owned)
}

/// An object whose members are texts.
fn read_texts(part: &Part<'_, '_>) -> IndexMap<String, String> {
    let members = part.members().unwrap_or_default();
    let texts = members
        .into_iter()
        .filter_map(|(key, member)| Some((key.to_owned(), member.text()?.to_owned())));
    texts.collect()
}

/// The classifier as [`read`] reads it, without the key.
pub(super) fn write(spec: &ClassifierSpec) -> Value {
    let mut written = serde_json::to_value(spec).unwrap_or_default();
    if let Some(model) = written.get_mut("model").and_then(Value::as_object_mut) {
        let budget: serde_json::Map<String, Value> = BUDGET_KEYS
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), model.shift_remove(*key)?)))
            .collect();
        model.insert("budget".into(), budget.into());
    }
    written
}
