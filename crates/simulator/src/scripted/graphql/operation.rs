//! Reads a GraphQL document into the operation that is to be carried out.

use std::collections::HashMap;
use std::fmt;

use async_graphql_parser::types::{
    Directive, DocumentOperations, Field, FragmentDefinition, OperationDefinition, Selection, SelectionSet,
};
use async_graphql_parser::{Pos, Positioned, parse_query};
use async_graphql_value::{Name, Value};
use rhai::{Array, Dynamic, Map};

use crate::scripted::json::{from_script, to_script};

/// What is wrong with a document, and where.
#[derive(Debug)]
struct Fault {
    message: String,
    at: Option<Pos>,
}

impl Fault {
    fn new(message: impl fmt::Display, at: Pos) -> Self {
        Self {
            message: message.to_string(),
            at: Some(at),
        }
    }
}

/// The operation as a map, or a map with `error`, `line` and `column`.
pub fn read(query: &Dynamic, variables: &Dynamic, name: Option<&str>) -> Map {
    operation(query, variables, name).unwrap_or_else(|fault| {
        let place = |number: Option<usize>| {
            number
                .and_then(|number| i64::try_from(number).ok())
                .map_or(Dynamic::UNIT, Dynamic::from_int)
        };
        Map::from([
            ("error".into(), fault.message.into()),
            ("line".into(), place(fault.at.map(|at| at.line))),
            ("column".into(), place(fault.at.map(|at| at.column))),
        ])
    })
}

fn operation(query: &Dynamic, variables: &Dynamic, name: Option<&str>) -> Result<Map, Fault> {
    let text = query
        .as_immutable_string_ref()
        .ok()
        .filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| Fault {
        message: "Must provide query string.".into(),
        at: None,
    })?;
    let document = parse_query(text.as_str()).map_err(|error| Fault {
        at: error.positions().next(),
        message: format!("Syntax Error: {}", flat(&error.to_string())),
    })?;
    let (name, chosen) = choose(&document.operations, name)?;
    let (values, types) = variables_of(&chosen.node, variables)?;
    let reader = Reader {
        fragments: &document.fragments,
        values,
    };
    let mut fields = Array::new();
    reader.select(&chosen.node.selection_set.node, None, &mut Vec::new(), &mut fields)?;
    Ok(Map::from([
        ("kind".into(), chosen.node.ty.to_string().into()),
        ("name".into(), name.map_or(Dynamic::UNIT, Dynamic::from)),
        ("fields".into(), fields.into()),
        ("types".into(), types.into()),
    ]))
}

/// The parser draws the place with lines of its own; what counts is its last line.
fn flat(message: &str) -> String {
    let last = message.lines().map(str::trim).rfind(|line| !line.is_empty());
    last.unwrap_or_default().trim_start_matches("= ").to_owned()
}

fn choose<'a>(
    operations: &'a DocumentOperations,
    wanted: Option<&str>,
) -> Result<(Option<String>, &'a Positioned<OperationDefinition>), Fault> {
    let mut found = operations
        .iter()
        .filter(|(name, _)| wanted.is_none() || name.map(Name::as_str) == wanted);
    let unknown = || Fault {
        message: format!("Unknown operation named \"{}\".", wanted.unwrap_or_default()),
        at: None,
    };
    let (name, first) = found.next().ok_or_else(unknown)?;
    match found.next() {
        Some(_) => Err(Fault {
            message: "Must provide operation name if query contains multiple operations.".into(),
            at: None,
        }),
        None => Ok((name.map(ToString::to_string), first)),
    }
}

