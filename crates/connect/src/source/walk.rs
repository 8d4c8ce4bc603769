//! From a body to its items: lists inside of lists, and lists of pairs as objects.

use serde_json::{Map, Value};
use switchboard_model::{mapping::Mapping, template::Template};

use super::{
    checker::Checker,
    shape::{GatherSpec, WalkSpec},
    view::{Surroundings, View},
};

/// A callback has no more items than this; what comes after them is told and left out.
pub(super) const MOST_ITEMS: usize = 10_000;

/// A step into a list.
#[derive(Debug)]
pub(super) struct Walk {
    from: String,
    at: String,
    name: Option<String>,
}

impl Walk {
    pub fn compile(checker: &mut Checker, at: &str, spec: &WalkSpec) -> Option<Self> {
        checker.pointer(&format!("{at}/at"), &spec.at).then(|| Self {
            from: variable(spec.from.as_ref()),
            at: spec.at.clone(),
            name: spec.name.clone(),
        })
    }

    /// A view of each item of the list in `view`'s payload. A single thing in the place of the list is its only item; where nothing is, there
    /// are none.
    pub fn items(&self, view: &View) -> Vec<View> {
        let found = view.get(&self.from).and_then(|value| value.pointer(&self.at));
        let items: Vec<Value> = match found {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        };
        let each = items.into_iter().map(|item| {
            let mut view = view.clone();
            if let Some(name) = &self.name {
                view.set(name, item.clone());
            }
            view.set("payload", item);
            view
        });
        each.collect()
    }
}

/// Goes through all steps.
pub(super) fn split(walks: &[Walk], view: View, notes: &mut Vec<String>) -> Vec<View> {
    let mut views = vec![view];
    for walk in walks {
        let mut below = Vec::new();
        for view in &views {
            below.extend(walk.items(view));
            if below.len() > MOST_ITEMS {
                below.truncate(MOST_ITEMS);
                notes.push(format!(
                    "the callback has more than {MOST_ITEMS} items; the others were left out"
                ));
                break;
            }
        }
        views = below;
    }
    views
}

fn variable(from: Option<&String>) -> String {
    from.map_or("payload", String::as_str).to_owned()
}

/// A list of pairs that becomes an object.
#[derive(Debug)]
pub(super) struct Gather {
    name: String,
    from: String,
    at: String,
    key: Template,
    value: Option<Mapping>,
}

impl Gather {
    pub fn compile(checker: &mut Checker, at: &str, name: &str, spec: &GatherSpec) -> Option<Self> {
        let valid = checker.pointer(&format!("{at}/at"), &spec.at);
        let key = checker.template(&format!("{at}/key"), &spec.key);
        let value = match &spec.value {
            None => Some(None),
            Some(tree) => checker.mapping(&format!("{at}/value"), tree).map(Some),
        };
        valid.then_some(())?;
        Some(Self {
            name: name.to_owned(),
            from: variable(spec.from.as_ref()),
            at: spec.at.clone(),
            key: key?,
            value: value?,
        })
    }

    /// Whether it looks into what was fetched, and so has to wait for it.
    pub fn is_late(&self) -> bool {
        self.from == "fetched"
    }

    /// Adds the object to the view. The first of a key wins; pairs without key or value are left out. Where there is no list, there is no
    /// object.
    pub fn add(&self, view: &mut View, around: Surroundings<'_>) {
        let list = view.get(&self.from).and_then(|value| value.pointer(&self.at));
        let Some(Value::Array(items)) = list.cloned() else {
            return;
        };
        let mut gathered = Map::new();
        let mut pair = view.clone();
        for item in items.into_iter().take(MOST_ITEMS) {
            pair.set("item", item);
            let scope = pair.scope(around);
            let key = self.key.render_text(&scope).unwrap_or_default();
            let value = match &self.value {
                None => pair.get("item").cloned(),
                Some(mapping) => mapping.render(&scope).ok().flatten(),
            };
            if let Some(value) = value.filter(|_| !key.is_empty()) {
                gathered.entry(key).or_insert(value);
            }
        }
        view.set(&self.name, Value::Object(gathered));
    }
}
