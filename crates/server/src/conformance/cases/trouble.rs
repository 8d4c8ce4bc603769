//! A vendor that fails or wants a pause.

use futures::FutureExt;
use switchboard_simulator::{Fault, Rule};

use super::{
    Case,
    credentials::rotates,
    doubt::{at_each_call, resolved, status},
};
use crate::conformance::{
    failure::{Verdict, expect},
    sample::Sample,
    stage::Stage,
};

/// A pause that is longer than this is not waited for: that the hub waits is enough.
const LONG_MS: i64 = 5_000;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::object(
        "error-500",
        "An internal error of the vendor costs no record and doubles none.",
        |stage| at_each_call(stage, status(500, false)).boxed_local(),
    ),
    Case::object(
        "error-502",
        "A bad gateway costs no record and doubles none.",
        |stage| at_each_call(stage, status(502, false)).boxed_local(),
    ),
    Case::object(
        "error-503",
        "A vendor that is out of service for a moment costs no record.",
        |stage| out_of_service(stage).boxed_local(),
    ),
    Case::object(
        "throttled-with-time",
        "A vendor that says when to come again is left alone until then; no try is used up.",
        |stage| throttled(stage, Some(1)).boxed_local(),
    ),
    Case::object(
        "throttled",
        "A vendor that only says that it is too much is left alone for a while; no try is used up.",
        |stage| throttled(stage, None).boxed_local(),
    ),
    Case::object(
        "cold-start",
        "Trouble with the very first calls (token, preparations) costs no record and doubles none.",
        |stage| cold_start(stage).boxed_local(),
    ),
];

async fn out_of_service(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    let samples = Sample::several(1, 5);
    stage.dial([Rule::new(status(503, false)).times(2)])?;
    let events = stage.send(&samples).await?;
    match waits_long(stage, &events).await? {
        true => Ok(()),
        false => resolved(stage, &events, &samples).await,
    }
}

async fn throttled(stage: &Stage<'_>, retry_after_s: Option<u64>) -> Verdict {
    stage.warm().await?;
    let mark = stage.mark();
    stage.dial([Rule::new(Fault::Throttle { retry_after_s }).times(1)])?;
    let sample = Sample::new(1);
    let events = stage.send(std::slice::from_ref(&sample)).await?;
    let long = waits_long(stage, &events).await?;
    if !long {
        stage.confirmed(&events).await?;
        stage.once(&[sample])?;
    }
    let calls = stage.calls_since(mark);
    let after = calls
        .windows(2)
        .find(|pair| !pair[0].faults.is_empty())
        .map(|pair| pair[1].request.now_ms - pair[0].request.now_ms);
    // A clock that counts whole milliseconds may be one behind.
    let at_least = if retry_after_s.is_some() { 990 } else { 490 };
    if let Some(after) = after {
        let expected =
            format!("no call within {at_least} ms after the vendor has asked for a pause (outcome `throttled`)");
        expect(after >= at_least, expected, || {
            format!("the next call came after {after} ms")
        })?;
    }
    let rows = stage.deliveries(&events).await?;
    let attempts = rows.first().map_or(0, |row| row.attempts);
    expect(attempts == 0, "a throttled call uses up no try", || {
        format!("{attempts} tries are used up")
    })
}

/// Waits until the events are settled, or the connection pauses for longer than is worth waiting for.
async fn waits_long(
    stage: &Stage<'_>,
    events: &[switchboard_model::id::EventId],
) -> Result<bool, crate::conformance::failure::Failure> {
    let known = async || {
        let rows = stage.deliveries(events).await?;
        if rows.iter().all(|row| row.state.is_settled()) {
            return Ok(Some(false));
        }
        let (until, now_ms) = stage.pause();
        let long = until.is_some_and(|until| until - now_ms > LONG_MS);
        Ok(long.then_some(true))
    };
    stage
        .until("the records are settled, or the connection waits", known)
        .await
}

async fn cold_start(stage: &Stage<'_>) -> Verdict {
    // Where each refresh token is good once, a token whose answer is lost is lost for good, whoever calls.
    let first = match rotates(stage.subject, stage.object) {
        true => Fault::CutBefore,
        false => Fault::CutAfter,
    };
    stage.dial([
        Rule::new(first).times(1),
        Rule::new(status(500, false)).after(2).times(1),
        Rule::new(Fault::CutBefore).after(4).times(1),
    ])?;
    stage.connect().await?;
    let samples = Sample::several(1, 3);
    let events = stage.send(&samples).await?;
    resolved(stage, &events, &samples).await
}
