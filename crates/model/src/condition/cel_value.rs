//! JSON as CEL values. Text is borrowed, not copied.

use std::collections::HashMap;

use cel::common::{
    types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelMapKey, CelNull, CelString, CelUInt},
    value::Val,
};
use serde_json::Value;

use crate::template::Scope;

/// A whole number becomes an `int` (a `uint` if it is too large), any other number a `double`, nothing at all `null`.
pub(super) fn from_json<'v>(value: Option<&'v Value>) -> Box<dyn Val + 'v> {
    match value {
        None | Some(Value::Null) => Box::new(CelNull),
        Some(Value::Bool(flag)) => Box::new(CelBool::from(*flag)),
        Some(Value::Number(number)) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Box::new(CelInt::from(whole)),
            (_, Some(whole)) => Box::new(CelUInt::from(whole)),
            _ => Box::new(CelDouble::from(number.as_f64().unwrap_or_default())),
        },
        Some(Value::String(text)) => Box::new(CelString::from(text.as_str())),
        Some(Value::Array(items)) => Box::new(CelList::from(
            items.iter().map(|item| from_json(Some(item))).collect::<Vec<_>>(),
        )),
        Some(Value::Object(map)) => object(map.iter()),
    }
}

/// The data of the event as a whole, for conditions that name `event` alone.
pub(super) fn whole<'v>(scope: &'v Scope<'_>) -> Box<dyn Val + 'v> {
    object(scope.members())
}

fn object<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>) -> Box<dyn Val + 'v> {
    let mut map: HashMap<CelMapKey<'v>, Box<dyn Val + 'v>> = HashMap::new();
    for (name, value) in members {
        // The upper layers come first and win.
        map.entry(CelMapKey::from(name.as_str()))
            .or_insert_with(|| from_json(Some(value)));
    }
    Box::new(CelMap::from(map))
}
