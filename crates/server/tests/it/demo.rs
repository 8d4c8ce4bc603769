//! The demo: every message arrives once although a vendor fails in one of eight calls.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::hub::Folder;

#[test]
fn a_run_loses_and_doubles_nothing_under_the_failure_dial() {
    let folder = Folder::new();
    let ended = folder.run(&["demo", "--events", "150", "--seed", "7", "--exit", "--json"]);
    let last = ended
        .stdout
        .lines()
        .last()
        .unwrap_or_else(|| panic!("{}", ended.stderr));
    let verdict: Value = serde_json::from_str(last).unwrap();
    for (member, expected) in [
        ("events", 150),
        ("lost", 0),
        ("duplicates", 0),
        ("dead", 0),
        ("pending", 0),
    ] {
        assert_eq!(verdict[member], expected, "{member} in {verdict}\n{}", ended.stderr);
    }
    assert_eq!(verdict["deliveries"], verdict["delivered"]);
    assert!(
        verdict["events_per_second"].as_f64().is_some_and(|rate| rate > 0.0),
        "{verdict}"
    );
    assert_eq!(verdict["simulated"]["salesforce"]["Case"], 150, "{verdict}");
    // How many calls Salesforce gets, and so how many kinds of failures, is a matter of what is sent together.
    let of = |faults: &Value| -> Vec<String> { faults.as_object().unwrap().keys().cloned().collect() };
    let injected = &verdict["injected_failures"];
    assert!(!of(&injected["salesforce"]).is_empty(), "{verdict}");
    let kinds: BTreeSet<String> = injected.as_object().unwrap().values().flat_map(of).collect();
    assert!(kinds.len() > 2, "{verdict}");
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stderr.contains("posted"), "{}", ended.stderr);
    assert!(!folder.data().exists(), "the demo has a folder of its own");
}

#[test]
fn every_connector_holds_each_record_once_under_the_failure_dial() {
    let folder = Folder::new();
    let ended = folder.run(&[
        "demo",
        "--all-connectors",
        "--events",
        "40",
        "--seed",
        "7",
        "--exit",
        "--json",
    ]);
    let last = ended
        .stdout
        .lines()
        .last()
        .unwrap_or_else(|| panic!("{}", ended.stderr));
    let verdict: Value = serde_json::from_str(last).unwrap();
    for member in ["lost", "duplicates", "dead", "pending"] {
        assert_eq!(verdict[member], 0, "{member} in {verdict}\n{}", ended.stderr);
    }
    let lines = verdict["connectors"].as_array().unwrap();
    let mut connectors: Vec<&str> = lines.iter().filter_map(|line| line["connector"].as_str()).collect();
    connectors.dedup();
    let expected = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../../connectors")).unwrap();
    let expected = expected.filter(|entry| entry.as_ref().unwrap().path().join("scenario.yaml").is_file());
    assert_eq!(connectors.len(), expected.count(), "{connectors:?}");
    for slug in connectors {
        let own = lines.iter().filter(|line| line["connector"] == slug);
        let stored: u64 = own.filter_map(|line| line["stored"].as_u64()).sum();
        assert_eq!(stored, 40, "{slug} in {verdict}");
    }
    // What only a person could clear up is named, not hidden.
    let spared = verdict["spared"]["objects"].as_array().unwrap();
    assert!(spared.iter().any(|name| name == "wecom/group_robot"), "{verdict}");
    assert!(!spared.iter().any(|name| name == "hubspot/contact"), "{verdict}");
    assert!(
        verdict["injected_failures"]
            .as_object()
            .is_some_and(|faults| faults.len() > 15),
        "{verdict}"
    );
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
}
