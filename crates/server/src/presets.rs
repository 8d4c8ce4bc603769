//! Presets by kind of company: connections to begin with and routes between them. Each is a file in `presets/`, which holds a
//! configuration of the usual form.
//!
//! A preset never touches a connection that is there: what it would add for a connector that is connected already is left out, and its
//! routes lead to the connection that there is.

use std::sync::LazyLock;

use serde::Deserialize;
use serde_json::Value;
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_hub::{ConnectionView, Hub, configuration::Configured};
use switchboard_model::{
    connection::ConnectionState,
    id::WorkspaceId,
    problem::{Code, Problem},
};

use crate::nearest::did_you_mean;

const FILES: [(&str, &str); 10] = [
    (
        "large-enterprise",
        include_str!("../../../presets/large-enterprise.yaml"),
    ),
    (
        "large-enterprise-hubspot",
        include_str!("../../../presets/large-enterprise-hubspot.yaml"),
    ),
    ("small-business", include_str!("../../../presets/small-business.yaml")),
    (
        "small-business-zoho",
        include_str!("../../../presets/small-business-zoho.yaml"),
    ),
    ("china", include_str!("../../../presets/china.yaml")),
    ("china-feishu", include_str!("../../../presets/china-feishu.yaml")),
    ("engineering", include_str!("../../../presets/engineering.yaml")),
    (
        "engineering-github",
        include_str!("../../../presets/engineering-github.yaml"),
    ),
    ("start-up", include_str!("../../../presets/start-up.yaml")),
    ("start-up-trello", include_str!("../../../presets/start-up-trello.yaml")),
];

/// The kinds of companies that there are presets for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Company {
    /// Thousands of people, several CRM systems.
    LargeEnterprise,
    /// One CRM and one board.
    SmallBusiness,
    /// Chinese office suites.
    China,
    /// Issues rather than leads.
    Engineering,
    /// Light tools.
    StartUp,
}

/// A preset.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name in commands and addresses.
    #[serde(skip)]
    pub name: &'static str,
    /// Its name for people.
    pub title: String,
    /// The kind of company that it is for.
    pub company: Company,
    /// What it does, a sentence or two.
    pub about: String,
    configuration: Value,
}

static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| FILES.iter().filter_map(|file| read(file).ok()).collect());

/// Every preset.
pub fn all() -> &'static [Preset] {
    &PRESETS
}

/// The preset with this name.
///
/// # Errors
/// When there is none; the nearest is named.
pub fn find(name: &str) -> Result<&'static Preset, Problem> {
    all().iter().find(|preset| preset.name == name).ok_or_else(|| {
        let hint = did_you_mean(name, all().iter().map(|preset| preset.name));
        let shown: String = name.chars().take(80).collect();
        let detail = format!("There is no preset `{shown}`{hint}");
        let names: Vec<&str> = all().iter().map(|preset| preset.name).collect();
        Problem::new(Code::NotFound, detail, format!("Presets are {}.", names.join(", ")))
    })
}

