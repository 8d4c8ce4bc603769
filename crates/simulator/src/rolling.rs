//! Rate limits over a rolling span of time.

use std::collections::VecDeque;

/// At most so many calls within any span of this length. Time is counted in slots, so that a day of calls does not need a
/// day of entries; with a slot of one millisecond the count is exact.
#[derive(Debug, Clone)]
pub struct Rolling {
    limit: u64,
    span_ms: i64,
    slot_ms: i64,
    slots: VecDeque<(i64, u64)>,
    used: u64,
}

impl Rolling {
    /// At most `limit` calls per `span_ms`, counted in slots of `slot_ms` (at least 1).
    #[must_use]
    pub fn new(limit: u64, span_ms: i64, slot_ms: i64) -> Self {
        Self {
            limit,
            span_ms,
            slot_ms: slot_ms.max(1),
            slots: VecDeque::new(),
            used: 0,
        }
    }

    /// Counts one call.
    ///
    /// # Errors
    /// The milliseconds until a call is allowed again, at least 1; a refused call is not counted.
    pub fn take(&mut self, now_ms: i64) -> Result<(), i64> {
        self.take_many(now_ms, 1)
    }

    /// Counts a call that weighs as much as `cost` others. One that is heavier than the whole limit is allowed when the span
    /// is empty: it would never be otherwise.
    ///
    /// # Errors
    /// The milliseconds until it is allowed, at least 1; a refused call is not counted.
    pub fn take_many(&mut self, now_ms: i64, cost: u64) -> Result<(), i64> {
        self.forget(now_ms);
        let never_fits = cost > self.limit && self.limit > 0;
        if self.used.saturating_add(cost) > self.limit && !(never_fits && self.used == 0) {
            return Err((self.room_at(cost, now_ms) - now_ms).max(1));
        }
        let slot = now_ms.div_euclid(self.slot_ms);
        match self.slots.back_mut() {
            Some((last, count)) if *last >= slot => *count += cost,
            _ => self.slots.push_back((slot, cost)),
        }
        self.used += cost;
        Ok(())
    }

    /// Another limit and span from now on; what was counted stays counted.
    pub fn resize(&mut self, limit: u64, span_ms: i64) {
        self.limit = limit;
        self.span_ms = span_ms;
    }

    /// When enough of what was counted is forgotten that `cost` more fits.
    fn room_at(&self, cost: u64, now_ms: i64) -> i64 {
        let mut left = self.used;
        for (slot, count) in &self.slots {
            left = left.saturating_sub(*count);
            if left == 0 || left.saturating_add(cost) <= self.limit {
                return slot * self.slot_ms + self.span_ms;
            }
        }
        now_ms + self.span_ms
    }

    /// How many calls the span that ends now holds.
    pub fn used(&mut self, now_ms: i64) -> u64 {
        self.forget(now_ms);
        self.used
    }

    /// How many more calls are allowed now.
    pub fn remaining(&mut self, now_ms: i64) -> u64 {
        self.limit.saturating_sub(self.used(now_ms))
    }

    /// The most calls per span.
    #[must_use]
    pub fn limit(&self) -> u64 {
        self.limit
    }

    fn forget(&mut self, now_ms: i64) {
        while let Some((slot, count)) = self.slots.front()
            && slot * self.slot_ms + self.span_ms <= now_ms
        {
            self.used -= count;
            self.slots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_holds_in_every_span_and_says_how_long_to_wait() {
        let mut rolling = Rolling::new(2, 1_000, 1);
        assert_eq!(rolling.take(0), Ok(()));
        assert_eq!(rolling.take(400), Ok(()));
        assert_eq!(rolling.take(999), Err(1));
        assert_eq!(rolling.take(1_000), Ok(()));
        assert_eq!(rolling.take(1_001), Err(399));
        assert_eq!(rolling.remaining(1_400), 1);
        assert_eq!(rolling.used(5_000), 0);
    }

    #[test]
    fn a_heavy_call_waits_until_enough_is_forgotten() {
        let mut rolling = Rolling::new(10, 1_000, 1);
        assert_eq!(rolling.take_many(0, 4), Ok(()));
        assert_eq!(rolling.take_many(100, 4), Ok(()));
        assert_eq!(rolling.take_many(200, 3), Err(800));
        assert_eq!(rolling.take_many(200, 7), Err(900));
        assert_eq!(rolling.take_many(200, 99), Err(900));
        assert_eq!(rolling.take_many(1_100, 99), Ok(()));
        rolling.resize(100, 2_000);
        assert_eq!((rolling.remaining(3_099), rolling.remaining(3_100)), (1, 100));
        assert_eq!(Rolling::new(0, 1_000, 1).take(5), Err(1_000));
    }

    #[test]
    fn many_calls_of_one_slot_take_one_entry() {
        let mut rolling = Rolling::new(1_000_000, 86_400_000, 3_600_000);
        for second in 0..10_000 {
            assert_eq!(rolling.take(second * 1_000), Ok(()));
        }
        assert_eq!((rolling.used(10_000_000), rolling.slots.len()), (10_000, 3));
    }
}
