//! Members of maps by dotted paths: `fields.Email`, `items.0.name`.

use rhai::{Dynamic, Engine, Map};

/// Shows `tell` the value at a path, or nothing when there is none. A member whose own name has dots comes first; a number is
/// a position in a list.
pub fn look<R>(map: &Map, path: &str, tell: impl FnOnce(Option<&Dynamic>) -> R) -> R {
    if let Some(value) = map.get(path) {
        return tell(Some(value));
    }
    match path.split_once('.') {
        None => tell(None),
        Some((first, rest)) => match map.get(first) {
            None => tell(None),
            Some(value) => into(value, rest, tell),
        },
    }
}

fn into<R>(value: &Dynamic, path: &str, tell: impl FnOnce(Option<&Dynamic>) -> R) -> R {
    if let Ok(map) = value.as_map_ref() {
        // A step into a type of its own would make the compiler try endless ones; the path gets shorter here instead.
        return look_boxed(&map, path, Box::new(tell));
    }
    let Ok(items) = value.as_array_ref() else {
        return tell(None);
    };
    let (first, rest) = path
        .split_once('.')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (
        first.parse::<usize>().ok().and_then(|position| items.get(position)),
        rest,
    ) {
        (Some(item), Some(rest)) => into_boxed(item, rest, Box::new(tell)),
        (found, None) => tell(found),
        (None, Some(_)) => tell(None),
    }
}

fn look_boxed<R>(map: &Map, path: &str, tell: Box<dyn FnOnce(Option<&Dynamic>) -> R + '_>) -> R {
    look(map, path, tell)
}

fn into_boxed<R>(value: &Dynamic, path: &str, tell: Box<dyn FnOnce(Option<&Dynamic>) -> R + '_>) -> R {
    into(value, path, tell)
}

fn at(value: &Dynamic, path: &str) -> Option<Dynamic> {
    let map = value.as_map_ref().ok()?;
    look(&map, path, |found| found.cloned())
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
