//! When things happen in a measurement: waits, and moments at a fixed rate.

use std::{
    ops::AsyncFnMut,
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

/// Lets time pass; a measurement lasts as long as it was asked to.
pub async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Asks until there is an answer, or until `ask` has said nothing new for so long. `ask` answers `Err` with a number that
/// grows while there is progress.
pub async fn until<T>(patience: Duration, step: Duration, mut ask: impl AsyncFnMut() -> Result<T, u64>) -> Option<T> {
    let mut progress = (0, Instant::now());
    loop {
        match ask().await {
            Ok(answer) => return Some(answer),
            Err(reached) if reached > progress.0 => progress = (reached, Instant::now()),
            Err(_) if progress.1.elapsed() > patience => return None,
            Err(_) => {}
        }
        pause(step).await;
    }
}

/// Calls `tell` at a fixed rate with the moment that was due, until the other end of `stop` is gone or `tell` says `false`. It
/// runs in a thread of its own: timers of the asynchronous runtime are exact to a millisecond only, which is as long as what is
/// measured.
pub fn at_rate(per_second: f64, stop: &Receiver<()>, mut tell: impl FnMut(Instant) -> bool) {
    let begun = Instant::now();
    for number in 0_u64.. {
        let due = begun + Duration::from_secs_f64(number as f64 / per_second);
        let wait = due.saturating_duration_since(Instant::now());
        if stop.recv_timeout(wait) != Err(RecvTimeoutError::Timeout) || !tell(due) {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn moments_are_as_far_apart_as_the_rate_says() {
        let (_going, stop) = mpsc::channel();
        let mut moments = Vec::new();
        at_rate(1000.0, &stop, |due| {
            moments.push(due);
            moments.len() < 4
        });
        let apart: Vec<_> = moments.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert_eq!(apart, [Duration::from_millis(1); 3]);
    }

    #[test]
    fn nothing_is_told_once_it_is_stopped() {
        let (going, stop) = mpsc::channel();
        drop(going);
        at_rate(1.0, &stop, |_| panic!("stopped"));
    }

    #[tokio::test]
    async fn waiting_ends_when_there_is_no_progress() {
        let mut left = 3;
        let counted = until(Duration::ZERO, Duration::ZERO, async || {
            left -= 1;
            if left == 0 { Ok("done") } else { Err(3 - left) }
        });
        assert_eq!(counted.await, Some("done"));
        let stuck = until(Duration::ZERO, Duration::ZERO, async || Err::<(), _>(1));
        assert_eq!(stuck.await, None);
    }
}
