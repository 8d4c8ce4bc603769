//! What comes of a callback, in one transaction.

use std::sync::Arc;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_connect::source::{Made, MadeEvent, MadeRecord, Mode};
use switchboard_model::{
    problem::Problem,
    record::{ObjectType, Objects, Policy, check, keys},
};

use crate::{
    configuration::{Configuration, Receiver},
    failpoint,
    hub::Hub,
    intake,
    record::{Said, announcer, object, prepare},
    store::{
        CallbackOutcome, CallbackRow, CallbackState, Commit, Content, Fingerprint, Guard, How, NewEvent, RecordWrite,
        StoreError,
    },
};

/// What became of the commit.
pub(super) enum Written {
    /// It is done, here or by another node.
    Committed,
    /// It cannot be done, whoever tries.
    Impossible(Problem, Vec<String>),
}

/// Commits records, events and the settlement of the callback together.
pub(super) async fn commit(
    hub: &Hub,
    configuration: &Arc<Configuration>,
    receiver: &Receiver,
    callback: &CallbackRow,
    made: Made,
) -> Result<Written, StoreError> {
    let now_ms = hub.now_ms();
    let Made {
        events,
        records,
        mut notes,
    } = made;
    let source: Arc<str> = format!("source:{}", receiver.key).into();
    let objects = configuration.objects(receiver.workspace);
    let mut writes = Vec::with_capacity(records.len());
    for record in records {
        let write = write_of(hub, receiver, &objects, &source, record, &mut notes).await;
        match write {
            Ok(write) => writes.extend(write),
            Err(Trouble::Store(error)) => return Err(error),
            Err(Trouble::Mapping(problem)) => return Ok(Written::Impossible(problem, notes)),
        }
    }
    let events = events.into_iter().enumerate();
    let events = events.map(|(at, event)| new_event(configuration, receiver, callback, at, event));
    let commit = Commit {
        guard: Guard::Callback {
            round: callback.round(),
            outcome: CallbackOutcome {
                state: CallbackState::Done,
                due_ms: callback.received_ms,
                counts: true,
                notes,
                problem: None,
            },
        },
        records: writes,
        events: events.collect(),
        workspace: receiver.workspace,
        now_ms,
        announce: announcer(Arc::clone(configuration), receiver.workspace, Arc::default()),
        link_places: configuration
            .workspace(receiver.workspace)
            .map_or_else(Arc::default, |workspace| Arc::clone(&workspace.link_places)),
    };
    let kinds: Vec<&'static str> = commit.events.iter().map(|event| event.kind.name()).collect();
    let committed = hub.store().commit(commit).await?;
    failpoint::reach(failpoint::CALLBACK_SETTLED);
    if !committed.events.is_empty() || !committed.announced.is_empty() {
        hub.desk().bell.ring();
    }
    for (kind, accepted) in kinds.into_iter().zip(&committed.events) {
        let is_new = matches!(accepted, crate::store::Accepted::New { .. });
        hub.desk()
            .metrics
            .event(kind, if is_new { "accepted" } else { "repeat" });
    }
    Ok(Written::Committed)
}

enum Trouble {
    Store(StoreError),
    Mapping(Problem),
}

/// The write for a record; none when there is nothing to do. Fields that do not fit are left out, and told.
async fn write_of(
    hub: &Hub,
    receiver: &Receiver,
    objects: &Objects,
    source: &Arc<str>,
    record: MadeRecord,
    notes: &mut Vec<String>,
) -> Result<Option<RecordWrite>, Trouble> {
    let kind = object(objects, &record.object).map_err(Trouble::Mapping)?;
    let system = receiver.spec.source.as_str();
    let fields = fitting(kind, record.fields, system, notes);
    if fields.is_empty() {
        notes.push(format!("{}: nothing was written, no field fits", record.object));
        return Ok(None);
    }
    let only = (!record.keys.is_empty()).then(|| record.keys.clone());
    let policy = match record.mode {
        Mode::Upsert => kind.policy,
        Mode::Find => Policy::Find,
        Mode::Create => Policy::Create,
        Mode::Update | Mode::Delete => {
            return existing(
                hub,
                receiver,
                objects,
                source,
                (kind, record.mode, &fields, only.as_deref()),
                notes,
            )
            .await;
        }
    };
    let said = Said {
        values: &fields,
        how: How::Match { policy, only },
        source,
        system,
    };
    prepare(objects, kind, said).map(Some).map_err(Trouble::Mapping)
}

