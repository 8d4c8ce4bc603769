//! Ready scenarios. Each is a file in `templates/`, which holds parameters and a configuration of the usual form, in whose texts `${name}` stands
//! for a parameter. Installing one writes that configuration.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::{Map, Value};
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_hub::{Hub, configuration::Configured};
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
};

use crate::nearest::did_you_mean;

const FILES: [(&str, &str); 4] = [
    ("eventbrite", include_str!("../../../templates/eventbrite.yaml")),
    ("shopify-orders", include_str!("../../../templates/shopify-orders.yaml")),
    ("ticket-upgrade", include_str!("../../../templates/ticket-upgrade.yaml")),
    ("website-lead", include_str!("../../../templates/website-lead.yaml")),
];

/// A ready scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name in commands and addresses.
    #[serde(skip)]
    pub name: &'static str,
    /// Its name for people.
    pub title: String,
    /// What it does, a few sentences.
    pub about: String,
    /// What can be chosen.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// The systems that its automations send to.
    #[serde(default)]
    pub connectors: Vec<String>,
    /// What a person has to do when it is installed, in order; `${name}` stands for a parameter.
    #[serde(default)]
    pub next_steps: Vec<String>,
    configuration: Value,
}

/// What can be chosen when a template is installed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is, for people.
    pub title: String,
    /// What it is when nothing is said; without one it has to be given.
    #[serde(default)]
    pub default: Option<Value>,
    /// Whether it is kept sealed and never shown.
    #[serde(default)]
    pub secret: bool,
}

/// What came of a template.
#[derive(Debug)]
pub struct Installed {
    /// What was written.
    pub done: Configured,
    /// What a person has to do now, in order.
    pub next_steps: Vec<String>,
}

static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| FILES.iter().filter_map(|file| read(file).ok()).collect());

/// Every template, by name.
pub fn all() -> &'static [Template] {
    &TEMPLATES
}

/// The template with this name.
///
/// # Errors
/// When there is none; the nearest is named.
pub fn find(name: &str) -> Result<&'static Template, Problem> {
    all().iter().find(|template| template.name == name).ok_or_else(|| {
        let names: Vec<&str> = all().iter().map(|template| template.name).collect();
        let hint = did_you_mean(name, names.iter().copied());
        let shown: String = name.chars().take(80).collect();
        let detail = format!("There is no template `{shown}`{hint}");
        Problem::new(Code::NotFound, detail, format!("Templates are {}.", names.join(", ")))
    })
}

