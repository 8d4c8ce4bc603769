//! One property of an object type.

use serde_json::{Value, json};

/// What a property holds. All values are strings; this says which strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A telephone number: any text.
    Phone,
    /// A number with a point for decimals.
    Number,
    /// A moment.
    DateTime,
    /// A day.
    Date,
    /// `true` or `false`.
    Bool,
    /// One of the options.
    Enumeration,
    /// Any of the options, joined with semicolons.
    Several,
}

impl Kind {
    /// `type` and `fieldType` of the API.
    #[must_use]
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Text => ("string", "text"),
            Self::Phone => ("string", "phonenumber"),
            Self::Number => ("number", "number"),
            Self::DateTime => ("datetime", "date"),
            Self::Date => ("date", "date"),
            Self::Bool => ("bool", "booleancheckbox"),
            Self::Enumeration => ("enumeration", "select"),
            Self::Several => ("enumeration", "checkbox"),
        }
    }

    /// From `type` and `fieldType` of the API.
    #[must_use]
    pub fn of(kind: &str, field: &str) -> Option<Self> {
        Some(match (kind, field) {
            ("string" | "phone_number", "phonenumber") => Self::Phone,
            ("string", "text" | "textarea" | "html" | "file") => Self::Text,
            ("number", "number" | "calculation_equation") => Self::Number,
            ("datetime", "date") => Self::DateTime,
            ("date", "date") => Self::Date,
            ("bool", "booleancheckbox" | "calculation_equation") => Self::Bool,
            ("enumeration", "checkbox") => Self::Several,
            ("enumeration", "select" | "radio" | "booleancheckbox") => Self::Enumeration,
            _ => return None,
        })
    }
}

/// An option of an enumeration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What is stored.
    pub value: String,
    /// What people see.
    pub label: String,
}

/// One property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// The internal name.
    pub name: String,
    /// The name for people.
    pub label: String,
    /// The group in which people see it.
    pub group: String,
    /// What it holds.
    pub kind: Kind,
    /// The `fieldType` that the property was made with.
    pub field_type: String,
    /// The options of an enumeration.
    pub choices: Vec<Choice>,
    /// Whether no two objects may share a value, so that it can be used as `idProperty`.
    pub unique: bool,
    /// Whether HubSpot alone sets it.
    pub read_only: bool,
    /// Whether HubSpot made it and not a user.
    pub standard: bool,
}

impl Property {
    /// A property that every portal has.
    #[must_use]
    pub fn standard(name: &str, kind: Kind) -> Self {
        Self {
            name: name.to_owned(),
            label: name.to_owned(),
            group: String::new(),
            kind,
            field_type: kind.names().1.to_owned(),
            choices: Vec::new(),
            unique: false,
            read_only: false,
            standard: true,
        }
    }

    /// The same, set by HubSpot alone.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    /// The same with these options.
    #[must_use]
    pub fn choices(mut self, values: &[&str]) -> Self {
        let choice = |value: &&str| Choice {
            value: (*value).to_owned(),
            label: (*value).to_owned(),
        };
        self.choices = values.iter().map(choice).collect();
        self
    }

    /// The property as the API shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let choice = |(order, choice): (usize, &Choice)| json!({"label": choice.label, "value": choice.value, "displayOrder": order, "hidden": false});
        let choices: Vec<Value> = self.choices.iter().enumerate().map(choice).collect();
        json!({
            "name": self.name,
            "label": self.label,
            "type": self.kind.names().0,
            "fieldType": self.field_type,
            "description": "",
            "groupName": self.group,
            "options": choices,
            "hasUniqueValue": self.unique,
            "hidden": false,
            "hubspotDefined": self.standard,
            "calculated": false,
            "externalOptions": false,
            "archived": false,
            "formField": !self.read_only,
            "displayOrder": -1,
            "modificationMetadata": {
                "archivable": !self.standard,
                "readOnlyDefinition": self.standard,
                "readOnlyValue": self.read_only,
            },
        })
    }
}
