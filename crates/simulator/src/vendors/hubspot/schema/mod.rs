//! The object types of the portal, their properties and pipelines (fact sheet §1, §5).

mod property;
mod tables;

use indexmap::IndexMap;

pub use property::{Choice, Kind, Property};

/// One type of objects.
#[derive(Debug, PartialEq, Eq)]
pub struct ObjectType {
    /// The plural, which is the usual name in paths: `contacts`.
    pub plural: &'static str,
    /// The singular in lower case, which is allowed in paths too and stands in names of associations.
    pub singular: &'static str,
    /// The type id: `0-1`.
    pub id: &'static str,
    /// The property with the time of the last change.
    pub modified: &'static str,
    /// Properties that a new object needs.
    pub required: &'static [&'static str],
    /// The scope without `.read` and `.write`; tickets have one scope for both.
    pub scope: &'static str,
}

/// The object type of this name: plural, singular or id.
#[must_use]
pub fn object_type(name: &str) -> Option<&'static ObjectType> {
    let name = name.to_ascii_lowercase();
    tables::TYPES
        .iter()
        .find(|kind| kind.plural == name || kind.singular == name || kind.id == name)
}

/// All object types.
#[must_use]
pub fn object_types() -> &'static [ObjectType] {
    tables::TYPES
}

/// The properties of a type as a new portal has them, with those that the set-up guide's user made.
#[must_use]
pub fn properties(kind: &ObjectType) -> IndexMap<String, Property> {
    let always = [
        Property::standard("createdate", Kind::DateTime).read_only(),
        Property::standard(kind.modified, Kind::DateTime).read_only(),
        Property::standard("hs_object_id", Kind::Number).read_only(),
        Property::standard("hubspot_owner_id", Kind::Text),
    ];
    let own = tables::properties(kind.plural).into_iter().map(|property| {
        let group = format!("{}information", kind.singular);
        Property { group, ..property }
    });
    always
        .into_iter()
        .chain(own)
        .map(|property| (property.name.clone(), property))
        .collect()
}

/// One pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pipeline {
    /// The id.
    pub id: &'static str,
    /// The name for people.
    pub label: &'static str,
    /// Ids and names of the stages, in order.
    pub stages: &'static [(&'static str, &'static str)],
}

/// The pipelines of a type; empty for types without.
#[must_use]
pub fn pipelines(kind: &ObjectType) -> &'static [Pipeline] {
    match kind.plural {
        "deals" => tables::DEAL_PIPELINES,
        "tickets" => tables::TICKET_PIPELINES,
        _ => &[],
    }
}

/// The properties that hold pipeline and stage, for types that have them.
#[must_use]
pub fn pipeline_properties(kind: &ObjectType) -> Option<(&'static str, &'static str)> {
    match kind.plural {
        "deals" => Some(("pipeline", "dealstage")),
        "tickets" => Some(("hs_pipeline", "hs_pipeline_stage")),
        _ => None,
    }
}

/// The id of the unlabelled association from one type to another, in HubSpot's numbering.
#[must_use]
pub fn association_type(from: &ObjectType, to: &ObjectType) -> Option<u64> {
    let found = tables::ASSOCIATIONS
        .iter()
        .find(|(left, right, _)| *left == from.plural && *right == to.plural);
    found.map(|(_, _, id)| *id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_known_by_three_names() {
        for name in ["contacts", "contact", "0-1", "Contacts"] {
            assert_eq!(object_type(name).map(|kind| kind.plural), Some("contacts"), "{name}");
        }
        assert_eq!(object_type("gizmos"), None);
    }

    #[test]
    fn associations_have_the_ids_of_the_sheet_in_their_direction() {
        for (from, to, id) in [
            ("contacts", "companies", 1),
            ("deals", "contacts", 3),
            ("deals", "companies", 5),
            ("contacts", "tickets", 15),
            ("tickets", "contacts", 16),
            ("tickets", "companies", 26),
            ("calls", "contacts", 194),
            ("notes", "contacts", 202),
            ("tasks", "contacts", 204),
        ] {
            let (left, right) = (object_type(from).unwrap(), object_type(to).unwrap());
            assert_eq!(association_type(left, right), Some(id), "{from} to {to}");
        }
    }

    #[test]
    fn the_portal_is_set_up_as_the_guide_says() {
        let tickets = object_type("tickets").unwrap();
        let support = pipelines(tickets)
            .iter()
            .find(|pipeline| pipeline.id == "support_pipeline")
            .unwrap();
        assert!(support.stages.iter().any(|(id, _)| *id == "new"));
        assert!(properties(object_type("contacts").unwrap()).contains_key("lead_source"));
    }
}
