//! The events of changed records: `person.created`, `opportunity.won`, `row.updated` … They are routed like any other event.

use std::{collections::HashMap, sync::Arc};

use serde_json::{Map, Value, json};
use switchboard_model::{
    event::EventType,
    id::WorkspaceId,
    record::{ObjectType, present},
};

use crate::{
    automate,
    clock::moment,
    configuration::Configuration,
    route,
    store::{Announce, ChangeKind, NewEvent, RecordChange},
};

/// Stages that mean an opportunity was won, in lower case with spaces for signs between words.
const WON: &[&str] = &[
    "won",
    "closed won",
    "closedwon",
    "success",
    "赢单",
    "已成交",
    "成交",
    "выиграна",
    "выиграно",
    "успешно",
    "thắng",
];
/// Stages that mean it was lost.
const LOST: &[&str] = &[
    "lost",
    "closed lost",
    "closedlost",
    "输单",
    "丢单",
    "проиграна",
    "проиграно",
    "отказ",
    "thua",
];

/// Makes events as this configuration routes them. `chain` names the automations whose steps make the changes; empty for everybody else.
pub(crate) fn announcer(configuration: Arc<Configuration>, workspace: WorkspaceId, chain: Arc<[Arc<str>]>) -> Announce {
    Arc::new(move |change| {
        let data = data_of(change);
        let compiled = configuration.workspace(workspace);
        let kinds = kinds_of(change).into_iter();
        kinds
            .map(|kind| {
                let mut plan = route::plan_of_record(compiled, kind, &data);
                let runs = automate::begin(compiled, kind, &data, &chain, &mut plan);
                NewEvent {
                    workspace,
                    kind,
                    received_ms: change.now_ms,
                    data: data.clone().into(),
                    fingerprint: None,
                    deliveries: plan.deliveries,
                    runs,
                    note: plan.note,
                }
            })
            .collect()
    })
}

/// The types of the events of a change, the plain one first.
fn kinds_of(change: &RecordChange) -> Vec<EventType> {
    let verb = match change.kind {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Deleted => "deleted",
    };
    let mut names = vec![format!("{}.{verb}", change.object.singular)];
    if change.kind != ChangeKind::Deleted {
        let came = |field: &str, words: &[&str]| {
            let is = |data: &Map<String, Value>| data.get(field).is_some_and(|value| is_one_of(value, words));
            is(&change.record.data) && !is(&change.before)
        };
        match change.object.name.as_str() {
            "opportunities" if came("stage", WON) => names.push("opportunity.won".to_owned()),
            "opportunities" if came("stage", LOST) => names.push("opportunity.lost".to_owned()),
            "tasks" if came("status", &["done", "completed"]) => names.push("task.completed".to_owned()),
            _ => {}
        }
    }
    names.iter().filter_map(|name| EventType::find(name)).collect()
}

fn is_one_of(value: &Value, words: &[&str]) -> bool {
    value.as_str().is_some_and(|text| {
        let plain = text.trim().to_lowercase().replace(['_', '-'], " ");
        words.contains(&plain.as_str())
    })
}

/// What an event says of a change: the record as the API shows it, and what of it has changed.
fn data_of(change: &RecordChange) -> Map<String, Value> {
    let object: &ObjectType = &change.object;
    let now = present(object, &change.record.data, &change.titles);
    let before = present(object, &change.before, &HashMap::new());
    let mut data = Map::new();
    data.insert("id".into(), json!(change.record.id));
    if object.is_table {
        data.insert("table".into(), json!(object.name));
    }
    // What mappings of people and companies are called by, whatever the record's own fields are.
    match object.name.as_str() {
        "people" => data.insert("name".into(), json!(change.record.title)),
        "companies" => data.insert("companyName".into(), json!(change.record.title)),
        _ => None,
    };
    for (name, value) in &now {
        data.insert(name.clone(), value.clone());
    }
    if change.kind == ChangeKind::Updated {
        data.insert("changes".into(), Value::Object(changes(object, &before, &now)));
    }
    data.insert("source".into(), json!(change.source));
    if let Some(merged) = change.merged {
        data.insert("merged".into(), json!(merged));
    }
    data.insert("revision".into(), json!(change.record.revision));
    for (name, ms) in [
        ("createdAt", change.record.created_ms),
        ("updatedAt", change.record.updated_ms),
    ] {
        data.insert(name.into(), moment(ms).into());
    }
    data
}

