//! Properties and pipelines as data (fact sheet §5, Metadata).

use serde_json::{Value, json};

use super::rows::Rows;
use super::schema::{self, Choice, Kind, ObjectType, Pipeline, Property};
use super::trouble::Trouble;
use crate::message::Reply;

/// Properties that may be unique, per type of objects.
const MOST_UNIQUE: usize = 10;

/// `GET /crm/properties/{version}/{type}`, or with the name of one.
///
/// # Errors
/// 404 for a property that is not there.
pub fn read(rows: &Rows, kind: &ObjectType, name: Option<&str>) -> Result<Reply, Trouble> {
    let properties = &rows.table(kind)?.properties;
    match name {
        None => {
            let all: Vec<Value> = properties.values().map(Property::to_json).collect();
            Ok(Reply::json(200, &json!({ "results": all })))
        }
        Some(name) => match properties.get(name) {
            Some(property) => Ok(Reply::json(200, &property.to_json())),
            None => Err(Trouble::not_found(&format!("Property {name} does not exist."))),
        },
    }
}

/// `POST /crm/properties/{version}/{type}`.
///
/// # Errors
/// 400 for a property that makes no sense, 409 for one that is there.
pub fn create(rows: &mut Rows, kind: &ObjectType, body: &Value) -> Result<Reply, Trouble> {
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    let missing: Vec<&str> = ["name", "label", "groupName", "type", "fieldType"]
        .into_iter()
        .filter(|name| text(name).is_empty())
        .collect();
    if !missing.is_empty() {
        let message = format!(
            "Invalid input JSON on line 1, column 1: Some required fields were not set: [{}]",
            missing.join(", ")
        );
        return Err(Trouble::invalid(message));
    }
    let name = text("name");
    let plain = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || sign == '_';
    if !name.chars().all(plain) || !name.starts_with(|sign: char| sign.is_ascii_lowercase()) {
        return Err(Trouble::invalid(format!(
            "The property name {name} may only have a-z, 0-9 and _"
        )));
    }
    let data = Kind::of(text("type"), text("fieldType"));
    let data = data.ok_or_else(|| {
        Trouble::invalid(format!(
            "fieldType {} does not fit the type {}",
            text("fieldType"),
            text("type")
        ))
    })?;
    let unique = body["hasUniqueValue"].as_bool().unwrap_or(false);
    let table = rows.table_mut(kind)?;
    if table.properties.contains_key(name) {
        let message = format!("A property named '{name}' already exists.");
        return Err(Trouble::new(409, "OBJECT_ALREADY_EXISTS", message));
    }
    if unique
        && table
            .properties
            .values()
            .filter(|property| property.unique && !property.standard)
            .count()
            >= MOST_UNIQUE
    {
        return Err(Trouble::invalid(format!(
            "There are {MOST_UNIQUE} unique properties already"
        )));
    }
    let choice = |option: &Value| Choice {
        value: option["value"].as_str().unwrap_or_default().to_owned(),
        label: option["label"].as_str().unwrap_or_default().to_owned(),
    };
    let property = Property {
        label: text("label").to_owned(),
        group: text("groupName").to_owned(),
        field_type: text("fieldType").to_owned(),
        choices: body["options"].as_array().into_iter().flatten().map(choice).collect(),
        unique,
        standard: false,
        ..Property::standard(name, data)
    };
    let shown = property.to_json();
    table.add_property(property);
    Ok(Reply::json(201, &shown))
}

/// `GET /crm/pipelines/{version}/{type}`, or with the id of one.
///
/// # Errors
/// 404 for a pipeline that is not there.
pub fn pipelines(kind: &ObjectType, id: Option<&str>) -> Result<Reply, Trouble> {
    let all = schema::pipelines(kind);
    let shown = |(order, pipeline): (usize, &Pipeline)| show_pipeline(order, pipeline);
    match id {
        None => {
            let all: Vec<Value> = all.iter().enumerate().map(shown).collect();
            Ok(Reply::json(200, &json!({ "results": all })))
        }
        Some(id) => match all.iter().enumerate().find(|(_, pipeline)| pipeline.id == id) {
            Some(found) => Ok(Reply::json(200, &shown(found))),
            None => Err(Trouble::not_found(&format!("Pipeline {id} does not exist."))),
        },
    }
}

fn show_pipeline(order: usize, pipeline: &Pipeline) -> Value {
    const MADE: &str = "2026-01-05T09:00:00Z";
    let last = pipeline.stages.len().saturating_sub(1);
    let stage = |(order, (id, label)): (usize, &(&str, &str))| {
        json!({
            "id": id,
            "label": label,
            "displayOrder": order,
            "metadata": {"isClosed": (order == last).to_string()},
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
            "archived": false,
            "createdAt": MADE,
            "updatedAt": MADE,
        })
    };
    let stages: Vec<Value> = pipeline.stages.iter().enumerate().map(stage).collect();
    json!({
        "id": pipeline.id,
        "label": pipeline.label,
        "displayOrder": order,
        "stages": stages,
        "archived": false,
        "createdAt": MADE,
        "updatedAt": MADE,
    })
}
