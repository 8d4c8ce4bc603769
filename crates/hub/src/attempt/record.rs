//! From the event to the vendor's object.

use serde_json::{Map, Value};
use switchboard_connect::{connector::Connector, shape::FieldFault};
use switchboard_model::{
    event::Event,
    mapping::MappingError,
    problem::{Code, Problem},
    template::Scope,
};

use crate::{
    automate::{self, Body},
    configuration::Connection,
    normalise,
};

/// Fills the mapping in and brings it into the vendor's form. `options` is what the route says beside the mapping.
///
/// # Errors
/// When there is no such object, a template fails, or fields are missing or do not fit.
pub(crate) fn make(
    connection: &Connection,
    name: &str,
    options: Option<&Map<String, Value>>,
    event: &Event,
) -> Result<Value, Problem> {
    let connector = connection.connector()?;
    let object = connector.object(name).ok_or_else(|| {
        Problem::new(
            Code::ObjectUnsupported,
            format!("{} has no object `{}`", connector.name(), name),
            format!("Name one of {} in the route.", connector.object_names().join(", ")),
        )
    })?;
    let about;
    let event = match automate::sent_record(event).transpose()? {
        None => event,
        Some(Body::Record(record)) => return shape(connector, object.name(), name, record),
        Some(Body::About(set_going)) => {
            about = set_going;
            &about
        }
    };
    let mapping = connection.mapping(object.name()).ok_or_else(|| {
        Problem::new(
            Code::ObjectUnsupported,
            format!("connection `{}` has no mapping for `{}`", connection.key, name),
            "Add a mapping for this object and replay the delivery.",
        )
    })?;
    connection.check_place(object.name(), options)?;
    let mut derived = normalise::variables(event, |name| mapping.reads(name));
    // It is copied for those that ask for it only.
    if mapping.reads("event") {
        derived.insert("event".into(), Value::Object(event.data.clone()));
    }
    // What the route says stands above what the sender says: an event does not choose who is told.
    let scope = match options {
        Some(options) => Scope::of(options).with_map(&derived),
        None => Scope::of(&derived),
    };
    let lists = connection.lists();
    let scope = scope.with_map(&event.data).lookups(&*lists);
    let scope = scope.time_zone(connection.time_zone.clone());
    let scope = match &connection.country {
        Some(country) => scope.country(country),
        None => scope,
    };
    let failed = |errors: Vec<MappingError>| not_filled_in(name, errors);
    let mapped = mapping.mapping.render(&scope).map_err(failed)?;
    let mut mapped = mapped.unwrap_or_else(|| Value::Object(Map::new()));
    if !mapping.rules.is_empty() {
        mapping.rules.apply(&mut mapped, &scope).map_err(failed)?;
    }
    shape(connector, object.name(), name, mapped)
}

/// Brings an object into the vendor's form; `called` is what the person calls it.
fn shape(connector: &Connector, object: &str, called: &str, mapped: Value) -> Result<Value, Problem> {
    let refused = |fields: Vec<FieldFault>| does_not_fit(called, connector.name(), &fields);
    connector.shape(object, mapped).map_err(refused)
}

fn not_filled_in(object: &str, errors: Vec<MappingError>) -> Problem {
    let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
    Problem::new(
        Code::MappingFailed,
        format!("the mapping of {object} could not be filled in: {}", text.join("; ")),
        "Mend the mapping of this connection and replay the delivery.",
    )
}

/// The vendor would refuse these fields.
fn does_not_fit(object: &str, connector: &str, fields: &[FieldFault]) -> Problem {
    let missing = fields.iter().all(|field| field.is_missing);
    let text: Vec<String> = fields
        .iter()
        .map(|field| format!("{}: {}", field.field, field.message))
        .collect();
    let code = match missing {
        true => Code::MappingIncomplete,
        false => Code::FieldInvalid,
    };
    let problem = Problem::new(
        code,
        format!("{} of {object} ({connector})", text.join("; ")),
        "Give the field a value in the mapping, for instance with `| default: '…'`, then replay the delivery.",
    );
    match fields.first() {
        Some(field) => problem.at(format!("{object}.{}", field.field)),
        None => problem,
    }
}
