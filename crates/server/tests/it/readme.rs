//! The README's calls, as they stand there.

use serde_json::Value;

use crate::hub::Folder;

const README: &str = include_str!("../../../../README.md");
/// The address that the README's hub listens on.
const ADDRESS: &str = "http://127.0.0.1:8080";

/// The README's curl calls in their order: path, and body where there is one.
fn calls() -> Vec<(String, Option<String>)> {
    let blocks = README
        .split("```console\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next());
    let commands = blocks.flat_map(|block| block.split("curl -s ").skip(1));
    let call = |command: &str| {
        let path = command.strip_prefix(ADDRESS)?.split_whitespace().next()?.to_owned();
        let body = command.split_once("-d '").and_then(|(_, rest)| rest.rsplit_once('\''));
        Some((path, body.map(|(body, _)| body.to_owned())))
    };
    commands.filter_map(call).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_calls_of_the_readme_work_one_after_the_other() {
    let folder = Folder::new();
    let hub = folder.start();
    let calls = calls();
    assert!(calls.len() >= 4, "{calls:?}");
    let mut event = String::new();
    for (path, body) in calls {
        let reply = match &body {
            Some(body) => {
                let body: Value = serde_json::from_str(body).unwrap_or_else(|error| panic!("{path}: {error}"));
                hub.post(&path, &body).await
            }
            None => hub.get(&path.replace("evt_…", &event)).await,
        };
        assert!((200..300).contains(&reply.status), "{path}: {}", reply.text);
        if path == "/v1/events" {
            reply.json()["id"].as_str().unwrap().clone_into(&mut event);
            assert_eq!(reply.json()["deliveries"], 1, "{}", reply.text);
        }
    }
}
