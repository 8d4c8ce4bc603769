//! What the hub says of itself.

use std::sync::Arc;

use switchboard_connect::registry::Registry;
use switchboard_model::problem::Code;

use super::*;
use crate::clock::ManualClock;

/// 2026-11-24T09:30:00Z.
const NOW: i64 = 1_795_512_600_000;

async fn started(folder: &tempfile::TempDir) -> Hub {
    let hub = Hub::open(HubOptions {
        data: folder.path().to_owned(),
        database: Database::Folder,
        clock: Arc::new(ManualClock::at(NOW)),
        registry: Arc::new(Registry::embedded().unwrap()),
        allow_private_addresses: true,
        master_key: crate::vault::MasterKeySource::Text("11".repeat(32)),
        tuning: Tuning::default(),
    });
    let hub = hub.await.unwrap();
    hub.start().unwrap();
    hub
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_gone_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let hub = started(&folder).await;
    hub.ready().await.unwrap();
    let at = {
        let running = hub.inner.running.lock();
        let tasks = &running.as_ref().unwrap().tasks;
        let at = tasks.iter().position(|(name, _)| *name == "callbacks").unwrap();
        tasks[at].1.abort();
        at
    };
    let is_gone = || hub.inner.running.lock().as_ref().unwrap().tasks[at].1.is_finished();
    while !is_gone() {
        tokio::task::yield_now().await;
    }
    let problem = hub.ready().await.unwrap_err();
    assert_eq!(problem.code, Code::TaskGone);
    assert!(problem.detail.ends_with(": callbacks"), "{problem}");
    hub.stop(Duration::from_secs(1)).await;
}
