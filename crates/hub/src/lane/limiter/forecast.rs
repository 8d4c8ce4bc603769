//! When a queue will have been sent, without sending it.

use switchboard_connect::manifest::OperationKind;

use super::{Full, Priority, bucket::Bucket};

/// Into how many steps the time that is to be foreseen is cut.
const STEPS: f64 = 5_000.0;
/// A bucket that fills anew within so many steps is taken for an even flow: that is wrong by less than one filling, a
/// hundredth of the whole.
const FLOW_STEPS: f64 = 50.0;
/// What has been saved up counts as a whole call from so little below it on: sums of fractions fall short of whole numbers.
const ROUNDING: f64 = 1e-6;
/// After so many turns the rest is estimated from the slowest bucket.
const MOST_TURNS: usize = 200_000;

/// Buckets that are taken for an even flow: calls per millisecond, and the calls that have been saved up.
#[derive(Debug, Clone, Copy)]
struct Flow {
    rate: f64,
    saved: f64,
    most: f64,
}

/// The moment when the `calls`-th of a queue of calls of this operation could begin, if the first may at `begin_ms` and each
/// takes no time; what may begin does so at once. Works on copies of buckets, in bounded time for any number of calls.
pub(super) fn forecast(mut buckets: Vec<(Bucket, u64)>, calls: u64, begin_ms: i64) -> i64 {
    const BACKGROUND: Priority = Priority::Background;
    buckets.iter_mut().for_each(|(bucket, _)| bucket.begin_all(begin_ms));
    // A bucket that has room for all of them says nothing about the time that it takes.
    let binding = buckets.iter_mut().filter_map(|(bucket, cost)| {
        let (rate, _) = bucket.pace(*cost, BACKGROUND)?;
        (bucket.room(*cost, BACKGROUND, begin_ms) < calls).then_some(rate)
    });
    let slowest = binding.fold(f64::INFINITY, f64::min);
    let step = calls as f64 / slowest / STEPS;
    // A bucket that the vendor has closed or others have filled is looked at closely for as long as that lasts.
    let mut flow: Option<Flow> = None;
    buckets.retain_mut(|(bucket, cost)| {
        let Some((rate, span)) = bucket.pace(*cost, BACKGROUND) else {
            return false;
        };
        if span > step * FLOW_STEPS || step < 1.0 {
            return true;
        }
        let (saved, most) = (bucket.room(*cost, BACKGROUND, begin_ms) as f64, (rate * span).max(1.0));
        flow = Some(match flow {
            None => Flow { rate, saved, most },
            Some(flow) => Flow {
                rate: flow.rate.min(rate),
                saved: flow.saved.min(saved),
                most: flow.most.min(most),
            },
        });
        false
    });
    let (mut now_ms, mut left) = (begin_ms, calls.max(1));
    for _ in 0..MOST_TURNS {
        let room = buckets
            .iter_mut()
            .map(|(bucket, cost)| bucket.room(*cost, BACKGROUND, now_ms))
            .chain(flow.map(|flow| (flow.saved + ROUNDING) as u64))
            .min()
            .unwrap_or(u64::MAX);
        if room >= left {
            return now_ms;
        }
        if room > 0 {
            left -= room;
            for (bucket, cost) in &mut buckets {
                bucket.add(*cost, room, BACKGROUND, now_ms);
            }
        }
        let free_ms = next_turn(&mut buckets, flow.as_ref(), room, now_ms).max(now_ms + step as i64);
        if let Some(flow) = &mut flow {
            let earned = flow.rate * (free_ms - now_ms) as f64;
            flow.saved = (flow.saved - room as f64 + earned).min(flow.most.max(earned));
        }
        now_ms = free_ms;
    }
    now_ms.saturating_add((left as f64 / slowest) as i64)
}

/// The first moment at which every bucket has room again, as far as each alone can tell.
fn next_turn(buckets: &mut [(Bucket, u64)], flow: Option<&Flow>, taken: u64, now_ms: i64) -> i64 {
    let waits =
        buckets.iter_mut().filter_map(
            |(bucket, cost)| match bucket.full(*cost, Priority::Background, now_ms)? {
                Full::Until(free_ms) => Some(free_ms),
                Full::Slot => None,
            },
        );
    let flows = flow.map(|flow| {
        let missing = (1.0 - (flow.saved - taken as f64)).max(0.0);
        now_ms.saturating_add((missing / flow.rate).ceil() as i64)
    });
    waits.chain(flows).max().unwrap_or(now_ms).max(now_ms + 1)
}

/// The buckets that a call of this operation goes through, with what it costs there.
pub(super) fn concerned(buckets: &[Bucket], operation: Option<OperationKind>) -> Vec<(Bucket, u64)> {
    let each = buckets.iter();
    each.filter_map(|bucket| Some((bucket.clone(), bucket.cost_of(operation, None)?)))
        .collect()
}
