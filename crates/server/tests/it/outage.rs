//! A vendor that is away: what waits is left in peace, and goes out when it is back.

use serde_json::{Value, json};
use switchboard_simulator::{Fault, Rule};

use crate::{hub::Folder, vendors, wait::until};

const MESSAGES: usize = 200;

#[tokio::test(flavor = "multi_thread")]
async fn while_a_vendor_is_away_nothing_burns_tries_and_few_calls_are_made() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    // So few tries would be used up at once if they counted.
    let hub = folder.start_with(&["--retry-attempts", "6", "--retry-base-ms", "20", "--retry-cap-ms", "50"]);
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    vendors::down(&vendors, "webhook", true);
    let all: Vec<Value> = (0..MESSAGES)
        .map(|n| json!({"type": "message.received", "data": {"messageContent": format!("сообщение {n}")}}))
        .collect();
    hub.post("/v1/events", &json!(all)).await.fine(202);
    until("the circuit is open", async || {
        let connections = hub.get("/v1/connections").await.fine(200);
        (connections["items"][0]["lane"]["state"] == "open").then_some(())
    })
    .await;
    let calls = vendors::calls(&vendors, "webhook", "POST", "/in");
    assert!(calls <= 30, "{calls} calls for {MESSAGES} messages");
    let waiting = hub.get("/v1/deliveries?state=waiting&limit=200").await.fine(200);
    let waiting = waiting["items"].as_array().unwrap();
    assert!(waiting.iter().filter(|delivery| delivery["attempts"] == 0).count() > MESSAGES / 2);
    assert!(
        waiting.iter().all(|delivery| delivery["expected_at"].is_string()),
        "{waiting:#?}"
    );
    vendors::down(&vendors, "webhook", false);
    hub.idle().await;
    assert_eq!(vendors::records(&vendors, "webhook", "deliveries").len(), MESSAGES);
    assert_eq!(hub.get("/v1/deliveries?state=dead").await.fine(200)["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_is_asked_whether_it_is_back_with_the_first_few_of_its_backlog() {
    let (folder, vendors) = (Folder::new(), vendors::start().await);
    let hub = folder.start();
    hub.post("/api/crm/configure", &vendors::webhook(&vendors))
        .await
        .fine(200);
    vendors::down(&vendors, "webhook", true);
    let all: Vec<Value> = (0..MESSAGES)
        .map(|n| json!({"type": "message.received", "data": {"messageContent": format!("nachricht {n}")}}))
        .collect();
    hub.post("/v1/events", &json!(all)).await.fine(202);
    let lane = async |state: &'static str| {
        let connections = hub.get("/v1/connections").await.fine(200);
        let lane = &connections["items"][0]["lane"];
        (lane["state"] == state).then(|| lane.clone())
    };
    let few = |lane: &Value| lane["waiting"].as_u64().unwrap() < 20;
    until(
        "the circuit is open and most of the backlog is not in memory",
        async || lane("open").await.filter(few),
    )
    .await;
    // The answer to the probe takes longer than this test.
    vendors::fail(&vendors, "webhook", [Rule::new(Fault::Slow { ms: 60_000 })]);
    let lane = until("the vendor is asked", async || {
        lane("probing").await.filter(|lane| lane["in_flight"] == 1)
    })
    .await;
    assert!(few(&lane), "{lane}");
}
