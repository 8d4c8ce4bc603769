//! What is pushed is answered as the pusher expects, kept, and processed once.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::{
    hub::{Folder, Hub, Reply},
    wait::until,
};

const GUIDE: &str = include_str!("../../../../docs/guide/receive.md");
const ADDRESS: &str = "http://127.0.0.1:8080";
const SUCCESS: &str = r#"{"code":"0","message":"success"}"#;
const RECEIVER: &str = include_str!("examples/feiyu-receiver.json");
const LEAD: &str = include_str!("examples/feiyu-lead.json");

/// A call of the page.
#[derive(Debug)]
struct Call {
    method: &'static str,
    path: String,
    body: Option<String>,
    has_key: bool,
}

/// The page's curl calls in their order.
fn calls() -> Vec<Call> {
    let blocks = GUIDE
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(|block| block.split("curl -s ").skip(1));
    let call = |command: &str| {
        let (method, rest) = match command.strip_prefix("-X PUT ") {
            Some(rest) => ("PUT", rest),
            None if command.contains("-d '") => ("POST", command),
            None => ("GET", command),
        };
        let path = rest.strip_prefix(ADDRESS)?.split_whitespace().next()?.to_owned();
        let body = rest.split_once("-d '").and_then(|(_, rest)| rest.rsplit_once('\''));
        Some(Call {
            method,
            path,
            // How a shell writes an apostrophe inside of apostrophes.
            body: body.map(|(body, _)| body.replace(r"'\''", "'")),
            has_key: rest.contains("Bearer $KEY"),
        })
    };
    commands.filter_map(call).collect()
}

async fn send(hub: &Hub, call: &Call, callback: &str) -> Reply {
    let request = match call.has_key {
        true => hub.request(call.method, &call.path),
        false => hub.anonymous(call.method, &call.path),
    };
    let request = match &call.body {
        None => request,
        Some(body) => request
            .header("content-type", "application/json")
            .body(body.replace("cbk_…", callback)),
    };
    hub.send(request).await
}

/// The callbacks of the source, newest first, once none waits.
async fn callbacks(hub: &Hub) -> Vec<Value> {
    until("no callback waits", async || {
        let page = hub.get("/v1/sources/feiyu/callbacks").await.fine(200);
        let items = page["items"].as_array().unwrap().clone();
        items.iter().all(|item| item["state"] != "waiting").then_some(items)
    })
    .await
}

