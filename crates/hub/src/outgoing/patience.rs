//! When an endpoint is switched off: not for a failure, nor for an outage of a night, but when nobody has taken anything for days.

/// What is known of an endpoint's deliveries. Moments are Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Silence {
    /// When it was last changed or switched on.
    pub changed_ms: i64,
    /// When the last message was taken.
    pub last_taken_ms: Option<i64>,
    /// When the oldest message was accepted that waits or was given up since then.
    pub oldest_refused_ms: Option<i64>,
}

impl Silence {
    /// Messages that were accepted before this moment say nothing: something was taken, or changed, after them.
    pub fn counts_from_ms(&self) -> i64 {
        self.changed_ms.max(self.last_taken_ms.unwrap_or(i64::MIN))
    }

    /// Since when nobody has taken anything, when that is longer than `limit_ms`; a limit of 0 is never reached.
    pub fn too_long_since(&self, limit_ms: i64, now_ms: i64) -> Option<i64> {
        let since = self.oldest_refused_ms.filter(|_| limit_ms > 0)?;
        let since = since.max(self.counts_from_ms());
        (now_ms.saturating_sub(since) >= limit_ms).then_some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_days_without_a_single_message_taken_switch_an_endpoint_off() {
        const DAY: i64 = 86_400_000;
        let now = 100 * DAY;
        let silence = |changed, last_taken_ms, oldest_refused_ms| Silence {
            changed_ms: changed,
            last_taken_ms,
            oldest_refused_ms,
        };
        for (silence, since) in [
            // Nothing to be told: nobody is silent.
            (silence(DAY, None, None), None),
            (silence(DAY, None, Some(96 * DAY)), None),
            (silence(DAY, None, Some(95 * DAY)), Some(95 * DAY)),
            // A message was taken since.
            (silence(DAY, Some(99 * DAY), Some(90 * DAY)), None),
            // It was switched on again yesterday, and what waited from before is tried anew.
            (silence(99 * DAY, Some(50 * DAY), Some(90 * DAY)), None),
            (silence(94 * DAY, Some(50 * DAY), Some(90 * DAY)), Some(94 * DAY)),
        ] {
            assert_eq!(silence.too_long_since(5 * DAY, now), since, "{silence:?}");
            assert_eq!(silence.too_long_since(0, now), None);
        }
    }
}
