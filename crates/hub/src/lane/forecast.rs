//! When what waits will probably be delivered. Pure: a lane tells how it stands, and this works out the rest.

use std::fmt;

use switchboard_model::{delivery::DeliveryState, id::DeliveryId};

/// What a lane does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LaneState {
    /// It sends what is due.
    Sending,
    /// It waits because the vendor's limits are used up, or because the vendor asked it to.
    Limited,
    /// The vendor is away: nothing is sent until one call has shown that it is back.
    Open,
    /// The one call that shows whether the vendor is back is under way.
    Probing,
    /// The vendor does not accept the credentials; a person has to act.
    Refused,
    /// The connection is not complete, switched off or stopped by a person.
    Paused,
}

impl LaneState {
    /// Its name in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Limited => "limited",
            Self::Open => "open",
            Self::Probing => "probing",
            Self::Refused => "refused",
            Self::Paused => "paused",
        }
    }

    /// Whether nothing is sent before a person acts.
    pub fn needs_a_person(self) -> bool {
        matches!(self, Self::Refused | Self::Paused)
    }
}

/// How a lane stands.
#[derive(Debug, Clone, PartialEq)]
pub struct LaneStatus {
    /// What it does.
    pub state: LaneState,
    /// How many deliveries wait, in memory and in the store.
    pub waiting: u64,
    /// How many are being sent.
    pub in_flight: usize,
    /// The first of those that wait.
    pub oldest: Option<DeliveryId>,
    /// The last of those that wait.
    pub newest: Option<DeliveryId>,
    /// When the limits let the next call begin, Unix milliseconds; a moment that has passed: now.
    pub next_call_ms: i64,
    /// How many records one call carries on average; under 1 when a record takes several calls.
    pub records_per_call: f64,
    /// How many milliseconds pass on average between the ends of two calls, all parallel ones together.
    pub ms_per_call: f64,
    /// When the vendor is tried again while the circuit is open, Unix milliseconds.
    pub open_until_ms: Option<i64>,
}

impl LaneStatus {
    /// A lane that has nothing to do and of which nothing is known yet.
    pub fn idle(state: LaneState) -> Self {
        Self {
            state,
            waiting: 0,
            in_flight: 0,
            oldest: None,
            newest: None,
            next_call_ms: 0,
            records_per_call: 1.0,
            ms_per_call: 0.0,
            open_until_ms: None,
        }
    }

    /// How many of those that wait come before this one, estimated from its place between the oldest and the newest id: ids grow with time,
    /// so this is right as far as deliveries came in evenly. Never falls when the id grows.
    fn ahead_of(&self, id: DeliveryId) -> f64 {
        let (Some(oldest), Some(newest)) = (self.oldest, self.newest) else {
            return 0.0;
        };
        if newest <= oldest {
            return 0.0;
        }
        let share = id.0.saturating_sub(oldest.0) as f64 / newest.0.saturating_sub(oldest.0) as f64;
        share.clamp(0.0, 1.0) * self.waiting.saturating_sub(1) as f64
    }

    fn records_per_call(&self) -> f64 {
        if self.records_per_call.is_finite() {
            self.records_per_call.max(0.01)
        } else {
            1.0
        }
    }

    fn ms_per_call(&self) -> f64 {
        if self.ms_per_call.is_finite() {
            self.ms_per_call.max(0.0)
        } else {
            0.0
        }
    }
}

/// When the delivery will probably be at the vendor, Unix milliseconds: after everything that waits in front of it, and never before it is due
/// (`due_ms`), before the circuit closes, or before the limits let a call begin.
pub fn expected_ms(status: &LaneStatus, id: DeliveryId, due_ms: i64, now_ms: i64) -> i64 {
    let start = now_ms
        .max(status.next_call_ms)
        .max(status.open_until_ms.unwrap_or(now_ms));
    let pace = status.ms_per_call();
    let calls_before = (status.ahead_of(id) / status.records_per_call()).floor();
    // A float that is too large for the number becomes the largest one.
    let turn = start.saturating_add((calls_before * pace) as i64);
    turn.max(due_ms).saturating_add(pace as i64)
}

/// When the lane will probably have nothing left to send, Unix milliseconds; `None` when nothing waits or nobody can tell.
pub fn empty_ms(status: &LaneStatus, now_ms: i64) -> Option<i64> {
    if status.state.needs_a_person() || (status.waiting == 0 && status.in_flight == 0) {
        return None;
    }
    let last = status.newest.unwrap_or(DeliveryId(i64::MAX));
    Some(expected_ms(status, last, now_ms, now_ms))
}

