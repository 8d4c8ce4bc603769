//! The kinds of records of a workspace: those that every one has, with what the user added to them, and the user's own tables.

use std::sync::{Arc, LazyLock};

use indexmap::IndexMap;

use super::{
    object::ObjectType,
    standard::{STANDARD, standard},
};
use crate::nearest::nearest;

/// The kinds of records of a workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Objects(IndexMap<String, Arc<ObjectType>>);

static PLAIN: LazyLock<Arc<Objects>> = LazyLock::new(|| Arc::new(Objects::default()));

impl Default for Objects {
    fn default() -> Self {
        let all = STANDARD.iter();
        Self(
            all.map(|object| (object.name.clone(), Arc::new(object.clone())))
                .collect(),
        )
    }
}

impl Objects {
    /// Those that every workspace has.
    pub fn plain() -> Arc<Self> {
        Arc::clone(&PLAIN)
    }

    /// Puts an object in the place of the one with its name, or behind the others.
    pub fn insert(&mut self, object: ObjectType) {
        self.0.insert(object.name.clone(), Arc::new(object));
    }

    /// The object with this name (`people`, `customers`) or, of the standard ones, with this word for one (`person`).
    pub fn find(&self, name: &str) -> Option<&Arc<ObjectType>> {
        self.0
            .get(name)
            .or_else(|| standard(name).and_then(|object| self.0.get(&object.name)))
    }

    /// Every object, the standard ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<ObjectType>> {
        self.0.values()
    }

    /// The name that is nearest to what was written.
    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest(name, self.0.keys().map(String::as_str))
    }
}
