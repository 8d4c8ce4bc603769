//! A PostgreSQL database of its own for a run.

use switchboard_hub::store::postgres::admin;
use switchboard_model::problem::Problem;

/// A database that was made for one run.
#[derive(Debug)]
pub struct FreshDatabase {
    /// What the hubs get as `--database`.
    pub url: String,
    server: String,
    name: String,
}

/// Makes the empty database `name` on the server that `server` leads to.
///
/// # Errors
/// When the server refuses.
pub async fn fresh(server: &str, name: &str) -> Result<FreshDatabase, Problem> {
    Ok(FreshDatabase {
        url: admin::create(server, name).await?,
        server: server.to_owned(),
        name: name.to_owned(),
    })
}

impl FreshDatabase {
    /// Drops it, also when somebody is still connected.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn remove(self) -> Result<(), Problem> {
        Ok(admin::remove(&self.server, &self.name).await?)
    }
}
