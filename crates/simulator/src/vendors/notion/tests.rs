mod access;
mod caller;
mod comments;
mod databases;
mod queries;
mod rows;

use http::Method;

use super::*;

const DATABASE: &str = "1a2b3c4d-0000-4000-8000-00000000d001";

fn notion() -> Notion {
    let mut notion = Notion::new(&Setup::default());
    notion.configure(&json!({"tokens": ["ntn_good"]})).unwrap();
    notion
}

fn call(notion: &mut Notion, method: Method, target: &str, body: &Value) -> (u16, Value) {
    let request = Request::new(method, target)
        .with_bearer("ntn_good")
        .with_header("notion-version", "2026-03-11")
        .at(1_795_512_630_000);
    let request = if body.is_null() {
        request
    } else {
        request.with_json(body)
    };
    answer(notion, request)
}

fn answer(notion: &mut Notion, request: Request) -> (u16, Value) {
    let reply = notion.handle(&Arc::new(request));
    (reply.status, serde_json::from_slice(&reply.body).unwrap())
}

fn source(notion: &mut Notion) -> String {
    let (_, database) = call(notion, Method::GET, &format!("/v1/databases/{DATABASE}"), &Value::Null);
    database["data_sources"][0]["id"].as_str().unwrap().to_owned()
}

fn page(source: &str, properties: Value) -> Value {
    json!({"parent": {"type": "data_source_id", "data_source_id": source}, "properties": properties})
}

fn title(text: &str) -> Value {
    json!({"title": [{"text": {"content": text}}]})
}

#[test]
fn a_row_is_made_found_by_its_key_changed_and_trashed() {
    let mut notion = notion();
    let source = source(&mut notion);
    let columns = json!({"properties": {"Hub ID": {"rich_text": {}}}});
    assert_eq!(
        call(
            &mut notion,
            Method::PATCH,
            &format!("/v1/data_sources/{source}"),
            &columns
        )
        .0,
        200
    );
    let new = page(
        &source,
        json!({"客户姓名": title("张三"), "平台": {"select": {"name": "微信"}}, "Hub ID": {"rich_text": [{"text": {"content": "k-1"}}]}}),
    );
    let (status, made) = call(&mut notion, Method::POST, "/v1/pages", &new);
    assert_eq!(
        (status, &made["created_time"]),
        (200, &json!("2026-11-24T09:30:00.000Z"))
    );
    let query = json!({"filter": {"property": "Hub ID", "rich_text": {"equals": "k-1"}}});
    let target = format!("/v1/data_sources/{source}/query");
    let (_, found) = call(&mut notion, Method::POST, &target, &query);
    assert_eq!(found["results"][0]["id"], made["id"]);
    let id = made["id"].as_str().unwrap();
    let change = json!({"properties": {"平台": {"select": {"name": "电话"}}}});
    let (_, changed) = call(&mut notion, Method::PATCH, &format!("/v1/pages/{id}"), &change);
    assert_eq!(changed["properties"]["平台"]["select"]["name"], "电话");
    call(
        &mut notion,
        Method::PATCH,
        &format!("/v1/pages/{id}"),
        &json!({"in_trash": true}),
    );
    assert_eq!(call(&mut notion, Method::POST, &target, &query).1["results"], json!([]));
    assert_eq!(notion.counts()["pages"], 0);
}

#[test]
fn what_does_not_fit_is_refused_in_notions_words() {
    let mut notion = notion();
    let source = source(&mut notion);
    for (properties, words) in [
        (json!({"Nope": title("x")}), "not a property that exists"),
        (json!({"平台": title("x")}), "expected to be select"),
        (
            json!({"客户姓名": title(&"长".repeat(2001))}),
            "length should be ≤ `2000`",
        ),
        (json!({"平台": {"select": {"name": "a, b"}}}), "commas not allowed"),
        (json!({"创建时间": {"date": {"start": "yesterday"}}}), "ISO 8601"),
        (
            json!({"内容": {"rich_text": vec![json!({"text": {"content": "x"}}); 101]}}),
            "length should be ≤ `100`",
        ),
    ] {
        let (status, body) = call(&mut notion, Method::POST, "/v1/pages", &page(&source, properties));
        assert_eq!((status, &body["code"]), (400, &json!("validation_error")));
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
    }
    let (status, body) = call(
        &mut notion,
        Method::POST,
        "/v1/pages",
        &page("00000000-0000-4000-8000-000000000001", json!({})),
    );
    assert_eq!((status, &body["code"]), (404, &json!("object_not_found")));
}

