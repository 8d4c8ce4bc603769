//! Calls at the same time.

/// The calls that are under way, by the moment at which they began.
#[derive(Debug, Clone, Default)]
pub(super) struct Slots {
    begun: Vec<i64>,
}

impl Slots {
    /// How many have been under way for at least `age_ms`.
    pub(super) fn held(&self, age_ms: i64, now_ms: i64) -> u64 {
        let old = self
            .begun
            .iter()
            .filter(|at| age_ms == 0 || **at <= now_ms.saturating_sub(age_ms));
        old.count() as u64
    }

    /// A call begins.
    pub(super) fn add(&mut self, now_ms: i64) {
        self.begun.push(now_ms);
    }

    /// A call that began at `at_ms` has ended.
    pub(super) fn remove(&mut self, at_ms: i64) {
        if let Some(index) = self.begun.iter().position(|at| *at == at_ms) {
            self.begun.swap_remove(index);
        }
    }
}
