//! `/v1/people`, `/v1/companies` … and the rows of the user's own tables: the same for all of them, under two kinds of addresses.

mod acts;
mod batch;
mod disarm;
mod files;
mod ground;
mod identity;
mod objects;
mod query;
mod rows;
mod views;

use axum::middleware::from_fn_with_state;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{App, lists, quota, tables};

/// Everything about records. Each key may make so many requests a minute to it.
pub fn routes(app: Option<App>) -> OpenApiRouter<App> {
    let all = of_objects()
        .merge(of_rows())
        .merge(of_identity())
        .merge(of_definitions());
    match app {
        Some(app) => all.layer(from_fn_with_state(app, quota::count)),
        // For the description alone.
        None => all,
    }
}

fn of_objects() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(objects::list, objects::create))
        .routes(routes!(objects::get, objects::update, objects::delete))
        .routes(routes!(objects::batch))
        .routes(routes!(objects::upsert))
        .routes(routes!(objects::history))
        .routes(routes!(objects::merge))
        .routes(routes!(objects::import))
        .routes(routes!(objects::export))
}

fn of_rows() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(rows::list, rows::create))
        .routes(routes!(rows::get, rows::update, rows::delete))
        .routes(routes!(rows::batch))
        .routes(routes!(rows::upsert))
        .routes(routes!(rows::history))
        .routes(routes!(rows::merge))
        .routes(routes!(rows::import))
        .routes(routes!(rows::export))
}

fn of_identity() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(identity::duplicates))
        .routes(routes!(identity::dismiss))
        .routes(routes!(identity::merge_duplicate))
        .routes(routes!(identity::get_merge))
        .routes(routes!(identity::undo_merge))
}

/// Kinds of records, tables, lists.
fn of_definitions() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(tables::objects))
        .routes(routes!(tables::list, tables::create))
        .routes(routes!(tables::get, tables::put, tables::delete))
        .routes(routes!(lists::list))
        .routes(routes!(lists::get, lists::put, lists::delete))
}
