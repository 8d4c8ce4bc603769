//! Changes of the configuration.

use serde_json::{Map, Value};
use switchboard_connect::guide::Item;
use switchboard_model::{connection::ConnectionSpec, id::WorkspaceId, problem::Problem};

use super::Hub;
use crate::{
    configuration::{Configured, Connection, check_change, placed, prepare_change, seal_place},
    store::Turn,
};

/// A sign-in that goes on although the configuration is written anew.
struct KeptSignIn {
    key: String,
    facts: Map<String, Value>,
    /// Nobody renews its tokens until the configuration is written.
    _turn: Box<dyn Turn>,
}

impl Hub {
    /// Checks connections and routes, writes them all or none, and goes by them from now on.
    ///
    /// # Errors
    /// Every problem of every item; then nothing is changed.
    pub async fn configure(&self, workspace: WorkspaceId, mut items: Vec<Item>) -> Result<Configured, Problem> {
        for item in &mut items {
            if let Item::Source(spec) = item {
                self.lengthen_path(workspace, spec)?;
            }
        }
        let kept = self.keep_sign_ins(workspace, &mut items).await?;
        let now_ms = self.clock().now_ms();
        let misfits = self.misfits_of(workspace, &items).await?;
        let before = self.configuration();
        let (mut change, mut done) =
            prepare_change(workspace, items, &self.registry(), &self.inner.vault, now_ms, &before)?;
        let (fatal, doubtful): (Vec<_>, Vec<_>) = misfits.into_iter().partition(|(_, misfit)| misfit.is_fatal);
        if let Some(problem) = Problem::all(fatal.iter().map(|(key, misfit)| placed(key, misfit)).collect()) {
            return Err(problem);
        }
        if let Some(problem) = Problem::all(check_change(&change, before.workspace(workspace))) {
            return Err(problem);
        }
        for connection in &mut change.connections {
            let kept = kept.iter().find(|kept| kept.key == connection.key);
            connection.kept = kept.map(|kept| kept.facts.clone());
        }
        for connection in &mut done.connections {
            let own = doubtful.iter().filter(|(key, _)| *key == connection.key);
            connection.warnings = own.map(|(key, misfit)| placed(key, misfit)).collect();
        }
        self.inner.store.configure(workspace, change).await?;
        drop(kept);
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

    /// A configuration that is applied again says nothing of the credentials that a person's sign-in has brought since. They stay as long as
    /// the app is the same.
    async fn keep_sign_ins(&self, workspace: WorkspaceId, items: &mut [Item]) -> Result<Vec<KeptSignIn>, Problem> {
        let configuration = self.configuration();
        let present = configuration.workspace(workspace);
        let mut specs: Vec<(&mut ConnectionSpec, &Connection)> = Vec::new();
        for item in items {
            let Item::Connection(spec) = item else { continue };
            let before = present.and_then(|present| present.connection(&spec.key));
            let same = |before: &&std::sync::Arc<Connection>| {
                before.signs_in() && before.spec.connector == spec.connector && before.spec.auth_kind == spec.auth_kind
            };
            if let Some(before) = before.filter(same) {
                specs.push((spec, before));
            }
        }
        // Turns are taken in one order by everybody, so that no two wait for each other; one turn is enough for a connection that is there twice.
        specs.sort_by_key(|(_, before)| before.id);
        specs.dedup_by_key(|(_, before)| before.id);
        let mut kept = Vec::new();
        for (spec, before) in specs {
            kept.extend(self.keep_sign_in_of(spec, before).await?);
        }
        Ok(kept)
    }

    async fn keep_sign_in_of(
        &self,
        spec: &mut ConnectionSpec,
        before: &Connection,
    ) -> Result<Option<KeptSignIn>, Problem> {
        let connector = before.connector()?;
        let brought = connector.sign_in_brings(&spec.auth_kind);
        let is_entered = |name: &String| spec.secrets.get(name).is_some_and(|value| value != "");
        if brought.iter().any(is_entered) {
            return Ok(None);
        }
        let turn = self.inner.store.turn(before.id).await?;
        let Some(stored) = self.inner.store.access(before.id).await? else {
            return Ok(None);
        };
        // What cannot be opened is entered anew just now.
        let place = seal_place(before.workspace, &before.key);
        let Ok(secrets) = self.inner.vault.open(&place, &stored.credentials) else {
            return Ok(None);
        };
        let of_sign_in = |name: &String| brought.contains(name);
        let entered = |secrets: &Map<String, Value>| -> Map<String, Value> {
            let entered = secrets.iter().filter(|(name, _)| !of_sign_in(name));
            entered.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        if entered(&secrets) != entered(&spec.secrets) || !secrets.keys().any(of_sign_in) {
            return Ok(None);
        }
        spec.secrets
            .extend(secrets.into_iter().filter(|(name, _)| of_sign_in(name)));
        let told = connector.sign_in_facts(&spec.auth_kind);
        let mut facts = before.facts();
        facts.retain(|name, _| told.contains(name));
        Ok(Some(KeptSignIn {
            key: spec.key.clone(),
            facts,
            _turn: turn,
        }))
    }
}
