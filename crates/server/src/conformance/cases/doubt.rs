//! Answers that are lost or prove nothing: whether the write took effect is not known, and it is there once in the end.

use futures::FutureExt;
use switchboard_connect::{connector::Means, manifest::OperationKind};
use switchboard_model::{delivery::DeliveryState, id::EventId, problem::Code};
use switchboard_simulator::{Fault, Rule};

use super::Case;
use crate::conformance::{
    failure::{Failure, Verdict},
    sample::Sample,
    stage::{Stage, describe},
    subject::Subject,
};

/// A record takes no more calls than this, so far as faults are tried on each.
const MOST_CALLS: u32 = 6;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::object(
        "cut-before",
        "A connection that is cut before the vendor has read the call costs no record and doubles none.",
        |stage| at_each_call(stage, Fault::CutBefore).boxed_local(),
    ),
    Case::object(
        "answer-lost",
        "A call that was applied and whose answer was lost leaves exactly one record.",
        |stage| lost_answers(stage).boxed_local(),
    ),
    Case::object(
        "answer-lost-again",
        "When the answer is lost a second time, after the record of the first call was found, there is still exactly one record.",
        |stage| lost_twice(stage).boxed_local(),
    )
    .when(is_looked_for),
    Case::object(
        "crowd",
        "Among more records than a page holds, each whose call was cut is found, or made once.",
        |stage| crowd(stage).boxed_local(),
    )
    .when(is_looked_for_in_pages),
    Case::object(
        "hidden-success",
        "An error of a gateway behind which the call was applied leaves exactly one record.",
        |stage| at_each_call(stage, status(504, true)).boxed_local(),
    ),
    Case::object(
        "hollow-success",
        "An answer that says “good” and proves nothing is no success: the record is there once in the end.",
        |stage| at_each_call(stage, Fault::Hollow { applied: false }).boxed_local(),
    ),
    Case::object(
        "hollow-applied",
        "An answer that says “good” and proves nothing leads to no second record when the call was applied.",
        |stage| at_each_call(stage, Fault::Hollow { applied: true }).boxed_local(),
    ),
];

/// More records than one page of most vendors holds.
const CROWD: u32 = 130;
/// So many of them come together.
const SOME: usize = 26;

/// Whether lost records are looked for, and recognised by nothing better.
fn is_looked_for(subject: &Subject, object: &str) -> bool {
    let has_better = subject.offers(object, OperationKind::Upsert);
    !has_better && subject.connector().means(object, OperationKind::Create) == Means::Probe
}

/// The same on several pages.
fn is_looked_for_in_pages(subject: &Subject, object: &str) -> bool {
    is_looked_for(subject, object) && subject.connector().probes_in_pages(object)
}

async fn crowd(stage: &Stage<'_>) -> Verdict {
    stage.warm().await?;
    let sometimes = |fault| Rule::new(fault).probability(0.05);
    stage.dial([sometimes(Fault::CutBefore), sometimes(Fault::CutAfter)])?;
    let samples = Sample::several(1, CROWD);
    // Some at a time: vendors that take one call after the other would not be done with all of them before the deadline.
    for some in samples.chunks(SOME) {
        stage.deliver(some).await?;
    }
    stage.once(&samples)
}

/// The vendor's answer with this status.
pub fn status(code: u16, applied: bool) -> Fault {
    Fault::Status {
        code,
        retry_after_s: None,
        applied,
    }
}

/// The one case that wants every record to arrive: a connector that cannot find out what became of a call says so once, by a waiver.
async fn lost_answers(stage: &Stage<'_>) -> Verdict {
    let calls = calls_of_a_record(stage).await?;
    for position in 0..calls {
        let sample = Sample::new(10 + position);
        stage.dial([after(Fault::CutAfter, position)])?;
        stage.deliver(std::slice::from_ref(&sample)).await?;
        stage.once(&[sample])?;
    }
    Ok(())
}

/// The call that makes the record, the one that looks for it, and the one that brings it up to date: the first and the third answer are lost.
async fn lost_twice(stage: &Stage<'_>) -> Verdict {
    let calls = calls_of_a_record(stage).await?;
    for position in 0..calls {
        let sample = Sample::new(10 + position);
        // A rule does not count the call that an earlier one has struck.
        stage.dial([after(Fault::CutAfter, position), after(Fault::CutAfter, position + 1)])?;
        stage.deliver(std::slice::from_ref(&sample)).await?;
        stage.once(&[sample])?;
    }
    Ok(())
}

/// Lets the fault strike each of the calls that a record takes, a new record for each; what became of it is found out.
pub async fn at_each_call(stage: &Stage<'_>, fault: Fault) -> Verdict {
    let calls = calls_of_a_record(stage).await?;
    for position in 0..calls {
        let sample = Sample::new(10 + position);
        stage.dial([after(fault.clone(), position)])?;
        let samples = std::slice::from_ref(&sample);
        let events = stage.send(samples).await?;
        resolved(stage, &events, samples).await?;
    }
    Ok(())
}

/// Every record is delivered and there once. Where the connector has no means to find out, a person is asked instead, and nothing is
/// there twice.
pub async fn resolved(stage: &Stage<'_>, events: &[EventId], samples: &[Sample]) -> Verdict {
    let rows = stage.settle(events).await?;
    for (row, sample) in rows.iter().zip(samples) {
        let code = row.problem.as_ref().map(|problem| problem.code.as_str());
        if row.state == DeliveryState::Delivered {
            stage.once(std::slice::from_ref(sample))?;
        } else if code == Some(Code::OutcomeUnknown.code()) && asks_a_person(stage, sample)? {
            let held = stage.rows(sample)?.len();
            if held > 1 {
                return Err(Failure::doubled("at most one record", format!("the vendor has {held}")));
            }
        } else {
            return Err(Failure::new("every record is delivered", describe(row)));
        }
    }
    Ok(())
}

/// Whether nothing can be done about a lost answer on this connection but to ask a person.
fn asks_a_person(stage: &Stage<'_>, sample: &Sample) -> Result<bool, Failure> {
    stage
        .subject
        .asks_a_person(stage.object, &stage.spec(), stage.record(sample)?)
}

/// Brings the stage to the state in which only records are written, and answers how many calls one takes.
async fn calls_of_a_record(stage: &Stage<'_>) -> Result<u32, Failure> {
    stage.warm().await?;
    let mark = stage.mark();
    stage.deliver(&[Sample::new(1)]).await?;
    let calls = u32::try_from(stage.calls_since(mark).len()).unwrap_or(MOST_CALLS);
    Ok(calls.min(MOST_CALLS))
}

fn after(fault: Fault, calls: u32) -> Rule {
    Rule::new(fault).after(u64::from(calls)).times(1)
}
