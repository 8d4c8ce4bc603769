//! Which call a delivery needs next. The one place where that is decided, pure, so that it can be tested exhaustively.
//!
//! What must never happen: a second call that may create a record while an earlier one may have created it, unless the
//! vendor itself recognises the repetition.

use switchboard_model::{
    outcome::Outcome,
    problem::{Code, Problem},
};

use crate::{
    manifest::{OperationKind, RecordKind},
    means::Recovery,
};

/// Whether a write of this delivery may have taken effect without our knowing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Doubt {
    /// No.
    #[default]
    No,
    /// Yes, and nobody wrote down which call it was; taken as the one that would be made now.
    Yes,
    /// Yes: a call of this kind.
    Of(OperationKind),
}

impl Doubt {
    /// Whether a record may have come into being. Changing one that is there makes none.
    fn is_about_creation(self) -> bool {
        matches!(
            self,
            Self::Yes | Self::Of(OperationKind::Create | OperationKind::Upsert)
        )
    }

    /// Whether a record was changed that was known then. When it has no link now, it may be one that a probe had found just before the process
    /// ended: the vendor's search for persons, which lags, must not be asked first.
    fn is_about_change(self) -> bool {
        matches!(self, Self::Of(OperationKind::Update))
    }
}

/// What is known about the record of one delivery. `link` and `doubt` outlive the process (the store keeps them); the rest
/// is found out again when it is lost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// The vendor's id that an earlier delivery of the same record got.
    pub link: Option<String>,
    /// A write of this delivery may have taken effect.
    pub doubt: Doubt,
    found: Option<String>,
    looked: bool,
    exists: bool,
    gone: Vec<String>,
    settled: Option<Option<String>>,
    /// What is sent is how a record of ours stands now, not something that happened once.
    standing: bool,
    /// The record is to be removed, not written.
    removal: bool,
    /// It was removed, or the vendor says that it is not there any more.
    removed: bool,
    /// What could tell what became of the last write, when that was sent.
    recovery: Option<Recovery>,
    /// What is `found` was found by a probe.
    probed: bool,
}

/// What a connector can do with this record on this account at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// What the record is about.
    pub record: RecordKind,
    /// Whether records can be made; `Some(true)`: the vendor recognises a repetition.
    pub create: Option<bool>,
    /// Whether a record with a known id can be changed.
    pub update: bool,
    /// Whether the vendor makes or changes the record with our key.
    pub upsert: bool,
    /// Whether the same person or company can be looked for.
    pub find: bool,
    /// Whether the record of a lost call can be looked for.
    pub probe: bool,
    /// Whether a record with a known id can be removed.
    pub delete: bool,
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Make this call. A probe proves nothing before the object's read lag has passed since the doubt arose.
    Call(OperationKind),
    /// The vendor holds the record; or, for a removal, holds it no more.
    Done {
        /// Its id there, where it has one. `None` after a removal.
        external_id: Option<String>,
    },
    /// A person has to look.
    Reject(Problem),
}

impl Known {
    /// What is known at the start of an attempt.
    pub fn new(link: Option<String>, doubt: Doubt) -> Self {
        Self {
            link,
            doubt,
            ..Self::default()
        }
    }

    /// The same for a record that is to be removed. A doubt is about an earlier call that may have made it.
    pub fn removal(link: Option<String>, doubt: Doubt) -> Self {
        Self {
            removal: true,
            ..Self::new(link, doubt)
        }
    }

    /// The same for a record of ours that lives on: what the vendor made of it before is changed, whatever kind of object that is.
    #[must_use]
    pub fn standing(self) -> Self {
        Self { standing: true, ..self }
    }

    /// With what could tell what became of the write that is in doubt, when that was written down.
    pub fn with_recovery(self, recovery: Option<Recovery>) -> Self {
        Self { recovery, ..self }
    }

    /// A write is about to be sent; this could tell what becomes of it.
    pub fn sends(&mut self, recovery: Option<Recovery>) {
        self.recovery = recovery;
    }

