//! `country`, `time_zone` and `fields` of a connection, and `defaults` of a file: how values are brought into form on their way.

use indexmap::IndexMap;
use switchboard_model::{
    connection::{Defaults, ValueRules},
    mapping::rules::FieldRules,
    problem::{Code, Problem},
    template::Template,
};

use super::reader::Part;
use crate::connector::Connector;

/// Reads them. What is wrong is reported and left out.
pub(super) fn read(part: &Part<'_, '_>, connector: &Connector) -> ValueRules {
    ValueRules {
        country: read_country(part),
        time_zone: read_zone(part),
        fields: part
            .member("fields")
            .map(|fields| read_fields(&fields, connector))
            .unwrap_or_default(),
    }
}

/// Reads `defaults` of a file: what holds for connections that say nothing else.
pub(super) fn read_defaults(part: &Part<'_, '_>) -> Option<Defaults> {
    part.object()?;
    part.only(&["country", "time_zone"]);
    Some(Defaults {
        country: read_country(part),
        time_zone: read_zone(part),
    })
}

fn read_country(part: &Part<'_, '_>) -> Option<String> {
    known_to(
        part,
        "country",
        "phone_e164",
        "Write two letters of ISO 3166, for example VN.",
    )
}

fn read_zone(part: &Part<'_, '_>) -> Option<String> {
    known_to(
        part,
        "time_zone",
        "timezone",
        "Write a name of the IANA data, for example Asia/Ho_Chi_Minh.",
    )
}

/// A name that is an argument of a filter, which knows what there is.
fn known_to(part: &Part<'_, '_>, key: &str, filter: &str, next: &str) -> Option<String> {
    let member = part.member(key)?;
    let text = member.text()?;
    let is_known = !text.contains('\'') && Template::parse(&format!("{{{{ x | {filter}: '{text}' }}}}")).is_ok();
    if !is_known {
        member.report(Code::WrongValue, format!("`{text}` is not known as `{key}`"), next);
    }
    is_known.then(|| text.to_owned())
}

fn read_fields(part: &Part<'_, '_>, connector: &Connector) -> IndexMap<String, IndexMap<String, String>> {
    let mut objects: IndexMap<String, IndexMap<String, String>> = IndexMap::new();
    for (name, rules) in part.members().unwrap_or_default() {
        let object = match connector.known_object(name) {
            Ok(object) => object.name.clone(),
            Err(problem) => {
                rules.adopt_at_key(problem);
                continue;
            }
        };
        let members = rules.members().unwrap_or_default();
        let texts = members
            .iter()
            .filter_map(|(field, rule)| Some(((*field).to_owned(), rule.text()?.to_owned())));
        let filters: IndexMap<String, String> = texts.collect();
        for error in FieldRules::compile(&filters).err().into_iter().flatten() {
            let next =
                "Write filters, for example \"number | default: 0\"; they are listed in the configuration reference.";
            let problem = Problem::new(Code::TemplateSyntax, error.error.to_string(), next);
            rules.report_inside(&error.pointer, 0, problem);
        }
        objects.entry(object).or_default().extend(filters);
    }
    objects
}
