use std::time::Duration;

use futures::{FutureExt, future::join_all};
use switchboard_connect::{
    limit::Limit,
    manifest::{BucketKind, BucketUnit},
};
use tokio::time::Instant;

use super::*;

/// Shows the time of tokio's own, paused clock.
#[derive(Debug)]
struct TestClock(Instant);

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

fn gate(kind: BucketKind, amount: u64, window_ms: i64) -> Arc<Gate> {
    let limit = Limit {
        name: "only".into(),
        kind,
        unit: BucketUnit::Calls,
        amount,
        burst: amount,
        window_ms,
        zone: None,
        cost: 1,
        costs: Vec::new(),
        operations: Vec::new(),
        objects: Vec::new(),
    };
    let limits = Limits {
        concurrency: 8,
        buckets: vec![limit],
    };
    Arc::new(Gate::new(&limits, Arc::new(TestClock(Instant::now()))))
}

const BACKGROUND: Ask = Ask {
    operation: None,
    object: None,
    priority: Priority::Background,
};

#[tokio::test(start_paused = true)]
async fn calls_pass_in_the_order_in_which_they_came_and_people_first() {
    let gate = gate(BucketKind::Concurrency, 1, 0);
    let first = gate.pass(BACKGROUND).await.unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let waiting = ["a", "b", "person", "c"].map(|name| {
        let (gate, order) = (Arc::clone(&gate), Arc::clone(&order));
        let ask = if name == "person" {
            Ask::interactive()
        } else {
            BACKGROUND
        };
        async move {
            let pass = gate.pass(ask).await.unwrap();
            order.lock().push(name);
            tokio::task::yield_now().await;
            drop(pass);
        }
    });
    let all = tokio::spawn(join_all(waiting));
    tokio::task::yield_now().await;
    drop(first);
    all.await.unwrap();
    assert_eq!(*order.lock(), ["person", "a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_wait_leaves_its_place_to_the_next() {
    let gate = gate(BucketKind::Concurrency, 1, 0);
    let held = gate.pass(BACKGROUND).await.unwrap();
    for ask in [BACKGROUND, Ask::interactive()] {
        let mut gone = Box::pin(gate.pass(ask));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
    }
    drop(held);
    let pass = gate.pass(BACKGROUND).now_or_never();
    assert!(pass.is_some(), "nobody else waits");
    drop(pass);
    assert!(gate.pass(BACKGROUND).now_or_never().is_some(), "and the slot came back");
}

#[tokio::test(start_paused = true)]
async fn a_window_is_waited_for_and_its_reserve_is_for_people() {
    let gate = gate(BucketKind::Window, 3, 10_000);
    let began = Instant::now();
    for _ in 0..2 {
        gate.pass(BACKGROUND).await.unwrap().begin();
    }
    assert!(gate.pass(BACKGROUND).now_or_never().is_none());
    assert!(gate.pass(Ask::interactive()).now_or_never().is_some());
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(gate.pass(BACKGROUND).await.unwrap());
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_secs(10) && waited < Duration::from_millis(10_300),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_call_counts_from_when_it_goes_out_and_one_that_never_does_costs_nothing() {
    let gate = gate(BucketKind::Window, 3, 1_000);
    let began = Instant::now();
    let mut slow = gate.pass(BACKGROUND).await.unwrap();
    let unsent = gate.pass(BACKGROUND).await.unwrap();
    assert!(gate.pass(BACKGROUND).now_or_never().is_none());
    let mut next = std::pin::pin!(gate.pass(BACKGROUND));
    assert!(next.as_mut().now_or_never().is_none());
    drop(unsent);
    next.await.unwrap().begin();
    assert_eq!(began.elapsed(), Duration::ZERO);
    // The store is busy for longer than the window is.
    tokio::time::advance(Duration::from_secs(3)).await;
    gate.pass(BACKGROUND).now_or_never().unwrap().unwrap().begin();
    assert!(
        gate.pass(BACKGROUND).now_or_never().is_none(),
        "the slow one still counts"
    );
    slow.begin();
    drop(slow);
    gate.pass(BACKGROUND).await.unwrap().begin();
    let waited = began.elapsed();
    assert!(
        waited >= Duration::from_secs(4) && waited < Duration::from_millis(4_100),
        "{waited:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_shut_out_turns_everybody_away_but_people() {
    let gate = gate(BucketKind::Window, 2, 10_000);
    gate.pass(BACKGROUND).await.unwrap().begin();
    let mut waits = Box::pin(gate.pass(BACKGROUND));
    assert!(waits.as_mut().now_or_never().is_none());
    gate.block("locked");
    assert_eq!(waits.await.unwrap_err(), Blocked("locked".into()));
    assert!(gate.pass(Ask::interactive()).await.is_ok());
    gate.unblock();
    assert_eq!(gate.blocked(), None);
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_everything_and_a_shorter_one_does_not_end_it() {
    let gate = gate(BucketKind::Concurrency, 5, 0);
    gate.pause_until(500);
    gate.pause_until(300);
    assert_eq!(gate.paused_until(), Some(500));
    let began = Instant::now();
    drop(gate.pass(Ask::interactive()).await.unwrap());
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(gate.paused_until(), None);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_no_longer_wanted_leaves_the_queue_when_the_gate_hears_of_it() {
    let gate = gate(BucketKind::Concurrency, 1, 0);
    let held = gate.pass(BACKGROUND).await.unwrap();
    let wanted = std::sync::atomic::AtomicBool::new(true);
    let unwanted = || (!wanted.load(Ordering::SeqCst)).then_some("the first was told to wait");
    let began = Instant::now();
    let waiting = join_all((0..50).map(|_| gate.pass_unless(BACKGROUND, unwanted)));
    let told = async {
        tokio::task::yield_now().await;
        wanted.store(false, Ordering::SeqCst);
        gate.pause_until(60_000);
    };
    let (away, ()) = tokio::join!(waiting, told);
    assert!(
        away.into_iter()
            .all(|passed| passed.unwrap_err() == Away::Unwanted("the first was told to wait"))
    );
    assert_eq!(began.elapsed(), Duration::ZERO, "nobody waits for the end of the pause");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_call_tells_what_is_left() {
    let gate = gate(BucketKind::Window, 10, 60_000);
    let mut pass = gate.pass(BACKGROUND).await.unwrap();
    pass.begin();
    pass.observe(&[Observation {
        bucket: "only".into(),
        remaining: Some(2),
        ..Observation::default()
    }]);
    drop(pass);
    gate.pass(BACKGROUND).now_or_never().unwrap().unwrap().begin();
    assert!(
        gate.pass(BACKGROUND).now_or_never().is_none(),
        "the last one is for people"
    );
    assert!(gate.pass(Ask::interactive()).now_or_never().is_some());
}
