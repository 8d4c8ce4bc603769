use jiff::tz::TimeZone;
use proptest::prelude::*;
use switchboard_connect::{
    limit::{Limit, Reset},
    manifest::{BucketKind, BucketUnit},
};

use super::*;

/// 14 November 2023, 22:13:20 UTC.
const NOW: i64 = 1_700_000_000_000;

fn limit(name: &str, kind: BucketKind, amount: u64, window_ms: i64) -> Limit {
    Limit {
        name: name.into(),
        kind,
        unit: BucketUnit::Calls,
        amount,
        burst: amount,
        window_ms,
        zone: None,
        cost: 1,
        costs: Vec::new(),
        operations: Vec::new(),
        objects: Vec::new(),
    }
}

fn limits(buckets: impl IntoIterator<Item = Limit>) -> Limits {
    Limits {
        concurrency: 8,
        buckets: buckets.into_iter().collect(),
    }
}

fn seen(bucket: &str, remaining: u64, amount: Option<u64>) -> Observation {
    Observation {
        bucket: bucket.into(),
        remaining: Some(remaining),
        amount,
        ..Observation::default()
    }
}

fn background() -> Ask {
    Ask::background(OperationKind::Create)
}

/// How many background calls may begin now; they do.
fn count(limiter: &mut Limiter, now_ms: i64) -> usize {
    std::iter::repeat_with(|| begin(limiter, background(), now_ms))
        .take_while(Option::is_some)
        .count()
}

/// A call that begins at once, if it may.
fn begin(limiter: &mut Limiter, ask: Ask, now_ms: i64) -> Option<Ticket> {
    let mut ticket = limiter.take(ask, now_ms).ok()?;
    limiter.begin(&mut ticket, now_ms);
    Some(ticket)
}

#[test]
fn a_pause_holds_everything_and_ends() {
    let mut limiter = Limiter::new(&limits([]));
    limiter.pause_until(500);
    limiter.pause_until(300);
    assert_eq!(limiter.take(background(), 100).unwrap_err(), Wait::Until(500));
    assert!(limiter.take(background(), 500).is_ok());
}

#[test]
fn a_tenth_is_kept_for_people() {
    for (amount, for_background) in [(1, 1), (2, 1), (9, 8), (10, 9), (190, 171)] {
        let mut limiter = Limiter::new(&limits([limit("w", BucketKind::Window, amount, 10_000)]));
        assert_eq!(count(&mut limiter, NOW), for_background);
        for _ in for_background..usize::try_from(amount).unwrap() {
            assert!(limiter.take(Ask::interactive(), NOW).is_ok());
        }
        assert!(limiter.take(Ask::interactive(), NOW).is_err());
    }
}

#[test]
fn the_vendors_word_lowers_what_is_left_and_never_raises_it() {
    let mut limiter = Limiter::new(&limits([limit("w", BucketKind::Window, 100, 10_000)]));
    limiter.observe(&[seen("w", 500, Some(1_000))], NOW);
    assert_eq!(limiter.clone().take(background(), NOW).err(), None);
    assert_eq!(count(&mut limiter.clone(), NOW), 90);
    limiter.observe(&[seen("w", 30, Some(100))], NOW);
    assert_eq!(count(&mut limiter.clone(), NOW), 20, "others have spent 70");
    limiter.observe(&[seen("w", 60, Some(100))], NOW + 100);
    assert_eq!(
        count(&mut limiter.clone(), NOW + 100),
        20,
        "single answers may tell too little"
    );
    limiter.observe(&[seen("w", 60, Some(100))], NOW + 1_100);
    assert_eq!(count(&mut limiter.clone(), NOW + 1_100), 50);
    assert_eq!(count(&mut limiter.clone(), NOW + 12_000), 90, "it has left the window");
    limiter.observe(&[seen("w", 50, Some(50))], NOW + 12_000);
    assert_eq!(
        count(&mut limiter, NOW + 12_000),
        45,
        "less is allowed than was configured"
    );
}

#[test]
fn what_others_spend_beyond_our_share_takes_nothing_from_it() {
    let mut limiter = Limiter::new(&limits([limit("day", BucketKind::Daily, 1_000, 86_400_000)]));
    limiter.observe(&[seen("day", 7_000, Some(15_000))], NOW);
    assert_eq!(count(&mut limiter.clone(), NOW), 900);
    limiter.observe(&[seen("day", 400, Some(15_000))], NOW);
    assert_eq!(count(&mut limiter, NOW), 300);
}

