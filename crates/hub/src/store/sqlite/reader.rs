//! Reading connections, opened when they are needed and kept.

use std::{path::PathBuf, sync::Arc};

use parking_lot::Mutex;
use rusqlite::Connection;

use super::connect;
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
        let task = tokio::task::spawn_blocking(move || {
            let idle = this.idle.lock().pop();
            let db = match idle {
                Some(db) => db,
                None => connect(&this.file)?,
            };
            let tx = db.unchecked_transaction()?;
            let value = read(&tx)?;
            tx.finish()?;
            let mut idle = this.idle.lock();
            if idle.len() < KEPT {
                idle.push(db);
            }
            Ok(value)
        });
        task.await.map_err(|_| StoreError::Closed)?
    }
}
