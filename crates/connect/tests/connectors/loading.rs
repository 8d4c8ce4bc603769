//! Manifests: all of ours load, and each mistake is named with its line.

use switchboard_connect::{
    load::{Files, Heading, MANIFEST_SCHEMA, load},
    registry::Registry,
};
use switchboard_model::problem::Problem;

const GOOD: &str = include_str!("../../../../connectors/webhook/connector.yaml");

fn problems(manifest: &str) -> Vec<Problem> {
    let files = Files {
        manifest: manifest.to_owned(),
        name: "connector.yaml".into(),
        ..Files::default()
    };
    load(&files)
        .map(|connector| panic!("{connector:?} is good"))
        .unwrap_err()
}

/// The line of the first place in the text that holds `part`.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

#[test]
fn every_connector_that_is_built_in_loads() {
    let registry = Registry::embedded().unwrap_or_else(|problems| panic!("{problems:#?}"));
    assert!(registry.names().len() >= 26, "{:?}", registry.names());
    for slug in registry.names() {
        let files = Registry::embedded_files(slug).unwrap();
        let connector = load(&files).unwrap_or_else(|problems| panic!("{problems:#?}"));
        let heading = Heading::read(&files.manifest, slug).unwrap();
        assert_eq!(
            (&*heading.slug, &*heading.aliases),
            (connector.slug(), connector.aliases())
        );
    }
    assert_eq!(registry.iter().count(), registry.names().len());
    for connector in registry.iter() {
        assert!(connector.icon().starts_with("<svg"), "{}", connector.slug());
        assert!(connector.guide_text().starts_with("# "), "{}", connector.slug());
        assert!(
            connector.objects().any(|object| object.default_mapping().is_some()),
            "{}",
            connector.slug()
        );
    }
}

#[test]
fn a_connector_is_found_by_its_slug_and_its_aliases_regardless_of_case() {
    let registry = Registry::embedded().unwrap();
    for name in ["salesforce", "Salesforce", "SFDC"] {
        assert_eq!(registry.get(name).unwrap().slug(), "salesforce");
    }
    for (name, slug) in [("wework", "wecom"), ("Lark", "feishu"), ("github", "github-issues")] {
        assert_eq!(registry.get(name).unwrap().slug(), slug);
    }
    assert!(registry.get("nobody-knows-it").is_none());
}

#[test]
fn the_published_schema_is_itself_valid() {
    let schema: serde_json::Value = serde_json::from_str(MANIFEST_SCHEMA).unwrap();
    assert!(jsonschema::draft202012::meta::is_valid(&schema));
}

#[test]
fn what_places_say_has_to_fit_the_rest_of_the_manifest() {
    let slack = Registry::embedded_files("slack").unwrap().manifest;
    let record = "record: event\n    # §5: an incoming webhook";
    let operations = "operations:\n      create:\n        - requires: [secrets.webhookUrl]";
    let update = "update: { request: { method: POST, path: /chat.update }, result: { when: { status: [200] } } }";
    let changed = operations.replace("create:", &format!("{update}\n      create:"));
    for (from, to, words) in [
        ("setting: channel,", "setting: chanel,", "no setting `chanel`"),
        ("fixed: [webhook]", "fixed: [hook]", "no way to sign in `hook`"),
        ("option: channels,", "option: rooms,", "reads no `rooms[0]`"),
        (record, &record.replace("event", "person"), "stands for an event"),
        (operations, &changed, "is not changed later"),
    ] {
        assert!(slack.contains(from), "{from}");
        let manifest = slack.replacen(from, to, 1);
        let found = problems(&manifest);
        assert!(found.len() == 1 && found[0].detail.contains(words), "{to}: {found:?}");
        let line = line_of(&manifest, " places: {");
        let place = found[0].place.as_deref().unwrap_or_default();
        assert!(place.starts_with(&format!("connector.yaml:{line}:")), "{to}: {place}");
    }
}

#[test]
fn each_mistake_in_a_manifest_is_named_with_its_line() {
    for (what, from, to, part) in [
        ("unknown key", "summary: Sends", "sumary: Sends", "sumary"),
        (
            "unknown key deep inside",
            "recovery: repeat",
            "recover: repeat",
            "recover:",
        ),
        ("wrong kind", "category: developer", "category: programs", "category"),
        (
            "wrong type",
            "callsPerSecond:\n      type: integer",
            "callsPerSecond:\n      type: 7",
            "type: 7",
        ),
        (
            "template",
            "base_url: \"{{ settings.url }}\"",
            "base_url: \"{{ settings.url | upcas }}\"",
            "base_url",
        ),
        (
            "template in a body",
            "data: {} }",
            "data: \"{{ now\" }",
            "data: \"{{ now",
        ),
        (
            "place",
            "[/detail, /message, /error, text]",
            "[/detail, detail]",
            "[/detail, detail]",
        ),
        ("JSONPath", "[/detail, /message, /error, text]", "[\"$.[\"]", "$.["),
        ("status", "status: [402-499]", "status: [499-402]", "499-402"),
        (
            "header",
            "Idempotency-Key: \"",
            "\"Idempotency Key\": \"",
            "Idempotency Key",
        ),
        (
            "hook",
            "sign: standard-webhooks",
            "sign: standard-webhook",
            "sign: standard-webhook",
        ),
        ("method", "method: POST", "method: SEND", "method: SEND"),
    ] {
        assert!(GOOD.contains(from), "{what}: the sample has no `{from}`");
        let bad = GOOD.replacen(from, to, 1);
        let found = problems(&bad);
        let line = format!("connector.yaml:{}:", line_of(&bad, part));
        assert!(
            found
                .iter()
                .any(|problem| problem.place.as_deref().is_some_and(|place| place.starts_with(&line))),
            "{what}: nothing at {line} in {found:#?}"
        );
    }
}

