//! From the event to the vendor's object.

use serde_json::Value;
use switchboard_connect::connector::Connector;
use switchboard_model::{
    event::Event,
    problem::{Code, Problem},
    template::Scope,
};

use crate::{
    automate::{self, Body},
    configuration::Connection,
    normalise,
    store::Pending,
};

/// Fills the mapping in and brings it into the vendor's form.
///
/// # Errors
/// When there is no such object, a template fails, or fields are missing or do not fit.
pub(crate) fn make(connection: &Connection, pending: &Pending, event: &Event) -> Result<Value, Problem> {
    let connector = connection.connector()?;
    let object = connector.object(&pending.object).ok_or_else(|| {
        Problem::new(
            Code::ObjectUnsupported,
            format!("{} has no object `{}`", connector.name(), pending.object),
            format!("Name one of {} in the route.", connector.object_names().join(", ")),
        )
    })?;
    let about;
    let event = match automate::sent_record(event).transpose()? {
        None => event,
        Some(Body::Record(record)) => return shape(connector, object.name(), &pending.object, record),
        Some(Body::About(set_going)) => {
            about = set_going;
            &about
        }
    };
    let mapping = connection.mapping(object.name()).ok_or_else(|| {
        Problem::new(
            Code::ObjectUnsupported,
            format!(
                "connection `{}` has no mapping for `{}`",
                connection.key, pending.object
            ),
            "Add a mapping for this object and replay the delivery.",
        )
    })?;
    let mut derived = normalise::variables(event);
    if mapping.reads_event {
        derived.insert("event".into(), Value::Object(event.data.clone()));
    }
    // What the route says stands above what the sender says: an event does not choose who is told.
    let scope = match &pending.options {
        Some(options) => Scope::of(options).with_map(&derived),
        None => Scope::of(&derived),
    };
    let lists = connection.lists();
    let scope = scope.with_map(&event.data).lookups(&*lists);
    let mapped = mapping.mapping.render(&scope).map_err(|errors| {
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Problem::new(
            Code::MappingFailed,
            format!(
                "the mapping of {} could not be filled in: {}",
                pending.object,
                text.join("; ")
            ),
            "Mend the mapping of this connection and replay the delivery.",
        )
    })?;
    let mapped = mapped.unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    shape(connector, object.name(), &pending.object, mapped)
}

/// Brings an object into the vendor's form; `called` is what the person calls it.
fn shape(connector: &Connector, object: &str, called: &str, mapped: Value) -> Result<Value, Problem> {
    connector.shape(object, mapped).map_err(|fields| {
        let missing = fields.iter().all(|field| field.is_missing);
        let text: Vec<String> = fields
            .iter()
            .map(|field| format!("{}: {}", field.field, field.message))
            .collect();
        let code = if missing {
            Code::MappingIncomplete
        } else {
            Code::FieldInvalid
        };
        let place = fields
            .first()
            .map(|field| format!("{called}.{}", field.field));
        let problem = Problem::new(
            code,
            format!("{} of {called} ({})", text.join("; "), connector.name()),
            "Give the field a value in the mapping, for instance with `| default: '…'`, then replay the delivery.",
        );
        match place {
            Some(place) => problem.at(place),
            None => problem,
        }
    })
}
