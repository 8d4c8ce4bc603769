//! A store that falls behind: senders are told to wait, and nothing of what was refused is kept.

use serde_json::json;

use crate::{hub::Folder, wait::until};

#[tokio::test(flavor = "multi_thread")]
async fn senders_are_told_to_wait_while_the_store_is_behind_and_nothing_is_lost() {
    let folder = Folder::new();
    let hub = folder.start_with(&["--limits-waiting-events", "1"]);
    let event = |id: &str| json!({"type": "call.missed", "id": id, "data": {"phone": "+44 7700 900123"}});
    // Another writer has the database, so that the hub's own has to wait.
    let other = rusqlite::Connection::open(folder.data().join("switchboard.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (a, b) = (event("a"), event("b"));
    let (first, second) = (hub.post("/v1/events", &a), hub.post("/v1/events", &b));
    tokio::pin!(first, second);
    let (refused, kept) = tokio::select! {
        refused = &mut first => (refused, "b"),
        refused = &mut second => (refused, "a"),
    };
    let problem = refused.problem(429, "SWB-API-014");
    assert_eq!(refused.headers["retry-after"], "1");
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("nothing of this request was kept"),
        "{problem}"
    );
    other.execute_batch("ROLLBACK").unwrap();
    let accepted = if kept == "a" { first.await } else { second.await };
    accepted.fine(202);
    let page = hub.get("/v1/events").await.fine(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 1, "{page}");
    let again = event(if kept == "a" { "b" } else { "a" });
    let accepted = until("there is room again", async || {
        let reply = hub.post("/v1/events", &again).await;
        (reply.status == 202).then(|| reply.json())
    })
    .await;
    assert_eq!(accepted["status"], "accepted");
}
