//! Every built-in connector stands the conformance suite, and its published score is true.

use switchboard_server::conformance::{Selection, Subject, run, scores};

use crate::hub::Folder;

#[tokio::test(flavor = "multi_thread")]
async fn every_built_in_connector_stands_the_suite_and_its_published_score_is_true() {
    let subjects = Subject::all_embedded().unwrap_or_else(|problems| panic!("{problems:#?}"));
    let report = run(&subjects, &Selection::default()).await;
    assert!(report.is_perfect(), "{}", report.to_text(false));
    assert_eq!(
        scores::file(&report),
        scores::present(),
        "run `cargo run -- connector test --scores connectors/scores.json`"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_systems_tells_how_each_stands_the_suite() {
    let folder = Folder::new();
    let hub = folder.start();
    let answer = hub.get("/api/crm/supported").await.fine(200);
    let systems = answer["supported"].as_array().unwrap();
    let webhook = systems.iter().find(|system| system["type"] == "webhook").unwrap();
    assert_eq!(webhook["conformance"]["score"], 100, "{webhook}");
    assert_eq!(webhook["auth"][0]["type"], "signature", "{webhook}");
    assert!(systems.len() >= 27, "{}", systems.len());
    for system in systems {
        assert!(system["icon"].as_str().unwrap().starts_with("<svg"), "{system}");
        assert!(!system["auth"].as_array().unwrap().is_empty(), "{system}");
    }
    assert!(webhook["conformance"]["passed"].as_u64().unwrap() > 5, "{webhook}");
    let waived = webhook["conformance"]["waived"].as_array().unwrap();
    assert!(
        waived.iter().any(|waived| waived["case"] == "wrong-credentials"),
        "{webhook}"
    );
    assert!(
        systems.iter().all(|system| system["conformance"]["score"] == 100),
        "{answer}"
    );
}

#[test]
fn a_new_connector_passes_check_and_test_and_a_broken_one_is_told_with_its_lines() {
    let folder = Folder::new();
    folder.run(&["connector", "new", "my-crm"]).fine();
    let checked = folder.run(&["connector", "check", "my-crm"]).fine();
    assert!(
        checked.stdout.contains("my-crm (My Crm) is right"),
        "{}",
        checked.stdout
    );
    let tested = folder.run(&["connector", "test", "my-crm"]).fine();
    assert!(tested.stdout.starts_with("my-crm: 100 %"), "{}", tested.stdout);
    let again = folder.run(&["connector", "new", "my-crm"]);
    assert_eq!(again.code, Some(2), "{again:?}");

    let root = folder.data().parent().unwrap().join("my-crm");
    let manifest = std::fs::read_to_string(root.join("connector.yaml")).unwrap();
    // The vendor calls the field `external_id`.
    let broken = manifest.replace("name: external_id", "name: externalId");
    std::fs::write(root.join("connector.yaml"), broken).unwrap();
    let tested = folder.run(&[
        "connector",
        "test",
        "my-crm",
        "--case",
        "created-once",
        "--object",
        "ticket",
    ]);
    assert_eq!(tested.code, Some(1), "{tested:?}");
    for words in [
        "FAILED created-once (ticket)",
        "expected: every record is delivered",
        "create → 422 → rejected",
        "POST /v1/tickets",
        "`externalId` is unknown",
    ] {
        assert!(tested.stdout.contains(words), "{words} in\n{}", tested.stdout);
    }
    assert!(!tested.stdout.contains("token-example-1"), "{}", tested.stdout);

    let broken = manifest.replace("summary:", "sumary:").replace("color:", "colour:");
    std::fs::write(root.join("connector.yaml"), broken).unwrap();
    std::fs::write(root.join("simulator.rhai"), "fn handle(req, db) {\n  let x = ;\n}\n").unwrap();
    let checked = folder.run(&["connector", "check", "my-crm"]);
    assert_eq!(checked.code, Some(1), "{checked:?}");
    for words in [
        "`sumary`",
        "Did you mean `summary`?",
        "connector.yaml:8:",
        "simulator.rhai:2",
    ] {
        assert!(checked.stderr.contains(words), "{words} in\n{}", checked.stderr);
    }
}
