use proptest::prelude::*;
use switchboard_model::id::{ConnectionId, EventId};

use super::*;
use crate::store::InDoubt;

fn pending(id: i64, key: &str, due_ms: i64) -> Pending {
    Pending {
        id: DeliveryId(id),
        event: EventId(id),
        body: None,
        connection: ConnectionId(1),
        object: "lead".into(),
        record_key: key.into(),
        options: None,
        attempts: 0,
        due_ms,
        doubt: None,
        fallback: None,
        handed_over: false,
        fresh: false,
        alone: false,
    }
}

const ONE: Share = Share {
    records: 1,
    fold: false,
};

/// The next one alone.
fn take(window: &mut Window, now_ms: i64) -> Option<Pending> {
    let object = window.next(now_ms)?.0.clone();
    window.take(&object, now_ms, ONE).pop()?.pop()
}

fn finish(window: &mut Window, taken: &Pending, again: Option<Pending>) {
    let again = again.into_iter().collect();
    window.land(&taken.object, &taken.record_key, &[taken.id], again);
}

fn ids(groups: &[Vec<Pending>]) -> Vec<Vec<i64>> {
    let ids = |group: &Vec<Pending>| group.iter().map(|pending| pending.id.0).collect();
    groups.iter().map(ids).collect()
}

#[test]
fn a_record_in_back_off_holds_back_its_own_followers_only() {
    let mut window = Window::default();
    for (id, key) in [(1, "a"), (2, "a"), (3, "b")] {
        window.push(pending(id, key, 0));
    }
    let first = take(&mut window, 0).unwrap();
    let other = take(&mut window, 0).unwrap();
    assert_eq!((first.id.0, other.id.0), (1, 3));
    finish(&mut window, &first, Some(pending(1, "a", 900)));
    assert!(take(&mut window, 500).is_none());
    assert_eq!(window.next_due(), Some(900));
    assert_eq!(take(&mut window, 900).unwrap().id.0, 1);
    assert!(take(&mut window, 900).is_none(), "2 waits until 1 is settled");
}

#[test]
fn what_is_being_sent_or_waits_already_is_not_added_twice() {
    let mut window = Window::default();
    window.push(pending(1, "a", 0));
    window.push(pending(1, "a", 0));
    let taken = take(&mut window, 0).unwrap();
    window.push(pending(1, "a", 0));
    assert_eq!(window.waiting(), 0);
    finish(&mut window, &taken, None);
    assert_eq!((window.waiting(), window.in_flight()), (0, 0));
    assert!(take(&mut window, 0).is_none());
}

#[test]
fn forgetting_leaves_what_is_being_sent() {
    let mut window = Window::default();
    window.push(pending(1, "a", 0));
    window.push(pending(2, "a", 0));
    let taken = take(&mut window, 0).unwrap();
    window.clear();
    window.push(pending(2, "a", 0));
    assert!(take(&mut window, 0).is_none());
    finish(&mut window, &taken, None);
    assert_eq!(take(&mut window, 0).unwrap().id.0, 2);
}

#[test]
fn what_is_due_for_one_record_is_taken_together_and_many_records_at_once() {
    let mut window = Window::default();
    for (id, key, due_ms) in [
        (1, "a", 0),
        (2, "b", 0),
        (3, "a", 0),
        (4, "a", 900),
        (5, "c", 0),
        (6, "a", 0),
    ] {
        window.push(pending(id, key, due_ms));
    }
    let object: Arc<str> = "lead".into();
    let share = Share { records: 2, fold: true };
    assert_eq!(window.next(0), Some((&object, 3)));
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![1, 3], vec![2]]);
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![5]]);
    window.land(&object, "a", &[DeliveryId(1), DeliveryId(3)], vec![]);
    assert_eq!(window.next_due(), Some(900));
    assert_eq!(ids(&window.take(&object, 900, share)), [vec![4, 6]]);
}

#[test]
fn those_that_are_in_doubt_together_are_taken_together_and_without_others() {
    let mut window = Window::default();
    let doubt = Some(InDoubt {
        since_ms: 0,
        operation: None,
        recovery: None,
        open: false,
    });
    for id in 1..=4 {
        let doubt = doubt.filter(|_| id <= 2);
        window.push(Pending {
            doubt,
            ..pending(id, "a", 0)
        });
    }
    let object: Arc<str> = "lead".into();
    let share = Share { records: 9, fold: true };
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![1, 2]]);
    window.land(&object, "a", &[1, 2].map(DeliveryId), vec![]);
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![3, 4]]);
}

#[test]
fn those_that_were_sent_one_after_the_other_are_looked_into_one_after_the_other() {
    let mut window = Window::default();
    for (id, since_ms) in [(1, 10), (2, 20), (3, 20)] {
        let doubt = Some(InDoubt {
            since_ms,
            operation: None,
            recovery: None,
            open: false,
        });
        window.push(Pending {
            doubt,
            ..pending(id, "a", 0)
        });
    }
    let object: Arc<str> = "lead".into();
    let share = Share { records: 9, fold: true };
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![1]]);
    window.land(&object, "a", &[DeliveryId(1)], vec![]);
    assert_eq!(ids(&window.take(&object, 0, share)), [vec![2, 3]]);
}

#[test]
fn one_that_was_refused_among_others_is_sent_alone() {
    let mut window = Window::default();
    for id in 1..=3 {
        window.push(pending(id, "a", 0));
    }
    let object: Arc<str> = "lead".into();
    let share = Share { records: 9, fold: true };
    let together = window.take(&object, 0, share).remove(0);
    let alone = together.into_iter().map(|pending| Pending { alone: true, ..pending });
    window.land(&object, "a", &[1, 2, 3].map(DeliveryId), alone.collect());
    for id in 1..=3 {
        assert_eq!(ids(&window.take(&object, 0, share)), [vec![id]]);
        window.land(&object, "a", &[DeliveryId(id)], vec![]);
    }
}

proptest! {
    /// Random arrivals, failures and successes: every delivery is settled once, in the order of ids within its record, and never two of one
    /// record at a time.
    #[test]
    fn order_per_record_holds_whatever_fails(
        keys in prop::collection::vec(0u8..5, 1..60), fates in prop::collection::vec((any::<bool>(), 0i64..40), 1..300)
    ) {
        let mut window = Window::default();
        let mut now = 0;
        let mut flying: Vec<Pending> = Vec::new();
        let mut settled: HashMap<String, Vec<i64>> = HashMap::new();
        let mut arrivals = keys.iter().enumerate();
        let mut fates = fates.into_iter().cycle().take(5_000);
        let mut total = 0;
        while total < keys.len() {
            let (fails, wait) = fates.next().unwrap_or((false, 0));
            if let Some((id, key)) = arrivals.next() {
                window.push(pending(id as i64 + 1, &key.to_string(), now));
            }
            while let Some(taken) = take(&mut window, now) {
                prop_assert!(flying.iter().all(|other| other.record_key != taken.record_key));
                flying.push(taken);
            }
            if let Some(taken) = flying.pop() {
                if fails {
                    let again = Pending { due_ms: now + wait, ..taken.clone() };
                    finish(&mut window, &taken, Some(again));
                } else {
                    finish(&mut window, &taken, None);
                    settled.entry(taken.record_key.clone()).or_default().push(taken.id.0);
                    total += 1;
                }
            }
            now += 7;
        }
        for ids in settled.values() {
            prop_assert!(ids.is_sorted());
        }
        prop_assert_eq!((window.waiting(), window.in_flight()), (0, 0));
    }
}
