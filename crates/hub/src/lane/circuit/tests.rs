use proptest::prelude::*;

use super::*;

const SETTINGS: Settings = Settings {
    failures: 3,
    base_ms: 1_000,
    cap_ms: 60_000,
    seed: 7,
};

fn free(circuit: &mut Circuit, now_ms: i64) -> Start {
    match circuit.may_start(now_ms) {
        Permit::Free(start) => start,
        other => panic!("{other:?}"),
    }
}

fn probe(circuit: &mut Circuit, now_ms: i64) -> Start {
    match circuit.may_start(now_ms) {
        Permit::Probe(start) => start,
        other => panic!("{other:?}"),
    }
}

fn until(circuit: &mut Circuit, now_ms: i64) -> i64 {
    match circuit.may_start(now_ms) {
        Permit::No { until_ms } => until_ms,
        other => panic!("{other:?}"),
    }
}

fn open(circuit: &mut Circuit, now_ms: i64) {
    for _ in 0..SETTINGS.failures {
        let start = free(circuit, now_ms);
        circuit.failed(start, now_ms);
    }
}

#[test]
fn it_opens_after_failures_in_a_row_only() {
    let mut circuit = Circuit::new(SETTINGS);
    for _ in 0..10 {
        for _ in 0..2 {
            let start = free(&mut circuit, 0);
            circuit.failed(start, 0);
        }
        let start = free(&mut circuit, 0);
        circuit.succeeded(start);
    }
    open(&mut circuit, 0);
    let until_ms = until(&mut circuit, 0);
    assert!((500..=1_000).contains(&until_ms));
    assert_eq!(circuit.state(0), State::Open { until_ms });
}

#[test]
fn a_burst_of_failures_of_calls_that_were_under_way_counts_once() {
    let mut circuit = Circuit::new(SETTINGS);
    let starts: Vec<_> = (0..50).map(|_| free(&mut circuit, 0)).collect();
    for start in &starts {
        circuit.failed(*start, 100);
    }
    let until_ms = until(&mut circuit, 100);
    assert!(until_ms <= 1_100, "one wait of a second at most: {until_ms}");
    let probe = probe(&mut circuit, until_ms);
    // Stragglers decide nothing, neither way.
    circuit.failed(starts[0], until_ms);
    circuit.succeeded(starts[1]);
    assert_eq!(circuit.state(until_ms), State::HalfOpen);
    circuit.succeeded(probe);
    circuit.failed(starts[2], until_ms);
    assert_eq!(circuit.state(until_ms), State::Closed);
}

#[test]
fn each_probe_that_fails_doubles_the_wait_up_to_the_cap() {
    let mut circuit = Circuit::new(SETTINGS);
    open(&mut circuit, 0);
    let mut now_ms = until(&mut circuit, 0);
    for full in [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
        let start = probe(&mut circuit, now_ms);
        circuit.failed(start, now_ms);
        let until_ms = until(&mut circuit, now_ms);
        assert!(
            (full / 2..=full).contains(&(until_ms - now_ms)),
            "{full}: {}",
            until_ms - now_ms
        );
        now_ms = until_ms;
    }
    let start = probe(&mut circuit, now_ms);
    circuit.succeeded(start);
    open(&mut circuit, now_ms);
    assert!(
        until(&mut circuit, now_ms) <= now_ms + 1_000,
        "a recovery starts the waits anew"
    );
}

#[test]
fn a_throttled_answer_opens_it_at_once_until_its_time_is_over() {
    let mut circuit = Circuit::new(SETTINGS);
    let (first, second) = (free(&mut circuit, 0), free(&mut circuit, 0));
    circuit.throttled(first, 10, 30_000);
    assert_eq!(until(&mut circuit, 10), 30_010);
    circuit.throttled(second, 20, 40_000);
    assert_eq!(until(&mut circuit, 30_010), 40_020);
    let start = probe(&mut circuit, 40_020);
    circuit.throttled(start, 40_030, 1_000);
    let start = probe(&mut circuit, 41_030);
    circuit.succeeded(start);
    assert_eq!(circuit.state(41_030), State::Closed);
}

