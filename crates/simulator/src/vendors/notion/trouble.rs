//! The shapes of errors (fact sheet §8, §9).

use serde_json::{Value, json};

use crate::message::Reply;

/// An error in Notion's shape.
pub fn error(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({
        "object": "error", "status": status, "code": code, "message": message,
        "request_id": "00000000-0000-4000-8000-000000000000",
    });
    Reply::json(status, &body).with("x-notion-request-id", "00000000-0000-4000-8000-000000000000")
}

/// 400 `validation_error`.
pub fn invalid(message: &str) -> Reply {
    error(400, "validation_error", &format!("body failed validation: {message}"))
}

/// 404, which also means "not shared with the integration".
pub fn not_found(what: &str, id: &str) -> Reply {
    let message = format!(
        "Could not find {what} with ID: {id}. Make sure the relevant pages and databases are shared with your integration."
    );
    error(404, "object_not_found", &message)
}

/// 429 with `Retry-After` in whole seconds.
pub fn rate_limited(retry_after_s: u64) -> Reply {
    let mut body: Value = json!({
        "object": "error", "status": 429, "code": "rate_limited",
        "message": "You have been rate limited. Please try again in a few minutes.",
    });
    body["additional_data"] = json!({"rate_limit_reason": "public_api_request_rate_limit"});
    Reply::json(429, &body).with("retry-after", retry_after_s)
}

/// The usual body of a status that the vendor can answer with.
pub fn of_status(status: u16) -> Reply {
    let (code, message) = match status {
        400 => ("validation_error", "body failed validation"),
        401 => ("unauthorized", "API token is invalid."),
        403 => ("restricted_resource", "Insufficient permissions for this resource."),
        404 => ("object_not_found", "Could not find the object."),
        409 => ("conflict_error", "Conflict occurred while saving. Please try again."),
        500 => ("internal_server_error", "Unexpected error occurred."),
        502 => ("bad_gateway", "Bad gateway."),
        503 => ("service_unavailable", "Notion is unavailable, please try again later."),
        504 => ("gateway_timeout", "The request timed out."),
        529 => ("service_overload", "Notion is overloaded, please try again later."),
        _ => ("internal_server_error", "Unexpected error occurred."),
    };
    error(status, code, message)
}
