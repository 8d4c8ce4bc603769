//! The pace that a vendor allows: sliding windows, and pauses that its answers ask for.

use std::collections::VecDeque;

/// At most `amount` calls begin within any `window_ms`.
#[derive(Debug, Clone)]
struct SlidingWindow {
    amount: usize,
    window_ms: i64,
    begun: VecDeque<i64>,
}

impl SlidingWindow {
    /// From when on a call may begin.
    fn free_at(&mut self, now_ms: i64) -> i64 {
        while self.begun.front().is_some_and(|begun| begun + self.window_ms <= now_ms) {
            self.begun.pop_front();
        }
        match self.begun.len().checked_sub(self.amount) {
            None => now_ms,
            Some(over) => self.begun.get(over).map_or(now_ms, |begun| begun + self.window_ms),
        }
    }
}

/// Several windows that must all have room, and a pause.
#[derive(Debug, Clone, Default)]
pub struct Limiter {
    windows: Vec<SlidingWindow>,
    paused_until_ms: i64,
}

impl Limiter {
    /// Windows as (calls, milliseconds). A window that allows nothing is taken to allow one call.
    pub fn new(windows: impl IntoIterator<Item = (usize, i64)>) -> Self {
        let windows = windows
            .into_iter()
            .map(|(amount, window_ms)| SlidingWindow {
                amount: amount.max(1),
                window_ms,
                begun: VecDeque::new(),
            })
            .collect();
        Self {
            windows,
            paused_until_ms: 0,
        }
    }

    /// Takes the right to begin one call now.
    ///
    /// # Errors
    /// The moment (Unix milliseconds) before which it is useless to ask again.
    pub fn take(&mut self, now_ms: i64) -> Result<(), i64> {
        let free = self
            .windows
            .iter_mut()
            .map(|window| window.free_at(now_ms))
            .max()
            .unwrap_or(now_ms);
        let free = free.max(self.paused_until_ms);
        if free > now_ms {
            return Err(free);
        }
        for window in &mut self.windows {
            window.begun.push_back(now_ms);
        }
        Ok(())
    }

    /// Nothing begins before this moment; a shorter pause never ends a longer one.
    pub fn pause_until(&mut self, until_ms: i64) {
        self.paused_until_ms = self.paused_until_ms.max(until_ms);
    }

    /// The end of the pause, when there is one.
    pub fn paused_until(&self, now_ms: i64) -> Option<i64> {
        (self.paused_until_ms > now_ms).then_some(self.paused_until_ms)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pause_holds_everything_and_ends() {
        let mut limiter = Limiter::new([]);
        limiter.pause_until(500);
        limiter.pause_until(300);
        assert_eq!(limiter.take(100), Err(500));
        assert_eq!(limiter.take(500), Ok(()));
    }

    proptest! {
        #[test]
        fn no_schedule_exceeds_any_window_and_a_backlog_uses_them_fully(
            windows in prop::collection::vec((1usize..20, 1i64..2_000), 1..4),
            gaps in prop::collection::vec(0i64..50, 50..200),
        ) {
            let mut limiter = Limiter::new(windows.clone());
            let mut now = 1_000_000;
            let mut begun: Vec<i64> = Vec::new();
            for gap in gaps {
                now += gap;
                match limiter.take(now) {
                    Ok(()) => {}
                    Err(free) => {
                        prop_assert!(free > now);
                        // The moment that it names is not too late: just before it a window is still full.
                        let full_before = windows.iter().any(|(amount, length)| {
                            begun.iter().filter(|at| **at + length > free - 1).count() >= *amount
                        });
                        prop_assert!(full_before);
                        now = free;
                        prop_assert_eq!(limiter.take(now), Ok(()));
                    }
                }
                begun.push(now);
            }
            for (amount, length) in windows {
                for start in &begun {
                    let inside = begun.iter().filter(|at| (*start..start + length).contains(*at)).count();
                    prop_assert!(inside <= amount);
                }
            }
        }
    }
}
