//! Classification of messages that come without category or priority.
//!
//! Rules are looked at in their order. For category and priority the first rule that matches and says something about it decides; tags are those
//! of all rules that match. A model can be asked about what the rules leave open (`hub::classify`); what it answers passes through here too.
//!
//! What the sender said stays: only members that are absent, `null` or blank get a value, and `classified` says of each of them who decided
//! and why. A message that has a member `classified` was classified elsewhere and is left alone.

pub mod preset;
mod spec;
mod verdict;
mod words;

use serde_json::{Map, Value};

pub use spec::{Ask, ClassifierSpec, Dialect, ModelSpec, Output, RuleSpec, Verdict};
pub use verdict::{Because, Decision, Said};

use crate::{
    condition::Condition,
    event::EventType,
    problem::{Code, Problem},
    template::Scope,
};
use words::Words;

/// The member that says what was decided and why.
pub const CLASSIFIED: &str = "classified";
/// The members that are decided.
pub const DECIDED: [&str; 3] = ["category", "priority", "tags"];
/// More rules than this are refused.
const MOST_RULES: usize = 500;

/// A classifier, compiled.
#[derive(Debug)]
pub struct Classifier {
    spec: ClassifierSpec,
    rules: Vec<Rule>,
    words: Words,
}

#[derive(Debug)]
struct Rule {
    name: String,
    has_words: bool,
    when: Option<Condition>,
    verdict: Verdict,
}

