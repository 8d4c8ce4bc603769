//! Values, keys and definitions.

use serde_json::{Map, Value, json};

use super::*;

fn checked(object: &str, values: Value) -> Value {
    let checked = check(standard(object).unwrap(), values.as_object().unwrap(), "api").unwrap();
    Value::Object(checked.data)
}

fn problems(object: &str, values: Value) -> Vec<String> {
    let problems = check(standard(object).unwrap(), values.as_object().unwrap(), "api").unwrap_err();
    problems
        .into_iter()
        .map(|problem| format!("{}: {}", problem.place.unwrap(), problem.detail))
        .collect()
}

#[test]
fn values_are_kept_in_one_form() {
    assert_eq!(
        checked(
            "people",
            json!({"email": " Ana@Example.ORG ", "phone": "+1 (202) 555-0101", "birthday": "24.11.1990", "marketingConsent": "yes",
                   "tags": "vip; new,vip", "city": 7, "messengerIds": {"telegram": 5}, "website": "https://example.org/a"})
        ),
        json!({"email": "ana@example.org", "phone": "+12025550101", "birthday": "1990-11-24", "marketingConsent": true,
               "tags": ["vip", "new"], "city": "7", "messengerIds": {"telegram": "5"}, "website": "https://example.org/a"})
    );
    assert_eq!(
        checked(
            "tasks",
            json!({"status": "Completed", "dueAt": 1_795_512_600, "title": "a\0b"})
        ),
        json!({"status": "done", "dueAt": "2026-11-24T09:30:00Z", "title": "a\u{fffd}b"})
    );
    assert_eq!(
        checked("companies", json!({"annualRevenue": "12.50 eur", "employees": "12"})),
        json!({"annualRevenue": {"amount": 12.5, "currency": "EUR"}, "employees": 12})
    );
    assert_eq!(
        checked("people", json!({"email": "", "phone": null})),
        json!({"email": null, "phone": null})
    );
}

#[test]
fn names_of_other_systems_are_short_enough_for_what_they_are_found_by() {
    let named = |length: usize| json!({"externalIds": {"s".repeat(length): "1"}});
    assert_eq!(checked("people", named(60)), named(60));
    let told = problems("people", named(61));
    assert!(told.len() == 1 && told[0].contains("at most 60"), "{told:?}");
}

#[test]
fn what_stands_for_several_fields_is_taken_apart() {
    assert_eq!(
        checked("people", json!({"name": "Ana Petrova", "externalId": 42})),
        json!({"firstName": "Ana", "lastName": "Petrova", "externalIds": {"api": "42"}})
    );
    assert_eq!(
        checked(
            "people",
            json!({"name": {"firstName": "Ines", "lastName": "Vale"}, "emails": {"primaryEmail": "ines@example.com"},
                   "phones": {"primaryPhoneNumber": "301234567", "primaryPhoneCallingCode": "+49"}, "externalIds": {"crm": "1"}, "externalId": "2"})
        ),
        json!({"firstName": "Ines", "lastName": "Vale", "email": "ines@example.com", "phone": "+49301234567",
               "externalIds": {"crm": "1", "api": "2"}})
    );
    let found = check(
        standard("people").unwrap(),
        json!({"company": "Acme"}).as_object().unwrap(),
        "api",
    )
    .unwrap();
    assert_eq!(
        (found.lookups[0].object.as_str(), found.lookups[0].name.as_str()),
        ("companies", "Acme")
    );
}

#[test]
fn each_value_that_does_not_fit_is_told() {
    let told = problems(
        "people",
        json!({"fristName": "A", "email": "nobody", "phone": "x", "birthday": "soon", "city": "x".repeat(20_001), "company": [], "a/b": 1}),
    );
    for (at, words) in [
        "/fristName: `fristName` is no field of people; did you mean `firstName`?",
        "/email: `email` is `nobody`, and an e-mail address is expected",
        "/phone: `phone` is `x`, and a telephone number is expected",
        "/birthday: `birthday` is `soon`, and a day such as 2026-11-24 is expected",
        "/city: `city` has 20001 characters; at most 20000 are possible",
        "/company: `company` is a list",
        "/a~1b: `a/b` is no field",
    ]
    .into_iter()
    .enumerate()
    {
        assert!(told[at].starts_with(words), "{}", told[at]);
    }
    assert_eq!(
        problems("tasks", json!({"status": "doen"})),
        ["/status: `status` is `doen`, and there are todo, in_progress, done, cancelled; did you mean `done`?"]
    );
}