async fn rows(hub: &Hub) -> Vec<Value> {
    let page = hub.get("/v1/tables/customers/rows?sort=createdAt").await.fine(200);
    page["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_the_guide_work_one_after_the_other() {
    let folder = Folder::new();
    let hub = folder.start();
    let calls = calls();
    let [create, push, look, preview, write, reprocess, find, again, odd, cut_off] = &calls[..] else {
        panic!("the page has other calls: {calls:#?}");
    };
    assert!(GUIDE.contains(SUCCESS));

    let made = send(&hub, create, "").await.fine(201);
    assert_eq!(made["address"], format!("{}/in/callback", hub.address));

    assert_eq!(push.body.as_ref().map(|body| parse(body)), Some(parse(LEAD)));
    let answer = send(&hub, push, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, SUCCESS));
    assert_eq!(answer.headers["content-type"], "application/json");

    callbacks(&hub).await;
    let shown = send(&hub, look, "").await.fine(200)["items"][0].clone();
    assert_eq!(
        (shown["state"].as_str(), shown["method"].as_str()),
        (Some("done"), Some("POST"))
    );
    assert_eq!(shown["raw"].as_str(), push.body.as_deref());
    assert_eq!(shown["body"], parse(LEAD));
    let callback = shown["id"].as_str().unwrap();

    let tried = send(&hub, preview, "").await.fine(200);
    assert_eq!(
        tried["records"][0]["fields"],
        json!({"name": "张三", "channel": "字节-巨量线索", "created_date": "2023-03-01", "created_time": "16:00:00"})
    );

    assert_eq!(write.body.as_ref().map(|body| parse(body)), Some(parse(RECEIVER)));
    let written = send(&hub, write, "").await.fine(200);
    assert_eq!(written["tables"], json!(["customers"]));
    let begun = send(&hub, reprocess, callback).await.fine(202);
    assert_eq!(begun["callbacks"], json!([callback]));
    callbacks(&hub).await;

    let found = send(&hub, find, "").await.fine(200);
    assert_eq!(found["items"].as_array().unwrap().len(), 1, "{found}");
    assert_row(&found["items"][0]);

    let answer = send(&hub, again, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, SUCCESS));
    let known = callbacks(&hub).await;
    assert_eq!((known.len(), &known[0]["repeats"]), (1, &json!(1)));
    assert_eq!(rows(&hub).await.len(), 1);

    let answer = send(&hub, odd, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, SUCCESS));
    let shown = callbacks(&hub).await.swap_remove(0);
    assert_eq!(
        (&shown["state"], &shown["body"]["name"]),
        (&json!("done"), &json!("李四"))
    );
    let notes = shown["notes"].to_string();
    assert!(
        notes.contains("`phone`") && notes.contains("`created_date`"),
        "{shown:#}"
    );
    let row = rows(&hub).await.swap_remove(1);
    assert_eq!(
        (&row["name"], &row["clue_id"]),
        (&json!("李四"), &json!("7204519273648915235"))
    );
    assert_eq!((row.get("phone"), row.get("created_date")), (None, None));

    let answer = send(&hub, cut_off, "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, SUCCESS));
    let shown = callbacks(&hub).await.swap_remove(0);
    assert_eq!(
        (shown["state"].as_str(), shown["raw"].as_str()),
        (Some("failed"), cut_off.body.as_deref())
    );
    assert_eq!(shown["problem"]["code"], "SWB-API-001");
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The row that the guide's lead becomes.
fn assert_row(row: &Value) {
    for (field, value) in [
        ("name", "张三"),
        ("phone", "13800138000"),
        ("channel", "字节-巨量线索"),
        ("clue_id", "7204519273648915234"),
        ("created_date", "2023-03-01"),
        ("created_time", "16:00:00"),
        ("ad_id", "1758200000000000"),
        ("adv_id", "1690000000000000"),
    ] {
        assert_eq!(row[field], value, "{row:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_receiver_file_is_applied_as_it_is_and_exported_again() {
    let folder = Folder::new();
    let file = folder.file("feiyu-receiver.json", RECEIVER);
    let told = folder.run(&["apply", file.to_str().unwrap()]).fine().stdout;
    assert!(told.contains("source feiyu [feiyu]: at /in/callback"), "{told}");
    assert!(told.contains("table customers"), "{told}");
    let hub = folder.start();
    let configured = hub.post("/api/crm/configure", &parse(RECEIVER)).await.fine(200);
    assert_eq!(configured["sources"][0]["path"], "callback");
    let request = hub.anonymous("POST", "/in/callback").body(LEAD);
    assert_eq!(hub.send(request).await.text, SUCCESS);
    callbacks(&hub).await;
    assert_row(&rows(&hub).await[0]);
    let events = hub.get("/v1/events?type=lead.received").await.fine(200);
    assert_eq!(events["items"][0]["data"]["senderPhone"], "13800138000", "{events:#}");
    let definition = hub.get("/v1/sources/feiyu").await.fine(200)["definition"].clone();
    let again = json!({ "sources": [definition] });
    folder.apply(&again).fine();
    let after = hub.get("/v1/sources/feiyu").await.fine(200);
    assert_eq!(after["definition"], definition);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_before_a_kill_is_processed_once_after_it() {
    for place in ["callback-kept:3", "callback-settled:3"] {
        let folder = Folder::new();
        let file = folder.file("feiyu-receiver.json", RECEIVER);
        folder.run(&["apply", file.to_str().unwrap()]).fine();
        let hub = folder.start_with(&["serve", "--fail-point", place]);
        let lead = |n: usize| json!({"id": format!("clue-{n}"), "name": format!("客户 {n}"), "clue_source": "7"});
        let mut answered = Vec::new();
        // The hub dies in the middle; what it has answered is known.
        for n in 0..6 {
            let request = hub
                .anonymous("POST", "/in/callback")
                .header("content-type", "application/json")
                .body(lead(n).to_string());
            match request.send().await {
                Ok(answer) => {
                    assert_eq!(answer.status(), 200);
                    answered.push(n);
                }
                Err(_) => break,
            }
        }
        until("the hub is gone", async || {
            let answer = hub.anonymous("GET", "/livez").send().await;
            answer.is_err().then_some(())
        })
        .await;
        hub.kill();
        let hub = folder.start();
        // The pusher sends again whatever it has no answer for, and for good measure the rest, too.
        let again = join_all((0..6).map(|n| {
            hub.send(
                hub.anonymous("POST", "/in/callback")
                    .header("content-type", "application/json")
                    .body(lead(n).to_string()),
            )
        }))
        .await;
        assert!(again.iter().all(|answer| answer.text == SUCCESS));
        let kept = callbacks(&hub).await;
        assert_eq!(kept.len(), 6, "{place}");
        assert!(
            kept.iter().all(|callback| callback["state"] == "done"),
            "{place}: {kept:#?}"
        );
        let rows = rows(&hub).await;
        let mut names: Vec<&str> = rows.iter().map(|row| row["name"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["客户 0", "客户 1", "客户 2", "客户 3", "客户 4", "客户 5"],
            "{place}"
        );
        assert!(rows.iter().all(|row| row["revision"] == 1), "{place}: {rows:#?}");
        let events = hub.get("/v1/events?type=lead.received").await.fine(200);
        assert_eq!(events["items"].as_array().unwrap().len(), 6, "{place}");
        assert!(!answered.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_are_not_the_pushers_are_refused_counted_and_shown_and_secrets_are_not() {
    let folder = Folder::new();
    let hub = folder.start();
    let source =
        json!({"key": "feiyu", "source": "feiyu", "path": "leads/cn", "secrets": {"token": "hub-feiyu-token"}});
    let made = hub.post("/v1/sources", &source).await.fine(201);
    assert_eq!(made["secrets"], json!(["token"]));
    hub.post("/v1/sources", &source).await.problem(409, "SWB-API-012");
    let wrong = hub.anonymous("POST", "/in/leads/cn").header("access-token", "another");
    let answer = hub.send(wrong.body(LEAD)).await;
    assert_eq!(answer.text, r#"{"code":"-1","message":"refused"}"#);
    let right = hub
        .anonymous("POST", "/in/leads/cn")
        .header("access-token", "hub-feiyu-token");
    assert_eq!(hub.send(right.body(LEAD)).await.text, SUCCESS);
    let refused = hub.get("/v1/sources/feiyu/refused").await.fine(200);
    assert_eq!(
        (&refused["count"], &refused["items"][0]["from"]),
        (&json!(1), &json!("127.0.0.1"))
    );
    assert!(
        refused["items"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("another secret"),
        "{refused}"
    );
    let kept = callbacks(&hub).await;
    assert_eq!(kept.len(), 1);
    for path in ["/v1/sources/feiyu/callbacks", "/v1/sources", "/v1/sources/feiyu"] {
        let shown = hub.get(path).await;
        assert!(!shown.text.contains("hub-feiyu-token"), "{}", shown.text);
    }
    // Written again without its secret, the source still has it.
    let without = json!({"source": "feiyu", "path": "leads/cn"});
    let request = hub
        .request("PUT", "/v1/sources/feiyu")
        .header("content-type", "application/json")
        .body(without.to_string());
    assert_eq!(hub.send(request).await.fine(200)["secrets"], json!(["token"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn test_mode_keeps_and_makes_nothing_and_a_source_that_is_off_is_pushed_to_later() {
    let folder = Folder::new();
    let file = folder.file("feiyu-receiver.json", RECEIVER);
    folder.run(&["apply", file.to_str().unwrap()]).fine();
    let hub = folder.start();
    let switch = async |body: Value| {
        let request = hub
            .request("PATCH", "/v1/sources/feiyu")
            .header("content-type", "application/json")
            .body(body.to_string());
        hub.send(request).await.fine(200)
    };
    let push = async || hub.send(hub.anonymous("POST", "/in/callback").body(LEAD)).await;
    switch(json!({"test_mode": true})).await;
    assert_eq!(push().await.text, SUCCESS);
    assert_eq!(callbacks(&hub).await[0]["state"], "test");
    assert!(rows(&hub).await.is_empty());
    switch(json!({"test_mode": false, "enabled": false})).await;
    let later = push().await;
    assert_eq!((later.status, later.headers.contains_key("retry-after")), (503, true));
    switch(json!({"enabled": true})).await;
    let id = callbacks(&hub).await[0]["id"].clone();
    hub.post("/v1/sources/feiyu/reprocess", &json!({"callbacks": [id]}))
        .await
        .fine(202);
    assert_eq!(callbacks(&hub).await[0]["state"], "done");
    assert_row(&rows(&hub).await[0]);
    let request = hub.request("DELETE", "/v1/sources/feiyu");
    assert_eq!(hub.send(request).await.status, 204);
    push().await.problem(404, "SWB-API-008");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_ends_the_hub_each_time_is_given_up() {
    let folder = Folder::new();
    let file = folder.file("feiyu-receiver.json", RECEIVER);
    folder.run(&["apply", file.to_str().unwrap()]).fine();
    let deadly = ["serve", "--fail-point", "callback-begun:1"];
    let hub = folder.start_with(&deadly);
    // It is on the disk before the hub dies, whether the answer arrives or not.
    let _ = hub.anonymous("POST", "/in/callback").body(LEAD).send().await;
    until("the hub is gone", async || {
        let answer = hub.anonymous("GET", "/livez").send().await;
        answer.is_err().then_some(())
    })
    .await;
    hub.kill();
    for _ in 2..=5 {
        let ended = folder.run(&[&["--listen", "127.0.0.1:0"], deadly.as_slice()].concat());
        assert_ne!(ended.code, Some(0), "{}", ended.stderr);
    }
    let hub = folder.start_with(&deadly);
    let shown = callbacks(&hub).await.swap_remove(0);
    assert_eq!(shown["state"], "failed", "{shown:#}");
    let detail = shown["problem"]["detail"].as_str().unwrap();
    assert!(detail.contains("begun 5 times"), "{detail}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_whose_vendor_is_silent_keeps_no_other_waiting() {
    let folder = Folder::new();
    let file = folder.file("feiyu-receiver.json", RECEIVER);
    folder.run(&["apply", file.to_str().unwrap()]).fine();
    let hub = folder.start();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let slow = json!({
        "key": "slow", "source": "json", "path": "slow",
        "fetch": {
            "base_url": format!("http://{}", silent.local_addr().unwrap()), "path": "/things/{{ ids.thing }}",
            "ids": {"thing": {"from": "{{ payload.id }}", "pattern": "([0-9]+)"}},
        },
    });
    hub.post("/v1/sources", &slow).await.fine(201);
    let push = hub
        .anonymous("POST", "/in/slow")
        .header("content-type", "application/json");
    assert_eq!(hub.send(push.body(r#"{"id": 7}"#)).await.status, 200);
    // From here on the source waits for an answer that does not come.
    let _asked = silent.accept().await.unwrap();
    assert_eq!(
        hub.send(hub.anonymous("POST", "/in/callback").body(LEAD)).await.text,
        SUCCESS
    );
    assert_eq!(callbacks(&hub).await[0]["state"], "done");
    let waits = hub.get("/v1/sources/slow/callbacks").await.fine(200);
    assert_eq!(waits["items"][0]["state"], "waiting", "{waits:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_doubled_by_no_second_processing_that_nobody_insists_on() {
    let folder = Folder::new();
    let file = folder.file(
        "feiyu-receiver.json",
        &RECEIVER.replacen("\"table\"", "\"mode\": \"create\", \"table\"", 1),
    );
    folder.run(&["apply", file.to_str().unwrap()]).fine();
    let hub = folder.start();
    assert_eq!(
        hub.send(hub.anonymous("POST", "/in/callback").body(LEAD)).await.text,
        SUCCESS
    );
    let id = callbacks(&hub).await[0]["id"].clone();
    let again = json!({"callbacks": [id]});
    let refused = hub.post("/v1/sources/feiyu/reprocess", &again).await;
    refused.problem(409, "SWB-API-012");
    assert_eq!(rows(&hub).await.len(), 1);
    let forced = json!({"callbacks": [id], "force": true});
    let begun = hub.post("/v1/sources/feiyu/reprocess", &forced).await.fine(202);
    assert_eq!(begun["callbacks"], json!([id]));
    let shown = callbacks(&hub).await.swap_remove(0);
    assert!(shown["notes"].to_string().contains("processed anew"), "{shown:#}");
    assert_eq!(rows(&hub).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_does_not_take_is_postponed_and_stops_nothing_else() {
    let folder = Folder::new();
    let file = folder.file("feiyu-receiver.json", RECEIVER);
    folder.run(&["apply", file.to_str().unwrap()]).fine();
    let hub = folder.start();
    folder.refuse_records("%never taken%");
    for name in ["never taken", "Ana"] {
        let lead = json!({"id": format!("lead {name}"), "name": name}).to_string();
        let push = hub
            .anonymous("POST", "/in/callback")
            .header("content-type", "application/json");
        assert_eq!(hub.send(push.body(lead)).await.text, SUCCESS);
    }
    let shown = until("one is postponed and the other done", async || {
        let page = hub.get("/v1/sources/feiyu/callbacks").await.fine(200);
        let items = page["items"].as_array().unwrap().clone();
        let settled = items[0]["state"] == "done" && items[1]["problem"].is_object();
        settled.then_some(items)
    })
    .await;
    assert_eq!(
        (&shown[1]["state"], &shown[1]["body"]["name"]),
        (&json!("waiting"), &json!("never taken"))
    );
    assert!(
        shown[1]["notes"].to_string().contains("tried again in 5 s"),
        "{:#}",
        shown[1]
    );
    assert_eq!(rows(&hub).await[0]["name"], "Ana");
}
