//! The history and how long it is kept.

use serde_json::json;

use crate::hub::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn the_history_says_how_long_it_is_kept_and_today_cannot_be_dropped() {
    let folder = Folder::new();
    let hub = folder.start_with(&["--history-keep-days", "7"]);
    let history = hub.get("/v1/history").await.fine(200);
    assert_eq!(history["keep_days"], 7, "{history}");
    assert!(history["items"].is_array(), "{history}");
    let event = hub.message(json!({"messageContent": "x"})).await;
    let received = hub.story(&event).await["received_at"].as_str().unwrap().to_owned();
    let today = received.split('T').next().unwrap();
    for (day, status, code) in [
        (today, 409, "SWB-API-012"),
        ("2999-01-01", 409, "SWB-API-012"),
        ("2020-01-01", 404, "SWB-API-008"),
        ("yesterday", 400, "SWB-API-013"),
        ("2026-02-30", 400, "SWB-API-013"),
    ] {
        let request = hub.request("DELETE", &format!("/v1/history/{day}"));
        hub.send(request).await.problem(status, code);
    }
    let nobody = hub.anonymous("DELETE", "/v1/history/2020-01-01");
    hub.send(nobody).await.problem(401, "SWB-API-006");
    assert_eq!(hub.story(&event).await["id"], event, "the event is still there");
}
