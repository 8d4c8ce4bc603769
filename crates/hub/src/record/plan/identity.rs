//! Found or made: the heart of identity.

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_model::{
    id::{DuplicateId, MergeId, RecordId},
    problem::{Code, Problem},
    record::{MatchKey, ObjectType, Policy, suspicions},
};

use super::{
    super::{
        joining::{contradict, patched},
        matching::{Found, find},
    },
    Plan,
};
use crate::store::{DuplicateState, Outcome, RecordWrite, Written};

/// A suspicion that more records share is none: it is a common name.
const COMMON: usize = 5;

impl Plan<'_> {
    /// Finds the record by its keys, or makes it.
    pub(super) fn find_or_make(
        &mut self,
        write: &RecordWrite,
        data: &Map<String, Value>,
        policy: Policy,
        only: Option<&[String]>,
    ) -> Written {
        let all = find(&self.shelf, &write.object, data, only);
        let (sure, doubtful): (Vec<Found>, Vec<Found>) = all.into_iter().partition(|found| !found.doubtful);
        match (policy, sure.first()) {
            (Policy::Find, Some(first)) => {
                let mut written = self.written(Outcome::Unchanged, first.record);
                written.found_by = Some(first.key.clone());
                written
            }
            (Policy::Find, None) if doubtful.is_empty() && self.namesake(write, data).is_some() => {
                let id = self.namesake(write, data).unwrap_or_default();
                self.written(Outcome::Unchanged, id)
            }
            (Policy::Update, Some(first)) => self.update_found(write, data, first, &sure[1..], &doubtful),
            _ => self.make(write, data, policy, &[sure, doubtful].concat()),
        }
    }

    /// The one record with this name, of somebody who is named and nothing else.
    fn namesake(&self, write: &RecordWrite, data: &Map<String, Value>) -> Option<RecordId> {
        let name: Arc<str> = write.object.name.as_str().into();
        let key = suspicions(&write.object, data).into_iter().next()?;
        match self.shelf.holders(&name, &key)[..] {
            [only] => Some(only),
            _ => None,
        }
    }

    fn update_found(
        &mut self,
        write: &RecordWrite,
        data: &Map<String, Value>,
        first: &Found,
        others: &[Found],
        doubtful: &[Found],
    ) -> Written {
        let object = &write.object;
        let (mut target, mut merges, mut duplicates) = (first.record, Vec::new(), Vec::new());
        for other in others {
            if self.may_become_one(object, target, other.record) {
                let found_by = [first.key.clone(), other.key.clone()];
                let (winner, loser) = (target.min(other.record), target.max(other.record));
                merges.push(self.merge(object, winner, loser, &found_by, &write.source));
                self.note_match(winner, &other.key, &write.source, "merged");
                target = winner;
            } else {
                duplicates.extend(self.list(write, target, other));
            }
        }
        for other in doubtful {
            duplicates.extend(self.list(write, target, other));
        }
        let before = self
            .shelf
            .records
            .get(&target)
            .map(|row| row.data.clone())
            .unwrap_or_default();
        let changed = self.set(object, target, patched(object, &before, data), None);
        duplicates.extend(self.suspect(object, target, data));
        let changed = changed || !merges.is_empty();
        let outcome = if changed { Outcome::Updated } else { Outcome::Unchanged };
        let word = if changed { "updated" } else { "unchanged" };
        self.note_match(target, &first.key, &write.source, word);
        Written {
            found_by: Some(first.key.clone()),
            merges,
            duplicates,
            ..self.written(outcome, target)
        }
    }

    fn make(&mut self, write: &RecordWrite, data: &Map<String, Value>, policy: Policy, found: &[Found]) -> Written {
        let object = &write.object;
        if let Some(problem) = missing(object, data) {
            return refused(problem);
        }
        let review = policy == Policy::Ask && !found.is_empty();
        let id = self.create(object, data, &write.source, review);
        let mut duplicates: Vec<DuplicateId> = Vec::new();
        for other in found {
            duplicates.extend(self.list(write, id, other));
        }
        duplicates.extend(self.suspect(object, id, data));
        Written {
            duplicates,
            ..self.written(Outcome::Created, id)
        }
    }

    /// Whether nothing speaks against two records being one: they do not contradict each other, and they are not on the list of pairs that
    /// a person decides about, or has decided about, for more than a name.
    fn may_become_one(&self, object: &ObjectType, one: RecordId, other: RecordId) -> bool {
        let (Some(first), Some(second)) = (self.shelf.records.get(&one), self.shelf.records.get(&other)) else {
            return false;
        };
        let kept_apart = self
            .shelf
            .pair(one, other)
            .is_some_and(|pair| pair.state == DuplicateState::Dismissed || !pair.key.kind.starts_with('~'));
        !kept_apart && !contradict(object, &first.data, &second.data)
    }

    /// Puts a record that was found, too, on the list of possible duplicates.
    fn list(&mut self, write: &RecordWrite, id: RecordId, other: &Found) -> Option<DuplicateId> {
        let listed = self.pair(&write.object, (id, other.record), &other.key, DuplicateState::Open)?;
        self.note_match(other.record, &other.key, &write.source, "listed");
        Some(listed)
    }

    /// Lists records that have what makes suspicious in common with this one.
    pub(super) fn suspect(&mut self, object: &ObjectType, id: RecordId, data: &Map<String, Value>) -> Vec<DuplicateId> {
        let name: Arc<str> = object.name.as_str().into();
        let mut listed = Vec::new();
        for key in suspicions(object, data) {
            let others = self.shelf.holders(&name, &key);
            if others.len() > COMMON {
                continue;
            }
            for other in others.into_iter().filter(|other| *other != id) {
                listed.extend(self.pair(object, (id, other), &key, DuplicateState::Open));
            }
        }
        listed
    }

    /// Lists records that have a key in common with this one.
    pub(super) fn list_holders(&mut self, write: &RecordWrite, id: RecordId, keys: &[MatchKey]) -> Vec<DuplicateId> {
        let name: Arc<str> = write.object.name.as_str().into();
        let mut listed = Vec::new();
        for key in keys {
            for other in self.shelf.holders(&name, key) {
                if other != id {
                    listed.extend(self.pair(&write.object, (id, other), key, DuplicateState::Open));
                }
            }
        }
        listed
    }
}

/// The merges and duplicates of a write that did nothing.
pub(super) fn refused(problem: Problem) -> Written {
    Written {
        outcome: Outcome::Refused(Box::new(problem)),
        record: None,
        found_by: None,
        merges: Vec::<MergeId>::new(),
        duplicates: Vec::new(),
    }
}

/// What a new record lacks.
fn missing(object: &ObjectType, data: &Map<String, Value>) -> Option<Problem> {
    let has = |name: &str| data.get(name).is_some_and(|value| !value.is_null() && value != "");
    let lacking = object
        .fields
        .values()
        .filter(|field| field.required && field.default.is_none() && !has(&field.name));
    let problems = lacking.map(|field| {
        Problem::new(
            Code::WrongShape,
            format!(
                "`{}` is missing, and a new record of {} needs it",
                field.name, object.name
            ),
            "Add the field, or give it a default in the object's definition.",
        )
        .at(format!("/{}", field.name))
    });
    Problem::all(problems.collect())
}
