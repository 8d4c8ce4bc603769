//! Recognises repeats.
//!
//! New fingerprints go into `recent`, and move to `seen` when their day is over (why: see the schema). An acceptance looks into `seen` and
//! inserts into `recent`, in one statement, so a fingerprint must be in `recent` until every statement that began before it came into `seen`
//! has ended. Therefore a day is copied first, which takes many transactions; the last of them locks `recent` against acceptances for as long
//! as it takes those at work to end; and what was copied is removed from `recent` after that.

use deadpool_postgres::Transaction;
use parking_lot::Mutex;
use switchboard_model::id::floor_of;
use tokio_postgres::{error::SqlState, types::ToSql};

use super::{Core, Trouble, days};

/// The row is the lock of those who move fingerprints. Whoever finds it taken comes again later. The day is over by the database's clock, too:
/// a node whose own is ahead would have the others' fingerprints of today passed by.
const MOVED: &str = "SELECT copied, removed, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM recent_moved FOR UPDATE SKIP LOCKED";
const COPY: &str = "
WITH slice AS (
    SELECT workspace, key, content, event FROM recent
    WHERE (workspace, key) > ($1, $2) AND event < $3 ORDER BY workspace, key LIMIT $4
), copied AS (
    INSERT INTO seen (workspace, key, content, event) SELECT workspace, key, content, event FROM slice ON CONFLICT DO NOTHING
)
SELECT workspace, key, count(*) OVER () FROM slice ORDER BY workspace DESC, key DESC LIMIT 1";
const REMOVE: &str = "
WITH slice AS (
    SELECT workspace, key, event FROM recent
    WHERE (workspace, key) > ($1, $2) AND event < $3 ORDER BY workspace, key LIMIT $4
), removed AS (
    DELETE FROM recent r USING slice x
    WHERE r.workspace = x.workspace AND r.key = x.key
      AND EXISTS (SELECT 1 FROM seen s WHERE s.workspace = x.workspace AND s.key = x.key AND s.event = x.event)
)
SELECT workspace, key, count(*) OVER () FROM slice ORDER BY workspace DESC, key DESC LIMIT 1";
/// New acceptances wait behind it. Those at work end within milliseconds; a vacuum, which also keeps it waiting, may take long, so it is given
/// up soon and tried again.
const BARRIER: &str = "SET LOCAL lock_timeout = '50ms'; LOCK TABLE recent IN SHARE MODE";

/// How far this process has come with moving.
#[derive(Debug, Default)]
pub(super) struct Moving(Mutex<Place>);

/// Where the next slice begins: behind this key, on the way through the ids below `floor`.
#[derive(Debug, Default, Clone)]
struct Place {
    floor: i64,
    step: Step,
    workspace: i64,
    key: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    #[default]
    Copy,
    Remove,
    Done,
}

impl Step {
    /// What is left to do about the ids below `floor`.
    fn of(floor: i64, copied: i64, removed: i64) -> Self {
        match () {
            () if copied < floor => Self::Copy,
            () if removed < floor => Self::Remove,
            () => Self::Done,
        }
    }
}

impl Place {
    /// Before the first of a step.
    fn first(floor: i64, step: Step) -> Self {
        Self {
            floor,
            step,
            workspace: i64::MIN,
            key: Vec::new(),
        }
    }
}

/// Moves a slice of the fingerprints whose day is over. Answers how many it was about; less than `most`: a step has come to its end, or
/// somebody else is at it.
pub(super) async fn move_slice(core: &Core, most: usize) -> Result<usize, Trouble> {
    let today = day_floor(core.clock.now_ms());
    let known = core.moving.0.lock().clone();
    if known.step == Step::Done && known.floor >= today {
        return Ok(0);
    }
    let mut client = core.client().await?;
    let tx = client.transaction().await?;
    let Some(moved) = tx.query_opt(MOVED, &[]).await? else {
        return Ok(0);
    };
    let today = today.min(day_floor(moved.get(2)));
    let step = Step::of(today, moved.get(0), moved.get(1));
    let place = match (known.floor, known.step) == (today, step) {
        true => known,
        false => Place::first(today, step),
    };
    let (count, next) = match step {
        Step::Copy => slice(&tx, COPY, place, most).await?,
        Step::Remove => slice(&tx, REMOVE, place, most).await?,
        Step::Done => (0, Some(place)),
    };
    let next = match next {
        Some(next) => next,
        None if end(&tx, today, step).await? => Place::default(),
        None => return Ok(0),
    };
    tx.commit().await?;
    *core.moving.0.lock() = next;
    Ok(count)
}

/// The smallest id of the day of this moment, Unix milliseconds.
fn day_floor(now_ms: i64) -> i64 {
    days::range(days::day_of(floor_of(now_ms))).0
}

/// How many a slice was about, and where the next one begins if there may be one.
async fn slice(tx: &Transaction<'_>, sql: &str, place: Place, most: usize) -> Result<(usize, Option<Place>), Trouble> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let statement = tx.prepare_cached(sql).await?;
    let values: [&(dyn ToSql + Sync); 4] = [&place.workspace, &place.key, &place.floor, &limit];
    let Some(last) = tx.query_opt(&statement, &values).await? else {
        return Ok((0, None));
    };
    let count: i64 = last.get(2);
    let next = (count == limit).then(|| Place {
        workspace: last.get(0),
        key: last.get(1),
        ..place
    });
    Ok((usize::try_from(count).unwrap_or_default(), next))
}

/// Writes down that a step has come to its end, unless acceptances keep it waiting.
async fn end(tx: &Transaction<'_>, floor: i64, step: Step) -> Result<bool, Trouble> {
    let column = match step {
        Step::Copy => "copied",
        _ => "removed",
    };
    if step == Step::Copy {
        match tx.batch_execute(BARRIER).await {
            Err(error) if error.code() == Some(&SqlState::LOCK_NOT_AVAILABLE) => return Ok(false),
            done => done?,
        }
    }
    let update = format!("UPDATE recent_moved SET {column} = $1");
    tx.execute(&update, &[&floor]).await?;
    Ok(true)
}
