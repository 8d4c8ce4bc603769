//! Pages: making, changing, trashing, and what is refused.

use super::super::*;
use super::caller::*;

/// The properties of the guide's mapping.
fn guide() -> Value {
    json!({
        "客户姓名": title("张三 🙂"),
        "平台": {"select": {"name": "wechat"}},
        "分类": {"select": {"name": "报价"}},
        "优先级": {"select": {"name": "high"}},
        "状态": {"select": {"name": "待处理"}},
        "内容": rich("Здравствуйте"),
        "创建时间": {"date": {"start": "2026-11-20T10:15:00Z"}},
    })
}

#[test]
fn the_row_of_the_guide_is_made_and_its_options_come_into_being() {
    let mut caller = Caller::new();
    let made = caller.create(&guide()).value();
    assert_eq!(
        (&made["object"], &made["in_trash"], made.get("archived")),
        (&json!("page"), &json!(false), None)
    );
    assert_eq!(made["created_time"], "2026-11-20T10:15:00.000Z");
    assert_eq!(made["parent"]["data_source_id"], caller.source.as_str());
    assert_eq!(made["properties"]["客户姓名"]["title"][0]["plain_text"], "张三 🙂");
    let option = made["properties"]["状态"]["select"].clone();
    let columns = caller.get(&format!("/v1/data_sources/{}", caller.source)).value()["properties"].clone();
    assert_eq!(columns["状态"]["select"]["options"], json!([option]));
    // The same option is used again, also by its id.
    let by_id = json!({"客户姓名": title("李"), "状态": {"select": {"id": option["id"]}}});
    assert_eq!(caller.create(&by_id).value()["properties"]["状态"]["select"], option);
    assert_eq!(caller.notion.counts()["pages"], 2);
}

#[test]
fn a_page_shows_all_columns_under_the_names_of_its_version() {
    let mut caller = Caller::new();
    let id = caller.make(&json!({"title": title("Анна")}));
    for (version, parent, archived) in [
        (OLDEST, "database_id", true),
        (MIDDLE, "data_source_id", true),
        (NEWEST, "data_source_id", false),
    ] {
        caller.version = version;
        let page = caller.get(&format!("/v1/pages/{}", id.replace('-', ""))).value();
        assert_eq!(
            (&page["parent"]["type"], page.get("archived").is_some()),
            (&json!(parent), archived),
            "{version}"
        );
        assert_eq!(page["properties"].as_object().map(serde_json::Map::len), Some(7));
        assert_eq!(
            (
                &page["properties"]["平台"]["select"],
                &page["properties"]["内容"]["rich_text"]
            ),
            (&Value::Null, &json!([]))
        );
    }
}

#[test]
fn an_update_changes_what_it_names_and_the_trash_can_be_left() {
    let mut caller = Caller::new();
    let id = caller.make(&guide());
    let path = format!("/v1/pages/{id}");
    caller.now_ms += 120_000;
    let changed = caller
        .patch(
            &path,
            &json!({"properties": {"平台": {"select": null}, "内容": rich("новый")}}),
        )
        .value();
    assert_eq!(
        (&changed["properties"]["平台"]["select"], &changed["last_edited_time"]),
        (&Value::Null, &json!("2026-11-20T10:17:00.000Z"))
    );
    assert_eq!(changed["properties"]["状态"]["select"]["name"], "待处理");
    assert_eq!(
        caller.patch(&path, &json!({"in_trash": true})).value()["in_trash"],
        true
    );
    assert_eq!(caller.notion.counts()["pages"], 0);
    assert_eq!(
        caller.patch(&path, &json!({"properties": {"内容": rich("x")}})).status,
        400
    );
    assert_eq!(caller.patch(&path, &json!({"in_trash": false})).status, 200);
    assert_eq!(caller.notion.counts()["pages"], 1);
    assert_eq!(
        refusal(&caller.patch(&path, &json!({"archived": true}))).1,
        "validation_error"
    );
    caller.version = MIDDLE;
    assert_eq!(
        caller.patch(&path, &json!({"archived": true})).value()["archived"],
        true
    );
    assert_eq!(
        refusal(&caller.patch("/v1/pages/00000000-0000-4000-8000-000000000009", &json!({}))).1,
        "object_not_found"
    );
    assert_eq!(refusal(&caller.get("/v1/pages/nope")).1, "validation_error");
}

