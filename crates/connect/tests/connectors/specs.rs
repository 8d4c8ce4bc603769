//! Every request that a connector makes, against the vendor's own description of its interface: does the method and path
//! exist, are all required members of the body there, is none unknown.
//!
//! The descriptions are not part of this repository. `SWITCHBOARD_SPECS` names the folder that has them; without it the tests
//! say so and pass.

use std::{fs, path::PathBuf};

use http::Method;
use serde_json::{Value, json};
use switchboard_connect::{
    call::HttpRequest,
    connector::{Doubt, Known, PrepareStep, TestStep},
    manifest::OperationKind as Op,
};

use super::hub::{NOW_MS, account, answer, call, connector, map, prepared, token};

fn folder(vendor: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SWITCHBOARD_SPECS").map(|folder| PathBuf::from(folder).join(vendor));
    if folder.is_none() {
        println!(
            "skipped: SWITCHBOARD_SPECS is not set, the requests to {vendor} are not checked against its description"
        );
    }
    folder
}

fn read(path: &PathBuf) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// Every operation on these records, with and without the facts of the preparations; every test call; every preparation.
fn requests(slug: &str, records: &[(&str, Value)], step_answers: &[(u16, Value)]) -> Vec<HttpRequest> {
    let connector = connector(slug);
    let mut requests = Vec::new();
    for facts in [
        prepared(slug),
        json!({"dataSourceId": "1a2b3c4d-0000-4000-8000-000000000001"}),
    ] {
        let account = account(slug, facts);
        for (object, mapped) in records {
            let record = connector.shape(object, mapped.clone()).unwrap();
            for kind in Op::ALL {
                let known = Known::new(
                    matches!(kind, Op::Update | Op::Delete).then(|| "251".to_owned()),
                    Doubt::No,
                );
                let call = call(record.clone(), known);
                requests.extend(connector.build(object, kind, &account, &call));
                if connector.bulk(object, kind, &account, &call).is_some() {
                    requests.push(connector.build_bulk(object, kind, &account, &[&call]).unwrap().request);
                }
            }
        }
    }
    let account = account(slug, json!({}));
    if let Ok(TestStep::Call(request)) = connector.test().at(NOW_MS).next(&account, Some(&token())) {
        requests.push(request);
    }
    let objects: Vec<_> = connector.object_names().into_iter().map(str::to_owned).collect();
    let mut preparation = connector.preparation(&objects);
    let mut facts = map(json!({}));
    for (status, body) in step_answers {
        let account = super::hub::account(slug, Value::Object(facts.clone()));
        let Ok(PrepareStep::Call(request)) = preparation.next(&account, Some(&token())) else {
            break;
        };
        requests.push(request);
        let _ = preparation.read(&account, &answer(*status, body.clone()), &mut facts);
    }
    assert!(requests.len() > 4, "{slug}");
    requests
}

/// Segments between slashes; a placeholder stands for any one segment.
fn fits(pattern: &str, path: &str, is_placeholder: impl Fn(&str) -> bool) -> bool {
    let (pattern, path) = (pattern.trim_end_matches('/'), path.trim_end_matches('/'));
    pattern.split('/').count() == path.split('/').count()
        && pattern
            .split('/')
            .zip(path.split('/'))
            .all(|(wanted, given)| wanted == given || is_placeholder(wanted))
}

fn path_of(request: &HttpRequest) -> String {
    url::Url::parse(&request.url).unwrap().path().to_owned()
}

/// The description of the request's body; `None` when it has none. Fails when the vendor has no such call.
fn body_schema<'s>(specs: &'s [Value], request: &HttpRequest) -> Option<(&'s Value, &'s Value)> {
    let path = path_of(request);
    let method = request.method.as_str().to_lowercase();
    for spec in specs {
        for (pattern, methods) in spec["paths"].as_object().unwrap() {
            if fits(pattern, &path, |segment| segment.starts_with('{')) && methods[&method].is_object() {
                let content = &methods[&method]["requestBody"]["content"];
                let schema = content.as_object().and_then(|content| content.values().next())?;
                return Some((spec, &schema["schema"]));
            }
        }
    }
    panic!("the vendor has no {} {path}", request.method);
}

