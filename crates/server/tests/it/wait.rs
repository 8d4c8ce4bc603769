//! The one place where tests wait for an outcome.
//!
//! The hub is another process, which tells nobody when a delivery is settled; so the API is asked again and again until it
//! shows what is expected. A test never waits for a time, only for an outcome, with a deadline that a healthy hub never
//! comes near.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

const ASK: Duration = Duration::from_millis(20);
const DEADLINE: Duration = Duration::from_secs(90);

/// Asks until there is an answer.
pub async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    let mut tick = interval(ASK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(
            Instant::now() < end,
            "still waiting for this after {DEADLINE:?}: {what}"
        );
    }
}
