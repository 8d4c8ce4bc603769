//! How the hub finds out what became of a call whose answer was lost.

use crate::{connector::Connector, manifest::OperationKind};

/// The means of recovery of one call, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Means {
    /// The same call changes nothing the second time (an update, a removal, a read).
    Repeat,
    /// The vendor recognises the same call by its idempotency key.
    IdempotencyKey,
    /// The vendor recognises the record by our key.
    Upsert,
    /// The record can be looked for.
    Probe,
    /// A person has to look.
    Person,
}

impl Means {
    /// Every one.
    pub const ALL: [Self; 5] = [
        Self::Repeat,
        Self::IdempotencyKey,
        Self::Upsert,
        Self::Probe,
        Self::Person,
    ];

    /// Its name in the store and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Repeat => "repeat",
            Self::IdempotencyKey => "idempotency_key",
            Self::Upsert => "upsert",
            Self::Probe => "probe",
            Self::Person => "person",
        }
    }
}

impl Connector {
    /// How a lost answer to a call of this kind is resolved.
    pub fn means(&self, object: &str, kind: OperationKind) -> Means {
        match kind {
            OperationKind::Upsert => Means::Upsert,
            OperationKind::Create if self.is_repeatable(object, kind) => Means::IdempotencyKey,
            OperationKind::Create if self.can_probe(object) => Means::Probe,
            OperationKind::Create => Means::Person,
            _ => Means::Repeat,
        }
    }
}