#[test]
fn one_person_has_one_key_however_it_is_written() {
    let object = standard("people").unwrap();
    let of = |data: Value| keys(object, data.as_object().unwrap());
    let all = of(
        json!({"externalIds": {"Shop": " 7 "}, "email": "A@example.org", "phone": "0012025550101", "messengerIds": {"telegram": "u1"}}),
    );
    let shown: Vec<String> = all.iter().map(|key| format!("{}={}", key.kind, key.value)).collect();
    assert_eq!(
        shown,
        [
            "externalId:shop=7",
            "email=a@example.org",
            "phone=12025550101",
            "messengerId:telegram=u1"
        ]
    );
    assert!(of(json!({"email": "nobody", "phone": "12"})).is_empty());
    assert_eq!(phone("(202) 555-0101", Some("US")), Some("12025550101".to_owned()));
    let names = suspicions(
        object,
        json!({"firstName": " Ana ", "lastName": "PETROVA"})
            .as_object()
            .unwrap(),
    );
    assert_eq!(names[0].value, "ana\u{1f}petrova");
    let company = keys(
        standard("companies").unwrap(),
        json!({"domain": "https://www.Example.org/x", "name": "Acme  Ltd"})
            .as_object()
            .unwrap(),
    );
    assert_eq!(
        (company[0].value.as_str(), company[1].value.as_str()),
        ("example.org", "acme ltd")
    );
}

#[test]
fn a_definition_is_read_in_its_long_and_its_short_form() {
    let long = define(
        "customers",
        &json!({"title": "客户", "country": "CN", "keys": ["clue_id", "externalId"], "onDuplicate": "ask",
                "fields": [{"name": "clue_id", "type": "text", "required": true}, {"name": "渠道", "type": "select", "options": ["a", {"value": "b", "title": "B"}]},
                           {"name": "score", "type": "integer", "default": "5"}, {"name": "owner", "type": "lookup", "object": "person"}]}),
    )
    .unwrap();
    assert!(long.is_table && long.singular == "row" && long.policy == Policy::Ask);
    assert_eq!(long.keys, [MatchBy::Field("clue_id".into()), MatchBy::External]);
    assert_eq!(long.fields["score"].default, Some(json!(5)));
    assert_eq!(long.fields["owner"].kind, FieldKind::Lookup("people".into()));
    assert_eq!(long.titled_by, ["clue_id"]);
    let short = define("t", &json!({"fields": {"name": "text", "phone": {"type": "phone"}}})).unwrap();
    assert_eq!(
        (short.fields.len(), short.keys.as_slice()),
        (3, &[MatchBy::External][..])
    );
    let people = define("people", &json!({"fields": {"tier": "text"}})).unwrap();
    assert!(!people.is_table && people.fields.contains_key("firstName") && people.fields["tier"].custom);
}

#[test]
fn everything_that_is_wrong_with_a_definition_is_told_with_its_place() {
    let told = define(
        "9x",
        &json!({"titel": "x", "country": "ZZZ", "onDuplicate": "maybe", "keys": ["b"],
                "fields": [{"name": "a", "type": "txt"}, {"name": "id", "type": "text"}, {"name": "a", "type": "text"}, {"name": "l", "type": "lookup"},
                           {"name": "n", "type": "integer", "default": "x", "max": 0}]}),
    )
    .unwrap_err();
    let places: Vec<&str> = told.iter().filter_map(|problem| problem.place.as_deref()).collect();
    assert_eq!(
        places,
        [
            "/key",
            "/titel",
            "/country",
            "/onDuplicate",
            "/fields/0/type",
            "/fields/1",
            "/fields/2",
            "/fields/3",
            "/fields/4/max",
            "/fields/4/default",
            "/keys/0"
        ]
    );
    assert!(
        define("t", &json!({"fields": []})).is_err()
            && define("t", &json!({})).is_err()
            && define("t", &json!(7)).is_err()
    );
}

#[test]
fn a_record_shows_its_fields_in_their_order_and_what_it_refers_to() {
    let object = standard("people").unwrap();
    let id = crate::id::RecordId(77);
    let data: Map<String, Value> = json!({"company": id, "email": "a@example.org", "firstName": "Ana", "gone": 1})
        .as_object()
        .cloned()
        .unwrap();
    let titles = std::collections::HashMap::from([(id, "Acme".to_owned())]);
    let shown: Vec<(String, Value)> = present(object, &data, &titles).into_iter().collect();
    let names: Vec<&str> = shown.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["firstName", "email", "company", "companyId"]);
    assert_eq!((&shown[2].1, title(object, &data).as_str()), (&json!("Acme"), "Ana"));
}

#[test]
fn the_standard_objects_refer_to_objects_that_there_are() {
    for object in STANDARD.iter() {
        assert!(
            object.titled_by.iter().all(|name| object.fields.contains_key(name)),
            "{}",
            object.name
        );
        for by in &object.keys {
            if let MatchBy::Field(name) = by {
                assert!(object.fields.contains_key(name), "{}", object.name);
            }
        }
        for field in object.fields.values() {
            if let FieldKind::Lookup(other) = &field.kind {
                assert!(
                    standard(other).is_some_and(|known| known.name == *other),
                    "{} of {}",
                    field.name,
                    object.name
                );
            }
            // A name means one field.
            let meant = object.names().filter(|name| *name == field.name).count();
            assert_eq!(meant, 1, "{} of {}", field.name, object.name);
        }
    }
}