/// Fields that do not fit are named in the notes with their values, and left out.
fn fitting(kind: &ObjectType, fields: Map<String, Value>, system: &str, notes: &mut Vec<String>) -> Map<String, Value> {
    let mut fitting = Map::with_capacity(fields.len());
    for (name, value) in fields {
        let alone = Map::from_iter([(name.clone(), value.clone())]);
        match check(kind, &alone, system) {
            Ok(_) => {
                fitting.insert(name, value);
            }
            Err(problems) => {
                let whys: Vec<&str> = problems.iter().map(|problem| problem.detail.as_str()).collect();
                let shown: String = value.to_string().chars().take(120).collect();
                notes.push(format!(
                    "{}: `{name}` was left out ({shown}): {}",
                    kind.name,
                    whys.join("; ")
                ));
            }
        }
    }
    fitting
}

type Existing<'e> = (&'e Arc<ObjectType>, Mode, &'e Map<String, Value>, Option<&'e [String]>);

/// The change or the removal of a record that has to be there already.
async fn existing(
    hub: &Hub,
    receiver: &Receiver,
    objects: &Objects,
    source: &Arc<str>,
    (kind, mode, fields, only): Existing<'_>,
    notes: &mut Vec<String>,
) -> Result<Option<RecordWrite>, Trouble> {
    let system = receiver.spec.source.as_str();
    let prepared = |how: How| {
        let said = Said {
            values: fields,
            how,
            source,
            system,
        };
        prepare(objects, kind, said).map_err(Trouble::Mapping)
    };
    let plain = prepared(How::Match {
        policy: Policy::Find,
        only: None,
    })?;
    let wanted = |word: &str| {
        only.is_none_or(|only| {
            only.iter()
                .any(|known| known == word || word.starts_with(&format!("{known}:")))
        })
    };
    for key in keys(kind, &plain.data).into_iter().filter(|key| wanted(&key.kind)) {
        let found = hub.store().known_by(receiver.workspace, &kind.name, key).await;
        if let Some(row) = found.map_err(Trouble::Store)?.first() {
            let how = match mode {
                Mode::Delete => How::Delete(row.id),
                _ => How::Update {
                    id: row.id,
                    revision: None,
                },
            };
            return prepared(how).map(Some);
        }
    }
    let verb = if mode == Mode::Delete { "remove" } else { "change" };
    notes.push(format!("{}: there is no record to {verb}", kind.name));
    Ok(None)
}

fn new_event(
    configuration: &Configuration,
    receiver: &Receiver,
    callback: &CallbackRow,
    at: usize,
    event: MadeEvent,
) -> NewEvent {
    let id = event.id.unwrap_or_else(|| format!("{}/{at}", callback.id));
    let MadeEvent { kind, data, .. } = event;
    let data = Content::from(data);
    let print = fingerprint(&receiver.key, kind.name(), &id, data.text());
    let compiled = configuration.workspace(receiver.workspace);
    intake::draft(
        compiled,
        receiver.workspace,
        kind,
        data,
        callback.received_ms,
        Some(print),
    )
}

/// The same thing of the same source is one event. Parts are told apart by their lengths.
fn fingerprint(source: &str, kind: &str, id: &str, data: &str) -> Fingerprint {
    let mut hash = Sha256::new();
    for part in ["source", source, kind, id] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let (mut key, mut content) = ([0; 16], [0; 8]);
    key.copy_from_slice(&hash.finalize()[..16]);
    content.copy_from_slice(&Sha256::digest(data)[..8]);
    Fingerprint { key, content }
}
