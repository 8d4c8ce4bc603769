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
        self.forget(now_ms);
        if self.used >= self.limit {
            let oldest = self.slots.front().map_or(now_ms, |(slot, _)| slot * self.slot_ms);
            return Err((oldest + self.span_ms - now_ms).max(1));
        }
        let slot = now_ms.div_euclid(self.slot_ms);
        match self.slots.back_mut() {
            Some((last, count)) if *last >= slot => *count += 1,
            _ => self.slots.push_back((slot, 1)),
        }
        self.used += 1;
        Ok(())
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
    fn many_calls_of_one_slot_take_one_entry() {
        let mut rolling = Rolling::new(1_000_000, 86_400_000, 3_600_000);
        for second in 0..10_000 {
            assert_eq!(rolling.take(second * 1_000), Ok(()));
        }
        assert_eq!((rolling.used(10_000_000), rolling.slots.len()), (10_000, 3));
    }
}