#[test]
fn what_does_not_fit_is_refused_in_notions_words() {
    let mut caller = Caller::new();
    caller.columns(
        &json!({"E": {"email": {}}, "N": {"number": {}}, "S": {"status": {}}, "U": {"url": {}}, "C": {"checkbox": {}},
        "R": {"relation": {}}, "M": {"multi_select": {}}, "T": {"created_time": {}}}),
    );
    for (properties, words) in [
        (json!({"Nope": title("x")}), "Nope is not a property that exists."),
        (json!({"平台": title("x")}), "平台 is expected to be select."),
        (json!({"平台": "x"}), "should be an object"),
        (
            json!({"客户姓名": title(&"长".repeat(2_001))}),
            "title[0].text.content.length should be ≤ `2000`, instead was `2001`",
        ),
        (json!({"客户姓名": title(&"🙂".repeat(1_001))}), "instead was `2002`"),
        (
            json!({"内容": {"rich_text": vec![json!({"text": {"content": "x"}}); 101]}}),
            "rich_text.length should be ≤ `100`, instead was `101`",
        ),
        (json!({"内容": {"rich_text": "x"}}), "should be an array"),
        (
            json!({"平台": {"select": {"name": "a, b"}}}),
            "commas not allowed: a, b",
        ),
        (json!({"平台": {"select": {"name": ""}}}), "name.length should be ≥ `1`"),
        (json!({"平台": {"select": {}}}), "select.name should be"),
        (
            json!({"创建时间": {"date": {"start": "yesterday"}}}),
            "date.start should be a valid ISO 8601 date string",
        ),
        (json!({"创建时间": {"date": {"start": ""}}}), "ISO 8601"),
        (
            json!({"S": {"status": {"name": "待处理"}}}),
            "Status option \"待处理\" does not exist",
        ),
        (
            json!({"E": {"email": "x".repeat(201)}}),
            "email.length should be ≤ `200`",
        ),
        (json!({"U": {"url": 5}}), "should be a string"),
        (json!({"N": {"number": "5"}}), "should be a number"),
        (json!({"C": {"checkbox": "yes"}}), "should be a boolean"),
        (json!({"M": {"multi_select": [{"name": "a,b"}]}}), "commas not allowed"),
        (json!({"T": {"created_time": "2026-11-20"}}), "cannot be written"),
    ] {
        let reply = caller.create(&properties);
        assert_eq!(refusal(&reply), (400, "validation_error".to_owned()), "{properties}");
        assert!(
            reply.value()["message"].as_str().unwrap().contains(words),
            "{}",
            reply.value()
        );
    }
    assert_eq!(caller.notion.counts()["pages"], 0);
    let all = json!({"title": title("ok"), "E": {"email": "ana@example.org"}, "N": {"number": 1200.5}, "S": {"status": {"name": "Done"}},
        "U": {"url": "https://example.org"}, "C": {"checkbox": true}, "M": {"multi_select": [{"name": "веб"}]}});
    caller.make(&all);
}

#[test]
fn a_new_page_needs_a_parent_that_is_there_and_nothing_unknown() {
    let mut caller = Caller::new();
    let with = |parent: Value| json!({"parent": parent, "properties": {}});
    for (body, expected) in [
        (with(json!({"data_source_id": "no-such"})), "validation_error"),
        (with(json!({"data_source_id": DATABASE_ID})), "object_not_found"),
        (with(json!({})), "validation_error"),
        (json!({"parent": {"database_id": DATABASE_ID}}), "validation_error"),
        (
            json!({"parent": {"database_id": DATABASE_ID}, "properties": {}, "archived": false}),
            "validation_error",
        ),
    ] {
        assert_eq!(refusal(&caller.post("/v1/pages", &body)).1, expected, "{body}");
    }
    caller.version = OLDEST;
    let source = json!({"parent": {"data_source_id": caller.source}, "properties": {}});
    assert_eq!(refusal(&caller.post("/v1/pages", &source)).1, "validation_error");
}

#[test]
fn an_integration_that_may_not_edit_the_schema_makes_no_options() {
    let mut caller = Caller::new();
    caller.make(&json!({"状态": {"select": {"name": "待处理"}}}));
    caller.notion.configure(&json!({"may_edit_schema": false})).unwrap();
    assert_eq!(
        caller.create(&json!({"状态": {"select": {"name": "待处理"}}})).status,
        200
    );
    assert_eq!(caller.create(&json!({"状态": {"select": {"name": "新"}}})).status, 400);
}