    /// What could tell what became of the write that is in doubt, or of the one whose record a probe has found.
    pub fn recovery(&self) -> Option<Recovery> {
        self.recovery.filter(|_| self.doubt != Doubt::No || self.probed)
    }

    /// The only way of this kind that is left, as long as something is in doubt: `None`: every one; `Some(None)`: none. After a probe has found the
    /// record it is still the only probe: the change that follows may get lost, too.
    pub(crate) fn bound(&self, kind: OperationKind) -> Option<Option<u16>> {
        let recovery = self.recovery()?;
        match kind {
            OperationKind::Probe => Some(recovery.probe),
            OperationKind::Create | OperationKind::Upsert if self.doubt == Doubt::Of(kind) => Some(Some(recovery.way)),
            _ => None,
        }
    }

    /// Whether the record is to be removed.
    pub fn is_removal(&self) -> bool {
        self.removal
    }

    /// The vendor's id of the record that the next call is about.
    pub fn target(&self) -> Option<&str> {
        let linked = self.link.as_ref().filter(|link| !self.gone.contains(link));
        self.found.as_ref().or(linked).map(String::as_str)
    }

    /// Whether the record that the link names is gone: it turned out to be, or it was removed.
    pub fn has_lost_link(&self) -> bool {
        self.link.as_ref().is_some_and(|link| self.gone.contains(link))
    }

    /// Takes in what came of a call that [`decide`] asked for.
    ///
    /// Outcomes that only say "not now" or "refused" teach nothing about the record: that a repeated call was surely not
    /// carried out says nothing about the first one.
    pub fn learn(&mut self, kind: OperationKind, outcome: &Outcome) {
        match outcome {
            Outcome::Delivered { external_id, .. } => self.learn_success(kind, external_id.clone()),
            Outcome::Missing => self.learn_absence(kind),
            Outcome::Duplicate { existing } => {
                self.doubt = Doubt::No;
                self.found = existing.clone().filter(|id| !self.gone.contains(id));
                self.exists = self.found.is_none();
            }
            Outcome::Unknown { .. } if matches!(kind, OperationKind::Create | OperationKind::Upsert) => {
                self.doubt = Doubt::Of(kind);
            }
            _ => {}
        }
    }

    fn learn_success(&mut self, kind: OperationKind, external_id: Option<String>) {
        match kind {
            OperationKind::Find | OperationKind::Probe => {
                // What a probe finds may be somebody else's record of the same person: it is updated like any that is found.
                self.looked |= kind == OperationKind::Find;
                self.doubt = if kind == OperationKind::Probe {
                    Doubt::No
                } else {
                    self.doubt
                };
                self.found = external_id.filter(|id| !self.gone.contains(id));
                self.probed = kind == OperationKind::Probe && self.found.is_some();
            }
            OperationKind::Update => self.settled = Some(self.target().map(str::to_owned)),
            // What settles the doubt about a record that is to go names what is to be removed.
            OperationKind::Create | OperationKind::Upsert if self.removal => {
                self.doubt = Doubt::No;
                self.exists = external_id.is_none();
                self.found = external_id;
            }
            OperationKind::Create | OperationKind::Upsert => self.settled = Some(external_id),
            OperationKind::Delete => self.learn_removal(),
        }
    }

    fn learn_absence(&mut self, kind: OperationKind) {
        match kind {
            OperationKind::Find => self.looked = true,
            OperationKind::Probe => self.doubt = Doubt::No,
            OperationKind::Update => {
                self.gone.extend(self.target().map(str::to_owned));
                self.found = None;
                self.probed = false;
                // What was looked up before may be what is gone.
                self.looked = false;
            }
            OperationKind::Delete => self.learn_removal(),
            OperationKind::Create | OperationKind::Upsert => {}
        }
    }

    fn learn_removal(&mut self) {
        self.gone.extend(self.target().map(str::to_owned));
        self.found = None;
        self.exists = false;
        self.removed = true;
    }
}

