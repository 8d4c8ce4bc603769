//! The gates of all vendor accounts on this node.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use switchboard_connect::{connector::AccountId, limit::Limits};

use super::gate::Gate;
use crate::clock::Clock;

/// One gate for each account, however many connections there are to it. Cheap to clone; clones share the gates.
#[derive(Debug, Clone)]
pub struct Gates {
    gates: Arc<Mutex<HashMap<AccountId, Weak<Gate>>>>,
    clock: Arc<dyn Clock>,
    adopts: bool,
}

impl Gates {
    /// No gates yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            gates: Arc::default(),
            clock,
            adopts: true,
        }
    }

    /// The same gates for connections that are only tried out: the limits that they ask for change nothing for others.
    pub fn for_trial(&self) -> Self {
        Self {
            adopts: false,
            ..self.clone()
        }
    }

    /// The gate of this account, with what was counted so far, and these limits from now on: of several connections the one
    /// that was configured last decides. `None` is an account that nobody else can be about.
    pub fn of(&self, account: Option<AccountId>, limits: &Limits) -> Arc<Gate> {
        let new = || Arc::new(Gate::new(limits, Arc::clone(&self.clock)));
        let Some(account) = account else { return new() };
        let mut gates = self.gates.lock();
        if let Some(gate) = gates.get(&account).and_then(Weak::upgrade) {
            if self.adopts {
                gate.adopt(limits);
            }
            return gate;
        }
        // Accounts come and go rarely; this is the moment to forget those that are gone.
        gates.retain(|_, gate| gate.strong_count() > 0);
        let gate = new();
        gates.insert(account, Arc::downgrade(&gate));
        gate
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;

    #[test]
    fn connections_of_one_account_share_a_gate_while_one_of_them_lives() {
        let gates = Gates::new(Arc::new(ManualClock::at(0)));
        let limits = Limits::default();
        let one = gates.of(Some([1; 32]), &limits);
        assert!(Arc::ptr_eq(&one, &gates.of(Some([1; 32]), &limits)));
        assert!(Arc::ptr_eq(&one, &gates.for_trial().of(Some([1; 32]), &limits)));
        assert!(!Arc::ptr_eq(&one, &gates.of(Some([2; 32]), &limits)));
        assert!(!Arc::ptr_eq(&gates.of(None, &limits), &gates.of(None, &limits)));
        one.pause_until(50);
        drop(one);
        assert_eq!(gates.of(Some([1; 32]), &limits).paused_until(), None);
    }
}
