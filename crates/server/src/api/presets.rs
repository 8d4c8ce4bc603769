//! `/v1/presets`: what to begin with, by kind of company.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    App, ConfiguredView,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};
use crate::presets::{self, Applied, Company};

/// A preset.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preset)]
pub struct PresetView {
    /// Its name in addresses.
    #[schema(example = "start-up")]
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    /// The kind of company that it is for.
    company: Company,
    /// What it does.
    about: &'static str,
    /// The connectors that it connects.
    connectors: Vec<String>,
}

/// Every preset.
#[derive(Debug, Serialize, ToSchema)]
pub struct Presets {
    /// By kind of company.
    items: Vec<PresetView>,
}

/// What came of a preset.
#[derive(Debug, Serialize, ToSchema)]
pub struct AppliedView {
    /// What was written.
    #[serde(flatten)]
    done: ConfiguredView,
    /// Keys of connections that were there already and stay as they are; the preset's routes lead to them.
    kept: Vec<String>,
    /// What a person has to do now.
    next_steps: Vec<String>,
}

impl From<Applied> for AppliedView {
    fn from(applied: Applied) -> Self {
        Self {
            done: applied.done.into(),
            kept: applied.kept,
            next_steps: applied.next_steps,
        }
    }
}

/// List the presets.
#[utoipa::path(
    get, path = "/v1/presets", tag = "connections", operation_id = "listPresets",
    responses(
        (status = 200, description = "All of them", body = Presets),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, _caller: Caller) -> Answer<Json<Presets>> {
    let registry = app.hub.registry();
    let mut items = Vec::new();
    for preset in presets::all() {
        items.push(PresetView {
            name: preset.name,
            title: &preset.title,
            company: preset.company,
            about: &preset.about,
            connectors: preset.connectors(&registry)?,
        });
    }
    Ok(Json(Presets { items }))
}

/// Begin with a preset: connections without credentials, which are drafts, and routes between them.
///
/// A connection that is there already stays as it is. The same preset once more changes nothing but its own routes.
#[utoipa::path(
    post, path = "/v1/presets/{name}", tag = "connections", operation_id = "applyPreset",
    params(("name" = String, Path, description = "The preset's name")),
    responses(
        (status = 200, description = "What was written, and what is to be done now", body = AppliedView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn apply(State(app): State<App>, caller: Caller, Path(name): Path<String>) -> Answer<Json<AppliedView>> {
    let preset = presets::find(&name)?;
    Ok(Json(preset.apply(&app.hub, caller.workspace).await?.into()))
}