#[test]
fn all_mistakes_are_named_at_once() {
    let bad = GOOD
        .replace("summary: Sends", "sumary: Sends")
        .replace("category: developer", "category: programs");
    let found = problems(&bad);
    let texts: Vec<_> = found
        .iter()
        .map(|problem| format!("{} {}", problem.detail, problem.next))
        .collect();
    assert_eq!(found.len(), 3, "{texts:#?}");
    assert!(
        texts
            .iter()
            .any(|text| text.contains("`sumary`") && text.contains("`summary`")),
        "{texts:#?}"
    );
    assert!(
        texts
            .iter()
            .any(|text| text.contains("\"summary\" is a required property")),
        "{texts:#?}"
    );
}

#[test]
fn what_does_not_fit_its_operation_is_named() {
    let bad = GOOD.replacen(
        "          when: { status: [200-299] }\n",
        "          when: { status: [200-299] }\n          candidates: $\n",
        1,
    );
    let found = problems(&bad);
    assert!(
        found.iter().any(|problem| problem.detail.contains("candidates")),
        "{found:#?}"
    );
}

#[test]
fn a_bulk_call_whose_answer_cannot_be_read_is_named() {
    let answer = "          answer:\n            when: { status: [200-299] }\n";
    for (further, part) in [
        (
            "            lists: [{ each: \"$[*]\" }]\n",
            "`lists` and `result` belong together",
        ),
        (
            "            lists: [{ each: \"$[*]\" }, { each: \"$.x[*]\" }]\n          result: { when: {} }\n",
            "nobody knows which records",
        ),
        (
            "            lists: [{ each: \"$[*]\" }]\n          result: { when: {}, candidates: $, id: /id }\n",
            "has no `candidates`",
        ),
        ("            lists: [{ each: \"$[*]\", at: /id }]\n", "equals"),
        ("            absent: rejected\n", "rejected"),
    ] {
        assert!(GOOD.contains(answer));
        let found = problems(&GOOD.replacen(answer, &format!("{answer}{further}"), 1));
        let names = |problem: &Problem| problem.detail.contains(part);
        assert!(found.iter().any(names), "{part}: {found:#?}");
    }
}

#[test]
fn an_envelope_that_says_something_twice_is_named() {
    let good = include_str!("../../../../connectors/dynamics365/connector.yaml");
    let envelope = "        envelope: multipart\n";
    for (from, to, part) in [
        (envelope, "        envelope: letter\n", "letter"),
        (envelope, "", "nobody knows what is sent of a record"),
        (
            envelope,
            "        envelope: multipart\n        item: \"{{ record }}\"\n",
            "an `envelope` has no items",
        ),
        (
            "answer: { when: { status: [200, 400] } }",
            "answer: { when: { status: [200] }, absent: delivered }",
            "an `envelope` has no items",
        ),
        (
            "path: /$batch,",
            "path: /$batch, body: {},",
            "the body of an `envelope`",
        ),
        ("path: /$batch,", "url: https://example.org,", "goes to the place"),
        (
            "method: DELETE, path: \"/",
            "method: DELETE, url: \"https://example.org/",
            "goes to the place",
        ),
    ] {
        assert!(good.contains(from), "{from}");
        let found = problems(&good.replacen(from, to, 1));
        let names = |problem: &Problem| problem.detail.contains(part);
        assert!(found.iter().any(names), "{part}: {found:#?}");
    }
}

#[test]
fn a_folder_on_disk_adds_a_connector_and_takes_the_place_of_one() {
    let folder = tempfile::tempdir().unwrap();
    let write = |slug: &str, manifest: &str| {
        std::fs::create_dir(folder.path().join(slug)).unwrap();
        std::fs::write(folder.path().join(slug).join("connector.yaml"), manifest).unwrap();
    };
    let own = GOOD
        .replace("slug: webhook", "slug: intranet")
        .replace("aliases: [webhooks, http]", "aliases: []");
    write("intranet", &own.replace("name: Webhook", "name: 内网"));
    write("webhook", &GOOD.replace("name: Webhook", "name: Our webhook"));
    let registry = Registry::embedded().unwrap().with_folder(folder.path()).unwrap();
    assert_eq!(registry.get("intranet").unwrap().name(), "内网");
    assert_eq!(registry.get("webhook").unwrap().name(), "Our webhook");
    assert_eq!(registry.names().len(), Registry::embedded().unwrap().names().len() + 1);
}

#[test]
fn a_folder_whose_connectors_are_wrong_is_refused_with_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    for (slug, manifest) in [("a", "slug: a"), ("b", "slug: ["), ("c", GOOD)] {
        std::fs::create_dir(folder.path().join(slug)).unwrap();
        std::fs::write(folder.path().join(slug).join("connector.yaml"), manifest).unwrap();
    }
    let found = Registry::embedded().unwrap().with_folder(folder.path()).unwrap_err();
    for part in ["a/connector.yaml:1:1", "b/connector.yaml:2", "c/connector.yaml"] {
        let named = |problem: &Problem| problem.place.as_deref().is_some_and(|place| place.contains(part));
        assert!(found.iter().any(named), "{part}: {found:#?}");
    }
}
