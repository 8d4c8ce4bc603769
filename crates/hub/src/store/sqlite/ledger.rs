//! Records: reading what a commit needs, deciding with [`crate::record::plan`], writing what comes of it, all on the one writer.

mod guard;
mod load;
mod query;
mod rows;
mod save;

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use switchboard_model::id::{ConnectionId, DeliveryId, IdSource, MergeId, RecordId, WorkspaceId};
use switchboard_model::record::MatchKey;
use tokio::sync::oneshot;

use super::{
    SqliteStore,
    accept::{accept, numbered},
    writer::{Class, Job, Tx},
};
use crate::{
    record::{plan::Plan, shelf::Wanted},
    store::{
        Accepted, Answer, Commit, Committed, DuplicateFilter, DuplicateRow, Ledger, MatchRow, MergeRow, NewEvent,
        RecordQuery, RecordRow, StoreError,
    },
};

impl Ledger for SqliteStore {
    fn commit(&self, commit: Commit) -> Answer<'_, Committed> {
        let (reply, answer) = oneshot::channel();
        let ids = Arc::clone(&self.ids);
        self.writer.submit(Class::Urgent, || {
            Box::new(Committing {
                commit,
                ids,
                committed: Committed::default(),
                news: Vec::new(),
                reply,
            })
        });
        Box::pin(async move { answer.await.map_err(|_| StoreError::Closed)? })
    }

    fn record(&self, workspace: WorkspaceId, id: RecordId) -> Answer<'_, Option<RecordRow>> {
        Box::pin(self.readers.read(move |db| load::live(db, workspace, id)))
    }

    fn titles(&self, workspace: WorkspaceId, ids: Vec<RecordId>) -> Answer<'_, HashMap<RecordId, String>> {
        Box::pin(self.readers.read(move |db| load::titles(db, workspace, ids)))
    }

    fn records(&self, workspace: WorkspaceId, query: RecordQuery) -> Answer<'_, Vec<RecordRow>> {
        Box::pin(self.readers.read(move |db| query::records(db, workspace, &query)))
    }

    fn known_by(&self, workspace: WorkspaceId, object: &str, key: MatchKey) -> Answer<'_, Vec<RecordRow>> {
        let object: Arc<str> = object.into();
        Box::pin(
            self.readers
                .read(move |db| load::known_by(db, workspace, &object, &key)),
        )
    }

    fn matches(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MatchRow>> {
        Box::pin(self.readers.read(move |db| load::matches(db, workspace, record)))
    }

    fn duplicates(&self, workspace: WorkspaceId, filter: DuplicateFilter) -> Answer<'_, Vec<DuplicateRow>> {
        Box::pin(self.readers.read(move |db| query::duplicates(db, workspace, &filter)))
    }

    fn merges(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MergeRow>> {
        Box::pin(self.readers.read(move |db| load::merges_of(db, workspace, record)))
    }

    fn merge(&self, workspace: WorkspaceId, id: MergeId) -> Answer<'_, Option<MergeRow>> {
        Box::pin(self.readers.read(move |db| load::merge(db, workspace, id)))
    }
}

/// A commit on its way. What is decided inside the transaction draws its ids there; another job that waits already may have smaller ones, so
/// the listener is told from where on to look, as of what another node has committed.
struct Committing {
    commit: Commit,
    ids: Arc<Mutex<IdSource>>,
    committed: Committed,
    news: Vec<(ConnectionId, DeliveryId)>,
    reply: oneshot::Sender<Result<Committed, StoreError>>,
}

impl Committing {
    fn accept(&mut self, tx: &mut Tx<'_>, new: NewEvent) -> rusqlite::Result<Accepted> {
        let numbered = numbered(new, &mut self.ids.lock());
        let accepted = accept(tx, &numbered)?;
        if let Accepted::New { .. } = accepted {
            let each = numbered.deliveries.iter();
            self.news.extend(each.map(|pending| (pending.connection, pending.id)));
        }
        Ok(accepted)
    }

    fn write_records(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        let (workspace, now_ms) = (self.commit.workspace, self.commit.now_ms);
        let shelf = load::shelf(tx.db, workspace, &Wanted::of(&self.commit.records))?;
        let ids = Arc::clone(&self.ids);
        let mut next = move || ids.lock().next(now_ms);
        let mut plan = Plan::new(workspace, now_ms, shelf, &mut next);
        self.committed.records = self.commit.records.iter().map(|write| plan.apply(write)).collect();
        let mut decided = plan.finish();
        save::effects(tx.db, &self.commit, &mut decided, &mut next)?;
        let titles = load::titles(tx.db, workspace, decided.references())?;
        let changes = decided.changes(&titles);
        let announce = Arc::clone(&self.commit.announce);
        for new in changes.iter().flat_map(|change| announce(change)) {
            let accepted = self.accept(tx, new)?;
            self.committed.announced.push(accepted);
        }
        Ok(())
    }
}

impl Job for Committing {
    fn run(&mut self, tx: &mut Tx<'_>) -> rusqlite::Result<()> {
        self.committed = Committed::default();
        self.news.clear();
        self.committed.held = guard::holds(tx, &self.commit)?;
        if !self.committed.held {
            return Ok(());
        }
        if !self.commit.records.is_empty() {
            self.write_records(tx)?;
        }
        for new in self.commit.events.clone() {
            let accepted = self.accept(tx, new)?;
            self.committed.events.push(accepted);
        }
        guard::note(tx, &self.commit, &self.committed)
    }

    fn news(&mut self, all: &mut Vec<(ConnectionId, DeliveryId)>) {
        all.append(&mut self.news);
    }

    fn done(self: Box<Self>, result: Result<(), StoreError>) {
        // A caller that is gone no longer wants to know; the commit stands.
        let Self { committed, reply, .. } = *self;
        let _ = reply.send(result.map(|()| committed));
    }
}
