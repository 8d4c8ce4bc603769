//! How the hub finds out what became of a call whose answer was lost.

use std::fmt;

use crate::{
    account::{Account, Call},
    connector::{Connector, id_layer},
    manifest::OperationKind,
};

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

    /// Whether the call may be sent again whatever became of it.
    pub fn is_repeatable(self) -> bool {
        matches!(self, Self::Repeat | Self::IdempotencyKey | Self::Upsert)
    }
}

/// What can tell what became of one write, as it was when the write was sent.
///
/// A record that was written without our key is found by no search for that key, whatever becomes possible later. So what resolves a doubt goes
/// by the ways that were there when it arose: never by a better one, and by none when there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Recovery {
    /// The best that there was.
    pub means: Means,
    /// The way by which it was written: its number among the ways of its kind.
    pub way: u16,
    /// The way of the probe that could look for it, if there was one.
    pub probe: Option<u16>,
}

impl fmt::Display for Recovery {
    /// As the store keeps it: `probe/1/0`, `person/0/-`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.means.name(), self.way)?;
        match self.probe {
            Some(probe) => write!(f, "{probe}"),
            None => f.write_str("-"),
        }
    }
}

impl Recovery {
    /// Reads what the store keeps. `None` also for what earlier versions kept, a bare name that nobody had worked out for this very call.
    pub fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('/');
        let name = parts.next()?;
        let means = Means::ALL.into_iter().find(|means| means.name() == name)?;
        let way = parts.next()?.parse().ok()?;
        let probe = match parts.next()? {
            "-" => None,
            number => Some(number.parse().ok()?),
        };
        parts.next().is_none().then_some(Self { means, way, probe })
    }
}

impl Connector {
    /// How a lost answer to a call of this kind is resolved at best, as the manifest declares it. What there is for one record on one account
    /// is [`Connector::recovery`].
    pub fn means(&self, object: &str, kind: OperationKind) -> Means {
        let ways = |kind| {
            let object = self.object(object);
            object.map(|object| self.ways(object, kind)).unwrap_or_default()
        };
        let created = ways(OperationKind::Create);
        match kind {
            OperationKind::Upsert => Means::Upsert,
            OperationKind::Create if !created.is_empty() && created.iter().all(|way| way.repeatable) => {
                Means::IdempotencyKey
            }
            OperationKind::Create if !ways(OperationKind::Probe).is_empty() => Means::Probe,
            OperationKind::Create => Means::Person,
            _ => Means::Repeat,
        }
    }

    /// What could tell what becomes of the write of this kind that [`Connector::build`] makes now. `None` when it makes none.
    pub fn recovery(&self, object: &str, kind: OperationKind, account: &Account, call: &Call) -> Option<Recovery> {
        let object = self.object(object)?;
        let id = id_layer(call);
        let scope = self.scope(account, Some(&object.name), call).with_map(&id);
        let (at, way) = self.numbered_way(object, kind, call, &scope)?;
        let probe = self.numbered_way(object, OperationKind::Probe, call, &scope);
        let probe = probe.and_then(|(at, _)| u16::try_from(at).ok());
        let means = match kind {
            OperationKind::Upsert => Means::Upsert,
            OperationKind::Create if way.is_repeatable(call) => Means::IdempotencyKey,
            OperationKind::Create if probe.is_some() => Means::Probe,
            OperationKind::Create => Means::Person,
            _ => Means::Repeat,
        };
        let way = u16::try_from(at).ok()?;
        Some(Recovery { means, way, probe })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_back_and_what_earlier_versions_kept_says_nothing() {
        for means in Means::ALL {
            for probe in [None, Some(0), Some(12)] {
                let recovery = Recovery { means, way: 3, probe };
                assert_eq!(Recovery::read(&recovery.to_string()), Some(recovery));
            }
            assert_eq!(Recovery::read(means.name()), None);
        }
        for strange in ["", "probe/", "probe/1", "probe/x/-", "probe/1/-/2", "guess/1/-"] {
            assert_eq!(Recovery::read(strange), None, "{strange}");
        }
    }
}
