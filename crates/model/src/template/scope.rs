//! What a template can see.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::error::RenderError;

/// Results longer than this, in bytes, are refused unless the scope says otherwise.
const LIMIT: usize = 1 << 20;

/// Tables for the filters `lookup` and `currency`: the lists that users make, and those of manifests.
pub trait Lookups: Sync {
    /// The value for `key` (as text) in `table`; `None` when table or key are unknown.
    fn find(&self, table: &str, key: &str) -> Option<Value>;

    /// What becomes of a value that the table does not have.
    fn unknown(&self) -> Unknown {
        Unknown::Stays
    }
}

/// What `lookup` makes of a value that its table does not have, unless `default` says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// It stays, as text: what a person's list lacks is better shown than lost.
    Stays,
    /// Nothing: a manifest's table is complete.
    Goes,
}

/// Layers of variables, the first that has a name wins, and the settings that filters use.
#[derive(Clone)]
pub struct Scope<'a> {
    layers: Vec<&'a Map<String, Value>>,
    pub(super) lookups: Option<&'a dyn Lookups>,
    pub(super) zone: TimeZone,
    pub(super) country: Option<&'a str>,
    limit: usize,
}

impl std::fmt::Debug for Scope<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scope")
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}

impl<'a> Scope<'a> {
    /// A scope that sees the members of an object; of any other value it sees nothing.
    pub fn new(value: &'a Value) -> Self {
        Self::empty().with(value)
    }

    /// A scope that sees the members of a map.
    pub fn of(map: &'a Map<String, Value>) -> Self {
        Self::empty().with_map(map)
    }

    fn empty() -> Self {
        Self {
            layers: Vec::new(),
            lookups: None,
            zone: TimeZone::UTC,
            country: None,
            limit: LIMIT,
        }
    }

    /// The same with a further layer below those that are there.
    #[must_use]
    pub fn with(self, value: &'a Value) -> Self {
        match value.as_object() {
            Some(map) => self.with_map(map),
            None => self,
        }
    }

    /// The same with a further layer below those that are there.
    #[must_use]
    pub fn with_map(mut self, map: &'a Map<String, Value>) -> Self {
        self.layers.push(map);
        self
    }

    /// The same with a further layer above those that are there.
    #[must_use]
    pub(crate) fn above<'b>(self, map: &'b Map<String, Value>) -> Scope<'b>
    where
        'a: 'b,
    {
        let mut scope: Scope<'b> = self;
        scope.layers.insert(0, map);
        scope
    }

    /// The same with tables for the filter `lookup`.
    #[must_use]
    pub fn lookups(self, lookups: &'a dyn Lookups) -> Self {
        Self {
            lookups: Some(lookups),
            ..self
        }
    }

    /// The same with the time zone that `date` uses when none is named.
    #[must_use]
    pub fn time_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// The same with the country (ISO 3166, two letters) that `phone_e164` uses when none is named.
    #[must_use]
    pub fn country(self, country: &'a str) -> Self {
        Self {
            country: Some(country),
            ..self
        }
    }

    /// The same with another limit for the length of a result, in bytes.
    #[must_use]
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// The value of a variable.
    pub fn variable(&self, name: &str) -> Option<&'a Value> {
        self.layers.iter().find_map(|layer| layer.get(name))
    }

    /// Every variable, the upper layers first; a name can come again from a lower one.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'a String, &'a Value)> {
        self.layers.iter().flat_map(|layer| layer.iter())
    }

    /// Whether a result may have so many bytes.
    pub(crate) fn check_size(&self, bytes: usize) -> Result<(), RenderError> {
        if bytes > self.limit {
            Err(RenderError::TooLong { limit: self.limit })
        } else {
            Ok(())
        }
    }
}
