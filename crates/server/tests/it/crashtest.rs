//! The proof tool that ships: it kills real hubs, judges, and says so in one line of JSON.

use serde_json::Value;

use crate::hub::Folder;

#[test]
fn three_runs_with_kills_lose_and_double_nothing_with_connectors_of_every_means() {
    let ended = Folder::new().run(&["crashtest", "--runs", "3", "--seed", "1"]).fine();
    let line: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&line["runs"], &line["seed"]), (&3.into(), &1.into()), "{line}");
    for count in ["lost", "doubled", "stale", "unsettled"] {
        assert_eq!(line[count], 0, "{count}: {line}\n{}", ended.stderr);
    }
    for count in ["kills", "accepted", "records"] {
        assert!(line[count].as_u64().unwrap() >= 3, "{count}: {line}");
    }
    for means in ["upsert", "idempotency_key", "probe"] {
        assert_eq!(line["by_means"][means]["runs"], 1, "{means}: {line}");
    }
}

#[test]
fn several_nodes_need_a_database_that_they_share() {
    let ended = Folder::new().run(&["crashtest", "--runs", "1", "--nodes", "3"]);
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    assert!(ended.stderr.contains("--database"), "{}", ended.stderr);
}

#[test]
fn a_fail_point_that_is_not_there_is_refused_with_the_list_of_those_that_are() {
    for text in ["nowhere:1", "sent", "sent:0"] {
        let ended = Folder::new().run(&["serve", "--listen", "127.0.0.1:0", "--fail-point", text]);
        assert_eq!(ended.code, Some(2), "{}", ended.stderr);
        assert!(
            ended.stderr.contains("accepted, intent, sent, settled, token"),
            "{}",
            ended.stderr
        );
    }
}
