//! What people and programs look at, and what they set going again.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value};
use switchboard_model::{
    connection::ConnectionState,
    id::{ConnectionId, DeliveryId, EventId, WorkspaceId},
    problem::{Code, Problem},
    route::RouteSpec,
};

use super::Hub;
use crate::{
    configuration::Connection,
    route,
    store::{AttemptRow, DeliveryFilter, DeliveryRow, EventFilter, EventRow, Page, Tally},
};

/// A connection as people see it.
#[derive(Debug, Clone)]
pub struct ConnectionView {
    /// Its number in the store.
    pub id: ConnectionId,
    /// The user's own id.
    pub key: String,
    /// The name that people see.
    pub name: String,
    /// The connector's slug.
    pub connector: String,
    /// Whether it may carry traffic.
    pub state: ConnectionState,
    /// Why it does not.
    pub reason: Option<String>,
    /// `false`: kept, but nothing is sent.
    pub enabled: bool,
    /// The smallest is meant when only the system is named.
    pub priority: i64,
    /// The objects that it has mappings for.
    pub objects: Vec<String>,
    /// Its settings, which hold no secrets.
    pub settings: Map<String, Value>,
    /// What was translated or explained when it was configured.
    pub notes: Vec<String>,
    /// Whether a person can sign in for it on the vendor's page.
    pub signs_in: bool,
    /// Whether it stands still until somebody has signed in again.
    pub needs_sign_in: bool,
}

/// A route as people see it.
#[derive(Debug, Clone)]
pub struct RouteView {
    /// What a person said about it.
    pub spec: RouteSpec,
    /// The systems that it names and that are not connected.
    pub waiting_for: Vec<String>,
}

impl From<&Arc<Connection>> for ConnectionView {
    fn from(connection: &Arc<Connection>) -> Self {
        Self {
            id: connection.id,
            key: connection.key.clone(),
            name: connection.name.clone(),
            connector: connection.spec.connector.clone(),
            state: connection.state,
            reason: connection.reason.clone(),
            enabled: connection.enabled,
            priority: connection.priority,
            objects: connection.mapped_objects(),
            settings: connection.spec.settings.clone(),
            notes: connection.spec.notes.clone(),
            signs_in: connection.signs_in(),
            needs_sign_in: connection.needs_sign_in(),
        }
    }
}

impl Hub {
    /// The connections of a workspace, by priority.
    pub fn connections(&self, workspace: WorkspaceId) -> Vec<ConnectionView> {
        let configuration = self.configuration();
        let connections = configuration
            .workspace(workspace)
            .map(|workspace| workspace.connections.as_slice());
        connections
            .unwrap_or_default()
            .iter()
            .map(ConnectionView::from)
            .collect()
    }

    /// When the sign-ins of a workspace's connections end, Unix milliseconds, where that is known.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn grant_ends(&self, workspace: WorkspaceId) -> Result<HashMap<ConnectionId, i64>, Problem> {
        Ok(self.inner.store.grant_ends(workspace).await?)
    }

    /// The routes of a workspace.
    pub fn routes(&self, workspace: WorkspaceId) -> Vec<RouteView> {
        let configuration = self.configuration();
        let workspace = configuration.workspace(workspace);
        let routes = workspace
            .map(|workspace| workspace.routes.as_slice())
            .unwrap_or_default();
        let view = |route: &crate::configuration::Route| RouteView {
            spec: route.spec.clone(),
            waiting_for: route.waiting_for(workspace),
        };
        routes.iter().map(view).collect()
    }

    /// Events, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn events(
        &self,
        workspace: WorkspaceId,
        filter: EventFilter,
        page: Page,
    ) -> Result<Vec<EventRow>, Problem> {
        Ok(self.inner.store.events(workspace, filter, page).await?)
    }

    /// One event.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn event(&self, workspace: WorkspaceId, id: EventId) -> Result<Option<EventRow>, Problem> {
        Ok(self.inner.store.event(workspace, id).await?)
    }

    /// Deliveries, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn deliveries(
        &self,
        workspace: WorkspaceId,
        filter: DeliveryFilter,
        page: Page,
    ) -> Result<Vec<DeliveryRow>, Problem> {
        Ok(self.inner.store.deliveries(workspace, filter, page).await?)
    }

    /// One delivery.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn delivery(&self, workspace: WorkspaceId, id: DeliveryId) -> Result<Option<DeliveryRow>, Problem> {
        Ok(self.inner.store.delivery(workspace, id).await?)
    }

    /// Every call that was made for a delivery, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn attempts(&self, workspace: WorkspaceId, delivery: DeliveryId) -> Result<Vec<AttemptRow>, Problem> {
        Ok(self.inner.store.attempts(workspace, delivery).await?)
    }

    /// Deliveries of a connection by state.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn tally(&self, workspace: WorkspaceId, connection: ConnectionId) -> Result<Tally, Problem> {
        Ok(self.inner.store.tally(workspace, connection).await?)
    }

    /// Routes an event by the present routes; makes the deliveries that it does not have yet and answers how many.
    ///
    /// # Errors
    /// When there is no such event.
    pub async fn reroute(&self, workspace: WorkspaceId, id: EventId) -> Result<usize, Problem> {
        let row = self
            .event(workspace, id)
            .await?
            .ok_or_else(|| not_found(&id.to_string()))?;
        let configuration = self.configuration();
        let plan = route::plan(configuration.workspace(workspace), row.event.kind, &row.event.data);
        let connections: Vec<ConnectionId> = plan.deliveries.iter().map(|delivery| delivery.connection).collect();
        let added = self.inner.store.add_deliveries(id, plan.deliveries).await?;
        for connection in connections {
            self.reload_lane(connection);
        }
        Ok(added.len())
    }
}

pub(super) fn no_connection(key: &str) -> Problem {
    let shown: String = key.chars().take(80).collect();
    Problem::new(
        Code::NotFound,
        format!("there is no connection `{shown}`"),
        "See GET /v1/connections for those that exist.",
    )
}

pub(super) fn not_found(id: &str) -> Problem {
    Problem::new(
        Code::NotFound,
        format!("there is no {id} in this workspace"),
        "Check the id.",
    )
}
