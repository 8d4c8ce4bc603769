//! The limiter against a naive count of everything that was ever let in.

use super::*;

/// A call that was let in.
#[derive(Debug, Clone)]
struct Begun {
    operation: OperationKind,
    /// When it began; as long as it has not, it counts as if it did now.
    at_ms: Option<i64>,
    /// What it is known to have taken, where that is not what was expected.
    points: Option<u64>,
    is_over: bool,
}

impl Begun {
    /// One that ended before it began is as if it had never been.
    fn never_was(&self) -> bool {
        self.is_over && self.at_ms.is_none()
    }
}

/// What others had spent when the vendor spoke last about a bucket.
#[derive(Debug, Clone, Copy)]
struct Said {
    at_ms: i64,
    others: u64,
}

const OPERATIONS: [OperationKind; 3] = [OperationKind::Create, OperationKind::Update, OperationKind::Find];

fn a_limit() -> impl Strategy<Value = Limit> {
    let kind = prop_oneof![
        Just(BucketKind::Window),
        Just(BucketKind::Token),
        Just(BucketKind::Daily),
        Just(BucketKind::Concurrency)
    ];
    let amount = prop_oneof![5u64..40, 300u64..600];
    let costs = (1u64..4, prop::option::of(1u64..5));
    let about = prop::sample::subsequence(OPERATIONS.to_vec(), 0..3);
    (
        kind,
        amount,
        200i64..20_000,
        5u64..20,
        costs,
        about,
        any::<(bool, bool)>(),
    )
        .prop_map(
            |(kind, amount, window_ms, burst, (cost, create), operations, (points, zoned))| Limit {
                unit: if points { BucketUnit::Points } else { BucketUnit::Calls },
                burst,
                zone: (kind == BucketKind::Daily && zoned).then(|| TimeZone::get("Asia/Kathmandu").unwrap()),
                cost,
                costs: create.map(|cost| (OperationKind::Create, cost)).into_iter().collect(),
                operations,
                objects: Vec::new(),
                ..limit(
                    "",
                    kind,
                    amount,
                    if kind == BucketKind::Concurrency { 0 } else { window_ms },
                )
            },
        )
}

fn some_limits() -> impl Strategy<Value = Limits> {
    prop::collection::vec(a_limit(), 1..4).prop_map(|buckets| {
        limits(buckets.into_iter().enumerate().map(|(index, limit)| Limit {
            name: index.to_string(),
            ..limit
        }))
    })
}

/// What this bucket may hold when a call of this priority has begun.
fn allowed(amount: u64, priority: Priority) -> u64 {
    match priority {
        Priority::Background if amount >= 2 => amount - (amount / 10).max(1),
        _ => amount,
    }
}

/// The day in Kathmandu, which is 5:45 ahead.
fn day(at_ms: i64) -> i64 {
    (at_ms + (5 * 60 + 45) * 60_000).div_euclid(86_400_000)
}

/// What a bucket holds at this moment, counted one by one.
fn held(limit: &Limit, begun: &[Begun], now_ms: i64) -> u64 {
    let cost = |call: &Begun| match (limit.cost_of(Some(call.operation), None), limit.unit) {
        (None, _) => 0,
        _ if call.never_was() => 0,
        (Some(_), BucketUnit::Points) if call.points.is_some() => call.points.unwrap(),
        (Some(cost), _) => cost,
    };
    let at = |call: &Begun| call.at_ms.unwrap_or(now_ms);
    let count = |counts: &dyn Fn(i64) -> bool| begun.iter().filter(|call| counts(at(call))).map(cost).sum();
    match limit.kind {
        BucketKind::Window => count(&|at_ms| at_ms > now_ms - limit.window_ms),
        BucketKind::Daily if limit.zone.is_some() => count(&|at_ms| day(at_ms) == day(now_ms)),
        BucketKind::Daily => count(&|at_ms| at_ms > now_ms - 86_400_000),
        BucketKind::Concurrency => {
            let flying = begun.iter().filter(|call| !call.is_over);
            flying
                .filter(|call| limit.cost_of(Some(call.operation), None).is_some())
                .count() as u64
        }
        BucketKind::Token => {
            // What is spent comes back at `amount` per `window_ms`, but never more than was spent.
            let mut spent = 0.0;
            let mut before_ms = i64::MIN;
            let mut in_order: Vec<&Begun> = begun.iter().collect();
            in_order.sort_by_key(|call| at(call));
            let ends = in_order.iter().map(|call| (at(call), cost(call)));
            for (at_ms, cost) in ends.chain([(now_ms, 0)]) {
                let back = limit.amount as f64 / limit.window_ms as f64 * at_ms.saturating_sub(before_ms) as f64;
                spent = f64::max(spent - back, 0.0) + cost as f64;
                before_ms = at_ms;
            }
            // Less than the rounding of the sums above.
            (spent - 1e-6).ceil() as u64
        }
    }
}

