//! `/v1/connectors`: what can be connected, while the hub runs.

use axum::{Json, extract::State};
use serde::Serialize;
use switchboard_connect::registry::Reread;
use switchboard_model::problem::ProblemBody;
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// What came of reading the connectors again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reloaded {
    /// Those that are new or changed.
    #[schema(example = json!(["my-crm"]))]
    loaded: Vec<String>,
    /// Those whose files are as they were.
    unchanged: Vec<String>,
    /// Those that are gone from the folder.
    removed: Vec<String>,
    /// What is wrong with the others, which stay as they were.
    #[schema(value_type = Vec<ProblemSchema>)]
    refused: Vec<ProblemBody>,
}

impl From<Reread> for Reloaded {
    fn from(reread: Reread) -> Self {
        Self {
            loaded: reread.loaded,
            unchanged: reread.unchanged,
            removed: reread.removed,
            refused: reread.problems.iter().map(ProblemBody::from).collect(),
        }
    }
}

/// Read the connectors of the data folder again.
///
/// The folder is `connectors` in the hub's data folder, with a folder for each connector. The lanes go by the new ones at once. A
/// connector in which anything is wrong is refused, and the former one stays. The folder is that of every workspace, so only keys of the first
/// one, which is the operator's, may have it read.
#[utoipa::path(
    post, path = "/v1/connectors/reload", tag = "connections", operation_id = "reloadConnectors",
    responses(
        (status = 200, description = "What was loaded and what was refused", body = Reloaded),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn reload(State(app): State<App>, caller: Caller) -> Answer<Json<Reloaded>> {
    caller.check_operator(&app, "The folder of connectors").await?;
    Ok(Json(app.connectors.reload(&app.hub).await?.into()))
}