#[test]
fn a_call_needs_a_good_token_and_a_version() {
    let mut notion = notion();
    let me = || Request::new(Method::GET, "/v1/users/me");
    assert_eq!(answer(&mut notion, me()).0, 401);
    assert_eq!(answer(&mut notion, me().with_bearer("ntn_bad")).0, 401);
    assert_eq!(
        answer(&mut notion, me().with_bearer("ntn_good")).1["code"],
        "missing_version"
    );
    let good = me().with_bearer("ntn_good").with_header("notion-version", "2025-09-03");
    assert_eq!(answer(&mut notion, good).1["bot"]["workspace_name"], "Example");
    let old = me().with_bearer("ntn_good").with_header("notion-version", "2015-01-01");
    assert_eq!(answer(&mut notion, old).0, 400);
}

#[test]
fn an_unknown_database_comes_into_being_only_where_that_is_allowed() {
    let mut notion = notion();
    assert_eq!(
        call(&mut notion, Method::GET, "/v1/databases/your-database-id", &Value::Null).0,
        400
    );
    assert_eq!(
        call(
            &mut notion,
            Method::GET,
            "/v1/databases/00000000000040008000000000000001",
            &Value::Null
        )
        .0,
        404
    );
    notion.configure(&json!({"accept_any_database": true})).unwrap();
    let (status, database) = call(&mut notion, Method::GET, "/v1/databases/your-database-id", &Value::Null);
    assert_eq!((status, database["data_sources"].as_array().unwrap().len()), (200, 1));
}

#[test]
fn the_call_after_the_last_allowed_one_is_told_how_long_to_wait() {
    let mut notion = notion();
    notion.configure(&json!({"calls_per_minute": 2})).unwrap();
    for expected in [200, 200, 429] {
        assert_eq!(call(&mut notion, Method::GET, "/v1/users/me", &Value::Null).0, expected);
    }
    let request = Request::new(Method::GET, "/v1/users/me")
        .with_bearer("ntn_good")
        .with_header("notion-version", "2026-03-11")
        .at(1_795_512_630_000);
    assert_eq!(notion.handle(&Arc::new(request)).header("retry-after"), Some("60"));
}

#[test]
fn oauth_tokens_are_refreshed_by_pairs_that_rotate() {
    let mut notion = notion();
    notion.configure(&json!({"clients": [["app", "hush"]]})).unwrap();
    notion.auth.tokens.issue_refresh("nrt_1", "app");
    let refresh = |token: &str| {
        Request::new(Method::POST, "/v1/oauth/token")
            .with_header("authorization", "Basic YXBwOmh1c2g=")
            .with_json(&json!({"grant_type": "refresh_token", "refresh_token": token}))
    };
    let (status, granted) = answer(&mut notion, refresh("nrt_1"));
    assert_eq!(status, 200);
    assert_eq!(answer(&mut notion, refresh("nrt_1")).1["error"], "invalid_grant");
    let me = Request::new(Method::GET, "/v1/users/me").with_header("notion-version", "2026-03-11");
    let access = granted["access_token"].as_str().unwrap();
    assert_eq!(answer(&mut notion, me.clone().with_bearer(access)).0, 200);
    notion.expire_tokens(5);
    assert_eq!(answer(&mut notion, me.with_bearer(access).at(10)).0, 401);
}

#[test]
fn a_page_shows_every_column_and_is_found_by_its_id_without_hyphens() {
    let mut notion = notion();
    let source = source(&mut notion);
    let (_, made) = call(
        &mut notion,
        Method::POST,
        "/v1/pages",
        &page(&source, json!({"客户姓名": title("李四")})),
    );
    let id = made["id"].as_str().unwrap().replace('-', "");
    let (status, shown) = call(&mut notion, Method::GET, &format!("/v1/pages/{id}"), &Value::Null);
    assert_eq!((status, &shown["properties"]["平台"]["select"]), (200, &Value::Null));
    assert_eq!(shown["properties"]["内容"]["rich_text"], json!([]));
    assert_eq!(shown.get("archived"), None);
}

#[test]
fn an_unknown_operator_and_a_page_beyond_the_limit_are_refused() {
    let mut notion = notion();
    let target = format!("/v1/data_sources/{}/query", source(&mut notion));
    for query in [
        json!({"filter": {"property": "内容", "rich_text": {"equal": "x"}}}),
        json!({"filter": {"property": "内容", "title": {"equals": "x"}}}),
        json!({"page_size": 101}),
        json!({"limit": 1}),
    ] {
        assert_eq!(call(&mut notion, Method::POST, &target, &query).0, 400, "{query}");
    }
}
