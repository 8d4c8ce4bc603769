//! JSON and the values of scripts, each as the other.

use rhai::{Array, Dynamic, FLOAT, INT, Map};
use serde_json::{Number, Value};

use super::Wrong;

/// A JSON value as a script sees it: `null` is `()`, a number that is no 64-bit integer is a float.
pub fn to_script(value: &Value) -> Dynamic {
    match value {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => Dynamic::from_bool(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Dynamic::from_int(whole),
            None => Dynamic::from_float(number.as_f64().unwrap_or(FLOAT::NAN)),
        },
        Value::String(text) => Dynamic::from(text.clone()),
        Value::Array(items) => Dynamic::from_array(items.iter().map(to_script).collect()),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (name.into(), to_script(value));
            Dynamic::from_map(members.iter().map(member).collect())
        }
    }
}

/// A script's value as JSON. Members of maps come in the order of their names.
///
/// # Errors
/// When it holds something that has no JSON form, as a request or a function.
pub fn from_script(value: &Dynamic) -> Result<Value, Wrong> {
    if value.is_shared() {
        return from_script(&value.flatten_clone());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(Value::String(text.to_string()));
    }
    if let Ok(items) = value.as_array_ref() {
        return items.iter().map(from_script).collect();
    }
    if let Ok(members) = value.as_map_ref() {
        return from_map(&members);
    }
    if value.is_unit() {
        return Ok(Value::Null);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(Value::Bool(flag));
    }
    if let Ok(whole) = value.as_int() {
        return Ok(Value::from(whole));
    }
    if let Ok(number) = value.as_float() {
        return Ok(Number::from_f64(number).map_or(Value::Null, Value::Number));
    }
    if let Ok(letter) = value.as_char() {
        return Ok(Value::String(letter.to_string()));
    }
    Err(format!("a value of type {} has no JSON form", value.type_name()).into())
}

/// A script's map as a JSON object.
///
/// # Errors
/// See [`from_script`].
pub fn from_map(members: &Map) -> Result<Value, Wrong> {
    let member = |(name, value): (&rhai::Identifier, &Dynamic)| Ok((name.to_string(), from_script(value)?));
    members
        .iter()
        .map(member)
        .collect::<Result<serde_json::Map<_, _>, Wrong>>()
        .map(Value::Object)
}

/// The same value without anything that is shared with a closure, so that nobody changes it from afar.
pub fn own(value: Dynamic) -> Dynamic {
    let value = value.flatten();
    if value.is_array() {
        let items = value.cast::<Array>();
        return Dynamic::from_array(items.into_iter().map(own).collect());
    }
    if value.is_map() {
        return Dynamic::from_map(own_map(value.cast::<Map>()));
    }
    value
}

/// See [`own`].
#[must_use]
pub fn own_map(members: Map) -> Map {
    members.into_iter().map(|(name, value)| (name, own(value))).collect()
}

/// Whether two values are the same; 5 and 5.0 are. `folded`: texts also when they differ in capital letters only.
#[must_use]
pub fn equal(left: &Dynamic, right: &Dynamic, folded: bool) -> bool {
    if let (Ok(left), Ok(right)) = (left.as_immutable_string_ref(), right.as_immutable_string_ref()) {
        return *left == *right || (folded && left.to_lowercase() == right.to_lowercase());
    }
    if let (Some(left), Some(right)) = (number(left), number(right)) {
        return left == right;
    }
    if let (Ok(left), Ok(right)) = (left.as_array_ref(), right.as_array_ref()) {
        let mut pairs = left.iter().zip(right.iter());
        return left.len() == right.len() && pairs.all(|(left, right)| equal(left, right, folded));
    }
    if let (Ok(left), Ok(right)) = (left.as_map_ref(), right.as_map_ref()) {
        let same = |(name, value): (&rhai::Identifier, &Dynamic)| {
            right.get(name).is_some_and(|other| equal(value, other, folded))
        };
        return left.len() == right.len() && left.iter().all(same);
    }
    match (left.as_bool(), right.as_bool()) {
        (Ok(left), Ok(right)) => left == right,
        _ => left.is_unit() && right.is_unit(),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "only to compare a whole number with a fraction"
)]
fn number(value: &Dynamic) -> Option<FLOAT> {
    value
        .as_int()
        .map(|whole: INT| whole as FLOAT)
        .or_else(|_| value.as_float())
        .ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_survives_the_way_through_a_script() {
        let value = json!({"a": [1, -2, 2.5, true, null, "ü"], "b": {"c": {}}, "big": 9_007_199_254_740_993_i64});
        assert_eq!(from_script(&to_script(&value)).unwrap(), value);
    }

    #[test]
    fn what_has_no_json_form_is_refused() {
        let problem = from_script(&Dynamic::from(std::time::Duration::ZERO)).unwrap_err();
        assert!(problem.to_string().contains("no JSON form"), "{problem}");
    }

    #[test]
    fn values_are_equal_by_what_they_say() {
        for (left, right, folded, same) in [
            (json!(5), json!(5.0), false, true),
            (json!("A"), json!("a"), false, false),
            (json!("ÄA"), json!("äa"), true, true),
            (json!(null), json!(null), false, true),
            (json!(null), json!(false), false, false),
            (json!([1, {"a": "x"}]), json!([1.0, {"a": "x"}]), false, true),
            (json!([1]), json!([1, 2]), false, false),
            (json!({"a": 1}), json!({"b": 1}), false, false),
            (json!("5"), json!(5), false, false),
        ] {
            assert_eq!(
                equal(&to_script(&left), &to_script(&right), folded),
                same,
                "{left} {right}"
            );
        }
    }
}
