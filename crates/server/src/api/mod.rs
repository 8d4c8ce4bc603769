//! The HTTP API: one file per resource, callers and bodies as extractors, problems rendered in one place.

mod automations;
mod body;
mod caller;
mod classifier;
mod connections;
mod connectors;
mod crm;
mod deliveries;
mod events;
mod filter;
mod health;
mod history;
mod hooks;
mod incoming;
mod json;
mod lists;
mod me;
mod oauth;
mod openapi;
mod page;
mod pages;
mod posting;
mod presets;
mod problem;
mod quota;
mod receive;
mod records;
mod replay;
mod routes;
mod schema;
mod sources;
mod tables;
mod templates;
mod views;
mod webhooks;
mod wishes;

use std::{sync::Arc, time::Duration};

use axum::{BoxError, Router, body::Bytes, extract::Request, response::Response};
use switchboard_hub::Hub;
use switchboard_model::problem::{Code, Problem};
use tower::ServiceBuilder;
use tower_http::{body::UnsyncBoxBody, catch_panic::CatchPanicLayer, timeout::RequestBodyTimeoutLayer};

pub use crm::{ConfiguredConnectionView, ConfiguredRouteView, ConfiguredSourceView, ConfiguredView};
pub use openapi::description;
pub use presets::AppliedView;
pub use quota::Quota;
pub use templates::InstalledView;

use crate::{accept::Serves, connectors::Shelf, settings::Limits};

/// How long nothing may come of a body that is not whole.
const SILENCE: Duration = Duration::from_secs(30);

/// What every handler works with.
#[derive(Debug, Clone)]
pub struct App {
    /// The engine.
    pub hub: Hub,
    /// Where the connectors come from.
    pub connectors: Arc<Shelf>,
    /// Where people's browsers reach the hub, without a slash at its end.
    pub public_url: Arc<str>,
    /// What is refused.
    pub limits: Limits,
    /// How many requests each key has made to records.
    pub quota: Arc<Quota>,
}

/// The whole API. What holds for every request stands around the routes and not within them, where each would have it for itself.
pub fn service(app: App) -> impl Serves<UnsyncBoxBody<Bytes, BoxError>> {
    ServiceBuilder::new()
        .layer(CatchPanicLayer::custom(problem::panicked))
        // A body whose sender has stopped sending is not waited for.
        .layer(RequestBodyTimeoutLayer::new(SILENCE))
        .service(router(app))
}

fn router(app: App) -> Router {
    let (routes, _) = openapi::routes(Some(app.clone())).split_for_parts();
    routes
        // Paths of sources may have several segments, which the description of the API has no word for.
        .route("/in/{path}", axum::routing::any(receive::receive))
        .route("/in/{path}/{*rest}", axum::routing::any(receive::receive))
        .fallback(no_such_address)
        .method_not_allowed_fallback(no_such_method)
        .with_state(app)
}

async fn no_such_address(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    problem::render(
        &Problem::new(
            Code::NotFound,
            format!("There is nothing at {path}."),
            "See /openapi.json for every address of the API.",
        )
        .at(path),
    )
}

async fn no_such_method(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(200).collect();
    problem::render(
        &Problem::new(
            Code::MethodNotAllowed,
            format!("{path} does not take {}.", request.method()),
            "The header Allow names the methods that it takes; /openapi.json describes them.",
        )
        .at(path),
    )
}
