//! Decides where an event goes.

mod backup;

use std::sync::Arc;

use serde_json::{Map, Value};
use switchboard_connect::manifest::RecordKind;
use switchboard_model::{
    event::EventType,
    route::{Strategy, Target},
    template::Scope,
};

use crate::{
    classify,
    configuration::{Connection, Route, Workspace, explain_waiting},
    normalise,
    store::{Fallback, NewDelivery, Share},
};

/// The deliveries of an event, and what a person should know about them.
#[derive(Debug, Default)]
pub struct Plan {
    /// One for each object on each connection, and for each place where it goes to several.
    pub deliveries: Vec<NewDelivery>,
    /// Why it goes nowhere, or what a route waits for.
    pub note: Option<String>,
    /// The note says no more than that nobody took it.
    pub unwanted: bool,
}

impl Plan {
    fn nowhere(why: &str) -> Self {
        Self {
            deliveries: Vec::new(),
            note: Some(why.to_owned()),
            unwanted: false,
        }
    }
}

/// Where an event of this type with this data goes: to the targets of every route that takes it, and to every connection that no route names
/// and whose own condition holds. A message that waits for its classification goes nowhere. An object on a connection is made once at each
/// place, however many routes ask for it, also where one of them has it as the backup's.
pub fn plan(workspace: Option<&Workspace>, kind: EventType, data: &Map<String, Value>) -> Plan {
    match kind == EventType::UNCLASSIFIED {
        true => Plan::nowhere(classify::WAITS),
        false => plan_from(workspace, kind, data, false),
    }
}

/// Where the change of a record goes: where a route says so, and nowhere else. A connection that no route names gets what comes in; were it
/// to get the records, too, that are made of it, it would make everything twice.
pub fn plan_of_record(workspace: Option<&Workspace>, kind: EventType, data: &Map<String, Value>) -> Plan {
    plan_from(workspace, kind, data, true)
}

fn plan_from(workspace: Option<&Workspace>, kind: EventType, data: &Map<String, Value>, of_record: bool) -> Plan {
    if kind.is_internal() {
        return Plan::nowhere("a step of an automation sends it where the step says");
    }
    let Some(workspace) = workspace else {
        return Plan {
            unwanted: true,
            ..Plan::nowhere("nothing is connected yet")
        };
    };
    let mut planner = Planner {
        data,
        record: data.get("id").and_then(Value::as_str).filter(|_| of_record),
        deliveries: Vec::new(),
        notes: Vec::new(),
    };
    let scope = Scope::of(data);
    for route in workspace
        .routes
        .iter()
        .filter(|route| route.spec.enabled && route.spec.takes(kind.name()))
    {
        match holds(route, kind, &scope) {
            Ok(true) => {}
            Ok(false) => continue,
            Err(note) => {
                planner.notes.push(note);
                continue;
            }
        }
        if let Strategy::PrimaryBackup {
            primary,
            backup,
            sync_back,
        } = &route.spec.strategy
        {
            let pair = backup::Pair {
                route: &route.spec.key,
                primary,
                backup,
                sync_back: *sync_back,
            };
            planner.add_pair(workspace, kind, pair);
            continue;
        }
        for target in route.spec.strategy.choose(data) {
            match workspace.find(&target.system) {
                Some(connection) => planner.add(connection, kind, Some(target), None),
                None => planner.explain_waiting(&route.spec.key, target),
            }
        }
    }
    let unasked = workspace
        .connections
        .iter()
        .filter(|connection| connection.enabled && !of_record);
    for connection in unasked {
        if !workspace.is_named(connection) && connection.wants(kind, &scope, &mut planner.notes) {
            planner.add(connection, kind, None, None);
        }
    }
    planner.finish()
}

/// Whether the condition of a route holds, or a note why that cannot be said.
fn holds(route: &Route, kind: EventType, scope: &Scope<'_>) -> Result<bool, String> {
    match &route.condition {
        Ok(None) => Ok(true),
        Ok(Some(condition)) => condition.matches(kind.name(), scope).map_err(|error| {
            format!(
                "the condition of route `{}` could not be decided: {error}",
                route.spec.key
            )
        }),
        Err(error) => Err(format!(
            "the condition of route `{}` cannot be read: {error}",
            route.spec.key
        )),
    }
}

