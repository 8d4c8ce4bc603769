//! Credentials are not to be found in clear anywhere but at the vendor.

use std::path::Path;

use serde_json::json;

use crate::{hub::Folder, vendors};

const SECRETS: [&str; 3] = ["geheim-9f27c1d5-client", "geheim-4b1e-hubspot", "ntn_geheim_77aa"];

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_the_data_folder_holds_a_credential_in_clear() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    let mut salesforce = vendors::integration(&vendors, "salesforce");
    salesforce["config"]["credentials"]["clientSecret"] = SECRETS[0].into();
    let mut hubspot = vendors::integration(&vendors, "hubspot");
    hubspot["config"]["credentials"]["apiKey"] = SECRETS[1].into();
    let mut notion = vendors::integration(&vendors, "notion");
    notion["config"]["credentials"]["token"] = SECRETS[2].into();
    for connection in [salesforce, hubspot, notion] {
        let done = hub.post("/api/crm/configure", &connection).await.fine(200);
        assert!(SECRETS.iter().all(|secret| !done.to_string().contains(secret)));
    }
    let event = hub
        .message(
            json!({"senderEmail": "a@example.org", "senderName": "Ana", "tenantName": "E", "messageContent": "hello"}),
        )
        .await;
    let story = hub.settled(&event).await.to_string();
    let connections = hub.get("/v1/connections").await.text;
    let used = vendors
        .calls(0, usize::MAX)
        .iter()
        .map(|call| call.to_json().to_string())
        .collect::<String>();
    for secret in SECRETS {
        assert!(
            used.contains(secret),
            "the vendor got {secret}, so the scan below means something"
        );
        assert!(
            !story.contains(secret) && !connections.contains(secret),
            "{secret} is shown"
        );
        // While the hub runs the write-ahead log is there as well.
        assert_eq!(holding(folder.data().parent().unwrap(), secret), Vec::<String>::new());
    }
    assert!(hub.terminate().success());
    for secret in SECRETS {
        assert_eq!(holding(folder.data().parent().unwrap(), secret), Vec::<String>::new());
    }
}

/// The files below a folder that hold these bytes.
fn holding(folder: &Path, secret: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holding(&path, secret));
        } else if std::fs::read(&path)
            .unwrap_or_default()
            .windows(secret.len())
            .any(|part| part == secret.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}
