//! Members of maps by dotted paths: `fields.Email`, `items.0.name`.

use rhai::{Dynamic, Engine, Map};

/// The value at a path, or nothing when there is none. A member whose own name has dots comes first; a number is a position
/// in a list.
#[must_use]
pub fn found(map: &Map, path: &str) -> Option<Dynamic> {
    if let Some(value) = map.get(path) {
        return Some(value.clone());
    }
    let (first, rest) = path.split_once('.')?;
    within(map.get(first)?, rest)
}

fn within(value: &Dynamic, path: &str) -> Option<Dynamic> {
    if let Ok(map) = value.as_map_ref() {
        return found(&map, path);
    }
    let items = value.as_array_ref().ok()?;
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    let item = items.get(first.parse::<usize>().ok()?)?;
    rest.map_or_else(|| Some(item.clone()), |rest| within(item, rest))
}

fn at(value: &Dynamic, path: &str) -> Option<Dynamic> {
    let map = value.as_map_ref().ok()?;
    found(&map, path)
}

/// `has(map, path)` and `at(map, path)`; what is no map has nothing.
pub fn register(engine: &mut Engine) {
    engine.register_fn("has", |value: Dynamic, path: &str| at(&value, path).is_some());
    engine.register_fn("at", |value: Dynamic, path: &str| {
        at(&value, path).unwrap_or(Dynamic::UNIT)
    });
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    #[test]
    fn paths_lead_into_maps_and_lists() {
        for (script, expected) in [
            (r#"at(#{a: #{b: 1}}, "a.b")"#, json!(1)),
            (r#"at(#{"a.b": 2, a: #{b: 1}}, "a.b")"#, json!(2)),
            (r#"at(#{a: [#{b: 7}, 5]}, "a.0.b")"#, json!(7)),
            (r#"at(#{a: [#{b: 7}, 5]}, "a.1")"#, json!(5)),
            (r#"at(#{a: [1]}, "a.9.b")"#, json!(null)),
            (r#"at(#{a: 1}, "a.b.c")"#, json!(null)),
            (r#"at((), "a")"#, json!(null)),
            (r#"has(#{a: #{b: ()}}, "a.b")"#, json!(true)),
            (r#"has(#{a: #{b: ()}}, "a.c")"#, json!(false)),
            (r#"has([1], "0")"#, json!(false)),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }
}
