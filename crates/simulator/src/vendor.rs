//! What every simulated vendor is: a core that answers requests and changes its own state, without waiting for anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::message::{Reply, Request};
use crate::scripted::ScriptError;

/// The core of a simulated vendor.
pub trait Vendor: Send {
    /// Answers one request and changes the state as the real vendor would.
    fn handle(&mut self, request: &Arc<Request>) -> Reply;

    /// The answer that the vendor gives for an injected status, with its usual headers and body.
    fn failure(&mut self, status: u16, request: &Request) -> Reply;

    /// The vendor's own way to say "too many calls"; `retry_after_s` is used by vendors that send `Retry-After`.
    fn throttle(&mut self, retry_after_s: Option<u64>, request: &Request) -> Reply;

    /// Ends every issued access token now, milliseconds since 1970. Static tokens stay good.
    fn expire_tokens(&mut self, now_ms: i64);

    /// Makes every token that was seen worthless, also static ones and refresh tokens.
    fn revoke_tokens(&mut self);

    /// How many records are stored of each object. Deleted ones are not counted.
    fn counts(&self) -> BTreeMap<String, u64>;

    /// The stored records of an object as the vendor would show them; `None` when there is no such object.
    fn records(&self, object: &str) -> Option<Vec<Value>>;

    /// The settings as a JSON object.
    fn settings(&self) -> Value;

    /// Changes the settings that stand in `patch`, a JSON object; the others stay.
    ///
    /// # Errors
    /// A sentence that says what is wrong with the patch; then nothing was changed.
    fn configure(&mut self, patch: &Value) -> Result<(), String>;

    /// What went wrong in the vendor's script, in order; a vendor that has none has no errors.
    fn script_errors(&self) -> Vec<ScriptError> {
        Vec::new()
    }
}

/// `current` with the fields of `patch`, for [`Vendor::configure`].
///
/// # Errors
/// A sentence that says what is wrong with the patch.
pub fn patched<T: Serialize + DeserializeOwned>(current: &T, patch: &Value) -> Result<T, String> {
    let mut settings = serde_json::to_value(current).map_err(|error| error.to_string())?;
    let (Some(fields), Some(changes)) = (settings.as_object_mut(), patch.as_object()) else {
        return Err("settings are a JSON object".to_owned());
    };
    for (name, value) in changes {
        if !fields.contains_key(name) {
            let known: Vec<&str> = fields.keys().map(String::as_str).collect();
            return Err(format!("there is no setting `{name}`; there are {}", known.join(", ")));
        }
        fields.insert(name.clone(), value.clone());
    }
    serde_json::from_value(settings).map_err(|error| error.to_string())
}
