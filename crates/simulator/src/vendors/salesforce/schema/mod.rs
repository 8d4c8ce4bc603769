//! The objects and fields of the simulated org.

mod field;
mod tables;

use std::collections::HashMap;

pub use field::{Access, Field, Kind};

use super::settings::{ExternalId, Settings};

/// One object: its name, the beginning of its ids, its fields.
#[derive(Debug, Clone)]
pub struct Object {
    /// The API name.
    pub name: &'static str,
    /// The first three characters of its ids.
    pub prefix: &'static str,
    /// Whether records can be made; the org's users cannot.
    pub createable: bool,
    /// All fields, in the order of a describe.
    pub fields: Vec<Field>,
    by_name: HashMap<String, usize>,
}

impl Object {
    /// The field of this name, in any mix of upper and lower case.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.by_name
            .get(&name.to_ascii_lowercase())
            .map(|index| &self.fields[*index])
    }

    /// The fields by which records are found without looking at all of them.
    pub fn indexed(&self) -> impl Iterator<Item = &Field> {
        self.fields
            .iter()
            .filter(|field| field.external || field.kind == Kind::Email)
    }
}

/// All objects of the org.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The objects.
    pub objects: Vec<Object>,
}

impl Schema {
    /// The standard objects with the custom field and the restrictions that the settings ask for.
    #[must_use]
    pub fn new(settings: &Settings) -> Self {
        let restricted = |object: &str, field: &str| {
            let name = format!("{object}.{field}");
            settings
                .restricted_picklists
                .iter()
                .any(|entry| entry.eq_ignore_ascii_case(&name))
        };
        let object = |table: &tables::Table| {
            let mut fields: Vec<Field> = tables::first(table).chain(table.fields.iter().copied()).collect();
            fields.extend(tables::AUDIT);
            if table.with_external_id && settings.external_id != ExternalId::Absent {
                fields.push(Field::external_id(settings.external_id == ExternalId::Unique));
            }
            for field in &mut fields {
                field.restricted |= restricted(table.name, field.name);
            }
            let name = |(index, field): (usize, &Field)| (field.name.to_ascii_lowercase(), index);
            Object {
                name: table.name,
                prefix: table.prefix,
                createable: table.createable,
                by_name: fields.iter().enumerate().map(name).collect(),
                fields,
            }
        };
        Self {
            objects: tables::ALL.iter().map(object).collect(),
        }
    }

    /// The object of this name, in any mix of upper and lower case.
    #[must_use]
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects
            .iter()
            .find(|object| object.name.eq_ignore_ascii_case(name))
    }

    /// The object whose ids begin like this one.
    #[must_use]
    pub fn of_id(&self, id: &str) -> Option<&Object> {
        self.objects.iter().find(|object| id.starts_with(object.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_has_its_required_fields_and_no_field_twice() {
        let schema = Schema::new(&Settings::default());
        for (object, required) in [
            ("Lead", vec!["LastName", "Company"]),
            ("Contact", vec!["LastName"]),
            ("Account", vec!["Name"]),
            ("Opportunity", vec!["Name", "StageName", "CloseDate"]),
            ("Case", vec![]),
            ("Task", vec![]),
            ("CaseComment", vec!["ParentId"]),
        ] {
            let object = schema.object(object).unwrap();
            let found: Vec<_> = object
                .fields
                .iter()
                .filter(|field| field.required)
                .map(|field| field.name)
                .collect();
            assert_eq!(found, required, "{}", object.name);
            assert_eq!(object.by_name.len(), object.fields.len(), "{}", object.name);
        }
    }

    #[test]
    fn the_custom_field_is_as_the_settings_say() {
        for (external_id, found) in [
            (ExternalId::Unique, Some(true)),
            (ExternalId::NotUnique, Some(false)),
            (ExternalId::Absent, None),
        ] {
            let schema = Schema::new(&Settings {
                external_id,
                ..Settings::default()
            });
            for name in ["Lead", "Contact", "Account", "Opportunity", "Case"] {
                let field = schema.object(name).unwrap().field("hubexternalid__C");
                assert_eq!(field.map(|field| field.unique), found, "{name}");
            }
            assert!(schema.object("Task").unwrap().field("HubExternalId__c").is_none());
        }
    }
}