/// Whether a target's options say that records are removed there, too. Nobody loses records by a route that only says `on: "*"`.
pub(crate) fn takes_removals(options: &Map<String, Value>) -> bool {
    options.get("deletions") == Some(&Value::Bool(true))
}

struct Planner<'a> {
    data: &'a Map<String, Value>,
    /// The record whose change it is.
    record: Option<&'a str>,
    deliveries: Vec<NewDelivery>,
    notes: Vec<String>,
}

impl Planner<'_> {
    fn add(
        &mut self,
        connection: &Arc<Connection>,
        kind: EventType,
        target: Option<&Target>,
        fallback: Option<&Fallback>,
    ) {
        if !connection.enabled {
            self.notes
                .push(format!("connection `{}` is switched off", connection.key));
            return;
        }
        let noted = self.notes.len();
        let mut objects = self.objects(connection, kind, target);
        if kind.is_removal() {
            let removes = target.is_some_and(|target| takes_removals(&target.options));
            // What stands for an event is not what is gone.
            let is_about_it = |object: &str| removes && connection.record_kind(object) != RecordKind::Event;
            objects.retain(|object| connection.tells_removals(object) || is_about_it(object));
            if objects.is_empty() && !removes {
                self.notes.truncate(noted);
                self.notes.push(format!(
                    "connection `{}` keeps what is deleted elsewhere: no route to it has `deletions: true` among its options",
                    connection.key
                ));
                return;
            }
        }
        let options = target
            .map(|target| &target.options)
            .filter(|options| !options.is_empty());
        for object in objects {
            for place in connection.places(&object, options) {
                let makes = |other: &&mut NewDelivery| other.makes(connection.id, &object, place.as_ref());
                if let Some(known) = self.deliveries.iter_mut().find(makes) {
                    // Two routes ask for it, and one of them names who takes it when this one fails.
                    known.fallback = known.fallback.take().or_else(|| fallback.cloned());
                    continue;
                }
                let share = Share {
                    record_key: self.record_key(connection, &object),
                    object: Arc::clone(&object),
                    place,
                };
                let new = share.delivery(connection.id, options);
                self.deliveries.push(NewDelivery {
                    fallback: fallback.cloned(),
                    ..new
                });
            }
        }
    }

    /// What is to be made on the connection; nothing leaves a note.
    fn objects(&mut self, connection: &Connection, kind: EventType, target: Option<&Target>) -> Vec<Arc<str>> {
        let objects = match target {
            Some(target) if !target.objects.is_empty() => connection.objects_named(&target.objects),
            _ => connection.objects_for(kind),
        };
        if objects.is_empty() {
            self.notes.push(format!(
                "connection `{}` has no mapping for {}",
                connection.key,
                kind.name()
            ));
        }
        objects
    }

    fn record_key(&self, connection: &Connection, object: &str) -> Option<String> {
        match connection.record_kind(object) {
            RecordKind::Person => normalise::person_key(self.data),
            RecordKind::Company => normalise::company_key(self.data),
            // A record that is changed there stays the same one; what cannot be changed, like a message, is made for each change.
            RecordKind::Event => self.record.filter(|_| connection.changes(object)).map(str::to_owned),
        }
    }

    fn explain_waiting(&mut self, route: &str, target: &Target) {
        self.notes
            .push(explain_waiting(route, std::slice::from_ref(&target.system)));
    }

    fn finish(mut self) -> Plan {
        let unwanted = self.deliveries.is_empty() && self.notes.is_empty();
        if unwanted {
            self.notes
                .push("no route took the event, and every connection is named by a route or declined it".into());
        }
        self.leave_out_what_backups_get_anyway();
        let note = (!self.notes.is_empty()).then(|| self.notes.join("; "));
        Plan {
            deliveries: self.deliveries,
            note,
            unwanted,
        }
    }
}

#[cfg(test)]
mod tests;
