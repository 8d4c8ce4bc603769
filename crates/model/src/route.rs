//! Routes: which events go where.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One place that a route sends to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// A connection's key, or a connector's name (then its connection with the smallest priority number is meant).
    pub system: String,
    /// Objects to make there; empty means those of the connection.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objects: Vec<String>,
    /// What the connector reads beside the mapping (`channels`, `recipients`).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub options: Map<String, Value>,
}

/// How a route picks among its targets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "strategy", rename_all = "snake_case")]
pub enum Strategy {
    /// All of them; one that fails holds up no other.
    ParallelSync {
        /// Where to.
        targets: Vec<Target>,
    },
    /// Those of the event's category.
    CategoryRouting {
        /// The field of the event that decides, `category` by default.
        field: String,
        /// Targets by the field's value.
        routes: IndexMap<String, Vec<Target>>,
        /// Targets when the value has no entry.
        otherwise: Vec<Target>,
    },
    /// The first; the second when the first fails for good.
    PrimaryBackup {
        /// Normally here.
        primary: Target,
        /// Otherwise here.
        backup: Target,
        /// Whether what the backup took is created at the primary when it is back.
        sync_back: bool,
    },
}

impl Strategy {
    /// Its name in configuration files and the API.
    pub fn name(&self) -> &'static str {
        match self {
            Self::ParallelSync { .. } => "parallel_sync",
            Self::CategoryRouting { .. } => "category_routing",
            Self::PrimaryBackup { .. } => "primary_backup",
        }
    }

    /// Every target that is named anywhere, in the order of the configuration.
    pub fn targets(&self) -> Vec<&Target> {
        match self {
            Self::ParallelSync { targets } => targets.iter().collect(),
            Self::CategoryRouting { routes, otherwise, .. } => routes.values().flatten().chain(otherwise).collect(),
            Self::PrimaryBackup { primary, backup, .. } => vec![primary, backup],
        }
    }

    /// The targets of an event with this data.
    pub fn choose(&self, data: &Map<String, Value>) -> Vec<&Target> {
        match self {
            Self::ParallelSync { targets } => targets.iter().collect(),
            Self::CategoryRouting {
                field,
                routes,
                otherwise,
            } => {
                let value = data.get(field).and_then(Value::as_str).map(str::trim);
                value.and_then(|v| routes.get(v)).unwrap_or(otherwise).iter().collect()
            }
            Self::PrimaryBackup { primary, .. } => vec![primary],
        }
    }
}

/// What a person says about one route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RouteSpec {
    /// The user's own name for it, unique in the workspace. Files that give none get one from their strategy.
    pub key: String,
    /// The event type that it takes: `message.received`, or `message.*`, or `*`; or several of them with commas between them.
    pub on: String,
    /// CEL; what must hold besides. `None`: always.
    pub condition: Option<String>,
    /// Where to.
    #[serde(flatten)]
    pub strategy: Strategy,
    /// `false`: kept, but takes nothing.
    pub enabled: bool,
}

impl RouteSpec {
    /// Whether an event of this type concerns the route.
    pub fn takes(&self, event_type: &str) -> bool {
        self.on.split(',').any(|on| match on.trim().strip_suffix('*') {
            Some(prefix) => event_type.starts_with(prefix),
            None => on.trim() == event_type,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(system: &str) -> Target {
        Target {
            system: system.into(),
            objects: vec![],
            options: Map::new(),
        }
    }

    fn data(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn a_category_goes_to_its_own_targets_and_any_other_to_otherwise() {
        let strategy = Strategy::CategoryRouting {
            field: "category".into(),
            routes: IndexMap::from([("销售线索".to_owned(), vec![target("salesforce"), target("hubspot")])]),
            otherwise: vec![target("notion")],
        };
        let chosen = |value| {
            strategy
                .choose(&data(value))
                .iter()
                .map(|t| t.system.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(chosen(json!({"category": "销售线索"})), ["salesforce", "hubspot"]);
        assert_eq!(chosen(json!({"category": " 销售线索 "})), ["salesforce", "hubspot"]);
        assert_eq!(chosen(json!({"category": "其他"})), ["notion"]);
        assert_eq!(chosen(json!({"category": 7})), ["notion"]);
        assert_eq!(chosen(json!({})), ["notion"]);
    }

    #[test]
    fn a_route_takes_its_type_or_its_family_of_types() {
        let route = |on: &str| RouteSpec {
            key: "r".into(),
            on: on.into(),
            condition: None,
            strategy: Strategy::ParallelSync { targets: vec![] },
            enabled: true,
        };
        assert!(route("message.received").takes("message.received"));
        assert!(!route("message.received").takes("message.edited"));
        assert!(route("message.*").takes("message.edited"));
        assert!(route("*").takes("call.missed"));
        let several = route("task.completed, person.*");
        assert!(several.takes("task.completed") && several.takes("person.created"));
        assert!(!several.takes("task.created") && !route("").takes("call.missed"));
    }
}