/// Field by field what it was and what it is. A reference to another record is told by its id.
fn changes(object: &ObjectType, before: &Map<String, Value>, now: &Map<String, Value>) -> Map<String, Value> {
    let is_title = |name: &str| now.contains_key(&format!("{name}Id")) && object.fields.contains_key(name);
    let names = now.keys().chain(before.keys().filter(|name| !now.contains_key(*name)));
    let changed = names.filter(|name| !is_title(name) && before.get(*name) != now.get(*name));
    changed
        .map(|name| (name.clone(), json!({"from": before.get(name), "to": now.get(name)})))
        .collect()
}

#[cfg(test)]
mod tests {
    use switchboard_model::{id::RecordId, record::standard};

    use super::*;
    use crate::store::RecordRow;

    fn change(object: &str, kind: ChangeKind, before: Value, after: Value) -> RecordChange {
        let object = Arc::new(standard(object).unwrap().clone());
        let data: Map<String, Value> = after.as_object().cloned().unwrap();
        RecordChange {
            kind,
            record: RecordRow {
                id: RecordId(1 << 30),
                workspace: WorkspaceId(1),
                object: object.name.as_str().into(),
                title: switchboard_model::record::title(&object, &data),
                data,
                revision: 2,
                source: "api:test".into(),
                review: false,
                merged_into: None,
                created_ms: 1_795_512_600_000,
                updated_ms: 1_795_512_600_000,
            },
            object,
            before: before.as_object().cloned().unwrap(),
            titles: HashMap::from([(RecordId(77), "Acme".to_owned())]),
            source: "api:test".into(),
            merged: None,
            now_ms: 1_795_512_600_000,
        }
    }

    fn names(change: &RecordChange) -> Vec<&'static str> {
        kinds_of(change).into_iter().map(EventType::name).collect()
    }

    #[test]
    fn a_stage_that_becomes_won_is_told_beside_the_change() {
        let won = |from: &str, to: &str| {
            names(&change(
                "opportunities",
                ChangeKind::Updated,
                json!({"stage": from}),
                json!({"stage": to}),
            ))
        };
        assert_eq!(won("New", "Won"), ["opportunity.updated", "opportunity.won"]);
        assert_eq!(won("New", "CLOSED_LOST"), ["opportunity.updated", "opportunity.lost"]);
        assert_eq!(won("won", "Won"), ["opportunity.updated"]);
        assert_eq!(won("Won", "New"), ["opportunity.updated"]);
        let done = change("tasks", ChangeKind::Created, json!({}), json!({"status": "done"}));
        assert_eq!(names(&done), ["task.created", "task.completed"]);
        let gone = change("tasks", ChangeKind::Deleted, json!({}), json!({"status": "done"}));
        assert_eq!(names(&gone), ["task.deleted"]);
    }

    #[test]
    fn an_event_has_the_record_and_what_of_it_has_changed() {
        let company = RecordId(77).to_string();
        let changed = change(
            "people",
            ChangeKind::Updated,
            json!({"firstName": "Ana", "city": "Riga"}),
            json!({"firstName": "Ana", "email": "a@example.org", "company": company}),
        );
        assert_eq!(
            Value::Object(data_of(&changed)),
            json!({
                "id": RecordId(1 << 30), "name": "Ana", "firstName": "Ana", "email": "a@example.org", "company": "Acme",
                "companyId": company,
                "changes": {
                    "email": {"from": null, "to": "a@example.org"}, "companyId": {"from": null, "to": company},
                    "city": {"from": "Riga", "to": null}
                },
                "source": "api:test", "revision": 2,
                "createdAt": "2026-11-24T09:30:00.000Z", "updatedAt": "2026-11-24T09:30:00.000Z"
            })
        );
    }

    #[test]
    fn every_object_has_its_events() {
        for object in switchboard_model::record::STANDARD.iter() {
            for kind in [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Deleted] {
                assert_eq!(
                    names(&change(&object.name, kind, json!({}), json!({}))).len(),
                    1,
                    "{}",
                    object.name
                );
            }
        }
    }
}
