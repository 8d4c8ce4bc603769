//! A token bucket: so much on average, and a burst after a rest.

/// What was spent and has not come back yet. Counted in points times `window_ms`, so that every millisecond gives back
/// `amount` whole units.
#[derive(Debug, Clone)]
pub(super) struct Token {
    amount: i64,
    window_ms: i64,
    spent: i64,
    at_ms: i64,
}

/// Keeps products of points and milliseconds far from the ends of 64 bits.
const MOST: u64 = 1 << 30;

impl Token {
    /// `amount` points come back in `window_ms`.
    pub(super) fn new(amount: u64, window_ms: i64) -> Self {
        Self {
            amount: signed(amount.max(1)),
            window_ms: window_ms.clamp(1, 1 << 32),
            spent: 0,
            at_ms: i64::MIN,
        }
    }

    /// What is spent at this moment; a clock that goes back gives nothing back.
    fn spent(&self, now_ms: i64) -> i64 {
        let passed = now_ms.saturating_sub(self.at_ms).max(0);
        (self.spent - passed.saturating_mul(self.amount)).max(0)
    }

    /// The points that are spent, rounded up.
    pub(super) fn held(&self, now_ms: i64) -> u64 {
        let spent = self.spent(now_ms);
        let whole = spent / self.window_ms + i64::from(spent % self.window_ms > 0);
        whole.cast_unsigned()
    }

    /// When `points` of those that are spent have come back.
    pub(super) fn frees_at(&self, points: u64, now_ms: i64) -> i64 {
        let left = signed(self.held(now_ms).saturating_sub(points)) * self.window_ms;
        let over = self.spent(now_ms) - left;
        now_ms + (over / self.amount + i64::from(over % self.amount > 0)).max(0)
    }

    /// Spends `points`.
    pub(super) fn add(&mut self, points: u64, now_ms: i64) {
        self.spent = self.spent(now_ms).saturating_add(signed(points) * self.window_ms);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// Spends as much as it takes for `points` to be spent.
    pub(super) fn raise_to(&mut self, points: u64, now_ms: i64) {
        self.spent = self.spent(now_ms).max(signed(points) * self.window_ms);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// A call that began at `at_ms` took `points` more or less than was thought. Of what it did not take, what has come back
    /// since then is not given back once more.
    pub(super) fn correct(&mut self, at_ms: i64, points: i64, now_ms: i64) {
        let wrong = points.saturating_mul(self.window_ms);
        let back = now_ms.saturating_sub(at_ms).max(0).saturating_mul(self.amount);
        let wrong = if wrong < 0 {
            wrong.saturating_add(back).min(0)
        } else {
            wrong
        };
        self.spent = self.spent(now_ms).saturating_add(wrong).max(0);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// Points per millisecond.
    pub(super) fn rate(&self) -> f64 {
        self.amount as f64 / self.window_ms as f64
    }
}

fn signed(points: u64) -> i64 {
    points.min(MOST).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_comes_back_evenly() {
        let mut bucket = Token::new(3, 1_000);
        bucket.add(10, 0);
        assert_eq!((bucket.held(0), bucket.held(1), bucket.held(334)), (10, 10, 9));
        assert_eq!(bucket.frees_at(1, 0), 334);
        assert_eq!(bucket.frees_at(10, 0), 3_334);
        assert_eq!((bucket.held(3_333), bucket.held(3_334)), (1, 0));
        bucket.raise_to(2, 10_000);
        bucket.correct(10_000, -1, 10_000);
        assert_eq!(bucket.held(10_000), 1);
    }
}
