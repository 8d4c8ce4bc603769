//! Records: a transaction for each commit. It takes locks on the keys that it names, in their order, so that two that bring one person at once
//! come one after the other; then it locks the rows that they lead to, decides with [`crate::record::plan`], and writes.

mod guard;
mod load;
mod query;
mod rows;
mod save;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use deadpool_postgres::Transaction;
use parking_lot::Mutex;
use switchboard_model::{
    id::{ConnectionId, DeliveryId, MergeId, RecordId, WorkspaceId},
    record::MatchKey,
};
use tokio_postgres::error::SqlState;

use super::{
    Core, PostgresStore, Trouble,
    accept::{self, Draft, Keys},
    note_arrival, smallest,
};
use crate::{
    record::{plan::Plan, shelf::Wanted},
    store::{
        Accepted, Answer, Commit, Committed, DuplicateFilter, DuplicateRow, Ledger, MatchRow, MergeRow, NewEvent,
        RecordQuery, RecordRow, StoreError,
    },
};

/// A transaction that lost against another one is run again this often.
const AGAIN: usize = 10;

impl Ledger for PostgresStore {
    fn commit(&self, commit: Commit) -> Answer<'_, Committed> {
        Box::pin(async move { Ok(persistently(&self.core, &commit).await?) })
    }

    fn record(&self, workspace: WorkspaceId, id: RecordId) -> Answer<'_, Option<RecordRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::live(&client, workspace, vec![id]).await?.remove(&id))
        })
    }

    fn titles(&self, workspace: WorkspaceId, ids: Vec<RecordId>) -> Answer<'_, HashMap<RecordId, String>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::titles(&client, workspace, ids).await?)
        })
    }

    fn records(&self, workspace: WorkspaceId, query: RecordQuery) -> Answer<'_, Vec<RecordRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(query::records(&client, workspace, &query).await?)
        })
    }

    fn known_by(&self, workspace: WorkspaceId, object: &str, key: MatchKey) -> Answer<'_, Vec<RecordRow>> {
        let object = object.to_owned();
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::known_by(&client, workspace, &object, &key).await?)
        })
    }

    fn matches(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MatchRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::matches(&client, workspace, record).await?)
        })
    }

    fn duplicates(&self, workspace: WorkspaceId, filter: DuplicateFilter) -> Answer<'_, Vec<DuplicateRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(query::duplicates(&client, workspace, &filter).await?)
        })
    }

    fn merges(&self, workspace: WorkspaceId, record: RecordId) -> Answer<'_, Vec<MergeRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::merges_of(&client, workspace, record).await?)
        })
    }

    fn merge(&self, workspace: WorkspaceId, id: MergeId) -> Answer<'_, Option<MergeRow>> {
        Box::pin(async move {
            let client = self.core.client().await?;
            Ok(load::merges(&client, workspace, &[id.0]).await?.pop())
        })
    }
}

/// A commit whose transaction lost against another one is decided anew.
async fn persistently(core: &Core, commit: &Commit) -> Result<Committed, Trouble> {
    let mut tries = 0;
    loop {
        match once(core, commit).await {
            Err(trouble) if tries < AGAIN && (trouble.passes() || lost(&trouble)) => {}
            Err(trouble) if tries < AGAIN && trouble.lacks_partition() => core.days.forget(),
            done => return done,
        }
        tries += 1;
    }
}

/// Another transaction took a key between the look at it and the write.
fn lost(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Database(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
}

/// Where ids come from inside a transaction. Without a session there are none; then the transaction fails in the end.
struct Numbers<'c> {
    core: &'c Core,
    now_ms: i64,
    trouble: Mutex<Option<StoreError>>,
}

impl Numbers<'_> {
    fn take(&self, count: usize) -> Vec<i64> {
        self.core.ids(count, self.now_ms).unwrap_or_else(|error| {
            *self.trouble.lock() = Some(error);
            vec![0; count]
        })
    }

    fn check(&self) -> Result<(), Trouble> {
        self.trouble.lock().take().map_or(Ok(()), |error| Err(error.into()))
    }
}

