//! Stands in for the hub: accounts, calls and answers.

use std::sync::LazyLock;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value, json};
use switchboard_connect::{
    auth::Token,
    call::{Answer, HttpRequest},
    connector::{Account, Call, Connector, Known, Start},
    registry::Registry,
};

/// 2026-11-20T10:15:30Z.
pub const NOW_MS: i64 = 1_795_169_730_000;

static REGISTRY: LazyLock<Registry> =
    LazyLock::new(|| Registry::embedded().unwrap_or_else(|problems| panic!("{problems:#?}")));

pub fn connector(slug: &str) -> &'static Connector {
    REGISTRY.get(slug).unwrap_or_else(|| panic!("no connector {slug}"))
}

pub fn map(value: Value) -> Map<String, Value> {
    value.as_object().cloned().unwrap_or_default()
}

/// An account that is fully set up, its facts as the preparations leave them.
pub fn account(slug: &str, facts: Value) -> Account {
    account_with(slug, json!({}), facts)
}

/// The same with further settings.
pub fn account_with(slug: &str, further: Value, facts: Value) -> Account {
    let (kind, settings, secrets) = match slug {
        "salesforce" => (
            "client_credentials",
            json!({"baseUrl": "https://acme.my.salesforce.com/"}),
            json!({"clientId": "3MVG9consumer", "clientSecret": "secret-one"}),
        ),
        "hubspot" => ("token", json!({}), json!({"token": "pat-eu1-secret"})),
        "notion" => (
            "token",
            json!({"databaseId": "0123456789abcdef0123456789abcdef"}),
            json!({"token": "ntn_secret"}),
        ),
        "webhook" => (
            "signature",
            json!({"url": "https://example.org/hooks/crm?tenant=7", "headers": {"X-Tenant": "seven"}}),
            json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}),
        ),
        "dynamics365" => (
            "client_credentials",
            json!({"baseUrl": "https://acme.crm4.dynamics.com", "tenantId": "11111111-2222-4333-8444-555555555555"}),
            json!({"clientId": "66666666-7777-4888-9999-aaaaaaaaaaaa", "clientSecret": "secret-two"}),
        ),
        other => panic!("no account for {other}"),
    };
    let mut settings = map(settings);
    settings.extend(map(further));
    connector(slug)
        .account(kind, &settings, &map(secrets), &map(facts))
        .unwrap()
}

/// The facts of an account whose preparations succeeded.
pub fn prepared(slug: &str) -> Value {
    let of_objects = |fact: &str, value: &str, objects: &[&str]| {
        let each = objects
            .iter()
            .map(|object| ((*object).to_owned(), json!({ fact: value })));
        json!({ "objects": Map::from_iter(each) })
    };
    match slug {
        "salesforce" => of_objects(
            "keyField",
            "HubExternalId__c",
            &["lead", "contact", "account", "opportunity", "case", "task"],
        ),
        "hubspot" => of_objects(
            "keyProperty",
            "hub_external_id",
            &["contact", "company", "deal", "ticket"],
        ),
        "dynamics365" => of_objects("keyColumn", "hub_externalid", &["lead", "contact"]),
        "notion" => json!({"dataSourceId": "1a2b3c4d-0000-4000-8000-000000000001", "keyProperty": "Hub ID"}),
        _ => json!({}),
    }
}

pub fn token() -> Token {
    Token {
        access: "00D!AQtoken".into(),
        expires_at_ms: None,
        facts: Map::new(),
        grant_ends_ms: None,
        replaced_secrets: Map::new(),
    }
}

/// A call about a record, first sent a minute ago.
pub fn call(record: Value, known: Known) -> Call {
    call_of("p-3f9a", record, known)
}

/// The same about the record with this key.
pub fn call_of(key: &str, record: Value, known: Known) -> Call {
    let mut call = Call::new(key, record, known);
    call.begin(&Start::new(NOW_MS, Some(&token())), Some(NOW_MS - 60_000));
    call
}

pub fn answer(status: u16, body: Value) -> Answer {
    Answer::new(
        status,
        HeaderMap::new(),
        if body.is_null() {
            String::new()
        } else {
            body.to_string()
        },
    )
}

pub fn with_header(mut answer: Answer, name: &str, value: &str) -> Answer {
    answer.headers.insert(
        HeaderName::from_bytes(name.as_bytes()).unwrap(),
        HeaderValue::from_str(value).unwrap(),
    );
    answer
}

/// A request as people may see it: first line, headers that are not always the same, body.
pub fn shown(request: &HttpRequest) -> String {
    let mut text = format!("{} {}\n", request.method, request.masked_url());
    for (name, value) in request.masked_headers() {
        if name != "accept" {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    let body = request.masked_body();
    if !body.is_empty() {
        text.push_str(&format!("\n{body}\n"));
    }
    text
}
