//! The guides' way of writing a connection.

use serde_json::{Value, json};
use switchboard_connect::manifest::BucketKind;
use switchboard_model::problem::Code;

use super::hub::{connector, map};

#[test]
fn credentials_endpoints_and_settings_find_their_places() {
    for (slug, config, kind, settings, secrets) in [
        (
            "salesforce",
            json!({
                "authType": "oauth2",
                "credentials": {"clientId": "id", "clientSecret": "s", "username": "u", "password": "p", "sandbox": false},
                "endpoints": {"baseUrl": "https://your-instance.salesforce.com", "apiVersion": "58.0"},
            }),
            "client_credentials",
            json!({"sandbox": false, "baseUrl": "https://your-instance.salesforce.com", "apiVersion": "58.0"}),
            json!({"clientId": "id", "clientSecret": "s"}),
        ),
        (
            "salesforce",
            json!({"authType": "oauth2", "credentials": {"clientId": "id", "clientSecret": "s", "refreshToken": "r"}}),
            "refresh_token",
            json!({}),
            json!({"clientId": "id", "clientSecret": "s", "refreshToken": "r"}),
        ),
        (
            "salesforce",
            json!({"authType": "oauth2", "credentials": {"consumerKey": "id", "username": "u", "privateKey": "pem"}}),
            "jwt_bearer",
            json!({}),
            json!({"clientId": "id", "username": "u", "privateKey": "pem"}),
        ),
        (
            "salesforce",
            json!({"authType": "oauth2", "credentials": {}, "endpoints": {}, "mappings": {}}),
            "client_credentials",
            json!({}),
            json!({}),
        ),
        (
            "hubspot",
            json!({"authType": "apikey", "credentials": {"apiKey": "k"}}),
            "token",
            json!({}),
            json!({"token": "k"}),
        ),
        (
            "notion",
            json!({"authType": "integration_token", "credentials": {"token": "ntn"}, "databaseId": "d"}),
            "token",
            json!({"databaseId": "d"}),
            json!({"token": "ntn"}),
        ),
        (
            "webhook",
            json!({"authType": "hmac", "credentials": {"secret": "s"}, "endpoints": {"baseUrl": "https://example.org/x/"}}),
            "signature",
            json!({"url": "https://example.org/x/"}),
            json!({"secret": "s"}),
        ),
        (
            "webhook",
            json!({"endpoints": {"url": "https://example.org"}}),
            "signature",
            json!({"url": "https://example.org"}),
            json!({}),
        ),
    ] {
        let translated = connector(slug)
            .translate(&config)
            .unwrap_or_else(|problems| panic!("{slug}: {problems:#?}"));
        assert_eq!(translated.auth_kind, kind, "{slug} {config}");
        assert_eq!(Value::Object(translated.settings), settings, "{slug} {config}");
        assert_eq!(Value::Object(translated.secrets), secrets, "{slug} {config}");
    }
}

#[test]
fn what_is_outdated_is_explained() {
    let salesforce = json!({"authType": "oauth2", "credentials": {"clientId": "i", "clientSecret": "s", "username": "u", "password": "p"}});
    let notes = connector("salesforce").translate(&salesforce).unwrap().notes;
    assert!(
        notes.len() == 1 && notes[0].contains("withdrawn") && notes[0].contains("not kept"),
        "{notes:?}"
    );
    let hubspot = json!({"authType": "apikey", "credentials": {"apiKey": "k"}});
    let notes = connector("hubspot").translate(&hubspot).unwrap().notes;
    assert!(
        notes.len() == 1 && notes[0].contains("2022") && notes[0].contains("bearer"),
        "{notes:?}"
    );
}

#[test]
fn mappings_go_by_the_connectors_own_names() {
    let config = json!({"authType": "apikey", "credentials": {}, "mappings": {"Contacts": {"email": "{{senderEmail}}"}, "工单": {"subject": "x"}}});
    let mappings = connector("hubspot").translate(&config).unwrap().mappings;
    assert_eq!(mappings.keys().collect::<Vec<_>>(), ["contact", "ticket"]);
}

