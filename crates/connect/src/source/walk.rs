//! From a body to its items: lists inside of lists, and lists of pairs as objects.

use serde_json::{Map, Value};
use switchboard_model::{mapping::Mapping, template::Template};

use super::{
    checker::Checker,
    shape::{GatherSpec, WalkSpec},
    view::{Surroundings, View},
};

/// A callback has no more items than this; what comes after them is told and left out.
const MOST_ITEMS: usize = 10_000;
/// The same of pairs that are gathered, all items taken together.
const MOST_PAIRS: usize = 100_000;

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

    /// A view of each item of the list in `view`'s payload, as far as there is room. A single thing in the place of the list is its only item;
    /// where nothing is, there are none.
    pub fn items(&self, view: &View, room: &mut Room) -> Vec<View> {
        let found = view.get(&self.from).and_then(|value| value.pointer(&self.at));
        let items: &[Value] = match found {
            None | Some(Value::Null) => &[],
            Some(Value::Array(items)) => items,
            Some(one) => std::slice::from_ref(one),
        };
        let each = items[..room.take(items.len())].iter().map(|item| {
            let mut view = view.clone();
            if let Some(name) = &self.name {
                view.set(name, item.clone());
            }
            view.set("payload", item.clone());
            view
        });
        each.collect()
    }
}

/// Goes through all steps.
pub(super) fn split(walks: &[Walk], view: View, notes: &mut Vec<String>) -> Vec<View> {
    let mut views = vec![view];
    for walk in walks {
        let mut room = Room::for_items();
        views = views.iter().flat_map(|view| walk.items(view, &mut room)).collect();
        notes.extend(room.note("the callback has"));
    }
    views
}

/// How many things of a kind may still be made of one callback: a short body must not become a large memory.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    left: usize,
    is_full: bool,
}

impl Room {
    fn of(most: usize) -> Self {
        Self {
            most,
            left: most,
            is_full: false,
        }
    }

    /// For items of lists.
    pub fn for_items() -> Self {
        Self::of(MOST_ITEMS)
    }

    /// For pairs that become members of objects.
    pub fn for_pairs() -> Self {
        Self::of(MOST_PAIRS)
    }

    /// How many of so many things there is room for; they have it from then on.
    pub fn take(&mut self, wanted: usize) -> usize {
        let taken = wanted.min(self.left);
        self.left -= taken;
        self.is_full |= taken < wanted;
        taken
    }

    /// What is told when there was not room for all.
    pub fn note(&self, whose: &str) -> Option<String> {
        let told = || format!("{whose} more than {} items; the others were left out", self.most);
        self.is_full.then(told)
    }
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

    /// Adds the object to the view, of as many pairs as there is room for. The first of a key wins; pairs without key or value are left out.
    /// Where there is no list, there is no object.
    pub fn add(&self, view: &mut View, around: Surroundings<'_>, room: &mut Room) {
        let list = view.get(&self.from).and_then(|value| value.pointer(&self.at));
        let Some(Value::Array(items)) = list else {
            return;
        };
        let mut gathered = Map::new();
        for item in &items[..room.take(items.len())] {
            let pair = view.with("item", item.clone());
            let scope = pair.scope(around);
            let key = self.key.render_text(&scope).unwrap_or_default();
            let value = match &self.value {
                None => Some(item.clone()),
                Some(mapping) => mapping.render(&scope).ok().flatten(),
            };
            if let Some(value) = value.filter(|_| !key.is_empty()) {
                gathered.entry(key).or_insert(value);
            }
        }
        view.set(&self.name, Value::Object(gathered));
    }
}
