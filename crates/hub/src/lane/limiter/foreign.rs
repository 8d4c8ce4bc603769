//! What others spend of the same allowance, as far as the vendor's answers tell.

/// For how long the vendor's word is taken without asking anew: long enough not to trouble it, short enough to notice that
/// there is room again, in milliseconds.
const TRUST_MS: i64 = 15 * 60 * 1000;
/// A smaller figure replaces a larger one only after this time, in milliseconds, or a tenth of the window: the vendor does
/// not yet count those of our calls that are on their way, so that single answers tell too little.
const SETTLE_MS: i64 = 5_000;

/// A level, and until when it is believed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Foreign {
    points: u64,
    seen_ms: i64,
    until_ms: i64,
    /// It ended because it was old, not because the window or day ended.
    is_stale: bool,
}

impl Foreign {
    /// What others have spent now.
    pub(super) fn points(&self, now_ms: i64) -> u64 {
        if self.until_ms > now_ms { self.points } else { 0 }
    }

    /// When the level is believed no longer.
    pub(super) fn until_ms(&self) -> i64 {
        self.until_ms
    }

    /// An answer told that others have spent `points`, which count until `ends_ms` at the latest.
    pub(super) fn note(&mut self, points: u64, ends_ms: i64, length_ms: i64, now_ms: i64) {
        let settle = SETTLE_MS.min(length_ms / 10);
        let stays = points < self.points(now_ms) && now_ms - self.seen_ms < settle;
        let trusted_ms = now_ms.saturating_add(TRUST_MS);
        *self = Self {
            points: if stays { self.points } else { points },
            seen_ms: if stays { self.seen_ms } else { now_ms },
            until_ms: ends_ms.min(trusted_ms),
            is_stale: ends_ms > trusted_ms,
        };
    }

    /// A call was let in that leaves others `rest` of what it did not take. When the level had grown old, this call asks the
    /// vendor anew, alone: for the others the level holds on.
    pub(super) fn ask_anew(&mut self, rest: u64, now_ms: i64) {
        if self.is_stale && self.points > 0 && self.until_ms <= now_ms {
            self.points = self.points.min(rest);
            self.until_ms = now_ms.saturating_add(TRUST_MS);
        }
    }
}
