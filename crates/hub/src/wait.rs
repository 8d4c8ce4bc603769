//! How tests wait for what others do: a task, a session, another transaction. They wait for an outcome, never for a time.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// Asking without a pause would take the processor from those who are waited for.
const ASK: Duration = Duration::from_millis(2);
/// A healthy hub never comes near this.
pub const DEADLINE: Duration = Duration::from_secs(90);

/// Asks again and again until there is an answer; `None` when there is none at the deadline.
pub async fn answer<T>(mut ask: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let asking = async {
        let mut tick = interval(ASK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    timeout(DEADLINE, asking).await.ok()
}

/// Asks until there is an answer, or the test has failed.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> T {
    let answer = answer(ask).await;
    answer.unwrap_or_else(|| panic!("still waiting for this after {DEADLINE:?}: {what}"))
}
