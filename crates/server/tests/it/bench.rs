//! `switchboard bench` as a process: it measures, and its answer has the promised shape. How fast it is, is not tested.

use serde_json::Value;

use crate::hub::Folder;

fn measured(arguments: &[&str]) -> Value {
    let folder = Folder::new();
    let small = ["bench", "--seconds", "1", "--connections", "4", "--json"];
    let ended = folder.run(&[&small, arguments].concat()).fine();
    let last = ended.stdout.lines().last().unwrap();
    serde_json::from_str(last).unwrap()
}

#[track_caller]
fn has_numbers(section: &Value, names: &[&str]) {
    for name in names {
        assert!(section[name].is_f64(), "{name} is a number in {section:#}");
    }
    assert!(section.get("problem").is_none(), "{section:#}");
}

#[test]
fn the_answer_holds_the_figures_of_each_scenario() {
    let report = measured(&["--scenario", "single", "--scenario", "steady", "--scenario", "start"]);
    assert_eq!(report["seconds"], 1);
    assert_eq!(report["connections"], 4);
    assert_eq!(report["bytes"], 1024);
    assert_eq!(report["store"], "sqlite");
    let single = &report["scenarios"]["single"];
    has_numbers(
        single,
        &[
            "relay_per_second",
            "relay_spread_percent",
            "accepted_per_second",
            "accepted_per_second_of_relay",
            "delivered_per_second",
            "delivered_per_second_of_relay",
            "delivered_of_accepted",
            "calls_per_record",
            "accept_p50_ms",
            "accept_p99_ms",
        ],
    );
    assert_eq!(single["missing"], 0.0, "{single:#}");
    let times = [
        "accept_p50_ms",
        "accepted_to_delivered_p99_ms",
        "sent_to_delivered_p50_ms",
    ];
    has_numbers(&report["scenarios"]["steady"], &times);
    let starts = [
        "empty_port_open_ms",
        "empty_first_answer_ms",
        "filled_first_delivery_ms",
    ];
    has_numbers(&report["scenarios"]["start"], &starts);
}

#[test]
fn nothing_is_lost_or_doubled_when_the_hub_is_killed() {
    let report = measured(&["--scenario", "kill"]);
    let kill = &report["scenarios"]["kill"];
    for name in ["calm_lost", "calm_doubled", "backlog_lost", "backlog_doubled"] {
        assert_eq!(kill[name], 0.0, "{kill:#}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_runs_can_be_driven() {
    let folder = Folder::new();
    let hub = folder.start();
    let key = hub.key().to_owned();
    let address = hub.address.clone();
    let report = tokio::task::spawn_blocking(move || measured(&["--target", &address, "--key", &key]))
        .await
        .unwrap();
    has_numbers(
        &report["scenarios"]["full-load"],
        &["accepted_per_second", "accept_p99_ms"],
    );
    has_numbers(&report["scenarios"]["steady"], &["accept_p50_ms"]);
}

#[test]
fn a_wrong_target_is_a_problem_with_a_way_out() {
    let ended = Folder::new().run(&["bench", "--target", "https://example.org/"]);
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("--target http://"), "{}", ended.stderr);
}
