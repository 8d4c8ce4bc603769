//! The users' files, applied unchanged.

use serde_json::Value;

use crate::hub::Folder;

const CONNECTIONS: [(&str, &str, &str); 7] = [
    (
        "salesforce.json",
        include_str!("examples/salesforce.json"),
        "connection salesforce [salesforce]: active",
    ),
    (
        "hubspot.json",
        include_str!("examples/hubspot.json"),
        "connection hubspot [hubspot]: active",
    ),
    (
        "notion.json",
        include_str!("examples/notion.json"),
        "connection notion [notion]: active",
    ),
    (
        "integrations.json",
        include_str!("examples/integrations.json"),
        "connection primary-crm [salesforce]: draft (missing:",
    ),
    (
        "monday.json",
        include_str!("examples/monday.json"),
        "connection monday [monday]: active",
    ),
    (
        "dingtalk.json",
        include_str!("examples/dingtalk.json"),
        "connection dingtalk [dingtalk]: active",
    ),
    (
        "wework.json",
        include_str!("examples/wework.json"),
        "connection wework [wecom]: active",
    ),
];
const STRATEGIES: [(&str, &str, &str); 3] = [
    (
        "strategy-category-routing.json",
        include_str!("examples/strategy-category-routing.json"),
        "zendesk",
    ),
    (
        "strategy-parallel-sync.json",
        include_str!("examples/strategy-parallel-sync.json"),
        "slack, email",
    ),
    (
        "strategy-primary-backup.json",
        include_str!("examples/strategy-primary-backup.json"),
        "salesforce, hubspot",
    ),
];

#[test]
fn each_file_about_a_system_of_this_version_is_applied_into_a_stopped_hub() {
    for (name, text, says) in CONNECTIONS {
        let folder = Folder::new();
        let file = folder.file(name, text);
        let ended = folder.run(&["apply", file.to_str().unwrap()]).fine();
        assert!(ended.stdout.contains(says), "{name}: {}", ended.stdout);
    }
}

#[test]
fn a_strategy_is_kept_and_says_what_it_waits_for() {
    for (name, text, waits) in STRATEGIES {
        let folder = Folder::new();
        let file = folder.file(name, text);
        let ended = folder.run(&["apply", file.to_str().unwrap()]).fine();
        assert!(ended.stdout.contains("kept (waits for"), "{name}: {}", ended.stdout);
        assert!(ended.stdout.contains(waits), "{name}: {}", ended.stdout);
    }
}

#[test]
fn a_file_that_is_no_configuration_is_told_what_would_be_one() {
    for (name, text) in [
        ("feiyu-lead.json", include_str!("examples/feiyu-lead.json")),
        ("call-record.json", include_str!("examples/call-record.json")),
        ("outgoing-webhook.json", include_str!("examples/outgoing-webhook.json")),
    ] {
        let folder = Folder::new();
        let file = folder.file(name, text);
        let ended = folder.run(&["apply", file.to_str().unwrap()]);
        assert_eq!(ended.code, Some(1), "{name}: {ended:?}");
        assert!(
            ended.stderr.contains("SWB-CFG-006") && ended.stderr.contains("crmIntegrations"),
            "{name}: {}",
            ended.stderr
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_hub_takes_what_another_process_applies() {
    let folder = Folder::new();
    let hub = folder.start();
    let files = CONNECTIONS.map(|(name, text, _)| folder.file(name, text).display().to_string());
    let strategy = folder.file(STRATEGIES[0].0, STRATEGIES[0].1).display().to_string();
    let arguments: Vec<&str> = ["apply", &strategy]
        .into_iter()
        .chain(files.iter().map(String::as_str))
        .collect();
    folder.run(&arguments).fine();
    crate::wait::until("the hub has seen the change", async || {
        let connections = hub.get("/v1/connections").await.fine(200);
        (connections["items"].as_array().unwrap().len() == CONNECTIONS.len()).then_some(())
    })
    .await;
    let routes = hub.get("/v1/routes").await.fine(200);
    let waiting: Vec<&Value> = routes["items"][0]["waiting_for"].as_array().unwrap().iter().collect();
    assert_eq!(
        waiting,
        ["jira", "linear", "zendesk", "freshdesk", "airtable"],
        "{routes}"
    );
}

#[test]
fn several_files_are_applied_all_or_none() {
    let folder = Folder::new();
    let good = folder.file("hubspot.json", CONNECTIONS[1].1).display().to_string();
    let bad = folder.file("broken.json", "{\"strategy\": ").display().to_string();
    let missing = folder.data().join("nowhere.json").display().to_string();
    let ended = folder.run(&["apply", &good, &bad, &missing]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("broken.json:1:") && ended.stderr.contains("nowhere.json"),
        "{}",
        ended.stderr
    );
    assert!(!folder.data().join("switchboard.db").exists(), "nothing was opened");
}
