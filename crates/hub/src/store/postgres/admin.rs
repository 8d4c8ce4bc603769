//! Databases made and removed for a purpose of their own: proofs and measurements that must not meet other data.

use super::{connect::Address, trouble::Trouble};
use crate::store::StoreError;

/// Makes the empty database `name` on the server that `server` leads to; one of that name is removed first. Answers its address.
///
/// # Errors
/// When the server is not there or refuses.
pub async fn create(server: &str, name: &str) -> Result<String, StoreError> {
    remove(server, name).await?;
    run(server, &format!("CREATE DATABASE {}", quoted(name))).await?;
    let mut url = url::Url::parse(server).map_err(|error| StoreError::Failed(error.to_string()))?;
    url.set_path(name);
    Ok(url.into())
}

/// Removes the database `name`, also when somebody is still connected.
///
/// # Errors
/// When the server is not there or refuses.
pub async fn remove(server: &str, name: &str) -> Result<(), StoreError> {
    run(
        server,
        &format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)),
    )
    .await
}

async fn run(server: &str, statement: &str) -> Result<(), StoreError> {
    let pool = Address::read(server)?.pool()?;
    let client = pool.get().await.map_err(Trouble::from)?;
    // That there is no database of this name to remove is no news.
    for statement in ["SET client_min_messages = warning", statement] {
        client.batch_execute(statement).await.map_err(Trouble::from)?;
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
