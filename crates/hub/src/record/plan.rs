//! Decides what becomes of writes, from rows that were read, and says what has to be written. Pure but for the ids that it asks for.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use switchboard_model::{
    id::{ConnectionId, DuplicateId, MergeId, RecordId, WorkspaceId},
    record::{MatchKey, ObjectType, keys, present, suspicions, title},
};

use super::{
    joining::patched,
    shelf::{Shelf, references},
};
use crate::{
    normalise,
    store::{ChangeKind, DuplicateRow, DuplicateState, MatchRow, MergeRow, Outcome, RecordChange, RecordRow, Written},
};

mod deed;
mod identity;

/// Where ids come from.
pub(crate) type Ids<'i> = &'i mut dyn FnMut() -> i64;

/// What has to be written, in this order: rows, keys, links, merges, the rest.
#[derive(Debug, Default)]
pub(crate) struct Effects {
    /// Records as they are now; `true`: it is a new row.
    pub saved: BTreeMap<RecordId, bool>,
    /// Records that are gone, with those that were merged into them.
    pub removed: BTreeSet<RecordId>,
    /// Keys that a record has no more, and those that it has got; weak ones begin with `~`.
    pub keys: Vec<KeyChange>,
    /// Vendors' ids that are to be known under another record key as well.
    pub follows: Vec<Follow>,
    /// New merges.
    pub merges: Vec<MergeRow>,
    /// Merges that were undone.
    pub undone: Vec<MergeId>,
    /// Links that a merge had brought: connection, object, record key.
    pub unlinked: Vec<(ConnectionId, String, String)>,
    /// Pairs as they are now.
    pub pairs: BTreeSet<(RecordId, RecordId)>,
    /// By which keys records were found.
    pub matches: Vec<(RecordId, MatchRow)>,
}

/// A change of the keys of a record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct KeyChange {
    pub record: RecordId,
    pub object: Arc<str>,
    pub gone: Vec<MatchKey>,
    pub new: Vec<MatchKey>,
}

/// A record is known under another record key from now on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Follow {
    /// The merge that it comes of.
    pub merge: Option<MergeId>,
    pub from: String,
    pub to: String,
}

/// A change that is going to be told.
#[derive(Debug)]
struct Told {
    object: Arc<ObjectType>,
    kind: ChangeKind,
    record: RecordRow,
    before: Map<String, Value>,
    merged: Option<RecordId>,
    source: Arc<str>,
}

/// What is being decided.
pub(crate) struct Plan<'i> {
    workspace: WorkspaceId,
    now_ms: i64,
    ids: Ids<'i>,
    shelf: Shelf,
    effects: Effects,
    told: Vec<Told>,
    /// Records that the present write has touched: as they were before, `None` for a new one.
    touched: IndexMap<RecordId, Touched>,
}

/// What was decided: what is to be written, and what is to be told.
#[derive(Debug)]
pub(crate) struct Decided {
    now_ms: i64,
    pub shelf: Shelf,
    pub effects: Effects,
    told: Vec<Told>,
}

impl Decided {
    /// The records that what is going to be told refers to.
    pub fn references(&self) -> Vec<RecordId> {
        let each = self.told.iter();
        let all: BTreeSet<RecordId> = each
            .flat_map(|told| references(&told.object, &told.record.data))
            .collect();
        all.into_iter().collect()
    }

    /// What is told, given the titles of [`Self::references`].
    pub fn changes(self, titles: &HashMap<RecordId, String>) -> Vec<RecordChange> {
        let now_ms = self.now_ms;
        let told = self.told.into_iter();
        told.map(|told| RecordChange {
            titles: references(&told.object, &told.record.data)
                .into_iter()
                .filter_map(|id| Some((id, titles.get(&id)?.clone())))
                .collect(),
            object: told.object,
            kind: told.kind,
            record: told.record,
            before: told.before,
            source: told.source,
            merged: told.merged,
            now_ms,
        })
        .collect()
    }
}

struct Touched {
    object: Arc<ObjectType>,
    before: Option<Map<String, Value>>,
    merged: Option<RecordId>,
    /// It is back after a merge was undone.
    back: bool,
}

impl<'i> Plan<'i> {
    pub fn new(workspace: WorkspaceId, now_ms: i64, shelf: Shelf, ids: Ids<'i>) -> Self {
        Self {
            workspace,
            now_ms,
            ids,
            shelf,
            effects: Effects::default(),
            told: Vec::new(),
            touched: IndexMap::new(),
        }
    }

    /// Everything that was decided.
    pub fn finish(self) -> Decided {
        Decided {
            now_ms: self.now_ms,
            shelf: self.shelf,
            effects: self.effects,
            told: self.told,
        }
    }

    fn next_id(&mut self) -> i64 {
        (self.ids)()
    }

    /// A new record. Fields that it does not bring get their defaults.
    fn create(
        &mut self,
        object: &Arc<ObjectType>,
        data: &Map<String, Value>,
        source: &Arc<str>,
        review: bool,
    ) -> RecordId {
        let mut values = Map::new();
        for field in object.fields.values() {
            let value = data.get(&field.name).filter(|value| !value.is_null());
            if let Some(value) = value.or(field.default.as_ref()) {
                values.insert(field.name.clone(), value.clone());
            }
        }
        let values = patched(object, &Map::new(), &values);
        let id = RecordId(self.next_id());
        let row = RecordRow {
            id,
            workspace: self.workspace,
            object: object.name.as_str().into(),
            title: title(object, &values),
            data: values,
            revision: 1,
            source: Arc::clone(source),
            review,
            merged_into: None,
            created_ms: self.now_ms,
            updated_ms: self.now_ms,
        };
        self.touch(object, id, None);
        self.change_keys(object, id, &Map::new(), &row.data);
        self.effects.saved.insert(id, true);
        self.shelf.records.insert(id, row);
        id
    }

