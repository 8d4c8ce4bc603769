//! Brings the schema forward on start: all missing steps in one transaction, one process at a time, while no node of an earlier version is at
//! work. What such a node does not know it would neither read nor write.

use tokio_postgres::{Client, GenericClient};

use super::{Trouble, session};
use crate::store::StoreError;

/// Every step, in order; the table `schema_version` counts those that were taken.
const STEPS: &[&str] = &[
    include_str!("0001_first.sql"),
    include_str!("0002_discovered.sql"),
    include_str!("0003_oauth.sql"),
    include_str!("0004_definitions.sql"),
    include_str!("0005_records.sql"),
    include_str!("0006_callbacks.sql"),
    include_str!("0007_runs.sql"),
    include_str!("0008_classifier.sql"),
    include_str!("0009_doubts.sql"),
    include_str!("0010_starts.sql"),
    include_str!("0011_recent.sql"),
    include_str!("0012_stage.sql"),
];
/// The advisory lock of migrations; any number that nobody else uses.
const LOCK: i64 = 0x5377_6269_6d69_6772;
/// The oldest server that has everything that is used, and that is still maintained.
const OLDEST_SERVER: i32 = 14;

/// Takes the steps that are missing.
pub(super) async fn run(client: &mut Client) -> Result<(), Trouble> {
    let row = client
        .query_one("SELECT current_setting('server_version_num')::integer / 10000", &[])
        .await?;
    let server: i32 = row.get(0);
    if server < OLDEST_SERVER {
        let why = format!("PostgreSQL {server} is too old, {OLDEST_SERVER} is the oldest that will do");
        return Err(unfit(why, "Use a newer server."));
    }
    let tx = client.transaction().await?;
    // Ends with the transaction, also when this process does.
    tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
    let there = tx
        .query_one("SELECT to_regclass('schema_version') IS NOT NULL", &[])
        .await?;
    if !there.get::<_, bool>(0) {
        tx.batch_execute(
            "CREATE TABLE schema_version (number integer NOT NULL); INSERT INTO schema_version VALUES (0)",
        )
        .await?;
    }
    let version = known_version(&tx).await?;
    if version < STEPS.len() {
        refuse_beside(&session::live_nodes(&tx).await?)?;
    }
    for step in &STEPS[version..] {
        tx.batch_execute(step).await?;
    }
    if version < STEPS.len() {
        let now = i32::try_from(STEPS.len()).unwrap_or(i32::MAX);
        tx.execute("UPDATE schema_version SET number = $1", &[&now]).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// How many steps the database has taken.
///
/// # Errors
/// When it has taken steps that this program does not know. A process whose session comes back asks, because it may have been upgraded
/// meanwhile.
pub(super) async fn known_version(client: &impl GenericClient) -> Result<usize, Trouble> {
    let row = client.query_one("SELECT number FROM schema_version", &[]).await?;
    let version = usize::try_from(row.get::<_, i32>(0)).unwrap_or(usize::MAX);
    match version <= STEPS.len() {
        true => Ok(version),
        false => Err(StoreError::newer("the database", version, STEPS.len()).into()),
    }
}

fn refuse_beside(nodes: &[i16]) -> Result<(), Trouble> {
    let who = match nodes {
        [] => return Ok(()),
        [_] => "a node of an earlier version is".to_owned(),
        more => format!("{} nodes of an earlier version are", more.len()),
    };
    let why = format!("{who} at work on this database, which this version has to change (nothing was changed)");
    Err(unfit(why, "Stop every node, then start this version."))
}

fn unfit(why: String, next: &'static str) -> Trouble {
    StoreError::Unfit { why, next }.into()
}
