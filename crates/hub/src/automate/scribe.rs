//! Makes record writes in the name of an automation.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_model::{
    problem::{Code, Problem},
    record::{ObjectType, Objects},
};

use crate::{
    record::{Said, prepare},
    store::{How, RecordWrite},
};

/// Under this name an `externalId` is kept that no system is named for.
const SYSTEM: &str = "automation";

/// A write of these values.
///
/// # Errors
/// Every value that does not fit its field.
pub(super) fn write(
    objects: &Objects,
    object: &Arc<ObjectType>,
    how: How,
    values: &Map<String, Value>,
    automation: &str,
) -> Result<RecordWrite, Problem> {
    let source: Arc<str> = format!("automation:{automation}").into();
    let said = Said {
        values,
        how,
        source: &source,
        system: SYSTEM,
    };
    prepare(objects, object, said).map_err(|problem| {
        let all = std::iter::once(&problem).chain(&problem.others);
        let detail: Vec<&str> = all.map(|problem| problem.detail.as_str()).collect();
        Problem::new(
            Code::FieldInvalid,
            format!("{}: {}", object.name, detail.join("; ")),
            "Mend the step's fields and retry the run.",
        )
    })
}
