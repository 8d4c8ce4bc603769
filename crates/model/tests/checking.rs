//! What is told about a mapping when it is saved.

use serde_json::{Value, json};
use switchboard_model::{
    event::variables::variables_of,
    mapping::check::{Form, Member, Severity, Target, Unlisted, check, unknown_variables},
};

fn member(name: &'static str, form: Form) -> Member<'static> {
    Member {
        name,
        title: None,
        aliases: &[],
        any_case: true,
        form,
        required: false,
    }
}

fn lead(unlisted: Unlisted) -> Target<'static> {
    Target {
        title: "Lead",
        members: vec![
            Member {
                required: true,
                ..member("LastName", Form::Text)
            },
            Member {
                title: Some("Сумма"),
                ..member("Amount", Form::Number)
            },
            member("Employees", Form::Integer),
            member("IsVip", Form::Boolean),
            member("CloseDate", Form::Moment),
            member("Tags", Form::List),
            member("Address", Form::Object),
            member("Note", Form::Any),
        ],
        unlisted,
    }
}

/// Place, severity and text of each finding.
fn found(mapping: Value, unlisted: Unlisted) -> Vec<(String, Severity, String)> {
    let findings = check("", &mapping, &lead(unlisted), &variables_of([]));
    let told = findings.into_iter().map(|finding| {
        let problem = finding.problem;
        let text = format!("{}. {}", problem.detail, problem.next);
        (problem.place.unwrap_or_default(), finding.severity, text)
    });
    told.collect()
}

#[test]
fn a_mapping_that_fits_has_nothing_to_be_said_about_it() {
    let mapping = json!({
        "lastname": "{{ senderName | last_name | default: senderName }}", "Amount": "{{ amount | number }}", "Employees": 12,
        "IsVip": "yes", "CloseDate": "{{ receivedAt | date: '%Y-%m-%d' }}", "Tags": ["{{ category }}"],
        "Address": {"city": "{{ subject }}"}, "Note": {"any": ["{{ messageContent }}"]},
    });
    assert_eq!(found(mapping, Unlisted::Refused), []);
    let other = json!({
        "LastName": "Доу", "Amount": "{{ value }}", "Employees": "12", "IsVip": 1, "CloseDate": "2026-12-01", "Tags": "{{ tags }}",
        "Address": "{{ payload }}", "own": "{{ platform }}",
    });
    assert_eq!(found(other, Unlisted::Taken), []);
}

#[test]
fn unknown_fields_are_told_with_the_nearest_name_as_bad_as_the_target_takes_them() {
    let mapping = json!({"LastName": "x", "Amuont": 1, "сумма": 2});
    let refused = found(mapping.clone(), Unlisted::Refused);
    assert_eq!(refused.len(), 2, "{refused:?}");
    assert_eq!((refused[0].0.as_str(), refused[0].1), ("/Amuont", Severity::Error));
    assert!(refused[0].2.contains("Did you mean `Amount`?"), "{}", refused[0].2);
    assert!(
        refused[1].2.contains("Did you mean `Amount`?"),
        "by its title: {}",
        refused[1].2
    );
    assert!(
        found(mapping.clone(), Unlisted::LeftOut)
            .iter()
            .all(|(_, severity, _)| *severity == Severity::Warning)
    );
    assert_eq!(found(mapping, Unlisted::Taken), []);
}

#[test]
fn values_that_a_field_can_never_take_are_errors() {
    for (field, value, part) in [
        ("Amount", json!("a lot"), "`a lot`"),
        ("Amount", json!("about {{ amount }} roubles"), "text with words in it"),
        ("Amount", json!(true), "`true`"),
        ("Amount", json!("{{ tags | split: ',' }}"), "a list"),
        ("Employees", json!(1.5), "`1.5`"),
        ("Employees", json!("{{ tags | boolean }}"), "true or false"),
        ("IsVip", json!("perhaps"), "`perhaps`"),
        ("IsVip", json!(7), "`7`"),
        ("CloseDate", json!("next week"), "`next week`"),
        ("CloseDate", json!(false), "`false`"),
        ("CloseDate", json!({"a": 1}), "an object"),
        ("LastName", json!({"first": "{{ senderName }}"}), "an object"),
        ("Tags", json!("one"), "`one`"),
        ("Address", json!(["{{ subject }}"]), "a list"),
    ] {
        let mut mapping = json!({"LastName": "x"});
        mapping[field] = value.clone();
        let found = found(mapping, Unlisted::Refused);
        assert_eq!(found.len(), 1, "{field} = {value}: {found:?}");
        assert_eq!(
            (found[0].0.as_str(), found[0].1),
            (format!("/{field}").as_str(), Severity::Error)
        );
        assert!(found[0].2.contains(part), "{}", found[0].2);
    }
}

#[test]
fn what_is_needed_and_filled_by_nothing_is_an_error() {
    for mapping in [
        json!({}),
        json!({"LastName": ""}),
        json!({"lastName": null}),
        json!({"Note": "x"}),
    ] {
        let found = found(mapping, Unlisted::Refused);
        assert_eq!((found[0].0.as_str(), found[0].1), ("/LastName", Severity::Error));
        assert!(found[0].2.contains("Lead needs `LastName`"), "{}", found[0].2);
    }
}

#[test]
fn variables_that_no_event_has_are_worth_a_look_with_the_nearest_name() {
    let mapping = json!({"a": "{{ sendrName }} {{ sendrName }}", "b": [{"c~/d": "{{ x | default: shoeSize }}"}], "e": "{{ senderName }}"});
    let known = variables_of([]);
    let findings = unknown_variables("/lead", &mapping, &known);
    let told: Vec<(&str, &str)> = findings
        .iter()
        .map(|finding| {
            (
                finding.problem.place.as_deref().unwrap(),
                finding.problem.detail.as_str(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("/lead/a", "No event type has a variable `sendrName`"),
            ("/lead/b/0/c~0~1d", "No event type has a variable `x`"),
            ("/lead/b/0/c~0~1d", "No event type has a variable `shoeSize`"),
        ]
    );
    assert_eq!(findings[0].problem.next, "Did you mean `senderName`?");
    assert!(findings.iter().all(|finding| finding.severity == Severity::Warning));
    let calls = variables_of(["call.finished"]);
    assert_eq!(
        unknown_variables("", &json!("{{ messageContent }} {{ duration }}"), &calls).len(),
        1
    );
}

#[test]
fn a_template_that_cannot_be_read_is_told_once_with_its_place() {
    let found = found(
        json!({"LastName": "{{ senderName | upcas }}", "Amount": "{{"}),
        Unlisted::Refused,
    );
    let places: Vec<&str> = found.iter().map(|(place, ..)| place.as_str()).collect();
    assert_eq!(places, ["/LastName", "/Amount"]);
    assert!(found[0].2.contains("did you mean `upcase`?"), "{}", found[0].2);
}
