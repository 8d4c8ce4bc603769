//! Which call comes next: every combination of abilities, and every course that outcomes can take.

use switchboard_connect::{
    connector::{Decision, Doubt, Known},
    decision::{Abilities, decide},
    manifest::{OperationKind as Op, RecordKind},
};
use switchboard_model::{outcome::Outcome, problem::Code};

const FLAGS: [bool; 2] = [false, true];
const CREATES: [Option<bool>; 3] = [None, Some(false), Some(true)];
const RECORDS: [RecordKind; 3] = [RecordKind::Person, RecordKind::Company, RecordKind::Event];

pub fn every_ability() -> Vec<Abilities> {
    let mut all = Vec::new();
    for record in RECORDS {
        for create in CREATES {
            for bits in 0..32 {
                let flag = |bit: u8| FLAGS[usize::from(bits >> bit & 1u8)];
                all.push(Abilities {
                    record,
                    create,
                    update: flag(0),
                    upsert: flag(1),
                    find: flag(2),
                    probe: flag(3),
                    delete: flag(4),
                });
            }
        }
    }
    all
}

/// Everything that an answer to this call can mean for the record.
pub fn outcomes(kind: Op) -> Vec<Outcome> {
    let delivered = |id: &str| Outcome::Delivered {
        external_id: Some(id.to_owned()),
        created: None,
    };
    let doubt = Outcome::Unknown {
        message: "no answer".into(),
    };
    let later = Outcome::Retry {
        message: "503".into(),
        after_ms: None,
    };
    match kind {
        Op::Find | Op::Probe => vec![delivered("f"), Outcome::Missing, later, doubt],
        Op::Update => vec![delivered("u"), Outcome::Missing, later, doubt],
        Op::Delete => vec![
            Outcome::Delivered {
                external_id: None,
                created: None,
            },
            Outcome::Missing,
            later,
            doubt,
        ],
        Op::Create | Op::Upsert => vec![
            delivered("n"),
            Outcome::Duplicate {
                existing: Some("d".into()),
            },
            Outcome::Duplicate { existing: None },
            later,
            doubt,
        ],
    }
}

/// Goes through every course of at most `depth` calls. `doubtful`: the last write that may have made a record, until a probe
/// or the vendor said what became of it.
fn walk(known: &Known, can: Abilities, doubtful: Option<Op>, depth: u32) {
    let Decision::Call(kind) = decide(known, can) else {
        return;
    };
    assert_ne!(kind, Op::Delete, "nobody asked for that: {known:?} {can:?}");
    match (kind, doubtful) {
        (Op::Create, Some(Op::Create)) => {
            assert_eq!(can.create, Some(true), "a second create in doubt: {known:?} {can:?}");
        }
        (Op::Create, Some(Op::Upsert)) | (Op::Upsert, Some(Op::Create)) => panic!("{kind} in doubt: {known:?} {can:?}"),
        _ => {}
    }
    if depth == 0 {
        return;
    }
    for outcome in outcomes(kind) {
        let mut next = known.clone();
        next.learn(kind, &outcome);
        let doubtful = match (kind, &outcome) {
            (Op::Create | Op::Upsert, Outcome::Unknown { .. }) => Some(kind),
            // The record is known to be there: what follows changes it.
            (_, Outcome::Delivered { .. } | Outcome::Duplicate { .. }) => None,
            (Op::Probe, Outcome::Missing) => None,
            _ => doubtful,
        };
        walk(&next, can, doubtful, depth - 1);
    }
}

#[test]
fn in_doubt_nothing_is_created_before_a_probe_said_that_it_is_not_there() {
    for can in every_ability() {
        walk(&Known::default(), can, None, 6);
        for kind in [Op::Create, Op::Upsert] {
            walk(&Known::new(None, Doubt::Of(kind)), can, Some(kind), 6);
        }
    }
}

#[test]
fn every_course_without_trouble_comes_to_an_end() {
    for can in every_ability() {
        for link in [None, Some("l".to_owned())] {
            let mut known = Known::new(link, Doubt::No);
            let mut calls = 0;
            while let Decision::Call(kind) = decide(&known, can) {
                calls += 1;
                assert!(calls < 6, "{can:?}");
                // The vendor knows nothing of what was linked or looked for, then takes the record.
                let outcome = match kind {
                    Op::Create | Op::Upsert => Outcome::Delivered {
                        external_id: Some("n".into()),
                        created: Some(true),
                    },
                    _ => Outcome::Missing,
                };
                known.learn(kind, &outcome);
            }
        }
    }
}

pub const ALL: Abilities = Abilities {
    record: RecordKind::Person,
    create: Some(false),
    update: true,
    upsert: true,
    find: true,
    probe: true,
    delete: true,
};

fn delivered(id: &str) -> Outcome {
    Outcome::Delivered {
        external_id: Some(id.to_owned()),
        created: None,
    }
}

fn done(id: &str) -> Decision {
    Decision::Done {
        external_id: Some(id.to_owned()),
    }
}

#[test]
fn a_person_is_looked_for_before_one_is_made() {
    let mut known = Known::default();
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Find));
    known.learn(Op::Find, &Outcome::Missing);
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Upsert));
    known.learn(Op::Upsert, &delivered("251"));
    assert_eq!(decide(&known, ALL), done("251"));
}

