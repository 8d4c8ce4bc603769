//! Steps that read and write records.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use switchboard_model::{
    id::{RecordId, WorkspaceId},
    problem::{Code, Problem},
    record::{EXTERNAL_IDS, MESSENGER_IDS, MatchKey, ObjectType, keys, present},
};

use super::deed::{Fault, Which};
use crate::store::{Compare, Filter, RecordQuery, RecordRow, SortBy, Store};

/// The record that a step means; `None` when there is none.
pub(super) async fn find(
    store: &dyn Store,
    workspace: WorkspaceId,
    object: &ObjectType,
    which: &Which,
    values: &Map<String, Value>,
) -> Result<Option<RecordRow>, Fault> {
    let row = match which {
        Which::Id(None) => None,
        Which::Id(Some(id)) => store.record(workspace, *id).await?,
        Which::Fields(fields) if fields.keys().any(|name| key_of(name, "").is_some()) => {
            by_key(store, workspace, object, fields).await?
        }
        Which::Fields(fields) => {
            let query = RecordQuery {
                object: object.name.as_str().into(),
                filters: fields.iter().map(|(field, value)| is(field, value)).collect(),
                sort: SortBy::Id,
                descending: true,
                after: None,
                limit: 1,
            };
            store.records(workspace, query).await?.into_iter().next()
        }
        Which::Keys(only) => {
            let mut found = None;
            for key in keys(object, values) {
                let word = key.kind.split(':').next().unwrap_or_default();
                if !only.is_empty() && !only.iter().any(|name| name == word) {
                    continue;
                }
                found = store.known_by(workspace, &object.name, key).await?.into_iter().next();
                if found.is_some() {
                    break;
                }
            }
            found
        }
    };
    match row {
        Some(row) if *row.object != *object.name => Err(Fault::lasting(Problem::new(
            Code::WrongValue,
            format!("{} is one of {}, not of {}", row.id, row.object, object.name),
            "Correct the step: the id must be one of the kind that the step names.",
        ))),
        row => Ok(row),
    }
}

/// The newest record that a system's id leads to (`externalIds.shopify`) and whose other fields have these values.
async fn by_key(
    store: &dyn Store,
    workspace: WorkspaceId,
    object: &ObjectType,
    fields: &IndexMap<String, Value>,
) -> Result<Option<RecordRow>, Fault> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let mut keys = fields.iter().filter_map(|(name, value)| key_of(name, &text(value)));
    let Some(first) = keys.next() else { return Ok(None) };
    let found = store.known_by(workspace, &object.name, first).await?;
    let fits = |row: &RecordRow| {
        fields.iter().all(|(name, value)| {
            let mut steps = name.split('.');
            let at = steps.next().and_then(|name| row.data.get(name));
            let at = steps.fold(at, |at, name| at.and_then(|at| at.get(name)));
            at.is_some_and(|at| text(at) == text(value))
        })
    };
    Ok(found.into_iter().rev().find(fits))
}

/// What a system's id is known by; `None` for every other field.
fn key_of(field: &str, value: &str) -> Option<MatchKey> {
    let (ids, system) = field.split_once('.')?;
    let word = match ids {
        EXTERNAL_IDS => "externalId",
        MESSENGER_IDS => "messengerId",
        _ => return None,
    };
    Some(MatchKey {
        kind: format!("{word}:{}", system.to_lowercase()),
        value: value.trim().to_owned(),
    })
}

fn is(field: &str, value: &Value) -> Filter {
    Filter::Field {
        field: field.to_owned(),
        compare: Compare::Is,
        value: value.clone(),
    }
}

/// What later steps see of a record.
pub(super) fn shown(object: &Arc<ObjectType>, row: &RecordRow) -> Value {
    Value::Object(present(object, &row.data, &std::collections::HashMap::new()))
}

/// What a search brought.
pub(super) fn found(object: &Arc<ObjectType>, row: Option<&RecordRow>) -> Value {
    match row {
        Some(row) => json!({ "found": true, "id": row.id.to_string(), "record": shown(object, row) }),
        None => json!({ "found": false }),
    }
}

/// The id in a text.
pub(super) fn read_id(text: &str) -> Result<RecordId, Fault> {
    text.trim().parse().map_err(|error| {
        Fault::lasting(Problem::new(
            Code::WrongValue,
            format!("{error}"),
            "Correct the step's `id`; `{{ steps.NAME.id }}` is the id that an earlier step brought.",
        ))
    })
}
