//! The states of a delivery and the table of the changes between them.

use serde::{Deserialize, Serialize};

/// Where a delivery stands. The numbers are stored; never renumber them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum DeliveryState {
    /// In the outbox, to be sent when it is due.
    Waiting = 0,
    /// The intent of a call is committed; its answer is not yet.
    Sending = 1,
    /// A write was sent and nobody knows whether it took effect; to be resolved before anything is sent again.
    Unknown = 2,
    /// Set aside by a person.
    Held = 3,
    /// The vendor holds the record.
    Delivered = 10,
    /// Ended without success; a person can replay it.
    Dead = 11,
    /// Called off by a person, or overtaken by a newer state of the same record.
    Cancelled = 12,
}

/// What moves a delivery from state to state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// The intent of a call is written.
    Send,
    /// The answer proves success.
    Succeed,
    /// The call did not take effect and is to be tried again.
    Retry,
    /// The call may have taken effect.
    Doubt,
    /// Given up.
    Fail,
    /// A person sets it aside.
    Hold,
    /// A person lets it go on.
    Release,
    /// A person calls it off.
    Cancel,
    /// A person wants it tried anew.
    Replay,
}

impl DeliveryState {
    /// Every state, in the order of their numbers.
    pub const ALL: [Self; 7] = [
        Self::Waiting,
        Self::Sending,
        Self::Unknown,
        Self::Held,
        Self::Delivered,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The state with this stored number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|state| *state as u8 == number)
    }

    /// The state with this name in the API (`waiting`, `dead`, …).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Held => "held",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// True when nothing more happens without a person.
    pub fn is_settled(self) -> bool {
        self as u8 >= Self::Delivered as u8
    }

    /// The state after `change`, or `None` when the change is not allowed here.
    pub fn after(self, change: Change) -> Option<Self> {
        use Change as C;
        use DeliveryState as S;
        Some(match (self, change) {
            (S::Waiting | S::Unknown, C::Send) => S::Sending,
            (S::Waiting | S::Unknown | S::Sending, C::Fail) => S::Dead,
            (S::Sending, C::Succeed) => S::Delivered,
            // Resolving a doubt can show that the record is there, without another call.
            (S::Unknown, C::Succeed) => S::Delivered,
            (S::Sending | S::Waiting, C::Retry) => S::Waiting,
            // A call that only reads leaves the doubt where it was.
            (S::Sending | S::Unknown, C::Doubt) => S::Unknown,
            (S::Unknown, C::Retry) => S::Waiting,
            (S::Waiting, C::Hold) => S::Held,
            (S::Held, C::Release) => S::Waiting,
            (S::Waiting | S::Held, C::Cancel) => S::Cancelled,
            (S::Dead | S::Cancelled, C::Replay) => S::Waiting,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [Change; 9] = [
        Change::Send,
        Change::Succeed,
        Change::Retry,
        Change::Doubt,
        Change::Fail,
        Change::Hold,
        Change::Release,
        Change::Cancel,
        Change::Replay,
    ];

    #[test]
    fn only_a_person_moves_a_settled_delivery() {
        for state in DeliveryState::ALL.into_iter().filter(|s| s.is_settled()) {
            for change in CHANGES {
                if state.after(change).is_some() {
                    assert_eq!(change, Change::Replay, "{state:?}");
                }
            }
        }
    }

    #[test]
    fn a_delivered_record_is_never_sent_again() {
        assert!(
            CHANGES
                .into_iter()
                .all(|change| DeliveryState::Delivered.after(change).is_none())
        );
    }

    #[test]
    fn every_open_state_can_reach_a_settled_one() {
        for state in DeliveryState::ALL.into_iter().filter(|s| !s.is_settled()) {
            let mut reached = vec![state];
            let mut next = 0;
            while next < reached.len() {
                for change in CHANGES {
                    if let Some(after) = reached[next].after(change).filter(|s| !reached.contains(s)) {
                        reached.push(after);
                    }
                }
                next += 1;
            }
            assert!(
                reached.contains(&DeliveryState::Delivered),
                "{state:?} never gets delivered"
            );
        }
    }

    #[test]
    fn names_and_numbers_read_back() {
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::from_name(state.name()), Some(state));
            assert_eq!(DeliveryState::from_number(state as u8), Some(state));
        }
    }
}
