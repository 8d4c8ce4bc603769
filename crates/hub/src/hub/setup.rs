//! Changes of the configuration.

use switchboard_connect::guide::Item;
use switchboard_model::{id::WorkspaceId, problem::Problem};

use super::Hub;
use crate::configuration::{Configured, prepare_change};

impl Hub {
    /// Checks connections and routes, writes them all or none, and goes by them from now on.
    ///
    /// # Errors
    /// Every problem of every item; then nothing is changed.
    pub async fn configure(&self, workspace: WorkspaceId, items: Vec<Item>) -> Result<Configured, Problem> {
        let now_ms = self.clock().now_ms();
        let (change, mut done) = prepare_change(workspace, items, &self.registry(), &self.inner.vault, now_ms)?;
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await?;
        let configuration = self.configuration();
        let present = configuration.workspace(workspace);
        for route in &mut done.routes {
            let compiled = present.and_then(|present| present.routes.iter().find(|other| other.spec.key == route.key));
            route.waiting_for = compiled
                .map(|compiled| compiled.waiting_for(present))
                .unwrap_or_default();
        }
        Ok(done)
    }
}