/// The values of the variables that have one, and the types of all.
fn variables_of(
    operation: &OperationDefinition,
    given: &Dynamic,
) -> Result<(HashMap<String, Option<Dynamic>>, Map), Fault> {
    let given = given.as_map_ref().ok();
    let (mut values, mut types) = (HashMap::new(), Map::new());
    for definition in &operation.variable_definitions {
        let (at, definition) = (definition.pos, &definition.node);
        let name = definition.name.node.as_str();
        let kind = &definition.var_type.node;
        let value = given.as_ref().and_then(|given| given.get(name)).cloned();
        let value = match (value, &definition.default_value) {
            (Some(value), _) => Some(value),
            (None, Some(default)) => default.node.clone().into_json().ok().map(|value| to_script(&value)),
            (None, None) => None,
        };
        if !kind.nullable {
            match &value {
                None => {
                    return Err(Fault::new(
                        format!("Variable \"${name}\" of required type \"{kind}\" was not provided."),
                        at,
                    ));
                }
                Some(value) if value.is_unit() => {
                    return Err(Fault::new(
                        format!("Variable \"${name}\" of non-null type \"{kind}\" must not be null."),
                        at,
                    ));
                }
                Some(_) => {}
            }
        }
        values.insert(name.to_owned(), value);
        types.insert(name.into(), kind.to_string().into());
    }
    Ok((values, types))
}

struct Reader<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    values: HashMap<String, Option<Dynamic>>,
}

