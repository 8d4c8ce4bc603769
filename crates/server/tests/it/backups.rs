//! Backups beside a running hub, and what is made of them.

use serde_json::json;

use crate::{
    hub::{Folder, states},
    vendors,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_hub_restores_events_history_and_credentials() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    let mut stories = Vec::new();
    for number in 0..5 {
        let event = hub.message(json!({"messageContent": format!("客户 {number}")})).await;
        stories.push((event.clone(), hub.settled(&event).await));
    }
    vendors::down(&vendors, "webhook", true);
    let waits = hub.message(json!({"messageContent": "waits"})).await;
    let backup = folder.data().with_file_name("backup");
    let backup_text = backup.to_str().unwrap();
    let made = folder.run(&["backup", backup_text]).fine().stdout;
    let key = folder.data().join("master.key");
    assert!(
        made.contains("NOT in the backup") && made.contains("master.key"),
        "{made}"
    );
    assert!(!backup.join("master.key").exists());
    let again = folder.run(&["backup", backup_text]);
    assert_eq!(again.code, Some(1), "{again:?}");
    assert!(again.stderr.contains("not empty"), "{}", again.stderr);
    let refused = folder.run(&["restore", backup_text]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("not empty") && refused.stderr.contains("--data"),
        "{}",
        refused.stderr
    );
    hub.kill();
    let target = folder.data().with_file_name("restored");
    let target_text = target.to_str().unwrap();
    let restored = folder
        .run(&["restore", backup_text, "--data", target_text])
        .fine()
        .stdout;
    assert!(
        restored.contains("master key") && restored.contains(target_text),
        "{restored}"
    );
    std::fs::copy(key, target.join("master.key")).unwrap();
    vendors::down(&vendors, "webhook", false);
    let hub = folder.start_with(&["--data", target_text, "--retry-base-ms", "20", "--retry-cap-ms", "200"]);
    for (event, story) in stories {
        assert_eq!(hub.story(&event).await, story);
    }
    assert_eq!(states(&hub.settled(&waits).await), ["delivered"]);
}

#[test]
fn a_folder_without_a_backup_and_a_missing_data_folder_are_named() {
    let folder = Folder::new();
    let nothing = folder.data().with_file_name("nothing");
    let nothing = nothing.to_str().unwrap();
    let ended = folder.run(&["restore", nothing]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("holds no backup"), "{}", ended.stderr);
    let ended = folder.run(&["backup", nothing]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.stderr.contains("is not there"), "{}", ended.stderr);
    assert!(!folder.data().exists() && !std::path::Path::new(nothing).exists());
}
