//! Objects, their properties and pipelines (fact sheet §1, §5).

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Value, json};

/// Plural name and type id of every object.
pub const OBJECTS: &[(&str, &str)] = &[
    ("contacts", "0-1"),
    ("companies", "0-2"),
    ("deals", "0-3"),
    ("tickets", "0-5"),
    ("notes", "0-46"),
    ("tasks", "0-27"),
    ("calls", "0-48"),
];

const LIFECYCLE: &[&str] = &[
    "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer", "evangelist", "other",
];

/// A property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// `string`, `number`, `datetime`, `enumeration`.
    pub kind: String,
    /// No two records of one object have the same value.
    pub unique: bool,
    /// Internal values of an enumeration; empty: any.
    pub options: Vec<String>,
}

/// The schema of the portal.
#[derive(Debug)]
pub struct Schema {
    objects: HashMap<&'static str, IndexMap<String, Property>>,
    /// Pipelines of tickets and deals: id and stages.
    pipelines: HashMap<&'static str, Vec<(String, Vec<String>)>>,
}

impl Schema {
    /// A portal as the messenger guide's user has it: the standard properties, a contact property `lead_source`, and a ticket pipeline
    /// `support_pipeline` with the stage `new`.
    pub fn new() -> Self {
        let mut objects = HashMap::new();
        for (object, _) in OBJECTS {
            let mut properties: IndexMap<String, Property> = IndexMap::new();
            let mut add = |name: &str, kind: &str, options: &[&str]| {
                let options = options.iter().map(|option| (*option).to_owned()).collect();
                let unique = *object == "contacts" && name == "email";
                properties.insert(name.to_owned(), Property { kind: kind.to_owned(), unique, options });
            };
            for name in standard(object) {
                let (name, kind) = name.split_once(':').unwrap_or((name, "string"));
                add(name, kind, &[]);
            }
            match *object {
                "contacts" => add("lifecyclestage", "enumeration", LIFECYCLE),
                "tickets" => add("hs_ticket_priority", "enumeration", &["LOW", "MEDIUM", "HIGH", "URGENT"]),
                "calls" => add("hs_call_direction", "enumeration", &["INBOUND", "OUTBOUND"]),
                _ => {}
            }
            objects.insert(*object, properties);
        }
        let stages = |stages: &[&str]| stages.iter().map(|stage| (*stage).to_owned()).collect::<Vec<_>>();
        let deal = ["appointmentscheduled", "qualifiedtobuy", "presentationscheduled", "decisionmakerboughtin", "contractsent", "closedwon", "closedlost"];
        let pipelines = HashMap::from([
            ("tickets", vec![("0".to_owned(), stages(&["1", "2", "3", "4"])), ("support_pipeline".to_owned(), stages(&["new", "in_progress", "done"]))]),
            ("deals", vec![("default".to_owned(), stages(&deal))]),
        ]);
        Self { objects, pipelines }
    }

    /// The plural name of an object that is given by name or type id.
    pub fn object(name: &str) -> Option<&'static str> {
        OBJECTS.iter().find(|(plural, id)| *plural == name || *id == name).map(|(plural, _)| *plural)
    }

    /// A property.
    pub fn property(&self, object: &str, name: &str) -> Option<&Property> {
        self.objects.get(object)?.get(name)
    }

    /// Every property of an object.
    pub fn properties(&self, object: &str) -> impl Iterator<Item = (&String, &Property)> {
        self.objects.get(object).into_iter().flatten()
    }

    /// Adds a property; `false` when there is one of that name.
    pub fn add(&mut self, object: &'static str, name: &str, property: Property) -> bool {
        let properties = self.objects.entry(object).or_default();
        let is_new = !properties.contains_key(name);
        if is_new {
            properties.insert(name.to_owned(), property);
        }
        is_new
    }

    /// The pipelines of an object: id and stages.
    pub fn pipelines(&self, object: &str) -> &[(String, Vec<String>)] {
        self.pipelines.get(object).map(Vec::as_slice).unwrap_or_default()
    }
}

fn standard(object: &str) -> &'static [&'static str] {
    match object {
        "contacts" => &[
            "email", "firstname", "lastname", "phone", "mobilephone", "company", "jobtitle", "website", "city", "country", "address", "zip",
            "state", "hs_lead_status", "lead_source", "message", "hubspot_owner_id", "createdate:datetime", "lastmodifieddate:datetime", "hs_object_id",
        ],
        "companies" => &[
            "name", "domain", "phone", "city", "country", "industry", "description", "website", "address", "zip", "state", "hubspot_owner_id",
            "createdate:datetime", "hs_lastmodifieddate:datetime", "hs_object_id",
        ],
        "deals" => &[
            "dealname", "amount:number", "dealstage", "pipeline", "closedate:datetime", "description", "hubspot_owner_id", "createdate:datetime",
            "hs_lastmodifieddate:datetime", "hs_object_id",
        ],
        "tickets" => &[
            "subject", "content", "hs_pipeline", "hs_pipeline_stage", "hubspot_owner_id", "source_type", "createdate:datetime",
            "hs_lastmodifieddate:datetime", "hs_object_id",
        ],
        "notes" => &["hs_note_body", "hs_timestamp:datetime", "hs_attachment_ids", "hubspot_owner_id"],
        "tasks" => &["hs_task_subject", "hs_task_body", "hs_task_status", "hs_timestamp:datetime", "hubspot_owner_id"],
        _ => &[
            "hs_call_title", "hs_call_body", "hs_call_duration:number", "hs_call_from_number", "hs_call_to_number", "hs_call_status",
            "hs_timestamp:datetime", "hubspot_owner_id",
        ],
    }
}

impl Property {
    /// The property as the API shows it.
    pub fn show(&self, name: &str) -> Value {
        let options: Vec<Value> = self.options.iter().map(|option| json!({"label": option, "value": option})).collect();
        json!({"name": name, "label": name, "type": self.kind, "fieldType": "text", "groupName": "information", "options": options, "hasUniqueValue": self.unique})
    }
}
