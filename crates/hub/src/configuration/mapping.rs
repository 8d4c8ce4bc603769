//! The mappings of a connection, compiled, with what their values pass through and the zone of their times.

use std::{collections::HashSet, sync::Arc};

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use switchboard_connect::connector::Connector;
use switchboard_model::{
    connection::{ConnectionSpec, Defaults},
    mapping::{Mapping, rules::FieldRules},
};

/// The mapping that makes one object.
#[derive(Debug)]
pub struct ObjectMapping {
    /// Compiled.
    pub mapping: Mapping,
    /// What its values pass through afterwards.
    pub rules: FieldRules,
    /// The variables that it and the rules read.
    variables: HashSet<Box<str>>,
}

impl ObjectMapping {
    /// A mapping with the rules of its fields.
    pub(super) fn new(mapping: Mapping, rules: FieldRules) -> Self {
        let paths = mapping.paths().into_iter().chain(rules.paths());
        let variables = paths.map(|path| path.root().into()).collect();
        Self {
            mapping,
            rules,
            variables,
        }
    }

    /// Whether it, or a rule, reads this variable.
    pub fn reads(&self, variable: &str) -> bool {
        self.variables.contains(variable)
    }
}

/// The connector's mappings, with the connection's own in their places. One of those that is wrong leaves nothing in its place.
pub(super) fn compile_mappings(
    spec: &ConnectionSpec,
    connector: Option<&Connector>,
) -> (IndexMap<Arc<str>, ObjectMapping>, Vec<String>) {
    let Some(connector) = connector else {
        return Default::default();
    };
    let mut faults = Vec::new();
    let mut mappings = IndexMap::new();
    let mut rules = |object: &str| {
        let rules = spec
            .values
            .fields
            .get(object)
            .map(FieldRules::compile)
            .unwrap_or(Ok(FieldRules::default()));
        rules.unwrap_or_else(|errors| {
            faults.extend(errors.iter().map(|error| format!("the fields of {object}: {error}")));
            FieldRules::default()
        })
    };
    for object in connector.objects() {
        if let Some(mapping) = object.default_mapping() {
            let mapping = ObjectMapping::new(mapping.clone(), rules(object.name()));
            mappings.insert(object.name().into(), mapping);
        }
    }
    let mut mistakes = Vec::new();
    for (name, tree) in &spec.mappings {
        let name: Arc<str> = connector
            .object(name)
            .map_or(name.as_str(), |object| object.name())
            .into();
        match Mapping::compile(tree) {
            Ok(mapping) => {
                let rules = rules(&name);
                mappings.insert(name, ObjectMapping::new(mapping, rules));
            }
            Err(errors) => {
                mappings.shift_remove(&name);
                mistakes.extend(errors.iter().map(|error| format!("the mapping of {name}: {error}")));
            }
        }
    }
    faults.extend(mistakes);
    (mappings, faults)
}

/// The connection's own time zone, or the workspace's.
pub(super) fn time_zone(spec: &ConnectionSpec, defaults: &Defaults, faults: &mut Vec<String>) -> TimeZone {
    let Some(name) = spec.values.time_zone.as_ref().or(defaults.time_zone.as_ref()) else {
        return TimeZone::UTC;
    };
    TimeZone::get(name).unwrap_or_else(|_| {
        faults.push(format!("this machine knows no time zone `{name}`"));
        TimeZone::UTC
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_a_rule_reads_is_read_as_well() {
        let mapping = Mapping::compile(&json!({"title": "{{ senderName }}"})).unwrap();
        let rules = IndexMap::from([("note".to_owned(), "default: event.text".to_owned())]);
        let mapping = ObjectMapping::new(mapping, FieldRules::compile(&rules).unwrap());
        assert!(mapping.reads("senderName") && mapping.reads("event"));
        assert!(!mapping.reads("eventTime"));
    }
}