fn read((name, text): &(&'static str, &str)) -> Result<Template, Problem> {
    let file = format!("templates/{name}.yaml");
    let document = Document::parse(text, &file)?;
    let template: Template = serde_json::from_value(document.value().clone())
        .map_err(|error| document.problem(Code::WrongShape, "", error.to_string(), "Mend the template."))?;
    Ok(Template { name, ..template })
}

impl Template {
    /// What it writes with these values of its parameters.
    ///
    /// # Errors
    /// When a parameter is missing or not known; when a value does not fit where it stands.
    pub fn items(&self, set: &Map<String, Value>, registry: &Registry) -> Result<Vec<Item>, Problem> {
        let values = self.values(set)?;
        let filled = fill(&self.configuration, &values);
        let name = format!("templates/{}.yaml", self.name);
        let document = Document::parse(&filled.to_string(), &name)?;
        guide::read(&document, registry).map_err(|problems| {
            Problem::all(problems)
                .unwrap_or_else(|| Problem::new(Code::Internal, format!("{name} cannot be read"), "Report this."))
        })
    }

    /// Writes it.
    ///
    /// # Errors
    /// See [`Template::items`]; when something in it cannot be written here.
    pub async fn install(
        &self,
        hub: &Hub,
        workspace: WorkspaceId,
        set: &Map<String, Value>,
    ) -> Result<Installed, Problem> {
        let values = self.values(set)?;
        let items = self.items(set, &hub.registry())?;
        let done = hub.configure(workspace, items).await?;
        let connected = hub.connections(workspace);
        let missing = self.connectors.iter().filter_map(|name| {
            let key = values.get(name).and_then(Value::as_str).unwrap_or(name);
            let is_there = connected.iter().any(|other| other.key == key || other.connector == key);
            (!is_there).then(|| {
                format!("Connect {name}: the automations name it `{key}`, and runs wait for it until it is there.")
            })
        });
        let own = self
            .next_steps
            .iter()
            .map(|step| fill_text(step, &shown(&self.parameters, &values)));
        let next_steps = missing.chain(own).collect();
        Ok(Installed { done, next_steps })
    }

    /// The value of every parameter.
    fn values(&self, set: &Map<String, Value>) -> Result<Map<String, Value>, Problem> {
        let names = || self.parameters.iter().map(|parameter| parameter.name.as_str());
        let mut problems = Vec::new();
        for name in set.keys().filter(|name| !names().any(|known| known == *name)) {
            let shown: String = name.chars().take(80).collect();
            let detail = format!(
                "`{}` has no parameter `{shown}`{}",
                self.name,
                did_you_mean(name, names())
            );
            let known: Vec<&str> = names().collect();
            let next = format!("There are {}.", known.join(", "));
            problems.push(Problem::new(Code::UnknownKey, detail, next).at(format!("/set/{shown}")));
        }
        let mut values = Map::new();
        for parameter in &self.parameters {
            match set.get(&parameter.name).or(parameter.default.as_ref()) {
                Some(value) if !value.is_object() && !value.is_array() => {
                    values.insert(parameter.name.clone(), value.clone());
                }
                Some(_) => problems.push(
                    Problem::new(
                        Code::WrongValue,
                        format!("the parameter `{}` is a text, number or flag", parameter.name),
                        "Give one value.",
                    )
                    .at(format!("/set/{}", parameter.name)),
                ),
                None => problems.push(
                    Problem::new(
                        Code::WrongValue,
                        format!("the parameter `{}` is missing: {}", parameter.name, parameter.title),
                        format!("Give it: --set {}=…, or in `set`.", parameter.name),
                    )
                    .at(format!("/set/{}", parameter.name)),
                ),
            }
        }
        Problem::all(problems).map_or(Ok(values), Err)
    }
}

/// The values without secrets.
fn shown(parameters: &[Parameter], values: &Map<String, Value>) -> Map<String, Value> {
    let open = values.iter().filter(|(name, _)| {
        let parameter = parameters.iter().find(|parameter| parameter.name == **name);
        parameter.is_some_and(|parameter| !parameter.secret)
    });
    open.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The tree with the values in its texts. A text that is one parameter and nothing else becomes its value; one that is nothing but an empty
/// value goes.
fn fill(tree: &Value, values: &Map<String, Value>) -> Value {
    match tree {
        Value::String(text) => match text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if values.contains_key(name) => match &values[name] {
                Value::String(text) if text.is_empty() => Value::Null,
                value => value.clone(),
            },
            _ => Value::String(fill_text(text, values)),
        },
        Value::Array(items) => {
            let filled = items.iter().map(|item| fill(item, values));
            Value::Array(filled.filter(|item| !item.is_null()).collect())
        }
        Value::Object(members) => {
            let filled = members
                .iter()
                .map(|(key, value)| (fill_text(key, values), value, fill(value, values)));
            // A member whose parameter was left empty is not said.
            let kept = filled.filter(|(_, before, after)| before.is_null() || !after.is_null());
            Value::Object(kept.map(|(key, _, after)| (key, after)).collect())
        }
        other => other.clone(),
    }
}

fn fill_text(text: &str, values: &Map<String, Value>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let end = from.find('}').filter(|end| values.contains_key(&from[2..*end]));
        match end {
            Some(end) => {
                match &values[&from[2..end]] {
                    Value::String(value) => filled.push_str(value),
                    value => filled.push_str(&value.to_string()),
                }
                rest = &from[end + 1..];
            }
            None => {
                filled.push_str("${");
                rest = &from[2..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_template_fits_the_connectors_with_what_it_proposes() {
        let registry = Registry::embedded().unwrap();
        for file in &FILES {
            let template = read(file).unwrap_or_else(|problem| panic!("{problem}"));
            let needed = template
                .parameters
                .iter()
                .filter(|parameter| parameter.default.is_none());
            let set = needed
                .map(|parameter| (parameter.name.clone(), json!("example")))
                .collect();
            let items = template.items(&set, &registry);
            let items = items.unwrap_or_else(|problem| panic!("{}: {problem} {:?}", file.0, problem.others));
            assert!(!items.is_empty(), "{}", file.0);
            for connector in &template.connectors {
                assert!(registry.get(connector).is_some(), "{}: {connector}", file.0);
            }
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn a_parameter_keeps_its_type_where_it_stands_alone() {
        let values = json!({ "score": 8, "channel": "#sales", "none": "" })
            .as_object()
            .cloned()
            .unwrap();
        let tree = json!({ "a": "${score}", "b": "to ${channel} from ${score} and ${other}", "c": "{{ x }}", "d": ["${none}"], "e": "${none}" });
        assert_eq!(
            fill(&tree, &values),
            json!({ "a": 8, "b": "to #sales from 8 and ${other}", "c": "{{ x }}", "d": [] })
        );
    }

    #[test]
    fn what_is_missing_or_unknown_is_said_at_once() {
        let template = find("website-lead").unwrap();
        let set = json!({ "chanel": "#x" }).as_object().cloned().unwrap();
        let problem = template.values(&set).unwrap_err();
        assert!(problem.detail.contains("did you mean `channel`?"), "{problem}");
        assert!(find("website-leads").unwrap_err().detail.contains("website-lead"));
    }
}
