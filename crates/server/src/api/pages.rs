//! What a person finds who opens the address in a browser: a pointer to the rest, and the pages about problems.

use axum::{
    Json,
    extract::Path,
    response::{IntoResponse, Response},
};
use http::header;
use include_dir::{Dir, include_dir};
use serde::Serialize;
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::problem::{Answer, ProblemSchema};
use crate::nearest::did_you_mean;

static ERROR_PAGES: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../docs/reference/errors");

/// What there is at this address.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pointer {
    /// `Switchboard`.
    name: &'static str,
    /// The version of the program.
    version: &'static str,
    /// The description of the API.
    openapi: &'static str,
    /// Where events are posted.
    events: &'static str,
    /// Whether events can be accepted.
    ready: &'static str,
    /// The counters.
    metrics: &'static str,
}

/// Where to go from here.
#[utoipa::path(
    get, path = "/", tag = "operation", operation_id = "start", security(()),
    responses((status = 200, description = "Addresses", body = Pointer)),
)]
pub async fn start() -> Json<Pointer> {
    Json(Pointer {
        name: "Switchboard",
        version: env!("CARGO_PKG_VERSION"),
        openapi: "/openapi.json",
        events: "/v1/events",
        ready: "/readyz",
        metrics: "/metrics",
    })
}

/// The page about a problem code.
#[utoipa::path(
    get, path = "/errors/{code}", tag = "operation", operation_id = "explainProblem", security(()),
    params(("code" = String, Path, description = "For example SWB-API-001")),
    responses(
        (status = 200, description = "The page, in Markdown", body = String, content_type = "text/plain"),
        (status = 404, description = "No such code", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn error(Path(code): Path<String>) -> Answer<Response> {
    match page(&code) {
        // As plain text, because browsers offer Markdown as a download.
        Some(text) => Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()),
        None => {
            let known = Code::ALL.iter().map(|code| code.code());
            let shown: String = code.chars().take(40).collect();
            let detail = format!("There is no problem code `{shown}`{}", did_you_mean(&code, known));
            Err(Problem::new(Code::NotFound, detail, "Codes look like SWB-API-001.").into())
        }
    }
}

fn page(code: &str) -> Option<&'static str> {
    let known = Code::from_code(&code.to_uppercase())?;
    ERROR_PAGES.get_file(format!("{}.md", known.code()))?.contents_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_code_has_its_page_in_the_program() {
        let missing: Vec<_> = Code::ALL
            .iter()
            .map(|code| code.code())
            .filter(|code| page(code).is_none())
            .collect();
        assert!(
            missing.is_empty(),
            "write docs/reference/errors/CODE.md for {missing:?}"
        );
    }

    #[test]
    fn nothing_but_pages_is_served() {
        for code in ["", "..", "../../Cargo.toml", "SWB-API-999", "README"] {
            assert_eq!(page(code), None, "{code}");
        }
        assert!(page("swb-api-001").is_some());
    }
}
