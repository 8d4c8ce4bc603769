//! What is known of each message of a run: when it should have been sent, when it was accepted, when it arrived, how often. All
//! figures are read from here when a run is over, so that nothing but four numbers is written while it lasts.

use std::{
    ops::Range,
    sync::{
        OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use super::latency::Latencies;

const CHUNK: u64 = 1 << 16;
const CHUNKS: usize = 1 << 12;
/// Most messages of one run.
pub const MOST: u64 = CHUNK * CHUNKS as u64;

/// One message. Times are microseconds since the run began, plus one; 0 says that it has not happened.
#[derive(Debug, Default)]
struct Entry {
    sent: AtomicU64,
    accepted: AtomicU64,
    arrived: AtomicU64,
    arrivals: AtomicU32,
}

/// The messages of one run.
#[derive(Debug)]
pub struct Ledger {
    run: u32,
    begun: Instant,
    next: AtomicU64,
    accepted: AtomicU64,
    arrived: AtomicU64,
    chunks: Box<[OnceLock<Box<[Entry]>>]>,
}

/// What became of the messages of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    /// Accepted.
    pub accepted: u64,
    /// Accepted, and never arrived.
    pub lost: u64,
    /// Arrived more than once.
    pub doubled: u64,
    /// Not answered, and arrived all the same, which is right.
    pub in_doubt: u64,
}

/// Durations of a range of messages.
#[derive(Debug, Clone, Default)]
pub struct Times {
    /// From the moment when a message should have been sent to the answer that accepted it.
    pub accept: Latencies,
    /// From that answer to the arrival; zero when it arrived before the answer was read.
    pub deliver: Latencies,
    /// From the moment when it should have been sent to the arrival.
    pub whole: Latencies,
}

impl Ledger {
    /// An empty ledger. `run` marks its messages among those of other runs.
    pub fn new(run: u32) -> Self {
        Self {
            run,
            begun: Instant::now(),
            next: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            arrived: AtomicU64::new(0),
            chunks: (0..CHUNKS).map(|_| OnceLock::new()).collect(),
        }
    }

    /// What marks its messages.
    pub fn run(&self) -> u32 {
        self.run
    }

    /// Takes up to `count` fresh numbers below `limit`; none are left when the range is empty.
    pub fn take(&self, count: u64, limit: u64) -> Range<u64> {
        let limit = limit.min(MOST);
        let start = self.next.fetch_add(count, Relaxed).min(limit);
        start..(start + count).min(limit)
    }

    /// The numbers that were taken so far.
    pub fn taken(&self) -> u64 {
        self.next.load(Relaxed).min(MOST)
    }

    /// How many were accepted so far.
    pub fn accepted_so_far(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// How many have arrived so far, each counted once.
    pub fn arrived_so_far(&self) -> u64 {
        self.arrived.load(Relaxed)
    }

    /// This message should be sent at this moment.
    pub fn sent(&self, number: u64, at: Instant) {
        if let Some(entry) = self.entry(number) {
            entry.sent.store(self.stamp(at), Relaxed);
        }
    }

    /// The answer to this message said that it is accepted.
    pub fn accepted(&self, number: u64, at: Instant) {
        if let Some(entry) = self.entry(number) {
            entry.accepted.store(self.stamp(at), Relaxed);
            self.accepted.fetch_add(1, Relaxed);
        }
    }

    /// The receiver has this message and says so.
    pub fn arrived(&self, number: u64, at: Instant) {
        if let Some(entry) = self.entry(number)
            && entry.arrivals.fetch_add(1, Relaxed) == 0
        {
            entry.arrived.store(self.stamp(at), Relaxed);
            self.arrived.fetch_add(1, Relaxed);
        }
    }

    /// When this message arrived.
    pub fn arrival(&self, number: u64) -> Option<Instant> {
        let stamp = self.entry(number)?.arrived.load(Relaxed);
        Some(self.begun + Duration::from_micros(stamp.checked_sub(1)?))
    }

    /// The first arrival not before this moment.
    pub fn first_arrival_since(&self, since: Instant) -> Option<Instant> {
        (0..self.taken())
            .filter_map(|number| self.arrival(number))
            .filter(|at| *at >= since)
            .min()
    }

    /// What became of all messages.
    pub fn balance(&self) -> Balance {
        let mut balance = Balance::default();
        for entry in (0..self.taken()).filter_map(|number| self.entry(number)) {
            let accepted = entry.accepted.load(Relaxed) > 0;
            let arrivals = entry.arrivals.load(Relaxed);
            balance.accepted += u64::from(accepted);
            balance.lost += u64::from(accepted && arrivals == 0);
            balance.doubled += u64::from(arrivals > 1);
            balance.in_doubt += u64::from(!accepted && arrivals > 0);
        }
        balance
    }

    /// Durations of the messages with these numbers.
    pub fn times(&self, numbers: impl IntoIterator<Item = u64>) -> Times {
        let mut times = Times::default();
        let between = |from: u64, to: u64| Duration::from_micros(to.saturating_sub(from));
        for entry in numbers.into_iter().filter_map(|number| self.entry(number)) {
            let (sent, accepted) = (entry.sent.load(Relaxed), entry.accepted.load(Relaxed));
            let arrived = entry.arrived.load(Relaxed);
            if accepted == 0 {
                continue;
            }
            times.accept.record(between(sent, accepted));
            if arrived > 0 {
                times.deliver.record(between(accepted, arrived));
                times.whole.record(between(sent, arrived));
            }
        }
        times
    }

    fn entry(&self, number: u64) -> Option<&Entry> {
        let chunk = self.chunks.get(usize::try_from(number / CHUNK).ok()?)?;
        let chunk = chunk.get_or_init(|| (0..CHUNK).map(|_| Entry::default()).collect());
        chunk.get((number % CHUNK) as usize)
    }

    fn stamp(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.begun);
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX - 1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_balance_tells_lost_doubled_and_doubtful_messages_apart() {
        let ledger = Ledger::new(1);
        let now = Instant::now();
        assert_eq!(ledger.take(5, u64::MAX), 0..5);
        for accepted in 0..4 {
            ledger.accepted(accepted, now);
        }
        for arrived in [0, 1, 1, 4] {
            ledger.arrived(arrived, now);
        }
        let expected = Balance {
            accepted: 4,
            lost: 2,
            doubled: 1,
            in_doubt: 1,
        };
        assert_eq!(ledger.balance(), expected);
        assert_eq!((ledger.accepted_so_far(), ledger.arrived_so_far()), (4, 3));
    }

    #[test]
    fn numbers_end_at_the_limit() {
        let ledger = Ledger::new(1);
        assert_eq!(ledger.take(100, 150), 0..100);
        assert_eq!(ledger.take(100, 150), 100..150);
        assert!(ledger.take(100, 150).is_empty());
    }

    #[test]
    fn durations_count_from_the_moment_when_a_message_should_have_been_sent() {
        let ledger = Ledger::new(1);
        let begun = Instant::now();
        let after = |milliseconds| begun + Duration::from_millis(milliseconds);
        ledger.take(70_000, u64::MAX);
        ledger.sent(69_999, after(10));
        ledger.accepted(69_999, after(30));
        ledger.arrived(69_999, after(70));
        // Not accepted, and so without durations.
        ledger.sent(1, after(10));
        let times = ledger.times(0..70_000);
        let near = |latencies: &Latencies, expected: f64| {
            let found = latencies.quantile_ms(0.5).unwrap();
            assert!((found - expected).abs() < 0.5, "{found} {expected}");
            assert_eq!(latencies.count(), 1);
        };
        near(&times.accept, 20.0);
        near(&times.deliver, 40.0);
        near(&times.whole, 60.0);
        assert_eq!(ledger.arrival(1), None);
        assert!(ledger.first_arrival_since(after(69)).is_some() && ledger.first_arrival_since(after(80)).is_none());
    }
}
