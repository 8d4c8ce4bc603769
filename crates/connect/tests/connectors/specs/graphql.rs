//! Descriptions in GraphQL's own language: whole documents are validated, and the values of their variables.

use std::{collections::BTreeSet, fs, path::Path};

use apollo_compiler::{
    ExecutableDocument, Schema, request::coerce_variable_values, response::JsonMap, validation::Valid,
};
use regex::Regex;
use serde_json::{Value, json};

use super::description::{Checked, Description, Fault};
use crate::course::Made;

/// The schema of one vendor.
pub struct GraphQl {
    schema: Valid<Schema>,
    path: &'static str,
}

impl GraphQl {
    /// `path` is where documents are posted. Types that a cut description only mentions stand as scalars.
    pub fn read(file: &Path, path: &'static str) -> Self {
        let mut text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        for name in mentioned_only(&text) {
            text.push_str(&format!("\nscalar {name}\n"));
        }
        let schema = Schema::parse_and_validate(text, file).unwrap_or_else(|error| panic!("{}", error.errors));
        Self { schema, path }
    }
}

impl Description for GraphQl {
    fn check(&self, made: &Made) -> Option<Checked> {
        let is_here = made.request.method == "POST" && made.path().trim_end_matches('/') == self.path;
        let body = made.json().filter(|_| is_here)?;
        let text = body["query"].as_str().unwrap_or_default();
        let document = match ExecutableDocument::parse_and_validate(&self.schema, text, "document") {
            Ok(document) => document,
            Err(error) => {
                let faults = error
                    .errors
                    .iter()
                    .map(|error| Fault::new("document", &error.to_string()));
                return Some(Checked {
                    operation: text.to_owned(),
                    faults: faults.collect(),
                });
            }
        };
        let operation = document.operations.iter().next()?;
        let fields: Vec<_> = operation
            .selection_set
            .selections
            .iter()
            .filter_map(|selection| Some(selection.as_field()?.name.to_string()))
            .collect();
        let variables = body.get("variables").cloned().unwrap_or_else(|| json!({}));
        let variables: JsonMap = serde_json::from_value(variables).unwrap();
        let mut faults: Vec<_> = coerce_variable_values(&self.schema, operation, &variables)
            .err()
            .map(|error| Fault::new("variables", &error.message().to_string()))
            .into_iter()
            .collect();
        let declared: BTreeSet<_> = operation
            .variables
            .iter()
            .map(|variable| variable.name.as_str())
            .collect();
        let undeclared = variables.keys().filter(|name| !declared.contains(name.as_str()));
        faults.extend(undeclared.map(|name| Fault::new(&format!("variables/{}", name.as_str()), "it is not declared")));
        let extra = body.as_object().into_iter().flatten().map(|(name, _)| name);
        let extra = extra.filter(|name| !["query", "variables", "operationName"].contains(&name.as_str()));
        faults.extend(extra.map(|name| Fault::new(&format!("body/{name}"), "no such member of a GraphQL request")));
        Some(Checked {
            operation: format!("{} {}", operation.operation_type, fields.first()?),
            faults,
        })
    }
}

/// Names of types that nothing defines.
fn mentioned_only(text: &str) -> BTreeSet<String> {
    let comments = Regex::new(r"(?m)#.*$").unwrap();
    let strings = Regex::new(r#"(?s)""".*?"""|"(?:[^"\\\n]|\\.)*""#).unwrap();
    let text = strings.replace_all(text, "");
    let text = comments.replace_all(&text, "");
    let defined = Regex::new(r"(?m)^\s*(?:type|input|enum|scalar|interface|union)\s+(\w+)").unwrap();
    let mentioned = Regex::new(r":\s*\[*([A-Z]\w*)").unwrap();
    let names = |pattern: &Regex| -> BTreeSet<String> {
        pattern.captures_iter(&text).map(|found| found[1].to_owned()).collect()
    };
    let built_in = ["Int", "Float", "String", "Boolean", "ID"].map(str::to_owned);
    let known: BTreeSet<_> = names(&defined).into_iter().chain(built_in).collect();
    names(&mentioned).difference(&known).cloned().collect()
}

#[test]
fn a_document_is_held_against_the_schema() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("schema.graphql");
    fs::write(
        &file,
        "# a: Comment\ntype Query { thing(id: ID!): Thing }\ntype Thing { id: ID! at: Moment }\n",
    )
    .unwrap();
    let schema = GraphQl::read(&file, "/graphql");
    let faults = |query: &str, variables: Value| {
        let body = json!({ "query": query, "variables": variables }).to_string();
        let url = "https://vendor.example.org/graphql".to_owned();
        let request = switchboard_connect::call::HttpRequest::new(
            http::Method::POST,
            url,
            http::HeaderMap::new(),
            body.into(),
            Vec::new(),
        );
        let made = Made {
            what: "test".to_owned(),
            request,
        };
        let places = schema.check(&made).unwrap().faults.into_iter().map(|fault| fault.place);
        Vec::from_iter(places.collect::<BTreeSet<_>>())
    };
    let query = "query($id: ID!) { thing(id: $id) { id at } }";
    assert_eq!(faults(query, json!({"id": "1"})), Vec::<String>::new());
    assert_eq!(faults(query, json!({})), ["variables"]);
    assert_eq!(faults(query, json!({"id": "1", "x": 1})), ["variables/x"]);
    assert_eq!(faults("query { thing(id: 1) { name } }", json!({})), ["document"]);
    assert_eq!(faults("query { thing { id } }", json!({})), ["document"]);
}
