use std::sync::Arc;

use super::SqliteStore;
use crate::clock::ManualClock;

const NOW: i64 = 1_795_512_600_000;

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    SqliteStore::open(&path, Arc::new(ManualClock::at(NOW)))
        .unwrap()
        .close();
    let db = rusqlite::Connection::open(&path).unwrap();
    db.pragma_update(None, "user_version", 99).unwrap();
    drop(db);
    let error = SqliteStore::open(&path, Arc::new(ManualClock::at(NOW))).unwrap_err();
    assert!(error.to_string().contains("newer version"), "{error}");
}
