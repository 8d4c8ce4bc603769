//! For whoever runs the hub: what goes wrong at start, stopping, keys, doctor, settings.

use serde_json::Value;

use crate::{
    hub::{Ended, Folder},
    vendors,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_folder_is_told_that_there_is_a_first() {
    let folder = Folder::new();
    let _hub = folder.start();
    let second = folder.run(&["--listen", "127.0.0.1:0"]);
    assert_eq!(second.code, Some(1), "{second:?}");
    assert!(
        second.stderr.contains("SWB-HUB-003") && second.stderr.contains("--data"),
        "{}",
        second.stderr
    );
}

#[test]
fn a_used_port_a_wrong_port_and_a_wrong_folder_are_one_paragraph_each() {
    let folder = Folder::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let file = folder.file("file", "").display().to_string();
    for (arguments, code, words) in [
        (vec!["--listen", &address], 2, "in use"),
        (vec!["--listen", "127.0.0.1:99999"], 2, "0 to 65535"),
        (vec!["--listen", "127.0.0.1:0", "--data", &file], 1, "--data"),
    ] {
        let ended = folder.run(&arguments);
        assert_eq!(ended.code, Some(code), "{arguments:?} {ended:?}");
        assert!(
            ended.stderr.contains(words) && ended.stderr.contains("what to do:"),
            "{}",
            ended.stderr
        );
        assert_eq!(ended.stderr.matches("error:").count(), 1, "{}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert!(!folder.data().exists(), "nothing was made");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_the_hub_well_and_what_waits_is_kept() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    vendors::down(&vendors, "webhook", true);
    let event = hub.message(serde_json::json!({"messageContent": "x"})).await;
    assert_eq!(hub.terminate().code(), Some(0));
    vendors::down(&vendors, "webhook", false);
    let hub = folder.start();
    hub.settled(&event).await;
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_made_beside_a_running_hub_is_good_at_once() {
    let folder = Folder::new();
    let hub = folder.start();
    let key = folder.run(&["keys", "create", "Zapier 钥匙"]).fine().stdout;
    let key = key.trim();
    assert!(key.starts_with("swb_"), "{key}");
    crate::wait::until("the hub knows the key", async || {
        let reply = hub.send(hub.anonymous("GET", "/v1/events").bearer_auth(key)).await;
        (reply.status == 200).then_some(())
    })
    .await;
    let list = folder.run(&["keys", "list"]).fine().stdout;
    assert!(
        list.contains("Zapier 钥匙") && list.contains("first key") && !list.contains(key),
        "{list}"
    );
}

#[test]
fn doctor_finds_a_fresh_machine_sound_and_changes_nothing() {
    let folder = Folder::new();
    let ended = folder.run(&["doctor", "--json"]).fine();
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(answer["ok"], true, "{answer}");
    assert!(!folder.data().exists());
}

#[test]
fn doctor_finds_a_readable_master_key_and_an_incomplete_connection() {
    let folder = Folder::new();
    let integrations = folder.file("integrations.json", include_str!("examples/integrations.json"));
    folder.run(&["apply", integrations.to_str().unwrap()]).fine();
    let sound = folder.run(&["doctor"]).fine().stdout;
    assert!(
        sound.contains("database: sound") && sound.contains("connection primary-crm: missing"),
        "{sound}"
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = folder.data().join("master.key");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
        let ended = folder.run(&["doctor", "--json"]);
        assert_eq!(ended.code, Some(1));
        let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
        let checks = answer["checks"].as_array().unwrap();
        let failed: Vec<_> = checks.iter().filter(|check| check["result"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{answer}");
        assert!(failed[0]["next"].as_str().unwrap().contains("chmod 600"), "{answer}");
    }
}

#[test]
fn every_mistake_in_the_settings_is_told_at_once() {
    let folder = Folder::new();
    folder.file("switchboard.yaml", "listen: 127.0.0.1:70000\nlimts:\n  batch: 3\n");
    let ended = Ended::from_command(
        folder
            .command(&["config", "check", "--log-format", "xml"])
            .env("SWITCHBOARD_RETRY_ATTEMPTS", "many"),
    );
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for words in [
        "switchboard.yaml:1:9",
        "switchboard.yaml:2:1",
        "`limits`",
        "SWITCHBOARD_RETRY_ATTEMPTS",
        "--log-format",
    ] {
        assert!(ended.stderr.contains(words), "{words}: {}", ended.stderr);
    }
    let shown = Folder::new().run(&["config", "show", "--listen", "9000"]).fine().stdout;
    assert!(shown.contains("listen: \"9000\"  # --listen"), "{shown}");
}

impl Ended {
    fn from_command(command: &mut std::process::Command) -> Self {
        Self::from(command.output().unwrap())
    }
}