impl Classifier {
    /// Compiles the user's rules and those of the preset.
    ///
    /// # Errors
    /// Everything that is wrong; places are JSON pointers into the description.
    pub fn compile(spec: ClassifierSpec) -> Result<Self, Vec<Problem>> {
        let mut problems = check(&spec);
        let preset = match spec.preset.as_deref().map(preset::find) {
            None => Vec::new(),
            Some(Ok(preset)) => preset.rules(),
            Some(Err(problem)) => {
                problems.push(problem.at("/preset"));
                Vec::new()
            }
        };
        let mut rules = Vec::new();
        let mut words: Vec<(usize, &str)> = Vec::new();
        for (at, rule) in spec.rules.iter().chain(&preset).enumerate() {
            words.extend(rule.words.iter().map(|word| (at, word.as_str())));
            match rule.when.as_deref().map(Condition::parse).transpose() {
                Ok(when) => rules.push(Rule {
                    name: rule.name.clone(),
                    has_words: !rule.words.is_empty(),
                    when,
                    verdict: renamed(&spec, rule.verdict.clone()),
                }),
                Err(error) => problems.push(
                    Problem::new(Code::ConditionSyntax, error.to_string(), "Correct the condition.")
                        .at(format!("/rules/{at}/when")),
                ),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let words = Words::compile(words).map_err(|why| vec![wrong("/rules", why, "Give fewer or shorter words.")])?;
        Ok(Self { rules, words, spec })
    }

    /// What it was compiled from.
    pub fn spec(&self) -> &ClassifierSpec {
        &self.spec
    }

    /// Whether it has anything to say about an event: a message that lacks category or priority and was not classified elsewhere.
    pub fn is_asked(kind: EventType, data: &Map<String, Value>) -> bool {
        kind == EventType::MESSAGE
            && (is_open(data, "category") || is_open(data, "priority"))
            && data.get(CLASSIFIED).is_none_or(Value::is_null)
    }

    /// What the rules decide about the members that are open; what no rule decides stays open.
    pub fn decide(&self, data: &Map<String, Value>) -> Decision {
        let found = self.words.find(&self.text(data), self.rules.len());
        let scope = Scope::of(data);
        let mut decision = Decision::of_open(data);
        for (rule, word) in self.rules.iter().zip(found) {
            if rule.has_words && word.is_none() {
                continue;
            }
            // A condition that cannot be decided takes no message, as in routes.
            let holds = |when: &Condition| when.matches(EventType::MESSAGE.name(), &scope).unwrap_or(false);
            if !rule.when.as_ref().is_none_or(holds) {
                continue;
            }
            let because = Because::Rule {
                rule: rule.name.clone(),
                found: word.map(str::to_owned),
            };
            decision.take(&rule.verdict, &because);
        }
        decision
    }

    /// Decides what is still open by `otherwise`.
    pub fn settle(&self, decision: &mut Decision) {
        decision.take(&self.spec.otherwise, &Because::Otherwise);
    }

    /// The text that is looked at: the members that hold it, a line each.
    pub fn text(&self, data: &Map<String, Value>) -> String {
        let texts = self.spec.fields.iter().filter_map(|field| data.get(field)?.as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The model to ask about a message of which the rules have decided this much; `None` when none is to be asked.
    pub fn model_for(&self, decision: &Decision) -> Option<&ModelSpec> {
        let model = self.spec.model.as_ref().filter(|model| model.enabled)?;
        let asks = match model.ask {
            Ask::Always => true,
            Ask::Undecided => decision.is_undecided(),
        };
        asks.then_some(model)
    }

    /// The categories that a model chooses from.
    pub fn categories(&self) -> Vec<String> {
        let own = self.spec.model.as_ref().map(|model| &model.categories);
        match own.filter(|own| !own.is_empty()) {
            Some(own) => own.keys().cloned().collect(),
            None => self.values(|verdict| verdict.category.as_ref()),
        }
    }

    /// The priorities that a model chooses from.
    pub fn priorities(&self) -> Vec<String> {
        let own = self.spec.model.as_ref().map(|model| &model.priorities);
        match own.filter(|own| !own.is_empty()) {
            Some(own) => own.clone(),
            None => self.values(|verdict| verdict.priority.as_ref()),
        }
    }

    /// Each value that a rule or `otherwise` can decide, once, in the order of the rules.
    fn values(&self, of: impl Fn(&Verdict) -> Option<&String>) -> Vec<String> {
        let all = self
            .rules
            .iter()
            .map(|rule| &rule.verdict)
            .chain([&self.spec.otherwise]);
        let mut values: Vec<String> = Vec::new();
        for value in all.filter_map(of) {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }
}

/// The verdict in the user's own words.
fn renamed(spec: &ClassifierSpec, verdict: Verdict) -> Verdict {
    let own = |name: String| spec.names.get(&name).cloned().unwrap_or(name);
    Verdict {
        category: verdict.category.map(own),
        priority: verdict.priority.map(own),
        tags: verdict.tags,
    }
}

/// Whether the sender has said nothing about it.
pub(crate) fn is_open(data: &Map<String, Value>, name: &str) -> bool {
    match data.get(name) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Everything that is wrong with a description but its conditions and its preset.
fn check(spec: &ClassifierSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    if spec.fields.is_empty() {
        problems.push(wrong(
            "/fields",
            "no member is looked at".into(),
            "Name one, for example messageContent.",
        ));
    }
    if spec.rules.len() > MOST_RULES {
        let detail = format!("there are {} rules; {MOST_RULES} are possible", spec.rules.len());
        problems.push(wrong("/rules", detail, "Give several words to one rule."));
    }
    let words: usize = spec.rules.iter().map(|rule| rule.words.len()).sum();
    if words > words::MOST_WORDS {
        let detail = format!("there are {words} words; {} are possible", words::MOST_WORDS);
        problems.push(wrong("/rules", detail, "Leave words out, or end them with `*`."));
    }
    for (at, rule) in spec.rules.iter().enumerate() {
        let place = format!("/rules/{at}");
        if rule.name.trim().is_empty() {
            let next = "Give it one: it is shown with what the rule decided.";
            problems.push(wrong(&place, "the rule has no name".into(), next));
        }
        if rule.words.is_empty() && rule.when.is_none() {
            let next = "Add `words` or `when`; what holds for every message goes into `otherwise`.";
            problems.push(wrong(
                &place,
                format!("rule `{}` says nothing of when it matches", rule.name),
                next,
            ));
        }
        if rule.verdict.is_empty() {
            let next = "Add `category`, `priority` or `tags`.";
            problems.push(wrong(&place, format!("rule `{}` decides nothing", rule.name), next));
        }
        for (index, word) in rule.words.iter().enumerate() {
            let next = "Write the word as it stands in messages; `*` at its end or start lets it go on there.";
            let fault = words::fault(word);
            problems.extend(fault.map(|fault| wrong(&format!("{place}/words/{index}"), fault, next)));
        }
    }
    problems.extend(spec.model.iter().flat_map(|model| check_model(spec, model)));
    problems
}

/// Everything that is wrong with the description of a model.
fn check_model(spec: &ClassifierSpec, model: &ModelSpec) -> Vec<Problem> {
    let mut problems = Vec::new();
    if model.model.trim().is_empty() {
        let next = "Name the model as the server does, for example gpt-5.4-mini.";
        problems.push(wrong("/model", "`model` names no model".into(), next));
    }
    let is_address = model.base_url.starts_with("https://") || model.base_url.starts_with("http://");
    if !is_address {
        let next = "Give the address before /chat/completions, for example https://api.openai.com/v1.";
        problems.push(wrong(
            "/model/base_url",
            format!("`{}` is no address", model.base_url),
            next,
        ));
    }
    for (name, value, least, most) in [
        ("max_characters", model.max_characters as u64, 20, 100_000),
        ("max_answer_tokens", u64::from(model.max_answer_tokens), 20, 100_000),
        ("timeout_ms", model.timeout_ms, 100, 70_000),
        ("patience_ms", model.patience_ms, 100, 3_600_000),
    ] {
        if !(least..=most).contains(&value) {
            let detail = format!("`{name}` is {value}; {least} to {most} are possible");
            problems.push(wrong(&format!("/model/{name}"), detail, "Choose a value in between."));
        }
    }
    let says_nothing = |of: fn(&Verdict) -> Option<&String>| {
        let verdicts = spec.rules.iter().map(|rule| &rule.verdict).chain([&spec.otherwise]);
        verdicts.filter_map(of).next().is_none() && spec.preset.is_none()
    };
    if model.categories.is_empty() && says_nothing(|verdict| verdict.category.as_ref()) {
        let next = "Add `categories`, or rules that name some.";
        problems.push(wrong(
            "/model",
            "the model has no categories to choose from".into(),
            next,
        ));
    }
    problems
}

fn wrong(place: &str, detail: String, next: &str) -> Problem {
    Problem::new(Code::WrongValue, detail, next).at(place)
}

#[cfg(test)]
mod tests;