    /// The record has these values from now on; answers whether that changes anything.
    fn set(
        &mut self,
        object: &Arc<ObjectType>,
        id: RecordId,
        values: Map<String, Value>,
        merge: Option<MergeId>,
    ) -> bool {
        let Some(row) = self.shelf.records.get_mut(&id) else {
            return false;
        };
        if row.data == values {
            return false;
        }
        let before = std::mem::replace(&mut row.data, values);
        row.title = title(object, &row.data);
        row.revision += 1;
        row.updated_ms = self.now_ms;
        let after = row.data.clone();
        self.effects.saved.entry(id).or_insert(false);
        self.change_keys(object, id, &before, &after);
        let (from, to) = (link_key(object, id, &before), link_key(object, id, &after));
        if from != to {
            self.effects.follows.push(Follow { merge, from, to });
        }
        self.touch(object, id, Some(before));
        true
    }

    fn touch(&mut self, object: &Arc<ObjectType>, id: RecordId, before: Option<Map<String, Value>>) {
        let object = Arc::clone(object);
        self.touched.entry(id).or_insert(Touched {
            object,
            before,
            merged: None,
            back: false,
        });
    }

    fn change_keys(
        &mut self,
        object: &Arc<ObjectType>,
        record: RecordId,
        before: &Map<String, Value>,
        after: &Map<String, Value>,
    ) {
        let of = |data: &Map<String, Value>| {
            let mut all = keys(object, data);
            all.extend(suspicions(object, data));
            all
        };
        let (before, after) = (of(before), of(after));
        let name: Arc<str> = object.name.as_str().into();
        let change = KeyChange {
            record,
            object: Arc::clone(&name),
            gone: before.iter().filter(|key| !after.contains(key)).cloned().collect(),
            new: after.into_iter().filter(|key| !before.contains(key)).collect(),
        };
        for key in &change.gone {
            if let Some(holders) = self.shelf.keys.get_mut(&(Arc::clone(&name), key.clone())) {
                holders.remove(&record);
            }
        }
        for key in &change.new {
            let holders = self.shelf.keys.entry((Arc::clone(&name), key.clone())).or_default();
            holders.insert(record);
        }
        if !change.gone.is_empty() || !change.new.is_empty() {
            self.effects.keys.push(change);
        }
    }

    /// Two records are looked at by a person, or were decided about. What was decided before stays, unless this is a decision.
    fn pair(
        &mut self,
        object: &ObjectType,
        both: (RecordId, RecordId),
        key: &MatchKey,
        state: DuplicateState,
    ) -> Option<DuplicateId> {
        let (one, other) = (both.0.min(both.1), both.0.max(both.1));
        if one == other {
            return None;
        }
        let now_ms = self.now_ms;
        let decided_ms = (state != DuplicateState::Open).then_some(now_ms);
        if let Some(known) = self.shelf.pairs.get_mut(&(one, other)) {
            if state == DuplicateState::Open || known.state == state {
                return (known.state == DuplicateState::Open).then_some(known.id);
            }
            known.state = state;
            known.decided_ms = decided_ms;
            let id = known.id;
            self.effects.pairs.insert((one, other));
            return Some(id);
        }
        let id = DuplicateId(self.next_id());
        let row = DuplicateRow {
            id,
            object: object.name.clone(),
            one,
            other,
            key: key.clone(),
            state,
            found_ms: now_ms,
            decided_ms,
        };
        self.shelf.pairs.insert((one, other), row);
        self.effects.pairs.insert((one, other));
        Some(id)
    }

    fn note_match(&mut self, record: RecordId, key: &MatchKey, source: &Arc<str>, outcome: &str) {
        let row = MatchRow {
            at_ms: self.now_ms,
            source: source.to_string(),
            key: key.clone(),
            outcome: outcome.to_owned(),
        };
        self.effects.matches.push((record, row));
    }

    /// The write is over: what it did is going to be told.
    fn tell(&mut self, source: &Arc<str>) {
        for (id, touched) in std::mem::take(&mut self.touched) {
            let Some(record) = self.shelf.records.get(&id).cloned() else {
                continue;
            };
            // One that was made and merged away by the same write, or merged away, is told of with the one that it went into.
            if record.merged_into.is_some() {
                continue;
            }
            let kind = match touched.before {
                None => ChangeKind::Created,
                Some(_) if touched.back => ChangeKind::Created,
                Some(_) => ChangeKind::Updated,
            };
            self.told.push(Told {
                object: touched.object,
                kind,
                before: match kind {
                    ChangeKind::Created => Map::new(),
                    _ => touched.before.unwrap_or_default(),
                },
                record,
                merged: touched.merged,
                source: Arc::clone(source),
            });
        }
    }

    fn written(&self, outcome: Outcome, id: RecordId) -> Written {
        Written {
            outcome,
            record: self.shelf.records.get(&id).cloned(),
            found_by: None,
            merges: Vec::new(),
            duplicates: Vec::new(),
        }
    }
}

/// Under which key the vendors' ids of a record are kept: the one that events about it have.
pub(crate) fn link_key(object: &ObjectType, id: RecordId, data: &Map<String, Value>) -> String {
    let mut shown = present(object, data, &HashMap::new());
    let key = match object.name.as_str() {
        "people" => normalise::person_key(&shown),
        "companies" => {
            let name = shown.get("name").cloned().unwrap_or_default();
            shown.insert("companyName".to_owned(), json!(name));
            normalise::company_key(&shown)
        }
        _ => None,
    };
    key.unwrap_or_else(|| id.to_string())
}

#[cfg(test)]
mod tests;