/// `loose`: members that the vendor's description gets wrong itself.
fn check_body(spec: &Value, schema: &Value, request: &HttpRequest, loose: &[&str]) {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let whole = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "allOf": [schema], "components": spec["components"]});
    let validator = jsonschema::validator_for(&whole).unwrap();
    let errors = validator
        .iter_errors(&body)
        .filter(|error| !loose.contains(&error.instance_path().as_str()));
    let errors: Vec<_> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{request:?}\n{errors:#?}");
    let schema = schema["$ref"]
        .as_str()
        .and_then(|name| spec.pointer(name.trim_start_matches('#')))
        .unwrap_or(schema);
    if let Some(known) = schema["properties"].as_object() {
        let unknown: Vec<_> = body
            .as_object()
            .unwrap()
            .keys()
            .filter(|key| !known.contains_key(*key))
            .collect();
        assert!(unknown.is_empty(), "{request:?} has {unknown:?}");
    }
}

#[test]
fn every_request_to_hubspot_is_one_that_hubspot_describes() {
    let Some(folder) = folder("hubspot") else { return };
    let files = [
        "contacts-2026-09",
        "tickets-2026-09",
        "properties-2026-09",
        "account-info-2026-09",
        "oauth-2026-03",
    ];
    let specs = files.map(|file| read(&folder.join(format!("{file}.interface.json"))));
    let records = [
        ("contact", json!({"firstname": "Ana", "email": "ana@example.org"})),
        ("contact", json!({"firstname": "Ana", "phone": "+49301234567"})),
        ("company", json!({"name": "Example", "domain": "example.org"})),
        ("deal", json!({"dealname": "Quote 118", "amount": 7})),
        ("ticket", json!({"subject": "Router offline"})),
    ];
    let created = json!({"name": "hub_external_id", "hasUniqueValue": true});
    for request in requests("hubspot", &records, &[(404, json!({})), (201, created)]) {
        if let Some((spec, schema)) = body_schema(&specs, &request) {
            check_body(spec, schema, &request, &[]);
        }
    }
}

#[test]
fn every_request_to_notion_is_one_that_notion_describes() {
    let Some(folder) = folder("notion") else { return };
    let specs = [read(&folder.join("notion-openapi.json"))];
    let records = [(
        "page",
        json!({"properties": {"Name": {"title": [{"text": {"content": "张三"}}]}}}),
    )];
    let source = json!({"id": "1a2b3c4d-0000-4000-8000-000000000001"});
    let steps = [
        (200, json!({"data_sources": [source]})),
        (200, json!({"properties": {}})),
        (200, json!({})),
    ];
    for request in requests("notion", &records, &steps) {
        assert_eq!(request.headers["notion-version"], "2026-03-11");
        if let Some((spec, schema)) = body_schema(&specs, &request) {
            // Its "dataSourceIdParentRequest" asks for a `database_id`, and it knows no sorting by time (fact sheet §10).
            check_body(spec, schema, &request, &["/parent", "/sorts/0"]);
        }
    }
}

#[test]
fn every_request_to_salesforce_is_one_that_salesforce_describes() {
    let Some(folder) = folder("salesforce") else { return };
    let spec = read(&folder.join("postman-2021-subset.json"));
    let known: Vec<_> = spec
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let url = entry["url"].as_str().unwrap().split('?').next().unwrap();
            let url = url
                .replace("{{_endpoint}}", "")
                .replace("{{url}}{{site}}", "")
                .replace("v{{version}}", "v68.0");
            (
                Method::from_bytes(entry["method"].as_str().unwrap().as_bytes()).unwrap(),
                url,
            )
        })
        .collect();
    let records = [
        (
            "lead",
            json!({"lastName": "A", "company": "X", "email": "ana@example.org"}),
        ),
        ("contact", json!({"lastName": "A", "phone": "+49301234567"})),
        ("case", json!({"subject": "Router offline"})),
        ("task", json!({"subject": "Call"})),
    ];
    let mut requests = requests("salesforce", &records, &[(200, json!({"fields": []}))]);
    requests.extend(
        connector("salesforce")
            .token_request(&account("salesforce", json!({})), NOW_MS)
            .unwrap(),
    );
    for request in requests {
        let path = path_of(&request);
        // The collection has no upsert; its path is that of reading by external id.
        let by_key = Method::PATCH == request.method && path.contains("HubExternalId__c");
        let method = if by_key { Method::GET } else { request.method.clone() };
        if path.contains("/composite/sobjects") {
            // The collection of 2021 has the object's name in every path, today's (fact sheet §6) where it is needed.
            let described = |(method, pattern): &(Method, String)| {
                *method == request.method && pattern.contains("/composite/sobjects")
            };
            assert!(
                known.iter().any(described),
                "the vendor has no {} {path}",
                request.method
            );
            continue;
        }
        let described = known.iter().any(|(known, pattern)| {
            *known == method
                && fits(pattern, &path, |segment| {
                    segment.starts_with('<') || segment.starts_with("{{")
                })
        });
        assert!(described, "the vendor has no {} {path}", request.method);
    }
}
