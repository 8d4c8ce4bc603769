//! Flights against a vendor that is told what to answer: what is about the connection costs no delivery a try, and stops its other calls at
//! once.

mod stub;

use std::time::{Duration, Instant};

use serde_json::json;
use stub::{Stage, made};
use switchboard_model::connection::ConnectionState;

/// The vendor asks for this long, in seconds.
const PAUSE_S: u64 = 600;

fn asks_to_wait() -> Option<stub::Reply> {
    Some((429, json!({"error": "slow down"}), Some(PAUSE_S)))
}

fn wait_is_kept(stage: &Stage, until_ms: i64) {
    let now_ms = stage.hub.now_ms();
    let at_least = now_ms + i64::try_from(PAUSE_S).unwrap() * 1_000 - 100_000;
    assert!(until_ms > at_least, "the circuit: {} ms", until_ms - now_ms);
    let paused = stage.connection().gate.paused_until();
    assert!(paused.is_some_and(|until| until > at_least), "the gate: {paused:?}");
}

/// Does something to the hub's database behind its back.
fn behind_its_back(stage: &Stage, sql: &str) {
    let database = rusqlite::Connection::open(stage.folder.path().join("switchboard.db")).unwrap();
    database.busy_timeout(Duration::from_secs(60)).unwrap();
    database.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hiccup_of_the_store_while_a_token_is_fetched_ends_no_delivery() {
    let stage = Stage::open(json!({})).await;
    stage.warm().await;
    behind_its_back(&stage, "ALTER TABLE access RENAME TO gone");
    stage.send(0..3).await;
    stage
        .until("a token was wanted", async || {
            stage.deliveries().await.iter().find_map(|row| row.problem.clone())
        })
        .await;
    stage.all_wait(3).await;
    assert_eq!(stage.vendor.calls("/token"), 0);
    assert_eq!(stage.connection().state, ConnectionState::Active);
    behind_its_back(&stage, "ALTER TABLE gone RENAME TO access");
    stage.delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_vault_cannot_open_stops_the_connection_and_ends_no_delivery() {
    let stage = Stage::open(json!({})).await;
    stage.send(0..1).await;
    stage.delivered().await;
    behind_its_back(&stage, "UPDATE access SET sealed = x'00112233'");
    // The token at hand is refused, and the one in the store cannot be opened.
    stage
        .vendor
        .dial(|path, before, _| (path == "/find" && before == 1).then(|| (401, json!({}), None)));
    stage.send(1..4).await;
    let reason = stage.stopped().await;
    assert!(!reason.is_empty());
    let rows = stage.deliveries().await;
    let waiting = rows.iter().filter(|row| !row.state.is_settled());
    assert_eq!(waiting.filter(|row| row.attempts == 0).count(), 3, "{rows:#?}");
    assert_eq!(stage.vendor.calls("/find"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_service_that_is_down_is_asked_seldom_and_costs_no_try() {
    let stage = Stage::open(json!({"batch": 1, "parallel": 5})).await;
    stage.warm().await;
    stage
        .vendor
        .dial(|path, _, _| (path == "/token").then(|| (503, json!({}), None)));
    stage.send(0..40).await;
    stage
        .until("it was asked three times", async || {
            (stage.vendor.calls("/token") >= 3).then_some(())
        })
        .await;
    stage.left_alone().await;
    stage.all_wait(40).await;
    assert_eq!(stage.vendor.calls("/find"), 0);
    let times = stage.vendor.times("/token");
    let pauses: Vec<Duration> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let least = Duration::from_millis(450);
    assert!(pauses.iter().all(|pause| *pause >= least), "{pauses:?}");
    let circuit = stage.connection().circuit.lock().clone();
    assert!(
        circuit.is_outage(),
        "a probe without a token is a failed one: {circuit:?}"
    );
    stage.vendor.is_well();
    stage.delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ends_during_an_outage_makes_no_probe_of_each_delivery() {
    let stage = Stage::open(json!({"batch": 1, "parallel": 5})).await;
    stage.send(0..1).await;
    stage.delivered().await;
    // The token is refused, then nobody gives another one.
    stage.vendor.dial(|path, _, _| match path {
        "/token" => Some((500, json!({}), None)),
        _ => Some((401, json!({}), None)),
    });
    stage.send(1..40).await;
    stage
        .until("it was asked three times", async || {
            (stage.vendor.calls("/token") >= 4).then_some(())
        })
        .await;
    stage.left_alone().await;
    let found = stage.vendor.calls("/find");
    assert!(found <= 6, "a token that was refused is shown {found} times");
    let times = stage.vendor.times("/token");
    let pauses: Vec<Duration> = times[1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(
        pauses.iter().all(|pause| *pause >= Duration::from_millis(450)),
        "{pauses:?}"
    );
    stage.vendor.is_well();
    stage.delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_end_point_that_wants_a_pause_gets_it_from_the_whole_connection() {
    let stage = Stage::open(json!({"batch": 1, "parallel": 5})).await;
    stage.warm().await;
    stage
        .vendor
        .dial(|path, _, _| if path == "/token" { asks_to_wait() } else { None });
    stage.send(0..40).await;
    let until_ms = stage.left_alone().await;
    wait_is_kept(&stage, until_ms);
    stage.all_wait(40).await;
    assert_eq!((stage.vendor.calls("/token"), stage.vendor.calls("/find")), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_answer_that_asks_to_wait_holds_the_other_calls_of_its_flight() {
    let stage = Stage::open(json!({})).await;
    stage
        .vendor
        .dial(|path, _, _| if path == "/find" { asks_to_wait() } else { None });
    stage.send(0..100).await;
    let until_ms = stage.left_alone().await;
    wait_is_kept(&stage, until_ms);
    stage.all_wait(100).await;
    assert_eq!(stage.vendor.calls("/find"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_refused_are_shown_once_by_a_flight() {
    let stage = Stage::open(json!({})).await;
    let refused = || Some((403, json!({"error": "the app may not do this"}), None));
    stage
        .vendor
        .dial(move |path, _, _| if path == "/find" { refused() } else { None });
    stage.send(0..100).await;
    let reason = stage.stopped().await;
    assert!(reason.contains("the app may not do this"), "{reason}");
    stage.all_wait(100).await;
    assert_eq!(stage.vendor.calls("/find"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_refused_is_shown_once_by_a_flight_and_the_third_one_is_the_last() {
    let stage = Stage::open(json!({})).await;
    let refused = || Some((401, json!({"error": "no such token"}), None));
    stage
        .vendor
        .dial(move |path, _, _| if path == "/find" { refused() } else { None });
    stage.send(0..100).await;
    let reason = stage.stopped().await;
    assert!(reason.contains("no such token"), "{reason}");
    stage.all_wait(100).await;
    assert_eq!((stage.vendor.calls("/find"), stage.vendor.calls("/token")), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_holds_the_rest_of_a_flight() {
    let stage = Stage::open(json!({})).await;
    stage
        .vendor
        .dial(|path, _, _| (path == "/find").then(|| (503, json!({}), None)));
    stage.send(0..100).await;
    stage.left_alone().await;
    let calls = stage.vendor.calls("/find");
    // Those that open the circuit, and what has looked since.
    assert!((5..=8).contains(&calls), "{calls} calls");
    stage.all_wait(100).await;
    stage.vendor.is_well();
    stage.delivered().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worst_that_a_bulk_answer_says_is_what_counts_for_the_connection() {
    let stage = Stage::open(json!({})).await;
    stage.vendor.dial(|path, _, body| {
        let mut results = (path == "/bulk").then(|| made(body))?;
        results.last_mut()?["code"] = json!(429);
        results.last_mut()?["wait"] = json!(PAUSE_S);
        results.last_mut()?.as_object_mut()?.remove("id");
        Some((200, json!({"results": results}), None))
    });
    stage.send(0..3).await;
    let until_ms = stage.left_alone().await;
    wait_is_kept(&stage, until_ms);
    let rows = stage.deliveries().await;
    assert_eq!(rows.iter().filter(|row| row.state.is_settled()).count(), 2, "{rows:#?}");
    assert_eq!(stage.vendor.calls("/bulk"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_call_that_is_refused_as_a_whole_stands_in_the_history() {
    let stage = Stage::open(json!({})).await;
    stage.vendor.dial(|path, _, body| {
        let poisoned = ["/bulk", "/contacts"].contains(&path) && body.contains("p2@");
        poisoned.then(|| (400, json!({"error": "p2 is not wanted"}), None))
    });
    stage.send(0..4).await;
    let rows = stage
        .until("everything is settled", async || {
            let rows = stage.deliveries().await;
            rows.iter().all(|row| row.state.is_settled()).then_some(rows)
        })
        .await;
    let workspace = stage.hub.default_workspace().await.unwrap();
    let mut refused = Vec::new();
    for row in &rows {
        let lines = stage.hub.attempts(workspace, row.id).await.unwrap();
        refused.extend(lines.into_iter().filter(|line| line.outcome == "rejected"));
    }
    let together: Vec<_> = refused.iter().filter(|line| line.request.contains("/bulk")).collect();
    assert_eq!(together.len(), stage.vendor.calls("/bulk") - 1, "{refused:#?}");
    assert!(together.iter().all(|line| line.answer.contains("p2 is not wanted")));
    assert!(
        together.iter().any(|line| line.request.contains("(record 1 of 4)")),
        "{together:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_vendor_that_gives_tokens_and_refuses_them_stops_the_preparation() {
    let stage = Stage::open(json!({"prepares": "yes"})).await;
    stage
        .vendor
        .dial(|path, _, _| (path == "/world").then(|| (401, json!({"error": "no such token"}), None)));
    stage.send(0..3).await;
    let reason = stage.stopped().await;
    assert!(reason.contains("no such token"), "{reason}");
    stage.all_wait(3).await;
    assert_eq!((stage.vendor.calls("/world"), stage.vendor.calls("/token")), (3, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_ends_at_once_although_its_preparation_waits_for_tomorrow() {
    // One of the two calls of the day is kept for people, and the token takes the other one.
    let stage = Stage::open(json!({"prepares": "yes", "perDay": 2})).await;
    stage.send(0..3).await;
    stage
        .until("the token is there", async || {
            (stage.vendor.calls("/token") == 1).then_some(())
        })
        .await;
    let begun = Instant::now();
    stage.hub.stop(Duration::from_secs(90)).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
    assert_eq!(stage.vendor.calls("/world"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lane_ends_at_once_although_calls_of_its_flight_wait_for_tomorrow() {
    let stage = Stage::open(json!({"perDay": 4})).await;
    stage.send(0..5).await;
    stage
        .until("the calls of the day are made", async || {
            (stage.vendor.calls("/find") == 2).then_some(())
        })
        .await;
    let begun = Instant::now();
    stage.hub.stop(Duration::from_secs(90)).await;
    assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
}
