//! What was read of the store for a commit, and what the commit has made of it so far.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;
use switchboard_model::{
    id::{DuplicateId, MergeId, RecordId},
    record::{FieldKind, MatchKey, ObjectType, keys, suspicions},
};

use crate::store::{DuplicateRow, How, MergeRow, RecordRow, RecordWrite};

/// A key of an object.
pub(crate) type ObjectKey = (Arc<str>, MatchKey);

/// What has to be read before anything can be decided.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    /// Keys, in the order in which they are locked.
    pub keys: BTreeSet<ObjectKey>,
    /// Records by their ids.
    pub records: BTreeSet<RecordId>,
    /// Merges, with both their records.
    pub merges: BTreeSet<MergeId>,
    /// Pairs.
    pub duplicates: BTreeSet<DuplicateId>,
}

impl Wanted {
    /// What these writes need.
    pub fn of(writes: &[RecordWrite]) -> Self {
        let mut wanted = Self::default();
        writes.iter().for_each(|write| wanted.add(write));
        wanted
    }

    fn add(&mut self, write: &RecordWrite) {
        let object: Arc<str> = write.object.name.as_str().into();
        let all = keys(&write.object, &write.data).into_iter();
        let all = all.chain(suspicions(&write.object, &write.data));
        self.keys.extend(all.map(|key| (Arc::clone(&object), key)));
        self.records.extend(references(&write.object, &write.data));
        match &write.how {
            How::Match { .. } => {}
            How::Update { id, .. } | How::Delete(id) => {
                self.records.insert(*id);
            }
            How::Merge { winner, loser } => self.records.extend([*winner, *loser]),
            How::Undo(id) => {
                self.merges.insert(*id);
            }
            How::Dismiss(id) => {
                self.duplicates.insert(*id);
            }
        }
        write.lookups.iter().for_each(|(_, lookup)| self.add(lookup));
    }
}

/// The records that a record with these values refers to.
pub(crate) fn references(object: &ObjectType, data: &serde_json::Map<String, Value>) -> Vec<RecordId> {
    let fields = object.fields.values();
    let lookups = fields.filter(|field| matches!(field.kind, FieldKind::Lookup(_)));
    lookups
        .filter_map(|field| data.get(&field.name)?.as_str()?.parse().ok())
        .collect()
}

/// Rows of the store.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    pub records: HashMap<RecordId, RecordRow>,
    /// Who has which key; those that were merged into others as well.
    pub keys: HashMap<ObjectKey, BTreeSet<RecordId>>,
    pub merges: HashMap<MergeId, MergeRow>,
    /// By the two records, the older one first.
    pub pairs: HashMap<(RecordId, RecordId), DuplicateRow>,
}

impl Shelf {
    /// The record, or the one that it was merged into.
    pub fn live(&self, id: RecordId) -> Option<&RecordRow> {
        let mut row = self.records.get(&id)?;
        // A ring cannot come about; should one be in the store, it must not hang.
        for _ in 0..=self.records.len() {
            match row.merged_into {
                None => return Some(row),
                Some(next) => row = self.records.get(&next)?,
            }
        }
        None
    }

    /// The records that a key leads to, oldest first.
    pub fn holders(&self, object: &Arc<str>, key: &MatchKey) -> Vec<RecordId> {
        let holders = self.keys.get(&(Arc::clone(object), key.clone()));
        let mut found = Vec::new();
        for row in holders.into_iter().flatten().filter_map(|id| self.live(*id)) {
            if !found.contains(&row.id) {
                found.push(row.id);
            }
        }
        found.sort_unstable();
        found
    }

    /// The pair of two records.
    pub fn pair(&self, one: RecordId, other: RecordId) -> Option<&DuplicateRow> {
        self.pairs.get(&(one.min(other), one.max(other)))
    }

    /// The next ids that have to be read so that every chain of merges ends.
    pub fn open_ends(&self) -> BTreeSet<RecordId> {
        let all = self.records.values().filter_map(|row| row.merged_into);
        all.filter(|id| !self.records.contains_key(id)).collect()
    }
}
