//! Places to change inside a record: JSONPath of names and wildcards (`$.properties.*.select.name`, `$.list[*]`), which,
//! unlike JSONPath at large, can be walked with the right to change.

use serde_json::Value;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Name(String),
    Any,
}

/// A compiled place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Step>);

impl Pattern {
    /// Reads a pattern; `None` when it is none of this kind.
    pub fn parse(source: &str) -> Option<Self> {
        let mut rest = source.strip_prefix('$')?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            let (step, after) = next(rest)?;
            steps.push(step);
            rest = after;
        }
        Some(Self(steps))
    }

    /// Calls `change` with each value at the place.
    pub fn visit(&self, value: &mut Value, change: &mut impl FnMut(&mut Value)) {
        visit(&self.0, value, change);
    }
}

fn next(rest: &str) -> Option<(Step, &str)> {
    if let Some(after) = rest.strip_prefix("[*]") {
        return Some((Step::Any, after));
    }
    if let Some(quoted) = rest.strip_prefix("['") {
        let (name, after) = quoted.split_once("']")?;
        return Some((Step::Name(name.to_owned()), after));
    }
    let dotted = rest.strip_prefix('.')?;
    if let Some(after) = dotted.strip_prefix('*') {
        return Some((Step::Any, after));
    }
    let end = dotted.find(['.', '[']).unwrap_or(dotted.len());
    let (name, after) = dotted.split_at(end);
    (!name.is_empty()).then(|| (Step::Name(name.to_owned()), after))
}

fn visit(steps: &[Step], value: &mut Value, change: &mut impl FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else {
        return change(value);
    };
    match (step, value) {
        (Step::Name(name), Value::Object(members)) => {
            if let Some(member) = members.get_mut(name) {
                visit(rest, member, change);
            }
        }
        (Step::Any, Value::Object(members)) => members.values_mut().for_each(|member| visit(rest, member, change)),
        (Step::Any, Value::Array(items)) => items.iter_mut().for_each(|item| visit(rest, item, change)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_value_at_the_place_is_visited_and_no_other() {
        let mut record = json!({"a": {"甲": {"n": 1}, "b": {"n": 2, "m": 3}, "c": [{"n": 4}]}, "n": 5});
        for (source, found) in [
            ("$.a.*.n", json!([1, 2])),
            ("$.a.c[*].n", json!([4])),
            ("$['a']['甲'].n", json!([1])),
            ("$.n", json!([5])),
            ("$.x.y", json!([])),
        ] {
            let mut seen = Vec::new();
            Pattern::parse(source)
                .unwrap()
                .visit(&mut record, &mut |value| seen.push(value.clone()));
            assert_eq!(Value::Array(seen), found, "{source}");
        }
    }

    #[test]
    fn what_is_more_than_names_and_wildcards_is_refused() {
        for source in ["", "a.b", "$..a", "$.a[0]", "$.a[?@.b]", "$."] {
            assert_eq!(Pattern::parse(source), None, "{source}");
        }
    }
}
