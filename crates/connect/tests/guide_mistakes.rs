//! Whatever is wrong with a configuration file is said at once, each mistake with its place.

use std::sync::LazyLock;

use switchboard_connect::{document::Document, guide, registry::Registry};
use switchboard_model::problem::{Code, Problem};

static REGISTRY: LazyLock<Registry> = LazyLock::new(|| Registry::embedded().expect("the embedded connectors load"));

/// Place | code | part of the message | file, with ⏎ for the end of a line.
const IN_CONNECTIONS: &str = r##"
f:1:18 | WrongValue | `crmIntegrations` must be a list, but it is an object | crmIntegrations: {}
f:1:19 | WrongValue | Entry 1 of `crmIntegrations` must be an object | crmIntegrations: [7]
f:2:1 | UnknownKey | did you mean `connections`? | connections: []⏎connectons: []
f:1:15 | WrongValue | `connector` is missing | connections: [{key: a}]
f:1:15 | WrongValue | `key` is missing | connections: [{connector: hubspot}]
f:1:35 | UnknownConnector | did you mean `hubspot`? | connections: [{key: a, connector: hubspott}]
f:1:21 | WrongValue | `a/b` cannot be a name | connections: [{key: a/b, connector: hubspot}]
f:1:21 | WrongValue | must be a text, but it is a number | connections: [{key: 7, connector: hubspot}]
f:1:53 | WrongValue | `true` or `false` | connections: [{key: a, connector: hubspot, enabled: yes}]
f:1:54 | WrongValue | whole number | connections: [{key: a, connector: hubspot, priority: 1.5}]
f:1:44 | UnknownKey | did you mean `mappings`? | connections: [{key: a, connector: hubspot, mapping: {}}]
f:1:54 | WrongValue | must be an object | connections: [{key: a, connector: hubspot, settings: 7}]
f:3:3 | WrongValue | another connection `a`, at f:2:3 | connections:⏎- {key: a, connector: hubspot}⏎- {key: a, connector: notion}
f:1:1 | WrongValue | `config` is missing | type: hubspot
f:1:1 | WrongValue | `type` is missing | config: {}
f:2:9 | WrongValue | `config` must be an object | type: hubspot⏎config: []
f:1:55 | ObjectUnsupported | Did you mean `contact`? | connections: [{key: a, connector: hubspot, mappings: {contat: {a: b}}}]
f:1:64 | WrongValue | an object | connections: [{key: a, connector: hubspot, mappings: {contact: x}}]
f:6:28 | TemplateSyntax | bogus | connections:⏎- key: a⏎  connector: hubspot⏎  mappings:⏎    contact:⏎      firstname: "客 {{ x | bogus }}"⏎
f:1:72 | TemplateSyntax | bogus | {"type":"hubspot","config":{"mappings":{"contact":{"a":["\u00e9 {{ x | bogus }}"]}}}}
f:1:70 | ConditionSyntax | CEL writes `==` for `===` | connections: [{key: a, connector: hubspot, rules: {conditions: ["a === 1"]}}]
f:1:65 | ConditionSyntax | equals | connections: [{key: a, connector: hubspot, rules: {conditions: [{field: a, operator: resembles, value: 1}]}}]
f:1:65 | WrongValue | a condition | connections: [{key: a, connector: hubspot, rules: {conditions: [7]}}]
f:1:52 | UnknownKey | `when` | connections: [{key: a, connector: hubspot, rules: {when: x}}]
f:1:62 | WrongValue | no known action | connections: [{key: a, connector: hubspot, rules: {actions: [delete_contact]}}]
f:1:69 | WrongValue | did you mean `create`? | connections: [{key: a, connector: hubspot, rules: {actions: [{type: craete}]}}]
f:1:62 | WrongValue | what to create | connections: [{key: a, connector: hubspot, rules: {actions: [{type: create}]}}]
f:1:62 | WrongValue | `type` is missing | connections: [{key: a, connector: hubspot, rules: {actions: [{object: contact}]}}]
f:1:62 | ObjectUnsupported | Did you mean `ticket`? | connections: [{key: a, connector: hubspot, rules: {actions: [create_tickt]}}]
f:1:62 | WrongValue | an action | connections: [{key: a, connector: hubspot, rules: {actions: [7]}}]
f:1:91 | WrongValue | `mappings` does not say how | connections: [{key: a, connector: hubspot, mappings: {contact: {a: b}}, rules: {actions: [create_ticket]}}]
"##;

