//! What templates and conditions of a source see.

use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use switchboard_model::template::{Lookups, Scope};

use super::{body, request::Request};

/// The variables of one request, or of one item of it. Copies share what they have: one that is changed keeps for itself only what it was given,
/// so that ten thousand items of a body need the room of one body, not of ten thousand.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    /// What hides what, the uppermost first.
    layers: Vec<Arc<Map<String, Value>>>,
}

/// What filters go by.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    pub zone: &'s TimeZone,
    pub country: Option<&'s str>,
    pub lookups: &'s dyn Lookups,
}

impl View {
    /// Of a request whose body was read. `payload` is the body at first.
    pub fn new(request: &Request, body: Value, settings: &Map<String, Value>, received_ms: i64) -> Self {
        let mut headers = Map::new();
        for (name, value) in &request.headers {
            let name = name.to_ascii_lowercase();
            match headers.get_mut(&name) {
                Some(Value::String(known)) => {
                    known.push_str(", ");
                    known.push_str(value);
                }
                _ => {
                    headers.insert(name, value.as_str().into());
                }
            }
        }
        let mut query = Map::new();
        for (name, value) in request.parameters() {
            body::add(&mut query, &name, Value::String(value));
        }
        let received = jiff::Timestamp::from_millisecond(received_ms).unwrap_or_default();
        let variables = [
            ("payload", body.clone()),
            ("body", body),
            ("headers", Value::Object(headers)),
            ("query", Value::Object(query)),
            ("method", request.method.as_str().into()),
            ("path", request.path.as_str().into()),
            ("settings", Value::Object(settings.clone())),
            ("received_at", received.to_string().into()),
        ];
        Self::of(variables)
    }

    /// A view of nothing but these.
    pub fn of(variables: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            layers: vec![Arc::new(variables.collect())],
        }
    }

    /// The same with another variable.
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut view = self.clone();
        view.set(name, value);
        view
    }

    /// Gives a variable a value, for this view alone.
    pub fn set(&mut self, name: &str, value: Value) {
        match self.layers.first_mut().and_then(Arc::get_mut) {
            Some(own) => {
                own.insert(name.to_owned(), value);
            }
            None => {
                let own = Map::from_iter([(name.to_owned(), value)]);
                self.layers.insert(0, Arc::new(own));
            }
        }
    }

    /// Lays variables over those that are there; views share them.
    pub fn lay(&mut self, variables: Arc<Map<String, Value>>) {
        self.layers.insert(0, variables);
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.layers.iter().find_map(|layer| layer.get(name))
    }

    pub fn scope<'v>(&'v self, around: Surroundings<'v>) -> Scope<'v> {
        let layers = self.layers.iter();
        let scope = layers.fold(Scope::new(&Value::Null), |scope, layer| scope.with_map(layer));
        let scope = scope.time_zone(around.zone.clone()).lookups(around.lookups);
        match around.country {
            Some(country) => scope.country(country),
            None => scope,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_copy_shares_what_it_was_not_given_and_changes_nothing_of_the_other() {
        let whole = View::of([("body", json!([1, 2, 3])), ("payload", json!("whole"))]);
        let mut item = whole.clone();
        item.set("payload", json!("item"));
        item.set("entry", json!(1));
        let mut deeper = item.clone();
        deeper.set("payload", json!("deeper"));
        let payloads = [&whole, &item, &deeper].map(|view| view.get("payload").unwrap());
        assert_eq!(payloads, [&json!("whole"), &json!("item"), &json!("deeper")]);
        assert_eq!((whole.get("entry"), deeper.get("entry")), (None, Some(&json!(1))));
        for view in [&item, &deeper] {
            assert!(std::ptr::eq(view.get("body").unwrap(), whole.get("body").unwrap()));
        }
        // What is one's own is kept in one layer, however often it is set.
        assert_eq!((item.layers.len(), deeper.layers.len()), (2, 3));
    }
}