#[test]
fn a_person_who_is_found_or_linked_is_updated() {
    let mut known = Known::default();
    known.learn(Op::Find, &delivered("251"));
    assert_eq!(
        (decide(&known, ALL), known.target()),
        (Decision::Call(Op::Update), Some("251"))
    );
    let linked = Known::new(Some("7".into()), Doubt::No);
    assert_eq!(
        (decide(&linked, ALL), linked.target()),
        (Decision::Call(Op::Update), Some("7"))
    );
}

#[test]
fn an_event_that_was_delivered_is_not_touched_again() {
    let event = Abilities {
        record: RecordKind::Event,
        ..ALL
    };
    assert_eq!(decide(&Known::default(), event), Decision::Call(Op::Upsert));
    assert_eq!(decide(&Known::new(Some("500".into()), Doubt::No), event), done("500"));
    let mut known = Known::default();
    known.learn(
        Op::Upsert,
        &Outcome::Duplicate {
            existing: Some("500".into()),
        },
    );
    assert_eq!(decide(&known, event), done("500"));
}

#[test]
fn a_record_that_lives_on_is_changed_whatever_kind_of_object_it_is() {
    let event = Abilities {
        record: RecordKind::Event,
        ..ALL
    };
    let linked = || Known::new(Some("500".into()), Doubt::No).standing();
    assert_eq!(decide(&linked(), event), Decision::Call(Op::Update));
    let upserts = Abilities { update: false, ..event };
    assert_eq!(decide(&linked(), upserts), Decision::Call(Op::Upsert));
    let neither = Abilities {
        upsert: false,
        ..upserts
    };
    assert_eq!(decide(&linked(), neither), done("500"));
    let mut known = Known::new(None, Doubt::Of(Op::Create)).standing();
    known.learn(Op::Probe, &delivered("501"));
    assert_eq!(decide(&known, event), Decision::Call(Op::Update));
}

#[test]
fn a_record_that_is_gone_is_made_anew_and_not_found_again() {
    let mut known = Known::new(Some("251".into()), Doubt::No);
    known.learn(Op::Update, &Outcome::Missing);
    assert!(known.has_lost_link());
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Find));
    // The vendor's search still shows what is gone.
    known.learn(Op::Find, &delivered("251"));
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Upsert));
}

#[test]
fn a_duplicate_without_an_id_is_looked_for_once_and_then_shown_to_a_person() {
    let mut known = Known::default();
    known.learn(Op::Find, &Outcome::Missing);
    known.learn(Op::Upsert, &Outcome::Duplicate { existing: None });
    let Decision::Reject(problem) = decide(&known, ALL) else {
        panic!("{known:?}")
    };
    assert_eq!(problem.code, Code::VendorRejected);
    let mut known = Known::default();
    known.learn(Op::Upsert, &Outcome::Duplicate { existing: None });
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Find));
}

#[test]
fn a_doubt_is_resolved_by_the_means_that_the_vendor_has() {
    let plain = Abilities { upsert: false, ..ALL };
    for (doubt, can, next) in [
        (Doubt::Of(Op::Upsert), ALL, Some(Op::Upsert)),
        (Doubt::Yes, ALL, Some(Op::Upsert)),
        // What a plain create made lacks our key: an upsert would double it.
        (Doubt::Of(Op::Create), ALL, Some(Op::Probe)),
        (Doubt::Of(Op::Create), plain, Some(Op::Probe)),
        (
            Doubt::Of(Op::Create),
            Abilities {
                create: Some(true),
                ..plain
            },
            Some(Op::Create),
        ),
        (Doubt::Yes, plain, Some(Op::Probe)),
        (Doubt::Of(Op::Upsert), plain, Some(Op::Probe)),
        // What was changed may be what a probe had found; a search for the person may not show it yet.
        (Doubt::Of(Op::Update), ALL, Some(Op::Probe)),
        (Doubt::Of(Op::Update), Abilities { probe: false, ..ALL }, Some(Op::Find)),
        (Doubt::Of(Op::Create), Abilities { probe: false, ..plain }, None),
    ] {
        match (decide(&Known::new(None, doubt), can), next) {
            (Decision::Call(kind), Some(next)) => assert_eq!(kind, next, "{doubt:?}"),
            (Decision::Reject(problem), None) => assert_eq!(problem.code, Code::OutcomeUnknown, "{doubt:?}"),
            (decision, _) => panic!("{doubt:?}: {decision:?}"),
        }
    }
}

#[test]
fn a_probe_settles_a_doubt_either_way() {
    let plain = Abilities {
        upsert: false,
        find: false,
        ..ALL
    };
    let mut known = Known::new(None, Doubt::Of(Op::Create));
    known.learn(Op::Probe, &Outcome::Missing);
    assert_eq!(decide(&known, plain), Decision::Call(Op::Create));
    let mut known = Known::new(None, Doubt::Of(Op::Create));
    known.learn(Op::Probe, &delivered("00Q1"));
    let event = Abilities {
        record: RecordKind::Event,
        ..plain
    };
    assert_eq!(decide(&known, event), done("00Q1"));
    // It may be somebody else's record of the same person, which lacks what we know.
    assert_eq!(
        (decide(&known, plain), known.target()),
        (Decision::Call(Op::Update), Some("00Q1"))
    );
}