/// Checks that the last of them was let in rightly.
fn check(
    limits: &Limits,
    begun: &[Begun],
    said: &[Option<Said>],
    (priority, now_ms): (Priority, i64),
) -> Result<(), TestCaseError> {
    let last = begun.last().unwrap();
    for (limit, said) in limits.buckets.iter().zip(said) {
        if limit.cost_of(Some(last.operation), None).is_none() {
            continue;
        }
        let most = match limit.kind {
            BucketKind::Concurrency => limit.amount,
            BucketKind::Token => allowed(limit.burst, priority),
            _ => allowed(limit.amount, priority),
        };
        let held_now = held(limit, begun, now_ms);
        prop_assert!(held_now <= most, "{limit:?} holds {held_now} at {now_ms}");
        let Some(said) = said else { continue };
        let length_ms = match limit.kind {
            BucketKind::Window => limit.window_ms,
            BucketKind::Daily if limit.zone.is_none() || day(said.at_ms) == day(now_ms) => 15 * 60_000,
            _ => continue,
        };
        if now_ms < said.at_ms + length_ms.min(15 * 60_000) {
            let all = held_now + said.others;
            prop_assert!(all <= most, "{limit:?} holds {all} with that of others");
        }
    }
    Ok(())
}

/// What happens next: how long after, what, by whom, to which.
type Step = (i64, u8, bool, prop::sample::Index, u64);

