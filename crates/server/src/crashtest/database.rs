//! A PostgreSQL database of its own for a run.

use switchboard_model::problem::{Code, Problem};

/// A database that was made for one run.
#[derive(Debug)]
pub struct FreshDatabase {
    /// What the hubs get as `--database`.
    pub url: String,
}

/// Makes the empty database `name` on the server that `server` leads to.
///
/// # Errors
/// Always, as long as the hub has no second store.
pub async fn fresh(server: &str, name: &str) -> Result<FreshDatabase, Problem> {
    let _ = (server, name);
    Err(Problem::new(
        Code::WrongSetting,
        "This version keeps everything in SQLite; there is no hub on PostgreSQL to test.",
        "Leave --database and --nodes out.",
    )
    .at("database"))
}

impl FreshDatabase {
    /// Drops it, also when somebody is still connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove(self) -> Result<(), Problem> {
        Ok(())
    }
}
