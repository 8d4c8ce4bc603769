//! Over real connections: what the dial does to them, and that nobody waits for somebody else's delay.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Dial, Fault, Options, Rule, Running, start};

/// A simulation on a free port whose HubSpot has these rules.
pub async fn running(rules: impl IntoIterator<Item = Rule>) -> Running {
    let running = start(([127, 0, 0, 1], 0).into(), Options::demo()).await.unwrap();
    running.set_vendor_dial("hubspot", Dial::of(rules)).unwrap();
    running
}

pub fn client() -> reqwest::Client {
    // Only the first test of the process installs it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // A proxy of the machine has no way to this simulator.
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn create_contact(running: &Running, client: &reqwest::Client) -> reqwest::Result<u16> {
    let body = json!({"properties": {"email": "ana@example.org", "firstname": "Ана"}, "associations": []});
    let request = client
        .post(format!("{}/crm/objects/2026-09/contacts", running.url("hubspot")))
        .bearer_auth("pat-1")
        .header("content-type", "application/json")
        .body(body.to_string());
    request.send().await.map(|answer| answer.status().as_u16())
}

fn contacts(running: &Running) -> usize {
    running.records("hubspot", "contacts").unwrap().len()
}

#[tokio::test]
async fn a_cut_after_the_write_loses_the_answer_and_keeps_the_record() {
    let (running, client) = (running([Rule::new(Fault::CutAfter).times(1)]).await, client());
    assert!(create_contact(&running, &client).await.is_err());
    assert_eq!(contacts(&running), 1);
    let calls = running.calls(0, 10);
    assert_eq!(
        (calls[0].status, calls[0].faults.as_slice()),
        (None, &["cut_after".to_owned()][..])
    );
    assert_eq!(create_contact(&running, &client).await.unwrap(), 409);
    assert_eq!(contacts(&running), 1);
}

#[tokio::test]
async fn a_cut_before_the_write_leaves_nothing() {
    let (running, client) = (running([Rule::new(Fault::CutBefore).times(1)]).await, client());
    assert!(create_contact(&running, &client).await.is_err());
    assert_eq!(contacts(&running), 0);
    assert_eq!(create_contact(&running, &client).await.unwrap(), 201);
}

#[tokio::test]
async fn a_vendor_that_is_down_is_down_alone() {
    let (running, client) = (running([]).await, client());
    let down = Dial {
        down: true,
        ..Dial::default()
    };
    running.set_vendor_dial("hubspot", down).unwrap();
    assert!(create_contact(&running, &client).await.is_err());
    let hook = client.post(running.url("webhook")).body("{}").send().await.unwrap();
    assert_eq!(hook.status(), 200);
    assert_eq!(hook.text().await.unwrap(), r#"{"ok":true}"#);
}

#[tokio::test]
async fn a_cut_connection_is_closed_without_a_byte() {
    let running = running([Rule::new(Fault::CutAfter)]).await;
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let request = "GET /hubspot/account-info/2026-09/details HTTP/1.1\r\nhost: localhost\r\n\r\n";
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn who_waits_for_a_slow_answer_waits_alone_and_an_end_ends_it() {
    let (running, client) = (running([]).await, client());
    let slow = Rule::new(Fault::Slow { ms: 3_600_000 }).path("/slow");
    running.set_vendor_dial("webhook", Dial::of([slow])).unwrap();
    let url = running.url("webhook");
    let waiting = tokio::spawn(client.post(format!("{url}/slow")).send());
    let other = client.post(format!("{url}/quick")).send().await.unwrap();
    assert_eq!(other.status(), 200);
    running.shutdown().await;
    assert!(waiting.await.unwrap().is_err());
}

#[tokio::test]
async fn the_state_outlives_the_listening() {
    let (running, client) = (running([]).await, client());
    assert_eq!(create_contact(&running, &client).await.unwrap(), 201);
    let (simulation, url) = (running.simulation().clone(), running.base_url());
    running.shutdown().await;
    assert!(client.get(url).send().await.is_err());
    assert_eq!(simulation.records("hubspot", "contacts").unwrap().len(), 1);
}
