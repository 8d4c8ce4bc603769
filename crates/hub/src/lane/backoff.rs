//! How long to wait before a failed delivery is tried again.

use serde::Deserialize;

/// The schedule: `base · 2^(n−1)`, at most `cap`, each wait shortened by up to a half so that what failed together does not return together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Schedule {
    /// Milliseconds before the second try.
    pub base_ms: u64,
    /// No wait is longer than this, in milliseconds.
    pub cap_ms: u64,
    /// After so many failed tries the delivery is given up.
    pub attempts: u32,
}

impl Default for Schedule {
    /// 1 s, 2 s, 4 s … up to 15 minutes, 14 tries: about an hour.
    fn default() -> Self {
        Self {
            base_ms: 1_000,
            cap_ms: 900_000,
            attempts: 14,
        }
    }
}

/// When a failed delivery is tried again: as the hub has it, or as its connection says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience<'a> {
    /// The hub's schedule.
    Usual(Schedule),
    /// The waits in milliseconds after the first, second … failed try. Each is shortened by up to a fifth.
    Waits(&'a [u64]),
}

impl Patience<'_> {
    /// The wait after the `failed`-th failure (1, 2, …), or `None` when it was the last; see [`Schedule::wait_ms`].
    pub fn wait_ms(self, failed: u32, seed: u64) -> Option<u64> {
        match self {
            Self::Usual(schedule) => schedule.wait_ms(failed, seed),
            Self::Waits(waits) => {
                let full = *waits.get(usize::try_from(failed.saturating_sub(1)).ok()?)?;
                Some(full - jitter(full / 5, failed, seed))
            }
        }
    }

    /// The longest wait, in milliseconds.
    pub fn cap_ms(self) -> u64 {
        match self {
            Self::Usual(schedule) => schedule.cap_ms,
            Self::Waits(waits) => waits.iter().copied().max().unwrap_or_default(),
        }
    }
}

impl Schedule {
    /// The wait after the `failed`-th failure (1, 2, …), or `None` when it was the last. `seed` decides the jitter: the same seed and count give
    /// the same wait.
    pub fn wait_ms(&self, failed: u32, seed: u64) -> Option<u64> {
        if failed >= self.attempts {
            return None;
        }
        let doublings = failed.saturating_sub(1).min(40);
        let full = self.base_ms.saturating_mul(1 << doublings).min(self.cap_ms);
        Some(full - jitter(full / 2, failed, seed))
    }
}

/// Some number up to `spread`.
fn jitter(spread: u64, failed: u32, seed: u64) -> u64 {
    match spread {
        0 => 0,
        _ => mix(seed ^ u64::from(failed)) % (spread + 1),
    }
}

/// A well-spread 64-bit permutation (the finaliser of SplitMix64).
fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_waits_one_two_four_seconds_up_to_jitter() {
        let schedule = Schedule::default();
        for (failed, full) in [(1, 1_000), (2, 2_000), (3, 4_000), (10, 512_000), (13, 900_000)] {
            let wait = schedule.wait_ms(failed, 42).unwrap();
            assert!((full / 2..=full).contains(&wait), "{failed}: {wait}");
        }
        assert_eq!(schedule.wait_ms(14, 42), None);
    }

    #[test]
    fn a_table_of_waits_is_gone_through_once() {
        let waits = [0, 5_000, 86_400_000];
        let patience = Patience::Waits(&waits);
        assert_eq!(patience.wait_ms(1, 7), Some(0));
        for (failed, full) in [(2, 5_000), (3, 86_400_000)] {
            let wait = patience.wait_ms(failed, 7).unwrap();
            assert!((full / 5 * 4..=full).contains(&wait), "{failed}: {wait}");
        }
        assert_eq!(patience.wait_ms(4, 7), None);
        assert_eq!(patience.cap_ms(), 86_400_000);
    }

    proptest! {
        #[test]
        fn no_wait_is_over_the_cap_or_under_half_of_the_schedule(
            base in 0u64..100_000, cap in 0u64..10_000_000, failed in 0u32..2_000, seed: u64
        ) {
            let schedule = Schedule { base_ms: base, cap_ms: cap, attempts: u32::MAX };
            let wait = schedule.wait_ms(failed, seed).unwrap();
            let full = base.saturating_mul(1 << failed.saturating_sub(1).min(40)).min(cap);
            prop_assert!(wait <= cap && wait <= full && wait >= full - full / 2);
        }
    }
}
