//! Questions about the kind of a value.

use rhai::{Dynamic, Engine};

/// `is_text`, `is_int`, `is_number`, `is_bool`, `is_list`, `is_map`, `is_blank`; `int_of` and `number_of` read text.
pub fn register(engine: &mut Engine) {
    let mut ask = |name: &str, is: fn(&Dynamic) -> bool| {
        engine.register_fn(name, move |value: Dynamic| is(&value.flatten()));
    };
    ask("is_text", Dynamic::is_string);
    ask("is_int", Dynamic::is_int);
    ask("is_number", |value| value.is_int() || value.is_float());
    ask("is_bool", Dynamic::is_bool);
    ask("is_list", Dynamic::is_array);
    ask("is_map", Dynamic::is_map);
    ask("is_blank", |value| {
        value.is_unit() || value.as_immutable_string_ref().is_ok_and(|text| text.is_empty())
    });
    engine.register_fn("int_of", |value: Dynamic| int_of(&value.flatten()));
    engine.register_fn("number_of", |value: Dynamic| number_of(&value.flatten()));
}

/// A whole number, or text that is one; else `()`.
fn int_of(value: &Dynamic) -> Dynamic {
    match value.as_immutable_string_ref() {
        Ok(text) => text.trim().parse().map_or(Dynamic::UNIT, Dynamic::from_int),
        Err(_) => value.as_int().map_or(Dynamic::UNIT, Dynamic::from_int),
    }
}

/// A number, or text that is one; else `()`.
fn number_of(value: &Dynamic) -> Dynamic {
    let whole = int_of(value);
    if !whole.is_unit() {
        return whole;
    }
    let number = match value.as_immutable_string_ref() {
        Ok(text) => text
            .trim()
            .parse::<rhai::FLOAT>()
            .ok()
            .filter(|number| number.is_finite()),
        Err(_) => value.as_float().ok(),
    };
    number.map_or(Dynamic::UNIT, Dynamic::from_float)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    #[test]
    fn kinds_are_told_apart() {
        let values = r#"["x", "", 1, 1.5, true, [1], #{}, ()]"#;
        for (question, expected) in [
            ("is_text", [1, 1, 0, 0, 0, 0, 0, 0]),
            ("is_int", [0, 0, 1, 0, 0, 0, 0, 0]),
            ("is_number", [0, 0, 1, 1, 0, 0, 0, 0]),
            ("is_bool", [0, 0, 0, 0, 1, 0, 0, 0]),
            ("is_list", [0, 0, 0, 0, 0, 1, 0, 0]),
            ("is_map", [0, 0, 0, 0, 0, 0, 1, 0]),
            ("is_blank", [0, 1, 0, 0, 0, 0, 0, 1]),
        ] {
            let script = format!("{values}.map(|v| if {question}(v) {{ 1 }} else {{ 0 }})");
            assert_eq!(says(&script), json!(expected), "{question}");
        }
    }

    #[test]
    fn numbers_are_read_from_text_or_are_nothing() {
        for (script, expected) in [
            (
                r#"[int_of("12"), int_of(" -3 "), int_of(5), int_of("5.5"), int_of("x"), int_of(())]"#,
                json!([12, -3, 5, null, null, null]),
            ),
            (
                r#"[number_of("1.5"), number_of("2"), number_of(2.5), number_of("inf"), number_of([])]"#,
                json!([1.5, 2, 2.5, null, null]),
            ),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }
}
