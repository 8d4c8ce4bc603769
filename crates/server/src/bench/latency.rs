//! Many durations in few numbers.

use std::time::Duration;

use hdrhistogram::Histogram;

/// Longest duration that is told apart, in microseconds: an hour.
const LONGEST: u64 = 3_600_000_000;

/// Durations, counted in microseconds with three significant digits.
#[derive(Debug, Clone)]
pub struct Latencies(Option<Histogram<u64>>);

impl Default for Latencies {
    fn default() -> Self {
        // These bounds are fixed and valid; without a histogram there would be no figures, and nothing worse.
        Self(Histogram::new_with_bounds(1, LONGEST, 3).ok())
    }
}

impl Latencies {
    /// Counts one.
    pub fn record(&mut self, duration: Duration) {
        if let Some(histogram) = &mut self.0 {
            let microseconds = u64::try_from(duration.as_micros()).unwrap_or(LONGEST);
            histogram.saturating_record(microseconds.clamp(1, LONGEST));
        }
    }

    /// How many were counted.
    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Histogram::len)
    }

    /// The duration, in milliseconds, that this share of all (0 to 1) does not exceed; `None` when nothing was counted.
    pub fn quantile_ms(&self, share: f64) -> Option<f64> {
        let histogram = self.0.as_ref().filter(|histogram| !histogram.is_empty())?;
        Some(histogram.value_at_quantile(share) as f64 / 1000.0)
    }
}

/// The one in the middle; of two, the lower. `None` of nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// How far measurements of the same thing lie apart, as a share of their mean; 0 for fewer than two.
pub fn spread(values: &[f64]) -> f64 {
    let (least, most) = values.iter().fold((f64::INFINITY, 0.0_f64), |(least, most), value| {
        (least.min(*value), most.max(*value))
    });
    let mean = mean(values);
    if values.len() < 2 || mean <= 0.0 {
        0.0
    } else {
        (most - least) / mean
    }
}

/// The mean; 0 of nothing.
pub fn mean(values: &[f64]) -> f64 {
    if values.is_empty() {
        0.0
    } else {
        values.iter().sum::<f64>() / values.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_in_milliseconds() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantile_ms(0.5), None);
        for millisecond in 1..=1000 {
            latencies.record(Duration::from_millis(millisecond));
        }
        assert_eq!(latencies.count(), 1000);
        let near = |share: f64, expected: f64| {
            let found = latencies.quantile_ms(share).unwrap();
            assert!((found - expected).abs() / expected < 0.01, "{share}: {found}");
        };
        near(0.5, 500.0);
        near(0.99, 990.0);
        near(1.0, 1000.0);
    }

    #[test]
    fn what_is_out_of_bounds_counts_as_the_bound() {
        let mut latencies = Latencies::default();
        latencies.record(Duration::ZERO);
        latencies.record(Duration::from_secs(100_000));
        assert_eq!(latencies.count(), 2);
        assert!(latencies.quantile_ms(1.0).unwrap() > 3_000_000.0);
    }

    #[test]
    fn the_median_and_the_spread_of_few_values() {
        assert_eq!(median(&[]), None);
        assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(&[4.0, 1.0]), Some(1.0));
        assert_eq!(spread(&[90.0, 110.0]), 0.2);
        assert_eq!(spread(&[90.0]) + spread(&[]) + spread(&[0.0, 0.0]), 0.0);
    }
}
