//! The settings of a scripted vendor: what its script names, and whether anything is good enough.

use serde_json::{Map, Value};

use super::json::{from_map, to_script};
use super::state::State;

/// Any non-empty credential is good.
const ANY_CREDENTIALS: &str = "accept_any_credentials";
/// Unknown places of the configuration come into being.
const ANY_PLACE: &str = "accept_any_place";

/// All settings as a JSON object.
#[must_use]
pub fn shown(state: &State) -> Value {
    let mut all = match from_map(&state.settings) {
        Ok(Value::Object(all)) => all,
        _ => Map::new(),
    };
    all.insert(ANY_CREDENTIALS.to_owned(), state.any_credentials.into());
    all.insert(ANY_PLACE.to_owned(), state.any_place.into());
    Value::Object(all)
}

/// Changes those that stand in `patch`. A setting keeps its kind; one that is `()` at first takes any.
///
/// # Errors
/// A sentence that says what is wrong with the patch; then nothing was changed.
pub fn change(state: &mut State, patch: &Value) -> Result<(), String> {
    let known = shown(state);
    let (Some(known), Some(patch)) = (known.as_object(), patch.as_object()) else {
        return Err("settings are a JSON object".to_owned());
    };
    for (name, value) in patch {
        let old = known.get(name).ok_or_else(|| {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            format!("there is no setting `{name}`; there are {}", names.join(", "))
        })?;
        if !old.is_null() && kind(old) != kind(value) {
            return Err(format!("the setting `{name}` is {}, not {}", kind(old), kind(value)));
        }
    }
    for (name, value) in patch {
        match (name.as_str(), value.as_bool()) {
            (ANY_CREDENTIALS, Some(flag)) => state.any_credentials = flag,
            (ANY_PLACE, Some(flag)) => state.any_place = flag,
            _ => {
                state.settings.insert(name.into(), to_script(value));
            }
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