/// The next step for a record of which this is known.
pub fn decide(known: &Known, can: Abilities) -> Decision {
    if known.removal {
        return decide_removal(known, can);
    }
    if let Some(external_id) = &known.settled {
        return Decision::Done {
            external_id: external_id.clone(),
        };
    }
    if let Some(id) = known.target() {
        let changes = known.standing || can.record != RecordKind::Event;
        return match changes {
            true if can.update => Decision::Call(OperationKind::Update),
            // It was made with our key, which names it.
            true if can.record == RecordKind::Event && can.upsert => Decision::Call(OperationKind::Upsert),
            // What happened once is there, and nothing about it changes.
            _ => Decision::Done {
                external_id: Some(id.to_owned()),
            },
        };
    }
    if known.doubt.is_about_creation() || (known.doubt.is_about_change() && can.probe) {
        return resolve(known.doubt, can);
    }
    let may_look = can.find && !known.looked;
    if known.exists {
        return if may_look {
            Decision::Call(OperationKind::Find)
        } else {
            Decision::Reject(already_there())
        };
    }
    match can {
        Abilities {
            record: RecordKind::Person | RecordKind::Company,
            ..
        } if may_look => Decision::Call(OperationKind::Find),
        Abilities { upsert: true, .. } => Decision::Call(OperationKind::Upsert),
        Abilities { create: Some(_), .. } => Decision::Call(OperationKind::Create),
        _ => Decision::Reject(impossible()),
    }
}

/// The same for a record that is to be removed. What may have come into being unnoticed is looked for first, so that nothing
/// stays behind.
fn decide_removal(known: &Known, can: Abilities) -> Decision {
    let in_doubt = known.doubt.is_about_creation();
    if !can.delete && (known.target().is_some() || known.exists || in_doubt) {
        return Decision::Reject(irremovable());
    }
    if known.target().is_some() {
        return Decision::Call(OperationKind::Delete);
    }
    if in_doubt {
        return resolve(known.doubt, can);
    }
    match (can.delete && can.find && !known.looked && !known.removed, known.exists) {
        (true, _) => Decision::Call(OperationKind::Find),
        (false, true) => Decision::Reject(already_there()),
        (false, false) => Decision::Done { external_id: None },
    }
}

/// The safest way out of a doubt. A plain create is not followed by an upsert: what it may have made lacks our key.
fn resolve(doubt: Doubt, can: Abilities) -> Decision {
    let upserted = matches!(doubt, Doubt::Of(OperationKind::Upsert) | Doubt::Yes) && can.upsert;
    let created = matches!(doubt, Doubt::Of(OperationKind::Create) | Doubt::Yes) && can.create == Some(true);
    match (upserted, created, can.probe) {
        (true, ..) => Decision::Call(OperationKind::Upsert),
        (_, true, _) => Decision::Call(OperationKind::Create),
        (.., true) => Decision::Call(OperationKind::Probe),
        _ => Decision::Reject(unresolvable()),
    }
}

fn already_there() -> Problem {
    let detail = "the system says that this record is there already, but not which one it is";
    Problem::new(
        Code::VendorRejected,
        detail,
        "Look for it there; replay this delivery when the duplicate is resolved.",
    )
}

fn unresolvable() -> Problem {
    let detail = "a call was sent, its answer was lost, and the connector has no means to look whether it took effect";
    Problem::new(Code::OutcomeUnknown, detail, unresolved())
}

/// What a person does about a doubt that nothing else can resolve.
pub fn unresolved() -> String {
    "Look for the record in the other system. If it is not there, replay this delivery by its id with `\"not_there\": true` \
     (POST /v1/deliveries/replay); without that it stays in doubt."
        .into()
}

fn irremovable() -> Problem {
    let detail = "the connector cannot remove this record";
    Problem::new(
        Code::ObjectUnsupported,
        detail,
        "Remove it in the other system by hand.",
    )
}

fn impossible() -> Problem {
    let detail = "the connector can neither create nor upsert this record as it is";
    Problem::new(
        Code::ObjectUnsupported,
        detail,
        "Choose another object, or map the fields that the connector needs.",
    )
}
