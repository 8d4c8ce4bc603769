//! `primary_backup`: who gets an event, and who takes it over.
//!
//! While the primary can take events, it gets them, each delivery with the backup as its [`Fallback`]: the engine hands the event over when the
//! primary fails for good. The backup takes an event over as a whole, with all of its own objects, once. While the primary cannot take anything
//! (not connected, not complete, switched off) the backup gets the events at once. Then there is nothing at the primary that could be made up
//! for, so `sync_back` does not reach these events; routing one anew (`POST /v1/events/{id}/replay`) adds what the primary misses.

use std::sync::Arc;

use switchboard_model::{connection::ConnectionState, event::EventType, route::Target};

use super::Planner;
use crate::{
    configuration::{Connection, Workspace},
    store::{Fallback, NewDelivery, Share},
};

/// What the route says.
#[derive(Clone, Copy)]
pub(super) struct Pair<'r> {
    pub route: &'r str,
    pub primary: &'r Target,
    pub backup: &'r Target,
    pub sync_back: bool,
}

impl Planner<'_> {
    /// Adds the deliveries of a primary and its backup.
    pub(super) fn add_pair(&mut self, workspace: &Workspace, kind: EventType, pair: Pair<'_>) {
        let primary = workspace.find(&pair.primary.system);
        let backup = workspace.find(&pair.backup.system);
        let takes = |connection: &&Arc<Connection>| obstacle(Some(connection)).is_none();
        match (primary.filter(takes), backup.filter(takes)) {
            (Some(primary), Some(backup)) if primary.id == backup.id => {
                self.notes.push(format!(
                    "primary and backup of route `{}` are the same connection, `{}`",
                    pair.route, primary.key
                ));
                self.add(primary, kind, Some(pair.primary), None);
            }
            (Some(primary), Some(backup)) => {
                let fallback = self.fallback(backup, kind, pair);
                self.add(primary, kind, Some(pair.primary), fallback.as_ref());
            }
            (Some(primary), None) => {
                self.notes.push(format!(
                    "route `{}` has no backup: `{}` {}",
                    pair.route,
                    pair.backup.system,
                    obstacle(backup).unwrap_or_default()
                ));
                self.add(primary, kind, Some(pair.primary), None);
            }
            (None, Some(backup)) => {
                let promise = if pair.sync_back {
                    ", and nothing is made up for there later: replay the event for that"
                } else {
                    ""
                };
                self.notes.push(format!(
                    "`{}` took it instead of `{}`, which {}{promise}",
                    backup.key,
                    pair.primary.system,
                    obstacle(primary).unwrap_or_default(),
                ));
                self.add(backup, kind, Some(pair.backup), None);
            }
            // As with any route: what is not complete yet gets its deliveries, and they wait.
            (None, None) => match (primary, backup) {
                (Some(primary), Some(backup)) if !primary.enabled && backup.enabled => {
                    self.add(backup, kind, Some(pair.backup), None);
                }
                (Some(primary), _) => self.add(primary, kind, Some(pair.primary), None),
                (None, Some(backup)) => self.add(backup, kind, Some(pair.backup), None),
                (None, None) => {
                    self.explain_waiting(pair.route, pair.primary);
                    self.explain_waiting(pair.route, pair.backup);
                }
            },
        }
    }

    /// What the backup makes of the event when it takes it over.
    fn fallback(&mut self, backup: &Arc<Connection>, kind: EventType, pair: Pair<'_>) -> Option<Fallback> {
        let mut objects: Vec<Share> = Vec::new();
        for object in self.objects(backup, kind, Some(pair.backup)) {
            if objects.iter().any(|known| known.object == object) {
                continue;
            }
            for place in backup.places(&object, Some(&pair.backup.options)) {
                objects.push(Share {
                    record_key: self.record_key(backup, &object),
                    object: Arc::clone(&object),
                    place,
                });
            }
        }
        (!objects.is_empty()).then(|| Fallback {
            connection: backup.id,
            objects,
            options: (!pair.backup.options.is_empty()).then(|| pair.backup.options.clone()),
            sync_back: pair.sync_back,
        })
    }

    /// What a backup gets in its own right it need not take over. A fallback that has nothing left to make stays: the backup has the event.
    pub(super) fn leave_out_what_backups_get_anyway(&mut self) {
        for at in 0..self.deliveries.len() {
            let Some(mut fallback) = self.deliveries[at].fallback.take() else {
                continue;
            };
            fallback.objects.retain(|share| {
                let makes = |other: &NewDelivery| other.makes(fallback.connection, &share.object, share.place.as_ref());
                !self.deliveries.iter().any(makes)
            });
            self.deliveries[at].fallback = Some(fallback);
        }
    }
}

/// Why a connection cannot take anything, for a person. One that is paused or in error can: what it gets waits, and the engine hands it over
/// when that takes too long.
fn obstacle(connection: Option<&Arc<Connection>>) -> Option<&'static str> {
    match connection {
        None => Some("is not connected yet"),
        Some(connection) if !connection.enabled => Some("is switched off"),
        Some(connection) if connection.state == ConnectionState::Draft => Some("is not complete yet"),
        Some(_) => None,
    }
}
