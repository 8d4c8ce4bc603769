//! Watches over endpoints of outgoing webhooks: those whose receiver says that it is gone, and those where nobody has taken anything for days.

use std::{sync::Weak, time::Duration};

use serde_json::json;
use switchboard_model::{
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, DeliveryId, WorkspaceId, time_of},
    problem::Problem,
};

use super::{EndpointView, Hub, Inner};
use crate::{
    intake::Incoming,
    outgoing::patience::Silence,
    store::{DeliveryFilter, Page},
};

/// How often the connections are looked at, which costs no query.
const PERIOD: Duration = Duration::from_secs(1);
/// How often silence is looked for, at most, in milliseconds.
const MINUTE_MS: i64 = 60_000;

/// Watches until the hub is gone.
pub(super) async fn watch(hub: Weak<Inner>) {
    let mut tick = tokio::time::interval(PERIOD);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut next_ms = i64::MIN;
    loop {
        tick.tick().await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub { inner };
        hub.end_gone().await;
        let (now_ms, limit_ms) = (hub.now_ms(), hub.inner.options.tuning.disable_after_ms);
        if limit_ms > 0 && now_ms >= next_ms {
            next_ms = now_ms.saturating_add(MINUTE_MS.min(limit_ms / 4));
            hub.stop_silent(limit_ms).await;
        }
    }
}

impl Hub {
    /// A subscription whose receiver is gone is removed; any other endpoint is switched off.
    async fn end_gone(&self) {
        let configuration = self.configuration();
        let gone: Vec<ConnectionId> = configuration
            .connections()
            .filter(|connection| connection.is_gone())
            .map(|connection| connection.id)
            .collect();
        if gone.is_empty() {
            return;
        }
        for (workspace, view) in self.all_endpoints() {
            let is_gone = view.connection.is_some_and(|id| gone.contains(&id));
            if !view.endpoint.active || !is_gone {
                continue;
            }
            let reason = view.reason.clone().unwrap_or_default();
            let (done, notice) = match view.endpoint.owner.is_subscription {
                true => (
                    self.remove_endpoint(workspace, view.id).await.map(|_| ()),
                    "webhook.removed",
                ),
                false => (
                    self.stop_endpoint(workspace, view.id, reason.clone()).await,
                    "webhook.disabled",
                ),
            };
            self.told(workspace, &view, done, notice, reason).await;
        }
    }

    /// An endpoint where nobody has taken anything for too long is switched off.
    async fn stop_silent(&self, limit_ms: i64) {
        for (workspace, view) in self
            .all_endpoints()
            .into_iter()
            .filter(|(_, view)| view.endpoint.active)
        {
            let Some(connection) = view.connection else { continue };
            let now_ms = self.now_ms();
            let silence = match self.silence(workspace, &view, connection, now_ms - limit_ms).await {
                Ok(silence) => silence,
                Err(problem) => {
                    tracing::error!(endpoint = %view.id, %problem, "how an endpoint stands could not be read");
                    continue;
                }
            };
            let Some(since) = silence.too_long_since(limit_ms, now_ms) else {
                continue;
            };
            let since = jiff::Timestamp::from_millisecond(since).unwrap_or_default();
            let reason = format!("Nobody has taken a message since {since:.0}");
            let done = self.stop_endpoint(workspace, view.id, reason.clone()).await;
            self.told(workspace, &view, done, "webhook.disabled", reason).await;
        }
    }

    fn all_endpoints(&self) -> Vec<(WorkspaceId, EndpointView)> {
        let configuration = self.configuration();
        let workspaces: Vec<WorkspaceId> = configuration.workspaces().map(|(id, _)| id).collect();
        let of = |workspace| {
            let endpoints = self.endpoints(workspace).into_iter();
            endpoints.map(move |view| (workspace, view))
        };
        workspaces.into_iter().flat_map(of).collect()
    }

    /// What is known of the deliveries of an endpoint. Those that were accepted after `until_ms` are not looked at.
    async fn silence(
        &self,
        workspace: WorkspaceId,
        view: &EndpointView,
        connection: ConnectionId,
        until_ms: i64,
    ) -> Result<Silence, Problem> {
        let tally = self.inner.store.tally(workspace, connection).await?;
        let silence = Silence {
            changed_ms: view.changed_ms,
            last_taken_ms: tally.last_delivered_ms,
            oldest_refused_ms: None,
        };
        if silence.counts_from_ms() >= until_ms {
            return Ok(silence);
        }
        let waiting = self.inner.store.pending(connection, DeliveryId(0), 1).await?;
        let waiting = waiting.first().map(|pending| time_of(pending.id.0));
        let given_up = DeliveryFilter {
            state: Some(DeliveryState::Dead),
            connection: Some(connection),
            from_ms: Some(silence.counts_from_ms()),
            until_ms: Some(until_ms),
            ..DeliveryFilter::default()
        };
        let newest = Page { before: None, limit: 1 };
        let given_up = self.inner.store.deliveries(workspace, given_up, newest).await?;
        let given_up = given_up.first().map(|row| time_of(row.id.0));
        Ok(Silence {
            oldest_refused_ms: [waiting, given_up].into_iter().flatten().min(),
            ..silence
        })
    }

    /// Says aloud what was done with an endpoint: in the log, and as an event.
    async fn told(
        &self,
        workspace: WorkspaceId,
        view: &EndpointView,
        done: Result<(), Problem>,
        notice: &'static str,
        reason: String,
    ) {
        if let Err(problem) = done {
            tracing::error!(endpoint = %view.id, %problem, "an endpoint could not be switched off");
            return;
        }
        tracing::warn!(endpoint = %view.id, name = %view.endpoint.name, reason, "{notice}");
        if let Err(problem) = self.announce(workspace, view, notice, &reason).await {
            tracing::error!(endpoint = %view.id, %problem, "that an endpoint was switched off could not be told");
        }
    }

    async fn announce(
        &self,
        workspace: WorkspaceId,
        view: &EndpointView,
        notice: &'static str,
        reason: &str,
    ) -> Result<(), Problem> {
        let Some(kind) = EventType::find(notice) else {
            return Ok(());
        };
        let data = json!({
            "id": view.id,
            "name": view.endpoint.name,
            "reason": reason,
            "source": view.endpoint.owner.source,
        });
        let incoming = Incoming {
            kind,
            // Several nodes may see it; it is told once.
            id: Some(format!("{notice}-{}-{}", view.id, view.changed_ms)),
            data: data.as_object().cloned().unwrap_or_default().into(),
        };
        for receipt in self.accept(workspace, vec![incoming], None).await? {
            receipt?;
        }
        Ok(())
    }
}
