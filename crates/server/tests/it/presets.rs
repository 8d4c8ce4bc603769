//! Presets by kind of company: a start that lacks nothing but credentials, and touches nothing that is there.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::hub::Folder;

fn connections(answer: &Value) -> Vec<(&str, &str)> {
    let list = answer["connections"].as_array().unwrap().iter();
    list.map(|one| (one["key"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_preset_makes_drafts_that_say_what_they_lack_and_routes_between_them() {
    let folder = Folder::new();
    let hub = folder.start();
    let presets = hub.get("/v1/presets").await.fine(200);
    let presets = presets["items"].as_array().unwrap();
    let companies: HashSet<&str> = presets.iter().filter_map(|preset| preset["company"].as_str()).collect();
    assert_eq!((presets.len(), companies.len()), (10, 5));
    for preset in presets {
        let name = preset["name"].as_str().unwrap();
        let answer = hub.post(&format!("/v1/presets/{name}"), &json!({})).await.fine(200);
        let written = connections(&answer);
        assert!(written.iter().all(|(_, state)| *state == "draft"), "{name}: {answer}");
        let kept = answer["kept"].as_array().unwrap().len();
        assert_eq!(
            written.len() + kept,
            preset["connectors"].as_array().unwrap().len(),
            "{name}: {answer}"
        );
        let steps = answer["next_steps"].as_array().unwrap();
        assert_eq!(steps.len(), written.len(), "{name}: {answer}");
        for step in steps {
            let step = step.as_str().unwrap();
            assert!(
                step.contains("missing: ") && step.contains("guide.md"),
                "{name}: {step}"
            );
        }
        for route in answer["routes"].as_array().unwrap() {
            assert_eq!(route["waiting_for"], json!([]), "{name}: {route}");
        }
    }
    let all = hub.get("/v1/connections").await.fine(200);
    let keys: HashSet<&str> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["key"].as_str())
        .collect();
    assert_eq!(keys.len(), all["items"].as_array().unwrap().len());
    let problem = hub
        .post("/v1/presets/start-op", &json!({}))
        .await
        .problem(404, "SWB-API-008");
    assert!(problem["detail"].as_str().unwrap().contains("start-up"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_leaves_what_is_connected_as_it_is() {
    let folder = Folder::new();
    let hub = folder.start();
    let own = json!({ "connections": [{
        "key": "our-crm", "connector": "hubspot", "secrets": { "token": "pat-eu1-example-1" },
    }]});
    let written = hub.post("/api/crm/configure", &own).await.fine(200);
    assert_eq!(connections(&written), [("our-crm", "active")]);
    for _ in 0..2 {
        let answer = hub
            .post("/v1/presets/large-enterprise-hubspot", &json!({}))
            .await
            .fine(200);
        assert_eq!(answer["connections"], json!([]), "{answer}");
        assert_eq!(answer["kept"], json!(["our-crm"]), "{answer}");
    }
    let all = hub.get("/v1/connections").await.fine(200);
    let states: Vec<_> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["key"], &one["state"]))
        .collect();
    assert_eq!(states, [(&json!("our-crm"), &json!("active"))]);
}

#[test]
fn the_command_line_lists_presets_and_begins_with_one() {
    let folder = Folder::new();
    let listed = folder.run(&["apply", "--presets"]).fine();
    assert!(listed.stdout.contains("china-feishu"), "{}", listed.stdout);
    let begun = folder.run(&["apply", "--preset", "start-up"]).fine();
    for words in [
        "connection notion [notion]: draft",
        "route preset-start-up [parallel_sync]: kept",
        "next: Connection `airtable`",
    ] {
        assert!(begun.stdout.contains(words), "{words} in {}", begun.stdout);
    }
    let again = folder.run(&["apply", "--preset", "start-up"]).fine();
    assert!(
        again.stdout.contains("connection notion: was there already"),
        "{}",
        again.stdout
    );
    let unknown = folder.run(&["apply", "--preset", "startup"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.stderr.contains("start-up"), "{}", unknown.stderr);
}
