//! Two records become one, and what was one becomes two again. Pure.

use serde_json::{Map, Value};
use switchboard_model::record::{FieldKind, ObjectType, keys, phone, suspicions};

/// The values of the record that two make together: those of the first, and of the second what the first lacks. Ids of other systems add up.
pub(crate) fn join(object: &ObjectType, first: &Map<String, Value>, second: &Map<String, Value>) -> Map<String, Value> {
    let mut joined = first.clone();
    for (name, value) in second {
        match joined.get_mut(name) {
            None | Some(Value::Null) => {
                joined.insert(name.clone(), value.clone());
            }
            Some(Value::Object(known)) if is_ids(object, name) => {
                for (system, id) in value.as_object().into_iter().flatten() {
                    known.entry(system.clone()).or_insert_with(|| id.clone());
                }
            }
            Some(_) => {}
        }
    }
    joined
}

/// The values with a change applied: `null` empties a field; ids of other systems are changed one by one.
pub(crate) fn patched(
    object: &ObjectType,
    data: &Map<String, Value>,
    change: &Map<String, Value>,
) -> Map<String, Value> {
    let mut patched = data.clone();
    for (name, value) in change {
        if value.is_null() {
            patched.shift_remove(name);
            continue;
        }
        let (Value::Object(ids), true) = (value, is_ids(object, name)) else {
            if is_same_phone(object, name, data.get(name), value) {
                continue;
            }
            patched.insert(name.clone(), value.clone());
            continue;
        };
        let known = patched.entry(name.clone()).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(known) = known {
            for (system, id) in ids {
                match id {
                    Value::Null => known.shift_remove(system),
                    id => known.insert(system.clone(), id.clone()),
                };
            }
        }
        if known.as_object().is_some_and(Map::is_empty) {
            patched.shift_remove(name);
        }
    }
    patched
}

/// The values with a merge taken back: what the merge brought goes, what was changed since stays.
pub(crate) fn parted(
    object: &ObjectType,
    now: &Map<String, Value>,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Map<String, Value> {
    let mut parted = Map::new();
    // The order of what there was, then of what came since.
    let names = before
        .keys()
        .chain(now.keys().filter(|name| !before.contains_key(*name)));
    for name in names {
        let value = match (now.get(name), before.get(name), after.get(name)) {
            (Some(Value::Object(now)), before, Some(Value::Object(after))) if is_ids(object, name) => {
                let empty = Map::new();
                let before = before.and_then(Value::as_object).unwrap_or(&empty);
                let mut ids = before.clone();
                // Those that were changed or removed since the merge.
                ids.retain(|system, _| now.contains_key(system));
                for (system, id) in now {
                    if after.get(system) != Some(id) {
                        ids.insert(system.clone(), id.clone());
                    }
                }
                (!ids.is_empty()).then_some(Value::Object(ids))
            }
            (now, before, after) if now == after => before.cloned(),
            (now, ..) => now.cloned(),
        };
        if let Some(value) = value {
            parted.insert(name.clone(), value);
        }
    }
    parted
}

/// Whether two records say of themselves that they are different: another value of a key of the same kind, or another full name (a suspicion
/// of several fields). One that has several keys of a kind needs to share but one.
pub(crate) fn contradict(object: &ObjectType, one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let of = |data: &Map<String, Value>| {
        let mut all = keys(object, data);
        all.extend(
            suspicions(object, data)
                .into_iter()
                .filter(|key| key.kind.contains('+')),
        );
        all
    };
    let (one, other) = (of(one), of(other));
    one.iter().any(|key| {
        let mut same_kind = other.iter().filter(|known| known.kind == key.kind).peekable();
        same_kind.peek().is_some() && !same_kind.any(|known| known.value == key.value)
    })
}

/// Whether a telephone number is the one that is there, written with less.
fn is_same_phone(object: &ObjectType, name: &str, before: Option<&Value>, now: &Value) -> bool {
    let is_phone = object
        .fields
        .get(name)
        .is_some_and(|field| field.kind == FieldKind::Phone);
    let (Some(before), Some(now), true) = (before.and_then(Value::as_str), now.as_str(), is_phone) else {
        return false;
    };
    let number = |text| phone(text, object.country.as_deref());
    !now.starts_with('+') && number(now).is_some() && number(now) == number(before)
}

fn is_ids(object: &ObjectType, name: &str) -> bool {
    object
        .fields
        .get(name)
        .is_some_and(|field| field.kind == FieldKind::Ids)
}