/// Why a delivery is not at the vendor yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Because {
    /// Nothing is in its way.
    NextInLine,
    /// About so many wait in front of it.
    InLine(u64),
    /// A call that carries it is under way.
    BeingSent,
    /// It failed and waits for its next try.
    NextTry,
    /// Whether it was written is found out first.
    InDoubt,
    /// The vendor's limits are used up.
    Limit,
    /// The vendor is away; it is tried again at this moment (Unix milliseconds).
    CircuitOpen(i64),
    /// The vendor is being tried.
    Probing,
    /// The backup has it; it is made here when the connection is back.
    HandedOver,
    /// A person set it aside.
    Held,
    /// The vendor does not accept the credentials.
    CredentialsRefused,
    /// The connection is not complete, switched off or stopped by a person.
    Paused,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NextInLine => "next in line",
            Self::InLine(ahead) => return write!(f, "about {ahead} before it"),
            Self::BeingSent => "being sent",
            Self::NextTry => "waits for its next try",
            Self::InDoubt => "finds out first whether it was written",
            Self::Limit => "limit of the vendor",
            Self::CircuitOpen(until_ms) => match jiff::Timestamp::from_millisecond(*until_ms) {
                Ok(until) => return write!(f, "circuit open until {until:.0}"),
                Err(_) => "circuit open",
            },
            Self::Probing => "circuit open, the vendor is being tried",
            Self::HandedOver => "the backup has it",
            Self::Held => "held",
            Self::CredentialsRefused => "credentials refused",
            Self::Paused => "paused",
        })
    }
}

/// What is expected of a delivery that is not settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// When it will probably be at the vendor, Unix milliseconds; `None` when a person has to act first.
    pub at_ms: Option<i64>,
    /// Why it is not there yet.
    pub because: Because,
}

/// A delivery as far as this matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Its id.
    pub id: DeliveryId,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is tried next, Unix milliseconds.
    pub due_ms: i64,
    /// Whether the backup has it.
    pub handed_over: bool,
}

/// What is expected of a delivery on a lane; `None` when it is settled.
pub fn expectation(status: &LaneStatus, waiting: Waiting, now_ms: i64) -> Option<Expectation> {
    let Waiting { id, state, due_ms, .. } = waiting;
    if state.is_settled() {
        return None;
    }
    let because = because(status, waiting, now_ms);
    let at_ms = match because {
        Because::Held | Because::CredentialsRefused | Because::Paused | Because::HandedOver => None,
        Because::BeingSent => Some(now_ms.saturating_add(status.ms_per_call() as i64)),
        _ => Some(expected_ms(status, id, due_ms, now_ms)),
    };
    Some(Expectation { at_ms, because })
}

