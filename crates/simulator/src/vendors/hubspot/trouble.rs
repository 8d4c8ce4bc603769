//! Errors in HubSpot's shapes (fact sheet §6, §8, §9).

use serde_json::{Value, json};

use crate::message::Reply;

/// The portal's number.
pub const PORTAL_ID: u64 = 62_515;

/// Why a call, or one input of a batch, was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// The HTTP status.
    pub status: u16,
    /// HubSpot's class of errors.
    pub category: &'static str,
    /// The text for people; some facts stand only here.
    pub message: String,
    /// The details: `message`, `code`, `context`.
    pub errors: Vec<Value>,
    /// What the error is about, by kind.
    pub context: Vec<(&'static str, Value)>,
}

/// One property with a value that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadValue {
    /// The property.
    pub name: String,
    /// HubSpot's code, as `PROPERTY_DOESNT_EXIST`.
    pub code: &'static str,
    /// The text for people.
    pub message: String,
}

impl Trouble {
    /// An error without details.
    #[must_use]
    pub fn new(status: u16, category: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            category,
            message: message.into(),
            errors: Vec::new(),
            context: Vec::new(),
        }
    }

    /// A request that makes no sense, status 400.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "VALIDATION_ERROR", message)
    }

    /// Properties with values that are not taken; there is at least one.
    #[must_use]
    pub fn values(bad: &[BadValue]) -> Self {
        let old = |bad: &BadValue| {
            json!({
                "isValid": false,
                "message": bad.message,
                "error": bad.code,
                "name": bad.name,
                "localizedErrorMessage": bad.message,
                "portalId": PORTAL_ID,
            })
        };
        let new =
            |bad: &BadValue| json!({"message": bad.message, "code": bad.code, "context": {"propertyName": [bad.name]}});
        let list: Value = bad.iter().map(old).collect();
        Self {
            errors: bad.iter().map(new).collect(),
            ..Self::invalid(format!("Property values were not valid: {list}"))
        }
    }

    /// Something that is not there, status 404.
    #[must_use]
    pub fn not_found(what: &str) -> Self {
        Self::new(404, "OBJECT_NOT_FOUND", format!("Object not found. {what}"))
    }

    /// The same with something that it is about.
    #[must_use]
    pub fn about(mut self, kind: &'static str, what: Value) -> Self {
        self.context.push((kind, Value::Array(vec![what])));
        self
    }

    /// The whole answer.
    #[must_use]
    pub fn reply(&self, correlation_id: &str) -> Reply {
        let mut body = json!({
            "status": "error",
            "message": self.message,
            "correlationId": correlation_id,
            "category": self.category,
        });
        if !self.errors.is_empty() {
            body["errors"] = json!(self.errors);
        }
        if !self.context.is_empty() {
            body["context"] = self.shown_context();
        }
        Reply::json(self.status, &body)
    }

    /// The error of one input within a batch's answer.
    #[must_use]
    pub fn in_batch(&self, trace_id: &str) -> Value {
        let mut context = self.shown_context();
        context["objectWriteTraceId"] = json!([trace_id]);
        json!({
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": context,
            "errors": self.errors,
            "links": {},
        })
    }

    fn shown_context(&self) -> Value {
        let entry = |(kind, what): &(&str, Value)| ((*kind).to_owned(), what.clone());
        Value::Object(self.context.iter().map(entry).collect())
    }
}

/// HubSpot's 429. `policy` is `TEN_SECONDLY_ROLLING`, `SECONDLY` or `DAILY`.
#[must_use]
pub fn rate_limited(policy: &str, correlation_id: &str) -> Reply {
    let named = policy.to_ascii_lowercase();
    let body = json!({
        "status": "error",
        "message": format!("You have reached your {named} limit."),
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id,
        "policyName": policy,
        "requestId": correlation_id,
    });
    Reply::json(429, &body)
}
