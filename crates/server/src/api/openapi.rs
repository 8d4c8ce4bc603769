//! The description of the API. Routes and their description are made from the same list, so none can miss in either.

use axum::Json;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Description,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    App, automations, classifier, connections, connectors, crm, deliveries, events, health, history, hooks, me, oauth,
    pages, posting, presets, receive, records, replay, routes as routing, schema, sources, templates, webhooks, wishes,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Switchboard",
        description = "Customer events in, records in CRM, task and chat systems out. Every error is an RFC 9457 problem whose code \
                       has a page at /errors/{code}.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "events", description = "What happened"),
        (name = "deliveries", description = "What became of it"),
        (name = "connections", description = "Where it goes"),
        (name = "automations", description = "What is done when something happens"),
        (name = "sources", description = "What pushes to the hub, and what becomes of it"),
        (name = "classifier", description = "Category and priority of messages that come without"),
        (name = "webhooks", description = "Who else is told"),
        (name = "crm", description = "The addresses of the messenger's guide"),
        (name = "records", description = "Who and what it is about"),
        (name = "operation", description = "For whoever runs the hub"),
    ),
    modifiers(&BearerKeys),
    security(("key" = [])),
)]
struct Frame;

struct BearerKeys;

impl Modify for BearerKeys {
    fn modify(&self, description: &mut Description) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API key, `swb_…`. The first is printed at the first start."))
            .build();
        description
            .components
            .get_or_insert_with(Default::default)
            .add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// Every route with its description; `app` is there when they are served.
pub fn routes(app: Option<App>) -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(Frame::openapi())
        .merge(of_events())
        .merge(of_connections())
        .merge(of_automations())
        .merge(of_sources())
        .merge(of_classifier())
        .merge(of_webhooks())
        .merge(of_operation())
        .merge(records::routes(app))
}

/// What happened, and what became of it.
fn of_events() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(posting::post, events::list))
        .routes(routes!(events::get))
        .routes(routes!(replay::event))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::get))
        .routes(routes!(wishes::hold))
        .routes(routes!(wishes::hold_many))
        .routes(routes!(wishes::release))
        .routes(routes!(wishes::release_many))
        .routes(routes!(wishes::cancel))
        .routes(routes!(wishes::cancel_many))
        .routes(routes!(wishes::replay))
        .routes(routes!(wishes::replay_many))
}

/// Where it goes.
fn of_connections() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(connections::list))
        .routes(routes!(oauth::start))
        .routes(routes!(oauth::addresses))
        .routes(routes!(oauth::callback))
        .routes(routes!(connectors::reload))
        .routes(routes!(schema::schema))
        .routes(routes!(schema::choices))
        .routes(routes!(routing::list))
        .routes(routes!(presets::list))
        .routes(routes!(presets::apply))
        .routes(routes!(crm::supported))
        .routes(routes!(crm::configure))
        .routes(routes!(crm::test_connection))
        .routes(routes!(crm::sync_status))
}

/// What is done when something happens.
fn of_automations() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(automations::list))
        .routes(routes!(automations::get, automations::put, automations::delete))
        .routes(routes!(automations::enable))
        .routes(routes!(automations::disable))
        .routes(routes!(automations::trial::try_out))
        .routes(routes!(automations::runs::of_automation))
        .routes(routes!(automations::runs::list))
        .routes(routes!(automations::runs::get))
        .routes(routes!(automations::runs::retry))
        .routes(routes!(templates::list))
        .routes(routes!(templates::install))
}

/// What pushes to the hub.
fn of_sources() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(receive::receive, receive::ask))
        .routes(routes!(sources::list, sources::create))
        .routes(routes!(sources::list_ready))
        .routes(routes!(sources::get, sources::put, sources::switch, sources::delete))
        .routes(routes!(sources::callbacks))
        .routes(routes!(sources::callback))
        .routes(routes!(sources::refused))
        .routes(routes!(sources::reprocess))
        .routes(routes!(sources::preview))
}

/// Category and priority of messages.
fn of_classifier() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(classifier::get, classifier::put, classifier::delete))
        .routes(routes!(classifier::presets))
        .routes(routes!(classifier::trial::attempt))
}

/// Who else is told.
fn of_webhooks() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(webhooks::list, webhooks::create))
        .routes(routes!(webhooks::get, webhooks::change, webhooks::remove))
        .routes(routes!(webhooks::actions::test))
        .routes(routes!(webhooks::actions::rotate))
        .routes(routes!(webhooks::actions::deliveries))
        .routes(routes!(webhooks::actions::replay))
        .routes(routes!(hooks::list, hooks::subscribe))
        .routes(routes!(hooks::unsubscribe))
        .routes(routes!(hooks::samples))
        .routes(routes!(hooks::poll))
        .routes(routes!(hooks::event_types))
        .routes(routes!(me::me))
        .routes(routes!(me::subscriber))
}

/// For whoever runs the hub.
fn of_operation() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(history::list))
        .routes(routes!(history::drop_day))
        .routes(routes!(pages::start))
        .routes(routes!(pages::error))
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(serve))
}

/// The description as text: what `docs/reference/openapi.json` holds.
pub fn description() -> String {
    let (_, description) = routes(None).split_for_parts();
    let mut text = description.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

/// This description.
#[utoipa::path(
    get, path = "/openapi.json", tag = "operation", operation_id = "openapi", security(()),
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value)),
)]
pub async fn serve() -> Json<Description> {
    let (_, description) = routes(None).split_for_parts();
    Json(description)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_the_present_one() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reference/openapi.json");
        let committed = std::fs::read_to_string(file).unwrap_or_default();
        assert!(
            committed == description(),
            "docs/reference/openapi.json is out of date; write it anew with\n    \
             cargo run -q -p switchboard-server -- openapi > docs/reference/openapi.json"
        );
    }

    #[test]
    fn every_operation_that_changes_or_tells_something_needs_a_key() {
        let description: serde_json::Value = serde_json::from_str(&description()).unwrap();
        assert_eq!(description["openapi"], "3.1.0");
        assert!(description["security"].to_string().contains("key"));
        for (path, item) in description["paths"].as_object().unwrap() {
            let of_hub = path.starts_with("/v1/") || path.starts_with("/api/");
            for (method, operation) in item.as_object().unwrap() {
                assert_eq!(operation.get("security").is_none(), of_hub, "{method} {path}");
            }
        }
    }
}
