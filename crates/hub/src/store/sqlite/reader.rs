//! Reading connections, opened when they are needed and kept.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::days::open_reader;
use crate::store::StoreError;

/// More than this many are not kept.
const KEPT: usize = 8;

#[derive(Clone)]
pub(super) struct Readers {
    file: Arc<PathBuf>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Readers {
    pub(super) fn new(file: PathBuf) -> Self {
        Self {
            file: Arc::new(file),
            idle: Arc::default(),
        }
    }

    /// Runs `read` off the async threads. It sees one consistent state.
    pub(super) async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let this = self.clone();
        let task = tokio::task::spawn_blocking(move || this.read_here(read));
        task.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `read` on this thread. For some rows by their keys, which takes less time than to pass it to another thread.
    pub(super) fn read_here<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let idle = self.idle.lock().pop();
        let db = match idle {
            Some(db) => db,
            None => open_reader(&self.file)?,
        };
        let tx = db.unchecked_transaction()?;
        let value = read(&tx)?;
        tx.finish()?;
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(db);
        }
        Ok(value)
    }

    /// Closes what is open.
    pub(super) fn close(&self) {
        self.idle.lock().clear();
    }
}