/// As above.
const IN_ROUTES: &str = r##"
f:1:10 | WrongValue | `key` is missing | routes: [{to: [a]}]
f:1:10 | WrongValue | `to` is missing | routes: [{key: r}]
f:1:23 | WrongValue | goes nowhere | routes: [{key: r, to: []}]
f:1:23 | WrongValue | must be a list | routes: [{key: r, to: a}]
f:1:24 | WrongValue | the name of a connection | routes: [{key: r, to: [7]}]
f:1:24 | WrongValue | has no name | routes: [{key: r, to: ['']}]
f:1:24 | WrongValue | `system` is missing | routes: [{key: r, to: [{objects: [lead]}]}]
f:1:36 | UnknownKey | did you mean `objects`? | routes: [{key: r, to: [{system: a, object: lead}]}]
f:1:46 | WrongValue | must be a text | routes: [{key: r, to: [{system: a, objects: [1]}]}]
f:1:32 | UnknownEventType | did you mean `message.received`? | routes: [{key: r, to: [a], on: message.recieved}]
f:1:32 | UnknownEventType | massage.* | routes: [{key: r, to: [a], on: 'massage.*'}]
f:1:32 | UnknownEventType | mess* | routes: [{key: r, to: [a], on: 'mess*'}]
f:1:38 | ConditionSyntax | CEL writes `==` for `===` | routes: [{key: r, to: [a], when: a === 1}]
f:1:28 | UnknownKey | did you mean `when`? | routes: [{key: r, to: [a], wen: 'true'}]
f:1:29 | WrongValue | did you mean `parallel_sync`? | routes: [{key: r, strategy: paralel_sync, to: [a]}]
f:1:49 | WrongValue | a list of two | routes: [{key: r, strategy: primary_backup, to: [a]}]
f:1:10 | WrongValue | its own backup | routes: [{key: r, strategy: primary_backup, to: [a, a]}]
f:1:10 | WrongValue | `routes` is missing | routes: [{key: r, strategy: category_routing}]
f:3:3 | WrongValue | another route `r`, at f:2:3 | routes:⏎- {key: r, to: [a]}⏎- {key: r, to: [b]}
f:1:11 | WrongValue | no strategy `round_robin` | strategy: round_robin
f:1:11 | WrongValue | must be a text | strategy: 7
f:2:21 | UnknownKey | did you mean `channels`? | strategy: parallel_sync⏎targets: [{type: a, chanels: [x]}]
f:2:10 | WrongValue | `fallback` is missing | strategy: primary_backup⏎primary: {type: a}
f:3:27 | WrongValue | did you mean `use_backup`? | strategy: primary_backup⏎primary: {type: a, fallback: b}⏎rules: {if_primary_fails: use_backups}
f:3:9 | UnknownKey | did you mean `sync_back`? | strategy: primary_backup⏎primary: {type: a, fallback: b}⏎rules: {syncBack: true}
f:2:13 | WrongValue | `a` must be a list | strategy: category_routing⏎routes: {a: b}
"##;

fn mistakes(text: &str) -> Vec<Problem> {
    let document = Document::parse(text, "f").unwrap_or_else(|problem| panic!("{text}: {problem}"));
    match guide::read(&document, &REGISTRY) {
        Ok(items) => panic!("{text}: {items:?}"),
        Err(problems) => problems,
    }
}

fn assert_each_is_told(table: &str) {
    for row in table.trim().lines() {
        let columns: Vec<&str> = row.splitn(4, " | ").collect();
        let [place, code, part, text] = columns[..] else {
            panic!("not a row: {row}")
        };
        let problems = mistakes(&text.replace('⏎', "\n"));
        let [problem] = problems.as_slice() else {
            panic!("{text}: {problems:#?}")
        };
        let told = (
            problem.place.as_deref().unwrap_or_default(),
            format!("{:?}", problem.code),
        );
        assert_eq!(told, (place, code.to_owned()), "{text}: {problem}");
        let said = format!("{} {}", problem.detail, problem.next);
        assert!(said.contains(part) && !problem.next.is_empty(), "{text}: {said}");
    }
}

#[test]
fn a_mistake_in_a_connection_is_told_with_its_place_and_what_to_do() {
    assert_each_is_told(IN_CONNECTIONS);
}

#[test]
fn a_mistake_in_a_route_is_told_with_its_place_and_what_to_do() {
    assert_each_is_told(IN_ROUTES);
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    let text = "connections:\n\
                - {key: a, connector: hubspot, enabled: 1, extra: 2, mappings: {contact: {a: '{{ x | bogus }}'}}}\n\
                - {key: b, connector: nowhere}\n\
                routes:\n\
                - {key: r, on: nothing, when: 'a === 1', to: []}\n";
    let problems = mistakes(text);
    let codes: Vec<Code> = problems.iter().map(|problem| problem.code).collect();
    for code in [
        Code::WrongValue,
        Code::UnknownKey,
        Code::TemplateSyntax,
        Code::UnknownConnector,
        Code::UnknownEventType,
        Code::ConditionSyntax,
    ] {
        assert!(codes.contains(&code), "{code:?} in {codes:?}");
    }
    assert_eq!(codes.len(), 7, "{problems:#?}");
    assert!(
        problems
            .iter()
            .all(|problem| problem.place.as_deref().is_some_and(|place| place.starts_with("f:")))
    );
}

#[test]
fn no_more_problems_are_told_than_a_person_reads() {
    let text = format!("routes: [{}]", vec!["{}"; 1000].join(", "));
    let problems = mistakes(&text);
    assert_eq!(problems.len(), 201);
    assert!(
        problems[200].detail.contains("more problems"),
        "{}",
        problems[200].detail
    );
}
