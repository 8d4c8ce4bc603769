//! From what somebody says about a record to what is written of it. Pure.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    problem::{Code, Problem},
    record::{Lookup, MatchBy, ObjectType, Objects, Policy, check, email, phone},
};

use crate::store::{How, RecordWrite};

/// What somebody says about a record.
#[derive(Debug, Clone)]
pub struct Said<'s> {
    /// The values by field, as they came.
    pub values: &'s Map<String, Value>,
    /// What is done with them.
    pub how: How,
    /// Who says it, for people: `api:NAME`, `source:feiyu`, `automation:KEY`.
    pub source: &'s Arc<str>,
    /// Under which name an `externalId` is kept: that of the source, `api` for the API.
    pub system: &'s str,
}

/// The write that does what was said with a record of this object. Records that it names are looked for by their names, and made where there
/// are none.
///
/// # Errors
/// A problem for each value that does not fit.
pub fn prepare(objects: &Objects, object: &Arc<ObjectType>, said: Said<'_>) -> Result<RecordWrite, Problem> {
    let checked = check(object, said.values, said.system).map_err(first)?;
    if let How::Match { only: Some(only), .. } = &said.how {
        check_words(object, only)?;
    }
    let mut lookups = Vec::with_capacity(checked.lookups.len());
    let mut problems = Vec::new();
    for lookup in &checked.lookups {
        match named(objects, lookup, said.source) {
            Ok(write) => lookups.push((lookup.field.clone(), write)),
            Err(problem) => problems.push(problem.at(format!("/{}", lookup.field))),
        }
    }
    match Problem::all(problems) {
        Some(problem) => Err(problem),
        None => Ok(RecordWrite {
            object: Arc::clone(object),
            how: said.how,
            data: checked.data,
            lookups,
            source: Arc::clone(said.source),
        }),
    }
}

/// The object with this name.
///
/// # Errors
/// [`Code::NotFound`], with the name that was perhaps meant.
pub fn object<'o>(objects: &'o Objects, name: &str) -> Result<&'o Arc<ObjectType>, Problem> {
    objects.find(name).ok_or_else(|| {
        let hint = objects
            .nearest(name)
            .map(|hint| format!("; did you mean `{hint}`?"))
            .unwrap_or_default();
        let shown: String = name.chars().take(80).collect();
        Problem::new(
            Code::NotFound,
            format!("there is no object or table `{shown}`{hint}"),
            "GET /v1/tables lists the tables; a new one is made with POST /v1/tables.",
        )
    })
}

fn first(problems: Vec<Problem>) -> Problem {
    Problem::all(problems).unwrap_or_else(|| Problem::new(Code::WrongShape, "the values do not fit", "Correct them."))
}

/// Finds a record that a field names, or makes it with nothing but its name.
fn named(objects: &Objects, lookup: &Lookup, source: &Arc<str>) -> Result<RecordWrite, Problem> {
    let object = object(objects, &lookup.object)?;
    let by = match object.name.as_str() {
        "people" if email(&lookup.name).is_some() => "email",
        "people" if looks_like_phone(&lookup.name) => "phone",
        "people" => "name",
        _ => match titled_by_key(object) {
            Some(field) => field,
            None => return Err(needs_id(object, lookup)),
        },
    };
    let values = Map::from_iter([(by.to_owned(), json!(lookup.name))]);
    let data = check(object, &values, "api").map_err(first)?.data;
    Ok(RecordWrite {
        object: Arc::clone(object),
        how: How::Match {
            policy: Policy::Find,
            only: None,
        },
        data,
        lookups: Vec::new(),
        source: Arc::clone(source),
    })
}

/// The field that names its records and that they are known by: a name that is no key would make a new record each time.
fn titled_by_key(object: &ObjectType) -> Option<&str> {
    let [field] = &object.titled_by[..] else { return None };
    object
        .keys
        .contains(&MatchBy::Field(field.clone()))
        .then_some(field.as_str())
}

fn needs_id(object: &ObjectType, lookup: &Lookup) -> Problem {
    Problem::new(
        Code::WrongShape,
        format!(
            "`{}` must be the id of a record of {}: their names are no keys",
            lookup.field, object.name
        ),
        "Send the id (`rec_…`), or name a text field that titles the object among its `keys`.",
    )
}

fn looks_like_phone(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let other = text
        .chars()
        .filter(|letter| !letter.is_ascii_digit() && !"+-() .".contains(*letter))
        .count();
    digits >= 6 && other == 0 && phone(text, None).is_some()
}

/// Words by which a caller wants a match must be keys of the object.
fn check_words(object: &ObjectType, only: &[String]) -> Result<(), Problem> {
    let known = super::matching::words(object);
    for word in only {
        let kind = word.split(':').next().unwrap_or(word);
        if !known.contains(&kind) {
            let shown: String = word.chars().take(80).collect();
            return Err(Problem::new(
                Code::WrongShape,
                format!("records of {} are not matched by `{shown}`", object.name),
                format!("Use one of {}.", known.join(", ")),
            )
            .at("/match"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use switchboard_model::record::define;

    use super::*;

    fn said(object: &str, values: Value, only: Option<Vec<String>>) -> Result<RecordWrite, Problem> {
        let mut objects = Objects::default();
        let visits = json!({"fields": {"who": {"type": "lookup", "object": "people"}, "deal": {"type": "lookup", "object": "opportunities"}}});
        objects.insert(define("visits", &visits).unwrap());
        let object = Arc::clone(super::object(&objects, object)?);
        let policy = Policy::Update;
        let said = Said {
            values: values.as_object().unwrap(),
            how: How::Match { policy, only },
            source: &"test".into(),
            system: "shop",
        };
        prepare(&objects, &object, said)
    }

    #[test]
    fn a_record_that_is_named_is_looked_for_by_what_its_name_looks_like() {
        for (name, field, value) in [
            ("ana@example.org", "email", "ana@example.org"),
            ("+1 (202) 555-0101", "phone", "+12025550101"),
            ("Ana Petrova", "firstName", "Ana"),
        ] {
            let write = said("visits", json!({ "who": name }), None).unwrap();
            let (of, lookup) = &write.lookups[0];
            assert_eq!((of.as_str(), lookup.object.name.as_str()), ("who", "people"));
            assert_eq!(lookup.data[field], value, "{name}");
        }
        let company = said("people", json!({"company": "Acme", "externalId": 7}), None).unwrap();
        assert_eq!(company.lookups[0].1.data["name"], "Acme");
        assert_eq!(company.data["externalIds"], json!({"shop": "7"}));
    }

    #[test]
    fn where_names_are_no_keys_an_id_is_needed() {
        let problem = said("visits", json!({"deal": "Roof repair"}), None).unwrap_err();
        assert_eq!(problem.place.as_deref(), Some("/deal"));
        assert!(problem.detail.contains("must be the id"), "{}", problem.detail);
    }

    #[test]
    fn a_match_names_keys_of_the_object() {
        let only = |word: &str| said("people", json!({"email": "a@example.org"}), Some(vec![word.to_owned()]));
        assert!(only("email").is_ok() && only("externalId:shop").is_ok());
        let problem = only("city").unwrap_err();
        assert!(
            problem.next.contains("externalId, email, phone, messengerId"),
            "{}",
            problem.next
        );
        assert_eq!(said("peeple", json!({}), None).unwrap_err().code, Code::NotFound);
    }
}