fn read((name, text): &(&'static str, &str)) -> Result<Preset, Problem> {
    let file = format!("presets/{name}.yaml");
    let document = Document::parse(text, &file)?;
    let preset: Preset = serde_json::from_value(document.value().clone())
        .map_err(|error| document.problem(Code::WrongShape, "", error.to_string(), "Mend the preset."))?;
    Ok(Preset { name, ..preset })
}

/// What came of a preset.
#[derive(Debug)]
pub struct Applied {
    /// The connections and routes that were written.
    pub done: Configured,
    /// Keys of connections that were there already and serve the preset as they are.
    pub kept: Vec<String>,
    /// What a person has to do now, in order.
    pub next_steps: Vec<String>,
}

impl Preset {
    /// The connectors that it connects.
    ///
    /// # Errors
    /// See [`Preset::items`].
    pub fn connectors(&self, registry: &Registry) -> Result<Vec<String>, Problem> {
        let items = self.items(registry)?.into_iter();
        Ok(items
            .filter_map(|item| match item {
                Item::Connection(spec) => Some(spec.connector),
                _ => None,
            })
            .collect())
    }

    /// Its connections, without credentials, and routes.
    ///
    /// # Errors
    /// When it does not fit the connectors, which happens only when a connector was replaced by one of another form.
    pub fn items(&self, registry: &Registry) -> Result<Vec<Item>, Problem> {
        let name = format!("presets/{}.yaml", self.name);
        let document = Document::parse(&self.configuration.to_string(), &name)?;
        guide::read(&document, registry).map_err(|problems| {
            Problem::all(problems)
                .unwrap_or_else(|| Problem::new(Code::Internal, format!("{name} cannot be read"), "Report this."))
        })
    }

    /// Writes what is not there yet.
    ///
    /// # Errors
    /// When one of its keys means something else here, or the store fails.
    pub async fn apply(&self, hub: &Hub, workspace: WorkspaceId) -> Result<Applied, Problem> {
        let present = hub.connections(workspace);
        let (items, kept) = without(self.items(&hub.registry())?, &present)?;
        let done = hub.configure(workspace, items).await?;
        let next_steps = next_steps(&done, &hub.registry());
        Ok(Applied { done, kept, next_steps })
    }
}

/// The items without connections to what is connected already, and the keys that stand for those.
fn without(items: Vec<Item>, present: &[ConnectionView]) -> Result<(Vec<Item>, Vec<String>), Problem> {
    let (mut left, mut kept) = (Vec::new(), Vec::new());
    for item in items {
        if let Item::Connection(spec) = &item {
            if let Some(other) = present
                .iter()
                .find(|other| other.key == spec.key && other.connector != spec.connector)
            {
                let detail = format!(
                    "The key `{}` is that of a connection to {}, not to {}",
                    spec.key, other.connector, spec.connector
                );
                let next = "Give that connection another key, or write the preset's routes yourself.";
                return Err(Problem::new(Code::WrongValue, detail, next));
            }
            let same = present.iter().filter(|other| other.connector == spec.connector);
            if let Some(other) = same.min_by_key(|other| other.priority) {
                kept.push(other.key.clone());
                continue;
            }
        }
        left.push(item);
    }
    Ok((left, kept))
}

fn next_steps(done: &Configured, registry: &Registry) -> Vec<String> {
    let drafts = done
        .connections
        .iter()
        .filter(|connection| connection.state == ConnectionState::Draft);
    drafts
        .map(|connection| {
            let name = registry
                .get(&connection.connector)
                .map_or("the system", |connector| connector.name());
            let reason = connection.reason.as_deref().unwrap_or("it is not complete");
            format!(
                "Connection `{}` is a draft: {reason}. Apply a file with this key and these members, or post it to \
                 /api/crm/configure; where {name} gives them is told in connectors/{}/guide.md.",
                connection.key, connection.connector
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_preset_fits_the_connectors() {
        let registry = Registry::embedded().unwrap();
        for file in &FILES {
            let preset = read(file).unwrap_or_else(|problem| panic!("{problem}"));
            let items = preset.items(&registry).unwrap_or_else(|problem| panic!("{problem}"));
            let mut connected = HashSet::new();
            for item in &items {
                if let Item::Connection(spec) = item {
                    connected.insert(spec.key.clone());
                }
            }
            for item in &items {
                let Item::Route(route) = item else { continue };
                assert!(
                    route.key.starts_with(&format!("preset-{}", preset.name)),
                    "{}",
                    route.key
                );
                for target in route.strategy.targets() {
                    assert!(connected.contains(&target.system), "{}: {}", preset.name, target.system);
                    let connector = registry.get(&target.system).unwrap();
                    assert!(!target.objects.is_empty(), "{}", preset.name);
                    for object in &target.objects {
                        let object = connector
                            .object(object)
                            .unwrap_or_else(|| panic!("{}: {object}", preset.name));
                        assert!(object.default_mapping().is_some(), "{}: {}", preset.name, object.name());
                    }
                }
            }
        }
        assert_eq!(all().len(), FILES.len());
    }

    #[test]
    fn each_kind_of_company_has_its_variants() {
        let registry = Registry::embedded().unwrap();
        let pairs = |company: Company| {
            let own = all().iter().filter(|preset| preset.company == company);
            own.map(|preset| preset.connectors(&registry).unwrap().join("+"))
                .collect::<Vec<_>>()
        };
        assert_eq!(pairs(Company::LargeEnterprise), ["salesforce+dynamics365", "hubspot"]);
        assert_eq!(pairs(Company::SmallBusiness), ["hubspot+monday", "zoho+asana"]);
        assert_eq!(pairs(Company::China), ["dingtalk+wecom", "feishu+tencent-docs"]);
        assert_eq!(pairs(Company::Engineering), ["jira+linear", "github-issues+clickup"]);
        assert_eq!(pairs(Company::StartUp), ["notion+airtable", "trello+monday"]);
    }

    #[test]
    fn a_name_that_is_nearly_right_is_answered_with_the_right_one() {
        let problem = find("startup").unwrap_err();
        assert!(
            problem.detail.contains("start-up") && problem.next.contains("china-feishu"),
            "{problem}"
        );
    }
}
