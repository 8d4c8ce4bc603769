//! Errors in Notion's shape (fact sheet §8, §9).

use serde_json::{Value, json};

use crate::message::Reply;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// The HTTP status.
    pub status: u16,
    /// Notion's code, as `validation_error`.
    pub code: &'static str,
    /// The text for people.
    pub message: String,
}

impl Trouble {
    /// An error with its status and code.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400: the request does not fit what is stored.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "validation_error", message)
    }

    /// 400: a place in the body does not have the right form.
    #[must_use]
    pub fn body(place: &str, problem: &str) -> Self {
        Self::bad(format!("body failed validation: {place} {problem}"))
    }

    /// 400: a place in the body holds something else than expected; `null` stands for nothing.
    #[must_use]
    pub fn expected(place: &str, expected: &str, found: &Value) -> Self {
        let found = if found.is_null() {
            "undefined".to_owned()
        } else {
            found.to_string()
        };
        Self::body(place, &format!("should be {expected}, instead was `{found}`."))
    }

    /// 400: a text or list is longer than allowed.
    #[must_use]
    pub fn length(place: &str, most: usize, found: usize) -> Self {
        Self::body(
            &format!("{place}.length"),
            &format!("should be ≤ `{most}`, instead was `{found}`."),
        )
    }

    /// 404, which also means "not shared with the integration".
    #[must_use]
    pub fn not_found(what: &str, id: &str) -> Self {
        let message = format!(
            "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration."
        );
        Self::new(404, "object_not_found", message)
    }

    /// 400: no such path, or not in this version.
    #[must_use]
    pub fn no_such_path() -> Self {
        Self::new(400, "invalid_request_url", "Invalid request URL.")
    }

    /// What the vendor says with a status.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        let (code, message) = match status {
            400 => ("validation_error", "body failed validation"),
            401 => ("unauthorized", "API token is invalid."),
            403 => ("restricted_resource", "Insufficient permissions for this endpoint."),
            404 => ("object_not_found", "Could not find the object."),
            409 => ("conflict_error", "Conflict occurred while saving. Please try again."),
            502 => ("bad_gateway", "Bad gateway."),
            503 => ("service_unavailable", "Notion is unavailable, please try again later."),
            504 => ("gateway_timeout", "The request timed out."),
            529 => ("service_overload", "Notion is overloaded, please try again later."),
            _ => ("internal_server_error", "Unexpected error occurred."),
        };
        Self::new(status, code, message)
    }

    /// The whole answer.
    #[must_use]
    pub fn reply(&self, request_id: &str) -> Reply {
        let body = json!({
            "object": "error", "status": self.status, "code": self.code, "message": self.message,
            "request_id": request_id,
        });
        Reply::json(self.status, &body).with("x-notion-request-id", request_id)
    }
}

/// 429 with `Retry-After` in whole seconds. The limit is the connection's, or the workspace's, which all connections share.
#[must_use]
pub fn rate_limited(retry_after_s: u64, of_workspace: bool, request_id: &str) -> Reply {
    let reason = if of_workspace {
        "public_api_space_request_rate_limit"
    } else {
        "public_api_request_rate_limit"
    };
    let body = json!({
        "object": "error", "status": 429, "code": "rate_limited",
        "message": "You have been rate limited. Please try again in a few minutes.",
        "additional_data": {"rate_limit_reason": reason}, "request_id": request_id,
    });
    Reply::json(429, &body)
        .with("retry-after", retry_after_s)
        .with("x-notion-request-id", request_id)
}