#[test]
fn an_abandoned_probe_makes_room_for_another() {
    let mut circuit = Circuit::new(SETTINGS);
    open(&mut circuit, 0);
    let start = probe(&mut circuit, 5_000);
    circuit.abandoned(start, 5_000);
    let again = probe(&mut circuit, 5_000);
    circuit.abandoned(start, 5_000);
    assert!(matches!(circuit.may_start(5_000), Permit::No { .. }));
    circuit.succeeded(again);
    assert_eq!(circuit.state(5_000), State::Closed);
}

#[test]
fn what_has_begun_may_not_go_on_once_it_opens_but_a_probe_may() {
    let mut circuit = Circuit::new(SETTINGS);
    let before = free(&mut circuit, 0);
    assert_eq!(circuit.halts(before, 0), None);
    open(&mut circuit, 0);
    let until_ms = until(&mut circuit, 0);
    let outage = true;
    assert_eq!(circuit.halts(before, 0), Some(Halt::Open { until_ms, outage }));
    let probe = probe(&mut circuit, until_ms);
    assert_eq!(circuit.halts(probe, until_ms), None);
    assert!(circuit.halts(before, until_ms).is_some(), "one call at a time");
    circuit.succeeded(probe);
    assert_eq!(
        circuit.halts(probe, until_ms),
        None,
        "its record takes more than one call"
    );
    assert_eq!(circuit.halts(before, until_ms), None);
}

#[test]
fn an_answer_that_asks_to_wait_halts_what_has_begun_until_then() {
    let mut circuit = Circuit::new(SETTINGS);
    let (first, second) = (free(&mut circuit, 0), free(&mut circuit, 0));
    circuit.throttled(first, 10, 30_000);
    let halt = Halt::Open {
        until_ms: 30_010,
        outage: false,
    };
    assert_eq!(circuit.halts(second, 10), Some(halt));
}

#[test]
fn a_refusal_halts_what_has_begun_and_nothing_that_begins_later() {
    let mut circuit = Circuit::new(SETTINGS);
    let before = free(&mut circuit, 0);
    let refusal = Refusal::Credentials("invalid_grant".into());
    circuit.refused(refusal.clone());
    assert_eq!(circuit.halts(before, 0), Some(Halt::Refused(refusal)));
    let after = free(&mut circuit, 0);
    assert_eq!(circuit.halts(after, 0), None);
}

proptest! {
    /// Whatever ends in whatever order and way, at most one probe is under way, nothing else starts meanwhile, and nothing
    /// starts within a time that the vendor asked for.
    #[test]
    fn never_more_than_one_probe_and_nothing_beside_it(
        steps in prop::collection::vec((0u8..5, 0i64..3_000, any::<prop::sample::Index>()), 1..300)
    ) {
        let mut circuit = Circuit::new(SETTINGS);
        let (mut now_ms, mut probe, mut not_before_ms) = (0, None, i64::MIN);
        let mut flying: Vec<Start> = Vec::new();
        for (what, passed, which) in steps {
            now_ms += passed;
            if what == 0 || flying.is_empty() {
                match circuit.may_start(now_ms) {
                    Permit::Free(start) => {
                        prop_assert_eq!(probe, None);
                        flying.push(start);
                    }
                    Permit::Probe(start) => {
                        prop_assert_eq!(probe, None);
                        prop_assert!(now_ms >= not_before_ms);
                        probe = Some(start);
                        flying.push(start);
                    }
                    Permit::No { until_ms } => prop_assert!(until_ms > now_ms),
                }
                continue;
            }
            let start = flying.swap_remove(which.index(flying.len()));
            match what {
                1 => circuit.succeeded(start),
                2 => circuit.failed(start, now_ms),
                3 => {
                    circuit.throttled(start, now_ms, 2_000);
                    not_before_ms = not_before_ms.max(now_ms + 2_000);
                }
                _ => circuit.abandoned(start, now_ms),
            }
            if probe == Some(start) {
                probe = None;
            }
        }
    }
}
