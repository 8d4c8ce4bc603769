//! The fields of an object as people see them: those of the manifest and those of the account, each once.

use super::{Choice, FoundField, FoundObject, plan::PlanKind};
use crate::{connector::Connector, manifest::FieldType, object::Object, shape::Field};

/// A field of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldView {
    /// The vendor's name of it.
    pub name: String,
    /// For people.
    pub title: Option<String>,
    /// Other names that mappings may use.
    pub aliases: Vec<String>,
    /// What it holds.
    pub field_type: FieldType,
    /// Whether a new record needs it.
    pub required: bool,
    /// Most characters of its text.
    pub max: Option<u64>,
    /// The values that it takes; empty: any.
    pub options: Vec<Choice>,
    /// Whether it takes other values, too.
    pub open: bool,
    /// The member of the record that it belongs into; absent: the record itself.
    pub within: Option<String>,
    /// Whether the account has told of it.
    pub from_account: bool,
    /// Whether the manifest lists it: then its name and aliases match regardless of case.
    pub from_manifest: bool,
}

impl Connector {
    /// Every field of an object that is known, those of the manifest first.
    pub fn fields_of(&self, object: &str, found: Option<&FoundObject>) -> Vec<FieldView> {
        let Some(object) = self.object(object) else {
            return Vec::new();
        };
        let within = object.within();
        let nothing = FoundObject::default();
        let found = found.unwrap_or(&nothing);
        let told = |name: &str| found.field(name).filter(|_| within.is_none());
        let mut views: Vec<FieldView> = object
            .fields()
            .map(|field| of_manifest(field, told(&field.name), found.options_of(&field.name)))
            .collect();
        let is_listed = |field: &&FoundField| within.is_some() || object.fields().all(|known| known.name != field.name);
        let further = found.fields.iter().filter(is_listed);
        views.extend(further.map(|field| of_account(field, found, within)));
        views
    }
}

impl Object {
    /// The member of the record that holds the fields of the account.
    pub(crate) fn within(&self) -> Option<&str> {
        self.discoveries.iter().find_map(|plan| match &plan.kind {
            PlanKind::Fields(fields) => fields.within.as_deref(),
            PlanKind::Options { .. } => None,
        })
    }
}

fn of_manifest(field: &Field, told: Option<&FoundField>, options: &[Choice]) -> FieldView {
    let own = field.choices().iter().map(|value| Choice {
        value: value.clone(),
        title: None,
    });
    let is_specific = field.field_type != FieldType::Text || told.is_none();
    FieldView {
        name: field.name.clone(),
        title: field.title.clone().or_else(|| told?.title.clone()),
        aliases: field.aliases.clone(),
        field_type: match told {
            Some(told) if !is_specific => told.field_type,
            _ => field.field_type,
        },
        required: field.required || told.is_some_and(|told| told.required),
        max: field.max.map(|max| max as u64).or_else(|| told?.max),
        options: match options.is_empty() {
            true => own.collect(),
            false => options.to_vec(),
        },
        open: told.is_none_or(|told| told.open) && field.takes_other(),
        within: None,
        from_account: told.is_some(),
        from_manifest: true,
    }
}

fn of_account(field: &FoundField, found: &FoundObject, within: Option<&str>) -> FieldView {
    FieldView {
        name: field.name.clone(),
        title: field.title.clone(),
        aliases: Vec::new(),
        field_type: field.field_type,
        required: field.required,
        max: field.max,
        options: found.options_of(&field.name).to_vec(),
        open: field.open && !found.options.contains_key(&field.name),
        within: within.map(|within| within.trim_start_matches('/').replace('/', ".")),
        from_account: true,
        from_manifest: false,
    }
}
