//! A sliding window: no stretch of its length ever holds more than was let in knowingly.

use std::collections::VecDeque;

/// Up to this amount every moment is remembered; beyond it, sub-windows are. 256 moments take 4 KiB.
const EXACT: u64 = 256;
/// Into how many sub-windows a large window is cut. What begins in one counts until the end of the sub-window has left the
/// window: at most a 256th of the window too long.
const CUTS: i64 = 256;

/// Points that were let in, by the moment at which they began.
///
/// Moments are rounded up to a grain; with a grain of 1 ms nothing is rounded.
#[derive(Debug, Clone)]
pub(super) struct Window {
    length_ms: i64,
    grain_ms: i64,
    /// The last millisecond of the grain, and the points of the grain; by rising moment.
    begun: VecDeque<(i64, u64)>,
    held: u64,
}

impl Window {
    /// A window of `amount` points in any `length_ms`.
    pub(super) fn new(amount: u64, length_ms: i64) -> Self {
        let length_ms = length_ms.max(1);
        let grain_ms = if amount <= EXACT {
            1
        } else {
            (length_ms + CUTS - 1) / CUTS
        };
        Self {
            length_ms,
            grain_ms,
            begun: VecDeque::new(),
            held: 0,
        }
    }

    fn grain_end(&self, at_ms: i64) -> i64 {
        (at_ms.div_euclid(self.grain_ms) + 1) * self.grain_ms - 1
    }

    fn expire(&mut self, now_ms: i64) {
        while let Some((_, points)) = self.begun.pop_front_if(|(at, _)| *at + self.length_ms <= now_ms) {
            self.held -= points;
        }
    }

    /// The points that count now.
    pub(super) fn held(&mut self, now_ms: i64) -> u64 {
        self.expire(now_ms);
        self.held
    }

    /// The points that began less than `length_ms` ago beyond doubt.
    pub(super) fn surely_held(&mut self, length_ms: i64, now_ms: i64) -> u64 {
        self.expire(now_ms);
        let first_sure = now_ms - length_ms + self.grain_ms - 1;
        let unsure = self.begun.iter().take_while(|(end, _)| *end <= first_sure);
        self.held - unsure.map(|(_, points)| points).sum::<u64>()
    }

    /// When `points` of those that count have left. All of them at the latest.
    pub(super) fn frees_at(&self, points: u64, now_ms: i64) -> i64 {
        let mut gone = 0;
        let mut free_ms = now_ms;
        for (at, held) in &self.begun {
            if gone >= points {
                break;
            }
            gone += held;
            free_ms = free_ms.max(at + self.length_ms);
        }
        free_ms
    }

    /// Lets `points` in.
    pub(super) fn add(&mut self, points: u64, now_ms: i64) {
        // A clock that went back must not make entries leave out of turn.
        let at = self
            .grain_end(now_ms)
            .max(self.begun.back().map_or(i64::MIN, |(at, _)| *at));
        self.held += points;
        match self.begun.back_mut() {
            Some((last, held)) if *last == at => *held += points,
            _ => self.begun.push_back((at, points)),
        }
    }

    /// What began at `at_ms` took `points` more or less than was thought. Nothing when it has left already.
    pub(super) fn correct(&mut self, at_ms: i64, points: i64) {
        let at = self.grain_end(at_ms);
        let index = self.begun.partition_point(|(end, _)| *end < at);
        if let Some((_, held)) = self.begun.get_mut(index).filter(|(end, _)| *end == at) {
            let corrected = held.saturating_add_signed(points);
            self.held = self.held - *held + corrected;
            *held = corrected;
        }
    }

    /// Takes over what another window of the same calls holds.
    pub(super) fn refill(&mut self, other: &Self) {
        for (at, points) in &other.begun {
            self.add(*points, *at);
        }
    }

    /// For how long what was let in counts at most, in milliseconds.
    pub(super) fn span_ms(&self) -> i64 {
        self.length_ms + self.grain_ms - 1
    }

    /// How long it is, in milliseconds.
    pub(super) fn length_ms(&self) -> i64 {
        self.length_ms
    }

    /// How many entries it keeps in memory.
    #[cfg(test)]
    fn entries(&self) -> usize {
        self.begun.capacity()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_225_000_calls_takes_less_than_9_kib() {
        let day = 24 * 60 * 60 * 1000;
        let mut window = Window::new(225_000, day);
        let mut let_in = 0;
        for step in 0..225_000 {
            let now_ms = step * 700;
            if window.held(now_ms) < 225_000 {
                window.add(1, now_ms);
                let_in += 1;
            }
        }
        assert_eq!(let_in, 225_000);
        assert!(window.entries() <= 512, "{}", window.entries());
        assert!(window.entries() * size_of::<(i64, u64)>() <= 9 * 1024);
    }

    #[test]
    fn what_began_counts_for_the_whole_length_and_at_most_a_grain_longer() {
        for amount in [5, 5_000] {
            let mut window = Window::new(amount, 10_000);
            window.add(3, 1_234);
            assert_eq!(window.held(11_233), 3);
            assert!(window.frees_at(1, 2_000) <= 11_234 + window.grain_ms);
            assert_eq!(window.held(11_234 + window.grain_ms), 0, "{amount}");
        }
    }

    #[test]
    fn a_corrected_cost_counts_and_one_that_has_left_does_not() {
        let mut window = Window::new(100, 1_000);
        window.add(10, 0);
        window.add(10, 5);
        window.correct(0, -7);
        window.correct(5, 20);
        assert_eq!(window.held(10), 33);
        assert_eq!(window.held(1_000), 30);
        window.correct(0, 50);
        assert_eq!((window.held(1_004), window.held(1_005)), (30, 0));
    }
}