async fn once(core: &Core, commit: &Commit) -> Result<Committed, Trouble> {
    let slot = core.identity.lock().slot()?;
    let numbers = Numbers {
        core,
        now_ms: commit.now_ms,
        trouble: Mutex::new(None),
    };
    let mut client = core.client().await?;
    // What is announced lies in the partition of the day of its id.
    core.days.cover(&mut client, &numbers.take(1)).await?;
    let tx = client.transaction().await?;
    let mut committed = Committed::default();
    if !guard::holds(&tx, commit).await? {
        tx.rollback().await?;
        return Ok(committed);
    }
    committed.held = true;
    let mut announced = Vec::new();
    if !commit.records.is_empty() {
        announced = write_records(&tx, commit, &numbers, &mut committed).await?;
    }
    let own = commit.events.len();
    let events: Vec<NewEvent> = commit.events.iter().cloned().chain(announced).collect();
    let mut drafts = Vec::with_capacity(events.len());
    for new in events {
        let mut ids = numbers.take(1 + new.deliveries.len() + new.runs.len()).into_iter();
        drafts.push(Draft::new(new, &mut ids));
    }
    numbers.check()?;
    let (mut accepted, news) = accept_all(&tx, &drafts, slot, commit.now_ms).await?;
    committed.announced = accepted.split_off(own);
    committed.events = accepted;
    guard::note(&tx, commit, &committed).await?;
    tx.commit().await?;
    if !news.is_empty() {
        // Transactions with smaller ids may have come first: the lanes of this node are told like those of the others.
        let listener = core.listener.lock().clone();
        if let Some(listener) = listener {
            listener.hinted(news.clone().into_iter().collect());
        }
        core.tell(news);
    }
    Ok(committed)
}

async fn accept_all(
    tx: &Transaction<'_>,
    drafts: &[Draft],
    slot: i16,
    now_ms: i64,
) -> Result<(Vec<Accepted>, HashMap<ConnectionId, DeliveryId>), Trouble> {
    if drafts.is_empty() {
        return Ok((Vec::new(), HashMap::new()));
    }
    let drafts: Vec<&Draft> = drafts.iter().collect();
    let none = HashMap::new();
    // What is not kept makes no deliveries; whoever looks at them finds nothing, and nobody needs to.
    let kept: HashSet<i64> = accept::insert(tx, &drafts, Keys::Contested, &none, (slot, now_ms)).await?;
    accept::begin_runs(tx, &drafts, &kept).await?;
    let before = match kept.len() == drafts.len() {
        true => HashMap::new(),
        false => accept::look_up(tx, &drafts, &kept).await?,
    };
    let new = drafts.iter().filter(|draft| kept.contains(&draft.event.id.0));
    let news = smallest(new.flat_map(|draft| draft.deliveries.iter().map(|new| (new.connection, new.id))));
    note_arrival(&**tx, slot, now_ms, &news).await?;
    let accepted = drafts.iter().map(|draft| accept::accepted(draft, &kept, &before));
    Ok((accepted.collect::<Result<_, _>>()?, news))
}

/// Does what is asked for with records; answers the events that it makes.
async fn write_records(
    tx: &Transaction<'_>,
    commit: &Commit,
    numbers: &Numbers<'_>,
    committed: &mut Committed,
) -> Result<Vec<NewEvent>, Trouble> {
    let workspace = commit.workspace;
    let shelf = load::shelf(tx, workspace, &Wanted::of(&commit.records)).await?;
    let mut decided = {
        let mut next = || numbers.take(1).pop().unwrap_or_default();
        let mut plan = Plan::new(workspace, commit.now_ms, shelf, &mut next);
        committed.records = commit.records.iter().map(|write| plan.apply(write)).collect();
        plan.finish()
    };
    let ids = numbers.take(decided.effects.matches.len());
    numbers.check()?;
    save::effects(tx, commit, &mut decided, ids).await?;
    let titles = load::titles(tx, workspace, decided.references()).await?;
    let changes = decided.changes(&titles);
    let announce = Arc::clone(&commit.announce);
    Ok(changes.iter().flat_map(|change| announce(change)).collect())
}
