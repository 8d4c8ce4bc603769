//! The shapes of errors (fact sheet §6, §7, §8, §9).

use serde_json::{Value, json};

use crate::message::Reply;

/// What is wrong with one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The property.
    pub property: String,
    /// HubSpot's code.
    pub code: &'static str,
    /// Its sentence.
    pub message: String,
}

/// Why a write is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// 400 with the properties at fault.
    Invalid(Vec<Fault>),
    /// 400 with a sentence.
    Malformed(String),
    /// 409 with the record that is in the way.
    Conflict(String),
    /// 404.
    NotFound,
}

const CORRELATION: &str = "aeb5f871-0000-4000-8000-000000000000";

impl Refusal {
    /// The body of the error.
    pub fn body(&self) -> Value {
        match self {
            Self::Invalid(faults) => {
                let list: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({"message": fault.message, "code": fault.code, "context": {"propertyName": [fault.property]}}))
                    .collect();
                let inner: Vec<Value> = faults
                    .iter()
                    .map(|fault| json!({"isValid": false, "message": fault.message, "error": fault.code, "name": fault.property}))
                    .collect();
                let message = format!("Property values were not valid: {}", Value::from(inner));
                json!({"status": "error", "message": message, "correlationId": CORRELATION, "category": "VALIDATION_ERROR", "errors": list})
            }
            Self::Malformed(message) => error_body(message, "VALIDATION_ERROR"),
            Self::Conflict(message) => error_body(message, "CONFLICT"),
            Self::NotFound => error_body("resource not found", "OBJECT_NOT_FOUND"),
        }
    }

    /// The whole answer.
    pub fn reply(&self) -> Reply {
        let status = match self {
            Self::Invalid(_) | Self::Malformed(_) => 400,
            Self::Conflict(_) => 409,
            Self::NotFound => 404,
        };
        Reply::json(status, &self.body())
    }
}

fn error_body(message: &str, category: &str) -> Value {
    json!({"status": "error", "message": message, "correlationId": CORRELATION, "category": category})
}

/// 401; `expired` tells an access token that was good once from one that never was.
pub fn unauthorized(expired: bool) -> Reply {
    let (message, category) = match expired {
        true => ("The OAuth token used to make this call expired 1 second(s) ago.", "EXPIRED_AUTHENTICATION"),
        false => ("Authentication credentials not found. This API supports OAuth 2.0 authentication.", "INVALID_AUTHENTICATION"),
    };
    Reply::json(401, &error_body(message, category))
}

/// 403 for a missing scope.
pub fn missing_scope(scope: &str) -> Reply {
    let mut body = error_body("This app hasn't been granted all required scopes to make this call.", "MISSING_SCOPES");
    body["context"] = json!({"missingScopes": [scope]});
    Reply::json(403, &body)
}

/// 429 by one of the policies `TEN_SECONDLY_ROLLING`, `SECONDLY`, `DAILY`.
pub fn rate_limited(policy: &str) -> Reply {
    let body = json!({
        "status": "error", "message": format!("You have reached your {} limit.", policy.to_lowercase()), "errorType": "RATE_LIMIT",
        "correlationId": CORRELATION, "policyName": policy, "requestId": CORRELATION,
    });
    Reply::json(429, &body)
}

/// The usual body of a status that the vendor can answer with.
pub fn of_status(status: u16) -> Reply {
    match status {
        401 => unauthorized(true),
        403 => missing_scope("crm.objects.contacts.write"),
        404 => Refusal::NotFound.reply(),
        423 => Reply::json(423, &error_body("The record is locked.", "LOCKED")),
        429 => rate_limited("TEN_SECONDLY_ROLLING"),
        // Errors of the proxy in front of HubSpot are pages, not JSON.
        502 | 504 | 521 | 523 | 524 => Reply {
            status,
            headers: vec![("content-type", "text/html".to_owned())],
            body: bytes::Bytes::from(format!("<html><body><h1>{status}</h1></body></html>")),
        },
        _ => Reply::json(status, &error_body("internal error", "INTERNAL_ERROR")),
    }
}
