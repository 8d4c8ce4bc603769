//! Which call comes next when a record is to be removed: every combination of abilities, and every course that outcomes can
//! take.

use std::collections::BTreeSet;

use switchboard_connect::{
    connector::{Decision, Doubt, Known},
    decision::{Abilities, decide},
    manifest::{OperationKind as Op, RecordKind},
};
use switchboard_model::{outcome::Outcome, problem::Code};

use super::deciding::{ALL, every_ability, outcomes};

const GONE: Decision = Decision::Done { external_id: None };

fn delivered(id: &str) -> Outcome {
    Outcome::Delivered {
        external_id: Some(id.to_owned()),
        created: None,
    }
}

fn deleted() -> Outcome {
    Outcome::Delivered {
        external_id: None,
        created: None,
    }
}

/// What the vendor may hold of ours while a removal goes on.
#[derive(Clone, Default)]
struct Held {
    /// Records that were linked, found or made, and not yet removed.
    there: BTreeSet<String>,
    /// The last write whose effect nobody knows.
    doubtful: Option<Op>,
}

/// Goes through every course of at most `depth` calls, and checks what each step may be.
fn walk(known: &Known, can: Abilities, held: &Held, depth: u32) {
    let kind = match decide(known, can) {
        Decision::Done { external_id } => {
            assert_eq!(external_id, None);
            assert!(held.there.is_empty(), "something stays behind: {known:?} {can:?}");
            assert!(held.doubtful.is_none(), "something may stay behind: {known:?} {can:?}");
            return;
        }
        Decision::Reject(_) => return,
        Decision::Call(kind) => kind,
    };
    match kind {
        Op::Delete => assert!(can.delete && known.target().is_some(), "{known:?} {can:?}"),
        Op::Create | Op::Upsert => {
            assert_eq!(
                held.doubtful,
                Some(kind),
                "nothing is made without a doubt: {known:?} {can:?}"
            );
            assert!(kind == Op::Upsert || can.create == Some(true), "{known:?} {can:?}");
        }
        Op::Update => panic!("what goes is not changed: {known:?} {can:?}"),
        Op::Find | Op::Probe => {}
    }
    if depth == 0 {
        return;
    }
    for outcome in outcomes(kind) {
        let mut next = known.clone();
        let mut held = held.clone();
        next.learn(kind, &outcome);
        match (kind, &outcome) {
            (Op::Delete, Outcome::Delivered { .. } | Outcome::Missing) => {
                held.there.remove(known.target().unwrap());
            }
            (Op::Find, Outcome::Delivered { external_id, .. }) => held.there.extend(external_id.clone()),
            (_, Outcome::Delivered { external_id, .. } | Outcome::Duplicate { existing: external_id }) => {
                held.doubtful = None;
                held.there.extend(external_id.clone());
            }
            (Op::Probe, Outcome::Missing) => held.doubtful = None,
            (Op::Create | Op::Upsert, Outcome::Unknown { .. }) => held.doubtful = Some(kind),
            _ => {}
        }
        // What is gone is not there, whatever a search still shows.
        if known.link.is_some() && next.has_lost_link() {
            held.there.remove(known.link.as_deref().unwrap_or_default());
        }
        walk(&next, can, &held, depth - 1);
    }
}

#[test]
fn a_removal_ends_only_when_nothing_of_the_record_is_left_or_may_be_left() {
    for can in every_ability() {
        walk(&Known::removal(None, Doubt::No), can, &Held::default(), 6);
        let held = Held {
            there: BTreeSet::from(["l".to_owned()]),
            doubtful: None,
        };
        walk(&Known::removal(Some("l".into()), Doubt::No), can, &held, 6);
        for kind in [Op::Create, Op::Upsert] {
            let held = Held {
                there: BTreeSet::new(),
                doubtful: Some(kind),
            };
            walk(&Known::removal(None, Doubt::Of(kind)), can, &held, 6);
        }
    }
}