#[test]
fn a_spent_day_is_asked_about_again_by_one_call_at_a_time() {
    let mut limiter = Limiter::new(&limits([limit("day", BucketKind::Daily, 1_000, 86_400_000)]));
    limiter.observe(&[seen("day", 0, Some(1_000))], NOW);
    let mut now_ms = NOW;
    for _ in 0..3 {
        assert_eq!(count(&mut limiter.clone(), now_ms + 15 * 60_000 - 1), 0);
        now_ms += 15 * 60_000;
        assert_eq!(count(&mut limiter, now_ms), 1);
    }
    limiter.observe(&[seen("day", 800, Some(1_000))], now_ms + 10);
    assert_eq!(count(&mut limiter, now_ms + 10), 700);
}

#[test]
fn nothing_begins_before_the_moment_that_the_vendor_names() {
    let mut limiter = Limiter::new(&limits([limit("w", BucketKind::Window, 10, 60_000)]));
    let spent = Observation {
        reset: Some(Reset::After(20_000)),
        ..seen("w", 0, None)
    };
    limiter.observe(&[spent], NOW);
    assert_eq!(limiter.take(background(), NOW).unwrap_err(), Wait::Until(NOW + 20_000));
    assert_eq!(count(&mut limiter, NOW + 20_000), 9);
}

#[test]
fn real_costs_correct_a_bucket_of_points() {
    let points = Limit {
        unit: BucketUnit::Points,
        costs: vec![(OperationKind::Create, 20)],
        ..limit("points", BucketKind::Token, 100, 60_000)
    };
    let calls = limit("calls", BucketKind::Window, 100, 60_000);
    let mut limiter = Limiter::new(&limits([points, calls]));
    let mut first = begin(&mut limiter, background(), NOW).unwrap();
    limiter.correct(&mut first, 5, NOW);
    assert_eq!(count(&mut limiter.clone(), NOW), 4, "5 of 90 are spent");
    limiter.correct(&mut first, 60, NOW);
    assert_eq!(count(&mut limiter.clone(), NOW), 1, "60 of 90 are spent");
}

#[test]
fn long_calls_hold_back_others_only_once_they_are_long() {
    let mut limiter = Limiter::new(&limits([limit("long", BucketKind::Concurrency, 2, 20_000)]));
    let calls: Vec<_> = (0..3).map(|_| limiter.take(background(), NOW).unwrap()).collect();
    assert!(limiter.take(background(), NOW + 19_999).is_ok());
    assert_eq!(limiter.take(background(), NOW + 20_000).unwrap_err(), Wait::Slot);
    limiter.release(&calls[0]);
    limiter.release(&calls[1]);
    assert!(limiter.take(background(), NOW + 20_000).is_ok());
}

#[test]
fn other_limits_keep_what_was_counted() {
    let mut limiter = Limiter::new(&limits([
        limit("w", BucketKind::Window, 10, 10_000),
        limit("slots", BucketKind::Concurrency, 20, 0),
    ]));
    assert_eq!(count(&mut limiter, NOW), 9);
    limiter.adopt(
        &limits([
            limit("slots", BucketKind::Concurrency, 10, 0),
            limit("w", BucketKind::Window, 1_000, 10_000),
        ]),
        NOW,
    );
    assert_eq!(count(&mut limiter, NOW), 1, "9 of 10 slots are taken");
    limiter.adopt(&limits([limit("w", BucketKind::Window, 20, 10_000)]), NOW);
    assert_eq!(count(&mut limiter, NOW), 8);
}

#[test]
fn other_limits_take_what_may_begin_as_begun() {
    let window = |cost, amount| Limit {
        cost,
        ..limit("w", BucketKind::Window, amount, 10_000)
    };
    let mut limiter = Limiter::new(&limits([window(4, 10)]));
    let [mut sent, unsent] = [(); 2].map(|()| limiter.take(background(), NOW).unwrap());
    limiter.adopt(&limits([window(1, 20)]), NOW);
    assert_eq!(count(&mut limiter.clone(), NOW), 10, "8 of 18 are taken");
    limiter.begin(&mut sent, NOW + 5_000);
    limiter.release(&sent);
    limiter.release(&unsent);
    assert_eq!(count(&mut limiter.clone(), NOW + 5_000), 10);
    assert_eq!(count(&mut limiter, NOW + 10_300), 18);
}

#[test]
fn a_million_calls_are_foreseen_through_a_day_and_a_burst() {
    let limiter = Limiter::new(&limits([
        limit("day", BucketKind::Daily, 225_000, 86_400_000),
        limit("burst", BucketKind::Window, 100, 10_000),
    ]));
    let days = |calls| (limiter.forecast(calls, None, NOW) - NOW) as f64 / 86_400_000.0;
    // 202,500 a day, which the burst needs 6.4 hours for.
    assert!((0.26..0.27).contains(&days(202_500)), "{}", days(202_500));
    assert!((4.9..5.3).contains(&days(1_100_000)), "{}", days(1_100_000));
    assert!((490.0..500.0).contains(&days(100_000_000)), "{}", days(100_000_000));
}

mod oracle;
