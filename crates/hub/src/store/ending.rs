//! What becomes of the deliveries of a connection that is removed.

use switchboard_model::{
    delivery::DeliveryState,
    problem::{Code, Problem, ProblemBody},
};

/// What becomes of deliveries in some states.
pub(super) struct Ending {
    /// In these.
    pub from: &'static [DeliveryState],
    /// They get this one.
    pub to: DeliveryState,
    /// And a person reads this.
    pub problem: ProblemBody,
}

impl Ending {
    /// Every open delivery of a connection that goes. What a call was made for may have arrived, and nobody will find out.
    pub fn of_removal(key: &str) -> [Self; 2] {
        let problem = |detail: &str, next: &str| {
            ProblemBody::from(&Problem::new(Code::ConnectionRemoved, format!("{key}: {detail}"), next))
        };
        [
            Self {
                from: &[DeliveryState::Waiting, DeliveryState::Held],
                to: DeliveryState::Cancelled,
                problem: problem(
                    "the connection was removed while the delivery waited",
                    "Nothing; replay the event when it is to go somewhere else.",
                ),
            },
            Self {
                from: &[DeliveryState::Sending, DeliveryState::Unknown],
                to: DeliveryState::Dead,
                problem: problem(
                    "the connection was removed before it was known whether the call had arrived",
                    "Look on the other side whether the record is there, if that matters.",
                ),
            },
        ]
    }
}
