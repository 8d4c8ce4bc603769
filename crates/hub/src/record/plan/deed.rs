//! What each kind of write does.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    id::{ConnectionId, DuplicateId, MergeId, RecordId},
    problem::{Code, Problem},
    record::{MatchKey, ObjectType, keys},
};

use super::{
    super::{
        joining::{join, parted, patched},
        shelf::references,
    },
    Follow, Plan, Told,
    identity::refused,
    link_key,
};
use crate::store::{ChangeKind, DuplicateState, How, MergeRow, MergeStory, Outcome, RecordRow, RecordWrite, Written};

impl Plan<'_> {
    /// Does one write. What it did is in the shelf, the effects and what is told; one that is refused did nothing.
    pub fn apply(&mut self, write: &RecordWrite) -> Written {
        let written = self.decide(write);
        self.tell(&write.source);
        written
    }

    fn decide(&mut self, write: &RecordWrite) -> Written {
        match &write.how {
            How::Match { policy, only } => match self.resolved(write) {
                Ok(data) => self.find_or_make(write, &data, *policy, only.as_deref()),
                Err(problem) => refused(problem),
            },
            How::Update { id, revision } => self.update(write, *id, *revision),
            How::Delete(id) => self.delete(write, *id),
            How::Merge { winner, loser } => self.merge_by_hand(write, *winner, *loser),
            How::Undo(id) => self.undo(write, *id),
            How::Dismiss(id) => self.dismiss(write, *id),
        }
    }

    /// The values of a write, with the records that its fields refer to.
    fn resolved(&mut self, write: &RecordWrite) -> Result<Map<String, Value>, Problem> {
        let mut data = write.data.clone();
        for id in references(&write.object, &write.data) {
            let known = self.shelf.live(id).map(|row| row.id);
            match known {
                Some(live) if live != id => {
                    let text = json!(id.to_string());
                    let each = data.values_mut().filter(|value| **value == text);
                    each.for_each(|value| *value = json!(live.to_string()));
                }
                Some(_) => {}
                None => return Err(nothing(&id.to_string())),
            }
        }
        for (field, lookup) in &write.lookups {
            let found = self.decide(lookup);
            match (found.outcome, found.record) {
                (Outcome::Refused(problem), _) => return Err(problem.at(format!("/{field}"))),
                (_, Some(record)) => {
                    data.insert(field.clone(), json!(record.id.to_string()));
                }
                (_, None) => {}
            }
        }
        Ok(data)
    }

    /// The record of the write's object that an id leads to.
    fn known(&self, write: &RecordWrite, id: RecordId) -> Result<RecordRow, Problem> {
        let row = self.shelf.live(id).filter(|row| *row.object == *write.object.name);
        row.cloned().ok_or_else(|| nothing(&id.to_string()))
    }

    fn update(&mut self, write: &RecordWrite, id: RecordId, revision: Option<i64>) -> Written {
        let row = match self.known(write, id) {
            Ok(row) => row,
            Err(problem) => return refused(problem),
        };
        if let Some(expected) = revision.filter(|revision| *revision != row.revision) {
            return refused(Problem::new(
                Code::WrongState,
                format!(
                    "{} has revision {}, not {expected}: somebody else changed it",
                    row.id, row.revision
                ),
                "Read it again and repeat the change if it still makes sense.",
            ));
        }
        let data = match self.resolved(write) {
            Ok(data) => data,
            Err(problem) => return refused(problem),
        };
        let object = &write.object;
        let emptied = object.fields.values().find(|field| {
            field.required
                && data
                    .get(&field.name)
                    .is_some_and(|value| value.is_null() || value == "")
        });
        if let Some(field) = emptied {
            let detail = format!("`{}` is needed and cannot be emptied", field.name);
            let problem = Problem::new(Code::WrongShape, detail, "Give it a value, or leave it out.");
            return refused(problem.at(format!("/{}", field.name)));
        }
        let changed = self.set(object, row.id, patched(object, &row.data, &data), None);
        let mut duplicates = self.list_holders(write, row.id, &keys(object, &data));
        duplicates.extend(self.suspect(object, row.id, &data));
        let outcome = if changed { Outcome::Updated } else { Outcome::Unchanged };
        Written {
            duplicates,
            ..self.written(outcome, row.id)
        }
    }

    fn delete(&mut self, write: &RecordWrite, id: RecordId) -> Written {
        let row = match self.known(write, id) {
            Ok(row) => row,
            Err(problem) => return refused(problem),
        };
        self.shelf.records.remove(&row.id);
        self.effects.saved.remove(&row.id);
        self.effects.removed.insert(row.id);
        self.told.push(Told {
            object: Arc::clone(&write.object),
            kind: ChangeKind::Deleted,
            before: row.data.clone(),
            record: row.clone(),
            merged: None,
            source: Arc::clone(&write.source),
        });
        let mut written = self.written(Outcome::Deleted, row.id);
        written.record = Some(row);
        written
    }

    fn merge_by_hand(&mut self, write: &RecordWrite, winner: RecordId, loser: RecordId) -> Written {
        let both = self
            .known(write, winner)
            .and_then(|winner| Ok((winner, self.known(write, loser)?)));
        let (winner, loser) = match both {
            Ok((winner, loser)) if winner.id == loser.id => {
                return refused(Problem::new(
                    Code::WrongState,
                    format!("{} is one record already", winner.id),
                    "Name two different records.",
                ));
            }
            Ok(both) => both,
            Err(problem) => return refused(problem),
        };
        let merge = self.merge(&write.object, winner.id, loser.id, &[], &write.source);
        Written {
            merges: vec![merge],
            ..self.written(Outcome::Updated, winner.id)
        }
    }

    /// Makes one of two records. `found_by`: the keys for which the hub does it by itself.
    pub(super) fn merge(
        &mut self,
        object: &Arc<ObjectType>,
        winner: RecordId,
        loser: RecordId,
        found_by: &[MatchKey],
        source: &Arc<str>,
    ) -> MergeId {
        let id = MergeId(self.next_id());
        let rows = (
            self.shelf.records.get(&winner).cloned(),
            self.shelf.records.get(&loser).cloned(),
        );
        let (Some(kept), Some(gone)) = rows else {
            return id;
        };
        let after = join(object, &kept.data, &gone.data);
        let story = MergeStory {
            source: source.to_string(),
            automatic: !found_by.is_empty(),
            keys: found_by
                .iter()
                .map(|key| (key.kind.clone(), key.value.clone()))
                .collect(),
            before: kept.data.clone(),
            after: after.clone(),
            review: kept.review,
            ..MergeStory::default()
        };
        if let Some(row) = self.shelf.records.get_mut(&loser) {
            row.merged_into = Some(winner);
            row.revision += 1;
            row.updated_ms = self.now_ms;
        }
        self.effects.saved.entry(loser).or_insert(false);
        self.touch(object, winner, Some(kept.data));
        if !self.set(object, winner, after, Some(id)) {
            self.raise(winner);
        }
        if let Some(row) = self.shelf.records.get_mut(&winner) {
            row.review = false;
        }
        if let Some(touched) = self.touched.get_mut(&winner) {
            touched.merged = Some(loser);
        }
        let from = link_key(object, loser, &gone.data);
        let to = self
            .shelf
            .records
            .get(&winner)
            .map(|row| link_key(object, winner, &row.data));
        if let Some(to) = to.filter(|to| *to != from) {
            let merge = Some(id);
            self.effects.follows.push(Follow { merge, from, to });
        }
        let reason = found_by.last().cloned().unwrap_or(MatchKey {
            kind: "person".into(),
            value: source.to_string(),
        });
        self.pair(object, (winner, loser), &reason, DuplicateState::Merged);
        self.effects.merges.push(MergeRow {
            id,
            object: object.name.clone(),
            winner,
            loser,
            at_ms: self.now_ms,
            undone_ms: None,
            story,
        });
        id
    }

    /// The record counts as changed, although its values are the same.
    fn raise(&mut self, id: RecordId) {
        if let Some(row) = self.shelf.records.get_mut(&id) {
            row.revision += 1;
            row.updated_ms = self.now_ms;
            self.effects.saved.entry(id).or_insert(false);
        }
    }

    fn undo(&mut self, write: &RecordWrite, id: MergeId) -> Written {
        let object = &write.object;
        let Some(merge) = self
            .shelf
            .merges
            .get(&id)
            .filter(|merge| merge.object == object.name)
            .cloned()
        else {
            return refused(nothing(&id.to_string()));
        };
        let rows = (
            self.shelf.records.get(&merge.winner).cloned(),
            self.shelf.records.get(&merge.loser).cloned(),
        );
        let (Some(winner), Some(loser)) = rows else {
            return refused(nothing(&id.to_string()));
        };
        if merge.undone_ms.is_some() || loser.merged_into != Some(winner.id) {
            return refused(Problem::new(
                Code::WrongState,
                format!("{id} was undone already"),
                "There is nothing left to do.",
            ));
        }
        if let Some(next) = winner.merged_into {
            return refused(Problem::new(
                Code::WrongState,
                format!("{} was itself merged into {next} since", winner.id),
                "Undo that merge first; GET …/history of the record lists it.",
            ));
        }
        let values = parted(object, &winner.data, &merge.story.before, &merge.story.after);
        self.touch(object, winner.id, Some(winner.data.clone()));
        if !self.set(object, winner.id, values, None) {
            self.raise(winner.id);
        }
        // What the merge gave a link to has one of its own again.
        self.effects
            .follows
            .retain(|follow| follow.from != link_key(object, winner.id, &winner.data));
        if let Some(row) = self.shelf.records.get_mut(&winner.id) {
            row.review = merge.story.review;
        }
        self.touch(object, loser.id, Some(loser.data.clone()));
        self.raise(loser.id);
        if let Some(row) = self.shelf.records.get_mut(&loser.id) {
            row.merged_into = None;
        }
        if let Some(touched) = self.touched.get_mut(&loser.id) {
            touched.back = true;
        }
        let links = merge.story.links.iter();
        self.effects
            .unlinked
            .extend(links.map(|(connection, object, key)| (ConnectionId(*connection), object.clone(), key.clone())));
        self.effects.undone.push(id);
        if let Some(row) = self.shelf.merges.get_mut(&id) {
            row.undone_ms = Some(self.now_ms);
        }
        let reason = MatchKey {
            kind: "person".into(),
            value: write.source.to_string(),
        };
        // Said by a person, so that the next event that names both does not merge them again.
        self.pair(object, (winner.id, loser.id), &reason, DuplicateState::Dismissed);
        self.written(Outcome::Updated, winner.id)
    }

    fn dismiss(&mut self, write: &RecordWrite, id: DuplicateId) -> Written {
        let known = self
            .shelf
            .pairs
            .values()
            .find(|pair| pair.id == id && pair.object == write.object.name)
            .cloned();
        let Some(pair) = known else {
            return refused(nothing(&id.to_string()));
        };
        if pair.state == DuplicateState::Merged {
            return refused(Problem::new(
                Code::WrongState,
                "The two were merged",
                "Undo the merge instead; that also says that they are two.",
            ));
        }
        self.pair(
            &write.object,
            (pair.one, pair.other),
            &pair.key,
            DuplicateState::Dismissed,
        );
        for id in [pair.one, pair.other] {
            if let Some(row) = self.shelf.records.get_mut(&id).filter(|row| row.review) {
                row.review = false;
                self.effects.saved.entry(id).or_insert(false);
            }
        }
        let mut written = self.written(Outcome::Updated, pair.other);
        written.duplicates.push(id);
        written
    }
}

fn nothing(id: &str) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("there is no {id} here"),
        "Check the id, and that it is one of this object.",
    )
}
