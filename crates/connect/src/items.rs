//! A body with items at a place in it, which are JSON text already.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::{Value, value::RawValue};

/// What stands around the items, the way to their place in it, and the items.
struct WithItems<'a> {
    around: &'a Value,
    way: &'a [String],
    items: &'a [Box<RawValue>],
}

/// `around` as JSON, with `items` as the list at the JSON pointer `at`; `None`: nothing stands there.
pub(crate) fn with_items(
    around: &Value,
    at: &str,
    items: &[Box<RawValue>],
) -> Option<Result<Vec<u8>, serde_json::Error>> {
    around.pointer(at)?;
    let way: Vec<String> = at.split('/').skip(1).map(unescaped).collect();
    Some(serde_json::to_vec(&WithItems {
        around,
        way: &way,
        items,
    }))
}

/// A token of a JSON pointer (RFC 6901, section 4).
fn unescaped(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}

impl Serialize for WithItems<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some((next, rest)) = self.way.split_first() else {
            return serializer.collect_seq(self.items);
        };
        let inside = |around| WithItems {
            around,
            way: rest,
            items: self.items,
        };
        match self.around {
            Value::Object(members) => {
                let mut map = serializer.serialize_map(Some(members.len()))?;
                for (name, value) in members {
                    match name == next {
                        true => map.serialize_entry(name, &inside(value))?,
                        false => map.serialize_entry(name, value)?,
                    }
                }
                map.end()
            }
            Value::Array(list) => serializer.collect_seq(list.iter().enumerate().map(
                |(at, value)| match at.to_string() == *next {
                    true => Member::OnTheWay(inside(value)),
                    false => Member::Beside(value),
                },
            )),
            other => other.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Member<'a> {
    OnTheWay(WithItems<'a>),
    Beside(&'a Value),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn written(around: &Value, at: &str) -> Option<Value> {
        let items = [json!({"a": 1}), json!("b")];
        let items = items.map(|item| serde_json::value::to_raw_value(&item).unwrap());
        let bytes = with_items(around, at, &items)?.unwrap();
        Some(serde_json::from_slice(&bytes).unwrap())
    }

    #[test]
    fn items_stand_where_the_pointer_says() {
        let around = json!({"x": 1, "in": {"a/b": [], "y~": 2}, "list": [[0], {"records": null}]});
        for at in ["", "/in/a~1b", "/in/y~0", "/list/0", "/list/1/records", "/x"] {
            let mut expected = around.clone();
            *expected.pointer_mut(at).unwrap() = json!([{"a": 1}, "b"]);
            assert_eq!(written(&around, at), Some(expected), "{at}");
        }
        assert_eq!(written(&around, "/nowhere"), None);
        assert_eq!(written(&around, "/list/2"), None);
    }
}