fn some_steps() -> impl Strategy<Value = Vec<Step>> {
    let gap = prop_oneof![4 => 0i64..30, 2 => 30i64..3_000, 1 => Just(3_600_000)];
    prop::collection::vec(
        (gap, 0u8..12, any::<bool>(), any::<prop::sample::Index>(), 0u64..12),
        20..250,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// No schedule of any mix of buckets, priorities, costs and observations exceeds any bucket; and the moment at which
    /// asking again is said to be useful lies ahead.
    #[test]
    fn no_schedule_exceeds_any_bucket(limits in some_limits(), steps in some_steps()) {
        let mut limiter = Limiter::new(&limits);
        let mut now_ms = NOW;
        let mut begun: Vec<Begun> = Vec::new();
        let mut tickets: Vec<(usize, Ticket)> = Vec::new();
        let mut said = vec![None; limits.buckets.len()];
        for (gap, what, person, which, number) in steps {
            now_ms += gap;
            match what {
                0 if !tickets.is_empty() => {
                    let (index, ticket) = tickets.swap_remove(which.index(tickets.len()));
                    limiter.release(&ticket);
                    begun[index].is_over = true;
                }
                // Corrected upwards a bucket may hold more than is allowed; downwards it tells the oracle as much.
                1 if !tickets.is_empty() => {
                    let at = which.index(tickets.len());
                    let (index, ticket) = &mut tickets[at];
                    limiter.begin(ticket, now_ms);
                    limiter.correct(ticket, 1, now_ms);
                    begun[*index].at_ms.get_or_insert(now_ms);
                    begun[*index].points = Some(1);
                }
                3 if !tickets.is_empty() => {
                    let first = which.index(tickets.len());
                    for (index, ticket) in &mut tickets[first..] {
                        limiter.begin(ticket, now_ms);
                        begun[*index].at_ms.get_or_insert(now_ms);
                    }
                }
                2 => {
                    let at = which.index(limits.buckets.len());
                    let limit = &limits.buckets[at];
                    // The vendor knows of those that it has seen.
                    let sent: Vec<Begun> = begun.iter().filter(|call| call.at_ms.is_some()).cloned().collect();
                    let ours = held(limit, &sent, now_ms);
                    let used = (ours + number).min(limit.amount);
                    if limit.kind != BucketKind::Token && limit.kind != BucketKind::Concurrency {
                        limiter.observe(&[seen(&limit.name, limit.amount - used, None)], now_ms);
                        said[at] = Some(Said { at_ms: now_ms, others: used.saturating_sub(ours) });
                    }
                }
                _ => {
                    let operation = OPERATIONS[which.index(3)];
                    let priority = if person { Priority::Interactive } else { Priority::Background };
                    let ask = Ask { operation: Some(operation), object: None, priority };
                    // Bursts find the borders.
                    for _ in 0..=number * 2 {
                        match limiter.take(ask, now_ms) {
                            Ok(ticket) => {
                                begun.push(Begun { operation, at_ms: None, points: None, is_over: false });
                                tickets.push((begun.len() - 1, ticket));
                                check(&limits, &begun, &said, (priority, now_ms))?;
                            }
                            Err(Wait::Until(free_ms)) => {
                                prop_assert!(free_ms > now_ms);
                                break;
                            }
                            Err(Wait::Slot) => break,
                            Err(Wait::Blocked(message)) => prop_assert!(false, "{message}"),
                        }
                    }
                }
            }
        }
    }

    /// With a backlog at least 95 % of what background work may use is used, and the forecast comes true within 5 %.
    #[test]
    fn a_backlog_uses_what_is_allowed_and_the_forecast_comes_true(
        mut limits in some_limits(), calls in 200u64..3_000
    ) {
        limits.buckets.retain(|limit| limit.kind != BucketKind::Concurrency);
        for limit in &mut limits.buckets {
            (limit.operations, limit.zone) = (Vec::new(), None);
            // A point comes back in whole milliseconds; where that is few of them, rounding says more than the bucket.
            limit.window_ms = limit.window_ms.max(i64::try_from(limit.amount).unwrap() * 40);
        }
        let mut limiter = Limiter::new(&limits);
        let ask = background();
        let foreseen = limiter.forecast(calls, ask.operation, NOW);
        let mut now_ms = NOW;
        for _ in 0..calls {
            let mut ticket = loop {
                match limiter.take(ask, now_ms) {
                    Ok(ticket) => break ticket,
                    Err(Wait::Until(free_ms)) => now_ms = free_ms,
                    Err(other) => prop_assert!(false, "{other:?}"),
                }
            };
            limiter.begin(&mut ticket, now_ms);
        }
        let (took, told) = ((now_ms - NOW) as f64, (foreseen - NOW) as f64);
        prop_assert!((took - told).abs() <= took * 0.05 + 5.0, "took {took}, foreseen {told}");
        if let [limit] = limits.buckets.as_slice() {
            let most = if limit.kind == BucketKind::Token { limit.burst } else { limit.amount };
            let cost = limit.cost_of(ask.operation, ask.object).unwrap();
            // What is left of a bucket that is no multiple of the cost helps nobody.
            let at_once = (allowed(most, Priority::Background) / cost).max(1);
            let length = if limit.kind == BucketKind::Daily { 86_400_000 } else { limit.window_ms } as f64;
            let ideal = match limit.kind {
                BucketKind::Token => calls.saturating_sub(at_once) as f64 * length * cost as f64 / limit.amount as f64,
                _ => ((calls - 1) / at_once) as f64 * length,
            };
            prop_assert!(took * 0.95 <= ideal + 5.0, "took {took} instead of {ideal}");
        }
    }
}
