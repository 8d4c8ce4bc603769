//! Errors in Salesforce's shapes: an array at the top of an answer, an object within the results of a collection (fact sheet
//! §6, §9).

use serde_json::{Map, Value, json};

use crate::message::Reply;

/// Why a call, or one row of a collection, was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Trouble {
    /// The HTTP status when it is the answer to a whole call.
    pub status: u16,
    /// Salesforce's code in capital letters.
    pub code: &'static str,
    /// The text for people.
    pub message: String,
    /// The fields at fault; `None` for errors from before the row was looked at, which have no such list.
    pub fields: Option<Vec<String>>,
    /// `duplicateResult` of a duplicate rule.
    pub duplicate_result: Option<Box<Value>>,
}

impl Trouble {
    /// An error of a call.
    #[must_use]
    pub fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            fields: None,
            duplicate_result: None,
        }
    }

    /// An error of a row, status 400, with the fields at fault.
    #[must_use]
    pub fn row<S: Into<String>>(
        code: &'static str,
        message: impl Into<String>,
        fields: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            fields: Some(fields.into_iter().map(Into::into).collect()),
            ..Self::new(400, code, message)
        }
    }

    /// What does not exist.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(404, "NOT_FOUND", "The requested resource does not exist")
    }

    /// The whole answer: an array of one.
    #[must_use]
    pub fn reply(&self) -> Reply {
        Reply::json(self.status, &Value::Array(vec![self.object("errorCode")]))
    }

    /// The error within a row's result, where the code's key is `statusCode`.
    #[must_use]
    pub fn in_row(&self) -> Value {
        let mut object = self.object("statusCode");
        if let Some(fields) = object.as_object_mut() {
            fields.entry("fields").or_insert_with(|| json!([]));
        }
        object
    }

    fn object(&self, code_key: &str) -> Value {
        let mut object = Map::new();
        if let Some(result) = &self.duplicate_result {
            object.insert("duplicateResult".into(), result.as_ref().clone());
        }
        object.insert("message".into(), json!(self.message));
        object.insert(code_key.into(), json!(self.code));
        if let Some(fields) = &self.fields {
            object.insert("fields".into(), json!(fields));
        }
        Value::Object(object)
    }
}