fn because(status: &LaneStatus, waiting: Waiting, now_ms: i64) -> Because {
    match (waiting.state, status.state) {
        (DeliveryState::Held, _) => Because::Held,
        (DeliveryState::Sending, _) => Because::BeingSent,
        (_, LaneState::Paused) => Because::Paused,
        (_, LaneState::Refused) => Because::CredentialsRefused,
        _ if waiting.handed_over => Because::HandedOver,
        (_, LaneState::Open) => Because::CircuitOpen(status.open_until_ms.unwrap_or(now_ms)),
        (_, LaneState::Probing) => Because::Probing,
        (DeliveryState::Unknown, _) => Because::InDoubt,
        _ if waiting.due_ms > now_ms => Because::NextTry,
        (_, LaneState::Limited) => Because::Limit,
        _ if status.next_call_ms > now_ms => Because::Limit,
        _ => {
            let ahead = status.ahead_of(waiting.id);
            if ahead < status.records_per_call().max(1.0) {
                Because::NextInLine
            } else {
                Because::InLine(ahead as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_795_512_600_000;

    fn lane(state: LaneState) -> LaneStatus {
        LaneStatus {
            waiting: 1_001,
            oldest: Some(DeliveryId(10_000)),
            newest: Some(DeliveryId(20_000)),
            records_per_call: 50.0,
            ms_per_call: 100.0,
            ..LaneStatus::idle(state)
        }
    }

    fn waiting(state: DeliveryState, due_ms: i64) -> Waiting {
        Waiting {
            id: DeliveryId(15_000),
            state,
            due_ms,
            handed_over: false,
        }
    }

    #[test]
    fn the_middle_of_a_line_is_reached_in_the_middle_of_the_time() {
        let lane = lane(LaneState::Sending);
        // 500 before it, 50 a call: after ten calls comes its own.
        assert_eq!(expected_ms(&lane, DeliveryId(15_000), 0, NOW), NOW + 1_100);
        assert_eq!(expected_ms(&lane, DeliveryId(10_000), 0, NOW), NOW + 100);
        assert_eq!(empty_ms(&lane, NOW), Some(NOW + 2_100));
    }

    #[test]
    fn a_person_reads_why_it_waits() {
        let open = LaneStatus {
            open_until_ms: Some(NOW + 60_000),
            ..lane(LaneState::Open)
        };
        let next = LaneStatus {
            waiting: 3,
            ..lane(LaneState::Sending)
        };
        for (status, state, due_ms, at_ms, words) in [
            (&next, DeliveryState::Waiting, NOW, Some(NOW + 100), "next in line"),
            (
                &lane(LaneState::Sending),
                DeliveryState::Waiting,
                NOW,
                Some(NOW + 1_100),
                "about 500 before it",
            ),
            (
                &next,
                DeliveryState::Waiting,
                NOW + 5_000,
                Some(NOW + 5_100),
                "waits for its next try",
            ),
            (
                &lane(LaneState::Limited),
                DeliveryState::Waiting,
                NOW,
                Some(NOW + 1_100),
                "limit of the vendor",
            ),
            (
                &open,
                DeliveryState::Waiting,
                NOW,
                Some(NOW + 61_100),
                "circuit open until 2026-11-24T09:31:00Z",
            ),
            (&next, DeliveryState::Held, NOW, None, "held"),
            (
                &lane(LaneState::Refused),
                DeliveryState::Waiting,
                NOW,
                None,
                "credentials refused",
            ),
            (&lane(LaneState::Paused), DeliveryState::Unknown, NOW, None, "paused"),
        ] {
            let expected = expectation(status, waiting(state, due_ms), NOW).unwrap();
            assert_eq!(
                (expected.at_ms, expected.because.to_string().as_str()),
                (at_ms, words),
                "{state:?}"
            );
        }
    }

    #[test]
    fn nothing_is_expected_of_what_is_settled() {
        for state in DeliveryState::ALL {
            let expected = expectation(&lane(LaneState::Sending), waiting(state, NOW), NOW);
            assert_eq!(expected.is_none(), state.is_settled(), "{state:?}");
        }
    }

    #[test]
    fn a_lane_that_needs_a_person_or_has_nothing_to_do_is_never_empty_at_a_moment() {
        for status in [
            lane(LaneState::Paused),
            lane(LaneState::Refused),
            LaneStatus::idle(LaneState::Sending),
        ] {
            assert_eq!(empty_ms(&status, NOW), None, "{status:?}");
        }
    }

    fn number() -> impl Strategy<Value = f64> {
        prop_oneof![
            0.0..10_000.0_f64,
            Just(f64::NAN),
            Just(f64::INFINITY),
            Just(f64::NEG_INFINITY),
            Just(-1.0),
            Just(f64::MAX),
        ]
    }

    proptest! {
        #[test]
        fn nobody_later_is_expected_earlier_and_nobody_before_its_time(
            count in any::<u64>(),
            ends in proptest::option::of((any::<i64>(), any::<i64>())),
            next_call_ms in any::<i64>(),
            records_per_call in number(),
            ms_per_call in number(),
            open_until_ms in proptest::option::of(any::<i64>()),
            ids in (any::<i64>(), any::<i64>()),
            due_ms in any::<i64>(),
        ) {
            let status = LaneStatus {
                waiting: count,
                oldest: ends.map(|(oldest, _)| DeliveryId(oldest)),
                newest: ends.map(|(_, newest)| DeliveryId(newest)),
                next_call_ms,
                records_per_call,
                ms_per_call,
                open_until_ms,
                ..LaneStatus::idle(LaneState::Sending)
            };
            let (first, second) = (ids.0.min(ids.1), ids.0.max(ids.1));
            let earlier = expected_ms(&status, DeliveryId(first), due_ms, NOW);
            let later = expected_ms(&status, DeliveryId(second), due_ms, NOW);
            prop_assert!(earlier <= later);
            for border in [NOW, due_ms, next_call_ms, open_until_ms.unwrap_or(NOW)] {
                prop_assert!(earlier >= border);
            }
        }
    }
}
