//! Queries: filters, sorts, pages of a result.

use super::caller::*;

fn by(property: &str, kind: &str, operator: &str, value: Value) -> Value {
    json!({"filter": {"property": property, kind: {operator: value}}})
}

/// A table with three rows, a minute apart.
fn table() -> (Caller, Vec<String>) {
    let mut caller = Caller::new();
    caller.columns(&json!({"E-mail": {"email": {}}, "Phone": {"phone_number": {}}, "Hub ID": {"rich_text": {}}, "Сумма": {"number": {}},
        "Метки": {"multi_select": {}}, "Готово": {"checkbox": {}}}));
    let rows = [
        json!({"title": title("Анна"), "E-mail": {"email": "ana@example.org"}, "Hub ID": rich("c-1"), "Сумма": {"number": 9},
            "平台": {"select": {"name": "wechat"}}, "创建时间": {"date": {"start": "2026-12-01"}}}),
        json!({"title": title("李雷"), "Phone": {"phone_number": "+49301234567"}, "Hub ID": rich("c-2"), "Сумма": {"number": 1200.5},
            "Метки": {"multi_select": [{"name": "веб"}]}, "创建时间": {"date": {"start": "2026-12-15T10:00:00+01:00"}}}),
        json!({"title": title("Анна-Мария"), "Готово": {"checkbox": true}}),
    ];
    let mut ids = Vec::new();
    for row in &rows {
        ids.push(caller.make(row));
        caller.now_ms += 60_000;
    }
    (caller, ids)
}

#[test]
fn filters_find_what_they_say() {
    let (mut caller, ids) = table();
    for (filter, expected) in [
        (by("Hub ID", "rich_text", "equals", json!("c-2")), vec![1]),
        (by("E-mail", "email", "equals", json!("ana@example.org")), vec![0]),
        (by("title", "title", "contains", json!("Анна")), vec![0, 2]),
        (by("客户姓名", "title", "starts_with", json!("李")), vec![1]),
        (by("Hub ID", "rich_text", "is_empty", json!(true)), vec![2]),
        (by("Phone", "phone_number", "is_not_empty", json!(true)), vec![1]),
        (by("Сумма", "number", "greater_than", json!(9)), vec![1]),
        (by("Сумма", "number", "less_than_or_equal_to", json!(9.0)), vec![0]),
        (by("平台", "select", "equals", json!("wechat")), vec![0]),
        (by("平台", "select", "does_not_equal", json!("wechat")), vec![1, 2]),
        (by("Метки", "multi_select", "contains", json!("веб")), vec![1]),
        (by("Готово", "checkbox", "equals", json!(true)), vec![2]),
        (by("Готово", "checkbox", "equals", json!(false)), vec![0, 1]),
        (
            by("创建时间", "date", "on_or_after", json!("2026-12-15T09:00:00Z")),
            vec![1],
        ),
        (by("创建时间", "date", "before", json!("2026-12-15")), vec![0]),
        (
            json!({"filter": {"timestamp": "last_edited_time", "last_edited_time": {"on_or_after": "2026-11-20T10:16:00Z"}}}),
            vec![1, 2],
        ),
        (
            json!({"filter": {"timestamp": "created_time", "created_time": {"before": "2026-11-20T10:16:00Z"}}}),
            vec![0],
        ),
        (
            json!({"filter": {"or": [{"property": "E-mail", "email": {"equals": "ana@example.org"}}, {"property": "Phone", "phone_number": {"equals": "+49301234567"}}]}}),
            vec![0, 1],
        ),
        (
            json!({"filter": {"and": [{"property": "Hub ID", "rich_text": {"equals": "c-1"}}, {"property": "Сумма", "number": {"equals": 10}}]}}),
            vec![],
        ),
        (json!({}), vec![0, 1, 2]),
    ] {
        let expected: Vec<String> = expected.into_iter().map(|index: usize| ids[index].clone()).collect();
        assert_eq!(caller.query(&filter), expected, "{filter}");
    }
}

#[test]
fn a_changed_text_is_found_under_the_new_one_only() {
    let (mut caller, ids) = table();
    caller.patch(
        &format!("/v1/pages/{}", ids[0]),
        &json!({"properties": {"Hub ID": rich("c-9")}}),
    );
    assert!(
        caller
            .query(&by("Hub ID", "rich_text", "equals", json!("c-1")))
            .is_empty()
    );
    assert_eq!(
        caller.query(&by("Hub ID", "rich_text", "equals", json!("c-9"))),
        [ids[0].as_str()]
    );
    caller.patch(&format!("/v1/pages/{}", ids[0]), &json!({"in_trash": true}));
    assert!(
        caller
            .query(&by("Hub ID", "rich_text", "equals", json!("c-9")))
            .is_empty()
    );
    assert_eq!(caller.query(&json!({"in_trash": true})), [ids[0].as_str()]);
}

#[test]
fn sorts_are_applied_in_their_order() {
    let (mut caller, ids) = table();
    for (sorts, expected) in [
        (
            json!([{"timestamp": "created_time", "direction": "descending"}]),
            [2, 1, 0],
        ),
        (json!([{"property": "客户姓名", "direction": "ascending"}]), [0, 2, 1]),
        (json!([{"property": "Сумма", "direction": "descending"}]), [1, 0, 2]),
    ] {
        let expected = expected.map(|index: usize| ids[index].clone());
        assert_eq!(caller.query(&json!({ "sorts": sorts })), expected, "{sorts}");
    }
}

#[test]
fn a_query_that_makes_no_sense_is_refused() {
    let (mut caller, _) = table();
    let deep = json!({"and": [{"or": [{"and": []}]}]});
    for body in [
        by("Nope", "rich_text", "equals", json!("x")),
        by("客户姓名", "rich_text", "equals", json!("x")),
        by("Hub ID", "rich_text", "like", json!("x")),
        by("Hub ID", "rich_text", "equals", json!(5)),
        by("Сумма", "number", "equals", json!("5")),
        json!({"filter": {"timestamp": "last_edited_time", "last_edited_time": {"after": "soon"}}}),
        json!({"filter": {}}),
        json!({"filter": deep}),
        json!({"sorts": [{"property": "Nope", "direction": "ascending"}]}),
        json!({"sorts": [{"property": "客户姓名"}]}),
        json!({"page_size": 101}),
        json!({"start_cursor": "abc"}),
    ] {
        let path = format!("/v1/data_sources/{}/query", caller.source);
        assert_eq!(
            refusal(&caller.post(&path, &body)),
            (400, "validation_error".to_owned()),
            "{body}"
        );
    }
}

#[test]
fn a_long_result_comes_in_pages_and_says_when_it_was_cut_off() {
    let mut caller = Caller::with(&json!({"query_rows": 25}));
    for n in 0..30 {
        caller.make(&json!({"title": title(&format!("n{n}"))}));
    }
    let path = format!("/v1/data_sources/{}/query", caller.source);
    let mut body = json!({"page_size": 10});
    let mut sizes = Vec::new();
    let last = loop {
        let page = caller.post(&path, &body).value();
        sizes.push(page["results"].as_array().unwrap().len());
        if page["has_more"] == false {
            break page;
        }
        assert_eq!(page["request_status"]["type"], "complete");
        body["start_cursor"] = page["next_cursor"].clone();
    };
    assert_eq!(sizes, [10, 10, 5]);
    assert_eq!(
        last["request_status"],
        json!({"type": "incomplete", "incomplete_reason": "query_result_limit_reached"})
    );
}
