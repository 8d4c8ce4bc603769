//! Waiting for what others do: a session that comes back, another transaction, a task that ends.

use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval, timeout};

/// Asking without a pause would take the processor from those who are waited for.
const ASK: Duration = Duration::from_millis(2);
/// A healthy store never comes near this.
pub(crate) const DEADLINE: Duration = Duration::from_secs(90);

/// Asks again and again until there is an answer.
pub(crate) async fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let asked = timeout(DEADLINE, async {
        let mut tick = interval(ASK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    });
    asked
        .await
        .unwrap_or_else(|_| panic!("still waiting for this after {DEADLINE:?}: {what}"))
}
