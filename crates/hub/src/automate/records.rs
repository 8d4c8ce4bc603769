//! Steps that read and write records.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    id::{RecordId, WorkspaceId},
    problem::{Code, Problem},
    record::{ObjectType, keys, present},
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
