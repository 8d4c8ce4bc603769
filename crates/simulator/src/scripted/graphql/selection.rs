//! Cuts an answer to what was selected.

use rhai::{Array, Dynamic, Map};

/// What `fields` select of a row, under their aliases; of each row of a list; nothing of nothing. A field without fields of
/// its own is taken whole. A field on a type is left out when the row says by `__typename` that it is another.
pub fn cut(value: &Dynamic, fields: &Array) -> Dynamic {
    if let Ok(rows) = value.as_array_ref() {
        return rows.iter().map(|row| cut(row, fields)).collect::<Array>().into();
    }
    let Ok(row) = value.as_map_ref() else {
        return value.clone();
    };
    let mut all = Map::new();
    for field in fields {
        let Ok(field) = field.as_map_ref() else { continue };
        if is_on(&row, &field) {
            add(&mut all, &row, &field);
        }
    }
    all.into()
}

fn is_on(row: &Map, field: &Map) -> bool {
    let kind = row
        .get("__typename")
        .and_then(|kind| kind.as_immutable_string_ref().ok());
    let on = field.get("on").and_then(|on| on.as_immutable_string_ref().ok());
    match (kind, on) {
        (Some(kind), Some(on)) => *kind == *on,
        _ => true,
    }
}

fn add(all: &mut Map, row: &Map, field: &Map) {
    let text = |member: &str| {
        field
            .get(member)
            .and_then(|value| value.clone().into_immutable_string().ok())
    };
    let Some(name) = text("name") else { return };
    let alias = text("alias").unwrap_or_else(|| name.clone());
    let value = row.get(name.as_str()).cloned().unwrap_or(Dynamic::UNIT);
    let inner = field.get("fields").and_then(|fields| fields.as_array_ref().ok());
    let value = match inner {
        Some(inner) if !inner.is_empty() => cut(&value, &inner),
        _ => value,
    };
    // One field may be selected twice, for different members.
    let both = all.get(alias.as_str()).is_some_and(Dynamic::is_map) && value.is_map();
    let known = if both {
        all.remove(alias.as_str()).and_then(Dynamic::try_cast::<Map>)
    } else {
        None
    };
    let value = match known {
        Some(mut known) => {
            known.extend(value.cast::<Map>());
            known.into()
        }
        None => value,
    };
    all.insert(alias.as_str().into(), value);
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    #[test]
    fn an_answer_has_what_was_selected_and_nothing_else() {
        let row = r#"#{id: 1, name: "x", board: #{id: 7, name: "b"}, items: [#{id: 1, n: 2}, #{id: 2, n: 3}], __typename: "Item"}"#;
        for (query, expected) in [
            ("{ id }", json!({"id": 1})),
            ("{ key: id board { name } }", json!({"key": 1, "board": {"name": "b"}})),
            (
                "{ items { n } none { x } }",
                json!({"items": [{"n": 2}, {"n": 3}], "none": null}),
            ),
            (
                "{ board { id } board { name } }",
                json!({"board": {"id": 7, "name": "b"}}),
            ),
            (
                "{ ... on Item { id } ... on Other { name } __typename }",
                json!({"id": 1, "__typename": "Item"}),
            ),
            ("{ board }", json!({"board": {"id": 7, "name": "b"}})),
        ] {
            let script = format!("pick({row}, graphql(\"{query}\", ()).fields)");
            assert_eq!(says(&script), expected, "{query}");
        }
        assert_eq!(
            says(r#"let f = graphql("{ id }", ()).fields; [pick((), f), pick([#{id: 1, x: 2}], f)]"#),
            json!([null, [{"id": 1}]])
        );
    }
}
