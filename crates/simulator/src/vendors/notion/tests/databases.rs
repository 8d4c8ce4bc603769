//! Databases, data sources, and what versions call them.

use super::super::*;
use super::caller::*;

#[test]
fn new_versions_show_data_sources_and_the_old_one_shows_columns() {
    let mut caller = Caller::new();
    let path = format!("/v1/databases/{DATABASE_ID}");
    let shown = caller.get(&path.replace('-', "")).value();
    assert_eq!(
        (&shown["id"], shown.get("properties"), shown.get("archived")),
        (&json!(DATABASE_ID), None, None)
    );
    let source = format!("/v1/data_sources/{}", caller.source);
    let columns = caller.get(&source).value()["properties"].clone();
    for (name, kind) in [
        ("客户姓名", "title"),
        ("平台", "select"),
        ("内容", "rich_text"),
        ("创建时间", "date"),
    ] {
        assert_eq!(
            (&columns[name]["type"], columns[name][kind].is_object()),
            (&json!(kind), true),
            "{name}"
        );
    }
    caller.version = OLDEST;
    let old = caller.get(&path).value();
    assert_eq!(
        (old.get("data_sources"), &old["properties"]["状态"]["type"]),
        (None, &json!("select"))
    );
    for target in [source.clone(), format!("{source}/query")] {
        assert_eq!(refusal(&caller.post(&target, &json!({}))).1, "invalid_request_url");
    }
    assert_eq!(caller.post(&format!("{path}/query"), &json!({})).status, 200);
    caller.version = MIDDLE;
    assert_eq!(
        refusal(&caller.post(&format!("{path}/query"), &json!({}))).1,
        "invalid_request_url"
    );
}

#[test]
fn one_id_in_the_place_of_the_other_is_not_found() {
    let mut caller = Caller::new();
    let source = caller.source.clone();
    for (target, expected) in [
        (format!("/v1/data_sources/{DATABASE_ID}"), (404, "object_not_found")),
        (format!("/v1/databases/{source}"), (404, "object_not_found")),
        ("/v1/databases/your-database-id".to_owned(), (400, "validation_error")),
        (
            "/v1/databases/00000000000040008000000000000001".to_owned(),
            (404, "object_not_found"),
        ),
    ] {
        let (status, code) = refusal(&caller.get(&target));
        assert_eq!((status, code.as_str()), expected, "{target}");
    }
}

#[test]
fn any_database_comes_into_being_where_that_is_allowed() {
    let mut caller = Caller::with(&json!({"accept_any_database": true}));
    let shown = caller.get("/v1/databases/your-database-id").value();
    let again = caller.get("/v1/databases/your-database-id").value();
    assert_eq!(shown, again);
    // A data source does not come into being, and the mistake of the other test is still one.
    assert_eq!(
        caller
            .get("/v1/data_sources/00000000-0000-4000-8000-00000000abcd")
            .status,
        404
    );
    let source = caller.source.clone();
    assert_eq!(caller.get(&format!("/v1/databases/{source}")).status, 404);
    caller.version = OLDEST;
    let body = json!({"parent": {"database_id": "another-id"}, "properties": {"客户姓名": title("Анна")}});
    assert_eq!(caller.post("/v1/pages", &body).status, 200);
}

#[test]
fn what_is_not_shared_is_not_found() {
    let mut caller = Caller::new();
    let source = caller.source.clone();
    caller
        .notion
        .configure(&json!({"unshared": [DATABASE_ID.replace('-', ""), source]}))
        .unwrap();
    for target in [
        format!("/v1/databases/{DATABASE_ID}"),
        format!("/v1/data_sources/{source}"),
    ] {
        assert_eq!(
            refusal(&caller.get(&target)),
            (404, "object_not_found".to_owned()),
            "{target}"
        );
    }
    assert_eq!(refusal(&caller.create(&json!({}))).1, "object_not_found");
}

#[test]
fn with_several_data_sources_a_database_is_no_parent_any_more() {
    let mut caller = Caller::new();
    let body = json!({"parent": {"database_id": DATABASE_ID}, "properties": {"客户姓名": title("Анна")}});
    for version in [OLDEST, MIDDLE, NEWEST] {
        caller.version = version;
        assert_eq!(caller.post("/v1/pages", &body).status, 200, "{version}");
    }
    let several = "00000000-0000-4000-8000-0000000000d2";
    let column = json!({"Name": "title"});
    let database = json!({"id": several, "title": "Zwei", "sources": [column, column]});
    caller.notion.configure(&json!({"databases": [database]})).unwrap();
    let body = json!({"parent": {"database_id": several}, "properties": {"Name": title("Анна")}});
    for version in [OLDEST, NEWEST] {
        caller.version = version;
        let reply = caller.post("/v1/pages", &body);
        assert_eq!(refusal(&reply).1, "validation_error", "{version}");
        let message = reply.value()["message"].as_str().unwrap().to_lowercase();
        assert!(message.contains("multiple data sources"), "{message}");
    }
    assert_eq!(
        caller.get(&format!("/v1/databases/{several}")).value()["data_sources"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
}

#[test]
fn columns_are_added_renamed_and_removed() {
    let mut caller = Caller::new();
    caller.columns(&json!({"Hub ID": {"rich_text": {}}, "Сумма": {"number": {}}, "Этап": {"select": {"options": [{"name": "Новый"}]}}}));
    caller.columns(&json!({"Сумма": {"name": "Amount"}, "Этап": null}));
    let columns = caller.get(&format!("/v1/data_sources/{}", caller.source)).value()["properties"].clone();
    assert_eq!(
        (&columns["Amount"]["type"], columns.get("Сумма"), columns.get("Этап")),
        (&json!("number"), None, None)
    );
    let path = format!("/v1/data_sources/{}", caller.source);
    for bad in [
        json!({"Hub ID": {"number": {}}}),
        json!({"X": {"magic": {}}}),
        json!({"客户姓名": null}),
        json!({"X": {"title": {}}}),
    ] {
        assert_eq!(
            refusal(&caller.patch(&path, &json!({ "properties": bad }))).0,
            400,
            "{bad}"
        );
    }
    caller.notion.configure(&json!({"may_edit_schema": false})).unwrap();
    assert_eq!(
        refusal(&caller.patch(&path, &json!({"properties": {"Y": {"url": {}}}}))),
        (403, "restricted_resource".to_owned())
    );
}
