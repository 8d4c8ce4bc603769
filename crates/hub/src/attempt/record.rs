//! From the event to the vendor's object.

use serde_json::{Map, Value};
use switchboard_model::{
    event::Event,
    problem::{Code, Problem},
    template::Scope,
};

use crate::{
    configuration::{Connection, Lists, ObjectMapping},
    normalise,
    store::Pending,
};

/// Fills the mapping in and brings it into the vendor's form.
///
/// # Errors
/// When there is no such object, a template fails, or fields are missing or do not fit.
pub(super) fn make(connection: &Connection, pending: &Pending, event: &Event) -> Result<Value, Problem> {
    let connector = connection.connector()?;
    let object = connector.object(&pending.object).ok_or_else(|| {
        Problem::new(
            Code::ObjectUnsupported,
            format!("{} has no object `{}`", connector.name(), pending.object),
            format!("Name one of {} in the route.", connector.object_names().join(", ")),
        )
    })?;
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
    let lists = connection.lists();
    let mapped = fill(mapping, &pending.object, pending.options.as_ref(), event, &lists)?;
    connector.shape(object.name(), mapped).map_err(|fields| {
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
            .map(|field| format!("{}.{}", pending.object, field.field));
        let problem = Problem::new(
            code,
            format!("{} of {} ({})", text.join("; "), pending.object, connector.name()),
            "Give the field a value in the mapping, for instance with `| default: '…'`, then replay the delivery.",
        );
        match place {
            Some(place) => problem.at(place),
            None => problem,
        }
    })
}

/// Fills a mapping in. `options` is what the route says; `lists` are those of the workspace.
///
/// # Errors
/// When a template fails.
pub(crate) fn fill(
    mapping: &ObjectMapping,
    object: &str,
    options: Option<&Map<String, Value>>,
    event: &Event,
    lists: &Lists,
) -> Result<Value, Problem> {
    let mut derived = normalise::variables(event);
    if mapping.reads_event {
        derived.insert("event".into(), Value::Object(event.data.clone()));
    }
    // What the route says stands above what the sender says: an event does not choose who is told.
    let scope = match options {
        Some(options) => Scope::of(options).with_map(&derived),
        None => Scope::of(&derived),
    };
    let scope = scope.with_map(&event.data).lookups(lists);
    let mapped = mapping.mapping.render(&scope).map_err(|errors| {
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        Problem::new(
            Code::MappingFailed,
            format!("the mapping of {object} could not be filled in: {}", text.join("; ")),
            "Mend the mapping of this connection and replay the delivery.",
        )
    })?;
    Ok(mapped.unwrap_or_else(|| Value::Object(Map::new())))
}