#[test]
fn every_removal_without_trouble_comes_to_an_end() {
    for can in every_ability() {
        for link in [None, Some("l".to_owned())] {
            for doubt in [Doubt::No, Doubt::Yes, Doubt::Of(Op::Create), Doubt::Of(Op::Upsert)] {
                let mut known = Known::removal(link.clone(), doubt);
                let mut calls = 0;
                while let Decision::Call(kind) = decide(&known, can) {
                    calls += 1;
                    assert!(calls < 6, "{known:?} {can:?}");
                    let outcome = if kind == Op::Delete { deleted() } else { delivered("n") };
                    known.learn(kind, &outcome);
                }
            }
        }
    }
}

#[test]
fn a_linked_record_is_removed_and_its_link_is_lost() {
    for outcome in [deleted(), Outcome::Missing] {
        let mut known = Known::removal(Some("251".into()), Doubt::No);
        assert_eq!(
            (decide(&known, ALL), known.target()),
            (Decision::Call(Op::Delete), Some("251"))
        );
        known.learn(Op::Delete, &outcome);
        assert!(known.has_lost_link() && known.is_removal());
        assert_eq!(decide(&known, ALL), GONE);
    }
}

#[test]
fn a_record_without_a_link_is_looked_for_and_removed() {
    let mut known = Known::removal(None, Doubt::No);
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Find));
    known.learn(Op::Find, &delivered("251"));
    assert_eq!(
        (decide(&known, ALL), known.target()),
        (Decision::Call(Op::Delete), Some("251"))
    );
    known.learn(Op::Delete, &deleted());
    assert_eq!(decide(&known, ALL), GONE);
}

#[test]
fn what_is_not_there_needs_no_removal() {
    let mut known = Known::removal(None, Doubt::No);
    known.learn(Op::Find, &Outcome::Missing);
    assert_eq!(decide(&known, ALL), GONE);
    let blind = Abilities { find: false, ..ALL };
    assert_eq!(decide(&Known::removal(None, Doubt::No), blind), GONE);
}

#[test]
fn a_doubt_about_a_creation_is_resolved_before_the_removal() {
    let mut known = Known::removal(None, Doubt::Of(Op::Create));
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Probe));
    known.learn(Op::Probe, &delivered("251"));
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Delete));

    let mut known = Known::removal(None, Doubt::Of(Op::Upsert));
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Upsert));
    known.learn(Op::Upsert, &delivered("252"));
    assert_eq!(
        (decide(&known, ALL), known.target()),
        (Decision::Call(Op::Delete), Some("252"))
    );

    let blind = Abilities {
        upsert: false,
        probe: false,
        ..ALL
    };
    match decide(&Known::removal(None, Doubt::Of(Op::Create)), blind) {
        Decision::Reject(problem) => assert_eq!(problem.code, Code::OutcomeUnknown),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_doubt_about_the_removal_itself_is_resolved_by_removing_again() {
    let mut known = Known::removal(Some("251".into()), Doubt::No);
    known.learn(
        Op::Delete,
        &Outcome::Unknown {
            message: "no answer".into(),
        },
    );
    assert_eq!(known.doubt, Doubt::No);
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Delete));
    let known = Known::removal(Some("251".into()), Doubt::Of(Op::Delete));
    assert_eq!(decide(&known, ALL), Decision::Call(Op::Delete));
}

#[test]
fn what_a_vendor_cannot_remove_is_shown_to_a_person_and_nothing_is_sent() {
    let unable = Abilities { delete: false, ..ALL };
    for known in [
        Known::removal(Some("251".into()), Doubt::No),
        Known::removal(None, Doubt::Of(Op::Create)),
        Known::removal(None, Doubt::Of(Op::Upsert)),
    ] {
        match decide(&known, unable) {
            Decision::Reject(problem) => assert_eq!(problem.code, Code::ObjectUnsupported),
            other => panic!("{known:?}: {other:?}"),
        }
    }
    assert_eq!(decide(&Known::removal(None, Doubt::No), unable), GONE);
}

#[test]
fn an_event_can_be_removed_like_a_person() {
    let event = Abilities {
        record: RecordKind::Event,
        find: false,
        ..ALL
    };
    let known = Known::removal(Some("500".into()), Doubt::No);
    assert_eq!(decide(&known, event), Decision::Call(Op::Delete));
}
