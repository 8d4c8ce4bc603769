//! A flight's leave of the circuit of its connection.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::circuit::{Circuit, Halt, Refusal, Start};
use crate::clock::Clock;

/// The leave to begin, held while it lasts. The circuit is told what the calls meet; when it was told nothing by the time the leave is
/// dropped, however that comes about, the next one may look.
#[derive(Debug)]
pub struct Leave {
    circuit: Arc<Mutex<Circuit>>,
    clock: Arc<dyn Clock>,
    start: Start,
    recalled: watch::Receiver<bool>,
    told: AtomicBool,
}

impl Leave {
    /// Holds what [`Circuit::may_start`] gave, until `recalled` becomes true.
    pub fn new(
        circuit: &Arc<Mutex<Circuit>>,
        clock: &Arc<dyn Clock>,
        start: Start,
        recalled: &watch::Receiver<bool>,
    ) -> Self {
        Self {
            circuit: Arc::clone(circuit),
            clock: Arc::clone(clock),
            start,
            recalled: recalled.clone(),
            told: AtomicBool::new(false),
        }
    }

    /// See [`Circuit::succeeded`].
    pub fn succeeded(&self) {
        self.tell(|circuit, start| circuit.succeeded(start));
    }

    /// See [`Circuit::failed`].
    pub fn failed(&self, now_ms: i64) {
        self.tell(|circuit, start| circuit.failed(start, now_ms));
    }

    /// See [`Circuit::throttled`].
    pub fn throttled(&self, now_ms: i64, after_ms: u64) {
        self.tell(|circuit, start| circuit.throttled(start, now_ms, after_ms));
    }

    /// The vendor answered, and refuses what only a person can mend. See [`Circuit::refused`].
    pub fn refused(&self, refusal: Refusal) {
        self.tell(|circuit, start| {
            circuit.succeeded(start);
            circuit.refused(refusal);
        });
    }

    /// See [`Circuit::halts`].
    pub fn halts(&self) -> Option<Halt> {
        self.circuit.lock().halts(self.start, self.clock.now_ms())
    }

    /// Becomes true when the lane ends: no further call is to be begun.
    pub fn recalled(&self) -> &watch::Receiver<bool> {
        &self.recalled
    }

    fn tell(&self, what: impl FnOnce(&mut Circuit, Start)) {
        self.told.store(true, Ordering::Relaxed);
        what(&mut self.circuit.lock(), self.start);
    }
}

impl Drop for Leave {
    fn drop(&mut self) {
        if !*self.told.get_mut() {
            let now_ms = self.clock.now_ms();
            self.circuit.lock().abandoned(self.start, now_ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::{
        clock::ManualClock,
        lane::circuit::{Permit, Settings},
    };

    /// An open circuit that is to be looked at now, and its clock.
    fn open() -> (Arc<Mutex<Circuit>>, Arc<dyn Clock>) {
        let settings = Settings {
            failures: 1,
            ..Settings::default()
        };
        let mut circuit = Circuit::new(settings);
        let Permit::Free(start) = circuit.may_start(0) else {
            panic!("a new circuit is closed");
        };
        circuit.failed(start, 0);
        (Arc::new(Mutex::new(circuit)), Arc::new(ManualClock::at(60_000)))
    }

    fn probe(circuit: &Arc<Mutex<Circuit>>, clock: &Arc<dyn Clock>) -> Option<Leave> {
        match circuit.lock().may_start(clock.now_ms()) {
            Permit::Probe(start) => {
                let (_lane, recalled) = watch::channel(false);
                Some(Leave::new(circuit, clock, start, &recalled))
            }
            _ => None,
        }
    }

    #[test]
    fn a_probe_that_breaks_down_lets_the_next_one_look() {
        let (circuit, clock) = open();
        let leave = probe(&circuit, &clock).unwrap();
        let broken = catch_unwind(AssertUnwindSafe(move || {
            let _leave = leave;
            panic!("in the middle of a flight");
        }));
        assert!(broken.is_err());
        assert!(probe(&circuit, &clock).is_some(), "the circuit waits for nobody");
    }

    #[test]
    fn what_a_probe_has_told_is_not_taken_back_when_it_ends() {
        let (circuit, clock) = open();
        let leave = probe(&circuit, &clock).unwrap();
        leave.failed(clock.now_ms());
        drop(leave);
        assert!(probe(&circuit, &clock).is_none(), "it has failed a moment ago");
    }
}
