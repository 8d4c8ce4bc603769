//! What templates and conditions of a source see.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use switchboard_model::template::{Lookups, Scope};

use super::{
    body::{self, Body},
    request::Request,
};

/// The variables of one request.
#[derive(Debug, Clone, Default)]
pub(super) struct View {
    variables: Map<String, Value>,
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
    pub fn new(request: &Request, body: &Body, settings: &Map<String, Value>, received_ms: i64) -> Self {
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
            ("payload", body.value.clone()),
            ("body", body.value.clone()),
            ("headers", Value::Object(headers)),
            ("query", Value::Object(query)),
            ("method", request.method.as_str().into()),
            ("path", request.path.as_str().into()),
            ("settings", Value::Object(settings.clone())),
            ("received_at", received.to_string().into()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            variables: variables.collect(),
        }
    }

    /// A view of nothing but these.
    pub fn of(variables: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Self {
            variables: variables.collect(),
        }
    }

    /// The same with another variable.
    pub fn with(&self, name: &str, value: Value) -> Self {
        let mut view = self.clone();
        view.set(name, value);
        view
    }

    pub fn set(&mut self, name: &str, value: Value) {
        self.variables.insert(name.to_owned(), value);
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.variables.get(name)
    }

    pub fn scope<'v>(&'v self, around: Surroundings<'v>) -> Scope<'v> {
        let scope = Scope::of(&self.variables)
            .time_zone(around.zone.clone())
            .lookups(around.lookups);
        match around.country {
            Some(country) => scope.country(country),
            None => scope,
        }
    }
}
