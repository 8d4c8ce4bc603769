//! What is learned from answers and kept with a connection.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::template::Scope;

use crate::{call::Answer, compile::Compiler, manifest::SourceSpec, reading::Source};

/// Names and where their values are read.
#[derive(Debug, Default)]
pub(crate) struct Learned(IndexMap<String, Source>);

impl Learned {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, table: &IndexMap<String, SourceSpec>) -> Self {
        Self(compiler.table(at, table, Source::compile))
    }

    /// What is learned.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}

/// What the answer tells; what it does not tell is left out.
pub(crate) fn read_facts(learned: &Learned, answer: &Answer, scope: &Scope<'_>) -> Map<String, Value> {
    let each = learned.0.iter();
    each.filter_map(|(name, source)| Some((name.clone(), source.first(answer, scope)?)))
        .collect()
}

/// Adds facts: about the connection, or about one object (below `objects.<name>`).
pub fn add_facts(facts: &mut Map<String, Value>, object: Option<&str>, learned: Map<String, Value>) {
    if learned.is_empty() {
        return;
    }
    let place = match object {
        None => Some(facts),
        Some(object) => member(facts, "objects").and_then(|objects| member(objects, object)),
    };
    if let Some(place) = place {
        place.extend(learned);
    }
}

/// The object under a name; put there when there is none.
fn member<'m>(map: &'m mut Map<String, Value>, name: &str) -> Option<&'m mut Map<String, Value>> {
    let member = map.entry(name.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if !member.is_object() {
        *member = Value::Object(Map::new());
    }
    member.as_object_mut()
}
