//! Changes of the configuration.

use switchboard_connect::{connector::Misfit, guide::Item};
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
        let misfits = self.misfits_of(workspace, &items).await?;
        let (change, mut done) = prepare_change(workspace, items, &self.registry(), &self.inner.vault, now_ms)?;
        let place = |key: &str, misfit: &Misfit| {
            let inside = misfit.problem.place.as_deref().unwrap_or_default();
            misfit
                .problem
                .clone()
                .at(format!("connection {key}: /mappings/{}{inside}", misfit.object))
        };
        let (fatal, doubtful): (Vec<_>, Vec<_>) = misfits.into_iter().partition(|(_, misfit)| misfit.is_fatal);
        if let Some(problem) = Problem::all(fatal.iter().map(|(key, misfit)| place(key, misfit)).collect()) {
            return Err(problem);
        }
        for connection in &mut done.connections {
            let own = doubtful.iter().filter(|(key, _)| *key == connection.key);
            connection.warnings = own.map(|(key, misfit)| place(key, misfit)).collect();
        }
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