/// The connector, its `config`, and of one of the problems: code, place, a part of what to do next.
type Mistake = (&'static str, Value, Code, &'static str, &'static str);

fn check_mistakes(mistakes: &[Mistake]) {
    for (slug, config, code, place, next) in mistakes {
        let problems = connector(slug).translate(config).unwrap_err();
        let hit = problems.iter().any(|problem| {
            problem.code == *code && problem.place.as_deref() == Some(*place) && problem.next.contains(next)
        });
        assert!(hit, "{slug} {config}: {problems:#?}");
    }
}

#[test]
fn each_unknown_name_is_named_where_it_was_written() {
    check_mistakes(&[
        (
            "hubspot",
            json!({"authType": "apikei"}),
            Code::WrongValue,
            "/authType",
            "apikey",
        ),
        (
            "hubspot",
            json!({"credentials": {"tokn": "k"}}),
            Code::UnknownKey,
            "/credentials/tokn",
            "`token`?",
        ),
        (
            "notion",
            json!({"databaseID": "d"}),
            Code::UnknownKey,
            "/databaseID",
            "`databaseId`?",
        ),
        (
            "hubspot",
            json!({"mappings": {"contcat": {}}}),
            Code::ObjectUnsupported,
            "/mappings/contcat",
            "`contact`?",
        ),
    ]);
}

#[test]
fn each_wrong_value_is_named_where_it_was_written() {
    let (url, version) = (json!({"baseUrl": "api.hubapi.com"}), json!({"apiVersion": "20.0"}));
    let twice = json!({"mappings": {"contact": {}, "contacts": {}}});
    check_mistakes(&[
        (
            "hubspot",
            json!({ "endpoints": url }),
            Code::WrongValue,
            "/endpoints/baseUrl",
            "Correct",
        ),
        (
            "salesforce",
            json!({ "endpoints": version }),
            Code::WrongValue,
            "/endpoints/apiVersion",
            "Correct",
        ),
        (
            "salesforce",
            json!({"credentials": {"sandbox": "?"}}),
            Code::WrongValue,
            "/credentials/sandbox",
            "Correct",
        ),
        (
            "hubspot",
            json!({"credentials": {"token": 7}}),
            Code::WrongValue,
            "/credentials/token",
            "Correct",
        ),
        ("hubspot", twice, Code::WrongValue, "/mappings/contacts", "Leave"),
        (
            "hubspot",
            json!({"mappings": []}),
            Code::WrongValue,
            "/mappings",
            "object",
        ),
    ]);
}

#[test]
fn all_mistakes_are_named_at_once() {
    let config = json!({"authType": "apikey", "credentials": {"tokn": "k"}, "endpoints": {"baseUrl": "x"}, "portl": 1, "mappings": {"lad": {}}});
    assert_eq!(connector("hubspot").translate(&config).unwrap_err().len(), 4);
}

#[test]
fn a_value_in_the_wrong_field_is_not_repeated() {
    let config = json!({"endpoints": {"baseUrl": "pat-eu1-secret"}});
    let problems = connector("hubspot").translate(&config).unwrap_err();
    assert!(!format!("{problems:?}").contains("pat-eu1-secret"), "{problems:?}");
}

#[test]
fn what_is_missing_makes_a_draft_and_is_listed() {
    for (slug, kind, settings, secrets, missing) in [
        (
            "salesforce",
            "client_credentials",
            json!({}),
            json!({"clientId": "i", "clientSecret": ""}),
            vec!["clientSecret", "baseUrl"],
        ),
        (
            "salesforce",
            "refresh_token",
            json!({}),
            json!({"clientId": "i", "refreshToken": "r"}),
            vec![],
        ),
        ("hubspot", "token", json!({}), json!({}), vec!["token"]),
        ("notion", "token", json!({}), json!({"token": "t"}), vec!["databaseId"]),
        ("webhook", "signature", json!({}), json!({}), vec!["url"]),
    ] {
        let check = connector(slug).check(kind, &map(settings), &map(secrets));
        assert_eq!(
            (check.missing, check.problems),
            (missing.into_iter().map(str::to_owned).collect(), vec![]),
            "{slug} {kind}"
        );
    }
}

#[test]
fn every_connector_has_the_setting_for_its_pace() {
    for slug in ["salesforce", "hubspot", "notion", "webhook"] {
        let whole = connector(slug).limits(&json!({}));
        let tenth = connector(slug).limits(&json!({"limitScale": 0.1}));
        assert!(
            whole.concurrency >= 1 && whole.concurrency == tenth.concurrency,
            "{slug}"
        );
        for (all, few) in whole.buckets.iter().zip(&tenth.buckets) {
            let scaled = match all.kind {
                BucketKind::Concurrency => all.amount,
                _ => (all.amount / 10).max(1),
            };
            assert_eq!((few.amount, few.window_ms), (scaled, all.window_ms), "{slug}");
        }
    }
    let hubspot = connector("hubspot").limits(&json!({"callsPerTenSeconds": 190}));
    assert_eq!((hubspot.buckets[0].amount, hubspot.buckets[0].window_ms), (190, 10_000));
}

#[test]
fn secrets_are_told_from_other_credentials() {
    assert_eq!(
        connector("salesforce").secret_names("client_credentials"),
        ["clientSecret"]
    );
    assert_eq!(
        connector("hubspot").secret_names("oauth"),
        ["clientSecret", "refreshToken"]
    );
}
