//! How many calls the flights of a lane may have under way.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use super::inbox::Inbox;

/// The calls that the flights of a lane may have under way.
#[derive(Debug, Default)]
pub(super) struct Calls(Arc<AtomicUsize>);

impl Calls {
    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    /// A flight begins that makes so many at the same time. The lane of `inbox` hears when it needs less.
    pub(super) fn begin(&self, count: usize, inbox: &Arc<Inbox>) -> Seats {
        self.0.fetch_add(count, Ordering::Relaxed);
        Seats {
            taken: Arc::clone(&self.0),
            own: AtomicUsize::new(count),
            inbox: Arc::clone(inbox),
        }
    }
}

/// Those of one flight. A flight that is gone, however that came about, has none.
#[derive(Debug)]
pub struct Seats {
    taken: Arc<AtomicUsize>,
    own: AtomicUsize,
    inbox: Arc<Inbox>,
}

impl Seats {
    /// So many of its calls are over while others are still under way: one that takes its time holds no other's place.
    pub fn free(&self, count: usize) {
        let own = self.own.load(Ordering::Relaxed);
        // One stays until the flight has landed: that is what the lane waits for.
        let freed = count.min(own.saturating_sub(1));
        if freed > 0 {
            self.own.store(own - freed, Ordering::Relaxed);
            self.taken.fetch_sub(freed, Ordering::Relaxed);
            self.inbox.wake();
        }
    }
}

impl Drop for Seats {
    fn drop(&mut self) {
        self.taken.fetch_sub(*self.own.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_flight_that_breaks_down_leaves_no_seat_taken() {
        let (calls, inbox) = (Calls::default(), Arc::default());
        let (kept, lost) = (calls.begin(3, &inbox), calls.begin(8, &inbox));
        assert_eq!(calls.count(), 11);
        let broken = catch_unwind(AssertUnwindSafe(move || {
            let _lost = lost;
            panic!("in the middle of a flight");
        }));
        assert!(broken.is_err());
        assert_eq!(calls.count(), 3);
        drop(kept);
        assert_eq!(calls.count(), 0);
    }

    #[test]
    fn a_slow_call_keeps_one_seat_and_the_lane_hears_of_the_others() {
        let (calls, inbox) = (Calls::default(), Arc::default());
        let seats = calls.begin(8, &inbox);
        assert!(inbox.letter().now_or_never().is_none());
        seats.free(5);
        assert_eq!(calls.count(), 3);
        assert!(inbox.letter().now_or_never().is_some());
        seats.free(5);
        assert_eq!(calls.count(), 1);
        drop(seats);
        assert_eq!(calls.count(), 0);
    }
}