impl Reader<'_> {
    /// Adds the selected fields to `into`; those of fragments stand among the others, with `on` the fragment's type.
    fn select(
        &self,
        set: &SelectionSet,
        on: Option<&str>,
        within: &mut Vec<String>,
        into: &mut Array,
    ) -> Result<(), Fault> {
        for item in &set.items {
            if !self.is_included(item.node.directives())? {
                continue;
            }
            match &item.node {
                Selection::Field(field) => into.push(self.field(&field.node, on, within)?.into()),
                Selection::InlineFragment(fragment) => {
                    let condition = fragment
                        .node
                        .type_condition
                        .as_ref()
                        .map(|condition| condition.node.on.node.as_str());
                    self.select(&fragment.node.selection_set.node, condition.or(on), within, into)?;
                }
                Selection::FragmentSpread(spread) => {
                    let (name, at) = (&spread.node.fragment_name.node, spread.pos);
                    let fragment = self.fragments.get(name);
                    let fragment = fragment.ok_or_else(|| Fault::new(format!("Unknown fragment \"{name}\"."), at))?;
                    if within.iter().any(|outer| outer == name.as_str()) {
                        return Err(Fault::new(
                            format!("Cannot spread fragment \"{name}\" within itself."),
                            at,
                        ));
                    }
                    within.push(name.to_string());
                    let condition = fragment.node.type_condition.node.on.node.as_str();
                    self.select(&fragment.node.selection_set.node, Some(condition), within, into)?;
                    within.pop();
                }
            }
        }
        Ok(())
    }

    fn field(&self, field: &Field, on: Option<&str>, within: &mut Vec<String>) -> Result<Map, Fault> {
        let mut args = Map::new();
        for (name, value) in &field.arguments {
            if let Some(value) = self.value(&value.node, value.pos)? {
                args.insert(name.node.as_str().into(), value);
            }
        }
        let mut fields = Array::new();
        self.select(&field.selection_set.node, None, within, &mut fields)?;
        Ok(Map::from([
            ("name".into(), field.name.node.to_string().into()),
            ("alias".into(), field.response_key().node.to_string().into()),
            ("args".into(), args.into()),
            ("fields".into(), fields.into()),
            ("on".into(), on.map_or(Dynamic::UNIT, |on| on.to_owned().into())),
        ]))
    }

    /// `None`: a variable without a value; what stands there is not given at all.
    fn value(&self, value: &Value, at: Pos) -> Result<Option<Dynamic>, Fault> {
        Ok(Some(match value {
            Value::Variable(name) => {
                let known = self.values.get(name.as_str());
                return known
                    .cloned()
                    .ok_or_else(|| Fault::new(format!("Variable \"${name}\" is not defined."), at));
            }
            Value::List(items) => {
                let item = |item: &Value| Ok(self.value(item, at)?.unwrap_or(Dynamic::UNIT));
                items.iter().map(item).collect::<Result<Array, Fault>>()?.into()
            }
            Value::Object(members) => {
                let mut map = Map::new();
                for (name, member) in members {
                    if let Some(member) = self.value(member, at)? {
                        map.insert(name.as_str().into(), member);
                    }
                }
                map.into()
            }
            Value::Enum(name) => name.to_string().into(),
            other => other
                .clone()
                .into_json()
                .map_or(Dynamic::UNIT, |value| to_script(&value)),
        }))
    }

    /// What `@skip` and `@include` say.
    fn is_included(&self, directives: &[Positioned<Directive>]) -> Result<bool, Fault> {
        for directive in directives {
            let (at, directive) = (directive.pos, &directive.node);
            let wanted = match directive.name.node.as_str() {
                "include" => true,
                "skip" => false,
                other => return Err(Fault::new(format!("Unknown directive \"@{other}\"."), at)),
            };
            let condition = directive.arguments.iter().find(|(name, _)| name.node == "if");
            let value = match condition {
                Some((_, value)) => self.value(&value.node, at)?,
                None => None,
            };
            let holds = value
                .and_then(|value| from_script(&value).ok())
                .and_then(|value| value.as_bool());
            let holds = holds.ok_or_else(|| Fault::new("Argument \"if\" of type \"Boolean!\" is required.", at))?;
            if holds != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::scripted::trial::says;

    fn read(query: &str, variables: &Value) -> Value {
        says(&format!(
            "graphql({}, parse_json({}))",
            json!(query),
            json!(variables.to_string())
        ))
    }

    #[test]
    fn an_operation_is_read_with_its_variables_put_in() {
        let query = "mutation Make($b: ID!, $c: JSON, $n: Int = 5, $none: String) {
            made: create_item(board_id: $b, values: $c, n: $n, none: $none, inner: {a: $b, x: $none, list: [$n, $none, KIND]}) {
                id ...more ... on Item { name }
            } }
            fragment more on Thing { board { id } }";
        let operation = read(query, &json!({"b": "7", "c": {"k": [1]}}));
        assert_eq!(operation["kind"], "mutation");
        assert_eq!(operation["name"], "Make");
        assert_eq!(
            operation["types"],
            json!({"b": "ID!", "c": "JSON", "n": "Int", "none": "String"})
        );
        let field = &operation["fields"][0];
        assert_eq!(
            (&field["name"], &field["alias"]),
            (&json!("create_item"), &json!("made"))
        );
        let args =
            json!({"board_id": "7", "values": {"k": [1]}, "n": 5, "inner": {"a": "7", "list": [5, null, "KIND"]}});
        assert_eq!(field["args"], args);
        let names: Vec<_> = field["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|field| (&field["name"], &field["on"]))
            .collect();
        assert_eq!(
            json!(names),
            json!([["id", null], ["board", "Thing"], ["name", "Item"]])
        );
        assert_eq!(field["fields"][1]["fields"][0]["alias"], "id");
    }

    #[test]
    fn directives_and_operation_names_choose() {
        let chosen = read(
            "query($yes: Boolean!) { a @include(if: $yes) b @skip(if: $yes) c @include(if: false) }",
            &json!({"yes": true}),
        );
        assert_eq!(chosen["fields"].as_array().unwrap().len(), 1);
        assert_eq!(chosen["name"], Value::Null);
        let two = r#"graphql("query A { a } query B { b }", (), "B").fields[0].name"#;
        assert_eq!(says(two), json!("b"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        for (query, variables, part) in [
            ("", json!(null), "Must provide query string"),
            ("{ a", json!(null), "Syntax Error: expected"),
            ("{ a(x: $x) }", json!({}), "\"$x\" is not defined"),
            (
                "query($x: ID!) { a }",
                json!({}),
                "of required type \"ID!\" was not provided",
            ),
            ("query($x: ID!) { a }", json!({"x": null}), "must not be null"),
            ("{ ...gone }", json!(null), "Unknown fragment"),
            ("{ ...f } fragment f on X { ...f }", json!(null), "within itself"),
            ("{ a @other }", json!(null), "Unknown directive"),
            ("{ a @skip }", json!(null), "is required"),
            ("query A { a } query B { b }", json!(null), "multiple operations"),
        ] {
            let error = read(query, &variables);
            assert!(
                error["error"].as_str().is_some_and(|text| text.contains(part)),
                "{query}: {error}"
            );
        }
        let placed = read("{\n  a(x: $x) }", &json!({}));
        assert_eq!((&placed["line"], &placed["column"]), (&json!(2), &json!(8)));
        assert_eq!(says("graphql((), ()).error"), json!("Must provide query string."));
    }
}
