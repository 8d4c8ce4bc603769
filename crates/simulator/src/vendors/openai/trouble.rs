//! Errors in OpenAI's shape (fact sheet §9).

use serde_json::{Value, json};

use crate::message::Reply;

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    status: u16,
    kind: &'static str,
    code: &'static str,
    parameter: Option<&'static str>,
    message: String,
}

impl Trouble {
    /// An error with its status, type and code.
    #[must_use]
    pub fn new(status: u16, kind: &'static str, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            code,
            parameter: None,
            message: message.into(),
        }
    }

    /// 400: the request is wrong.
    #[must_use]
    pub fn bad(code: &'static str, parameter: &'static str, message: impl Into<String>) -> Self {
        Self {
            parameter: Some(parameter),
            ..Self::new(400, "invalid_request_error", code, message)
        }
    }

    /// The answer.
    #[must_use]
    pub fn reply(&self) -> Reply {
        let parameter = self.parameter.map_or(Value::Null, Value::from);
        let error = json!({"message": self.message, "type": self.kind, "param": parameter, "code": self.code});
        Reply::json(self.status, &json!({"error": error}))
    }

    /// What the server says with an injected status.
    #[must_use]
    pub fn of_status(status: u16) -> Self {
        match status {
            401 => Self::new(
                401,
                "invalid_request_error",
                "invalid_api_key",
                "Incorrect API key provided.",
            ),
            429 => Self::new(429, "requests", "rate_limit_exceeded", "Rate limit reached."),
            503 => Self::new(503, "server_error", "overloaded", "The engine is currently overloaded."),
            status => Self::new(status, "server_error", "server_error", "The server had an error."),
        }
    }
}
