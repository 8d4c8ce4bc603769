//! Records that the vendor refuses for good.

use futures::FutureExt;
use indexmap::IndexMap;
use serde_json::{Value, json};
use switchboard_model::delivery::DeliveryState;

use super::Case;
use crate::conformance::{
    failure::{Failure, Verdict, expect},
    sample::Sample,
    stage::{Stage, describe},
    subject::Subject,
};

/// The cases of this file.
pub const CASES: &[Case] = &[Case::object(
    "refused-record",
    "A record that the vendor refuses is given up with the vendor's reason, and takes no other one with it.",
    |stage| refused(stage).boxed_local(),
)
.when(has_refused)];

fn has_refused(subject: &Subject, object: &str) -> bool {
    subject.written(object).is_some_and(|written| written.refused.is_some())
}

async fn refused(stage: &Stage<'_>) -> Verdict {
    let written = stage.subject.written(stage.object);
    let refused = written.and_then(|written| written.refused.clone()).unwrap_or_default();
    let mut spec = stage.spec();
    spec.mappings = IndexMap::from([(stage.object.to_owned(), json!("{{ record }}"))]);
    stage.configure(spec).await?;
    let mut samples = Vec::new();
    let poison = 3;
    for sample in Sample::several(0, 7) {
        let mut record = stage.record(&sample)?;
        if samples.len() == poison {
            merge(&mut record, &Value::Object(refused.clone()));
        }
        samples.push(sample.with("record", record));
    }
    let events = stage.send(&samples).await?;
    let rows = stage.settle(&events).await?;
    let bad = &rows[poison];
    let reason = bad
        .problem
        .as_ref()
        .map(|problem| problem.detail.clone())
        .unwrap_or_default();
    expect(
        bad.state == DeliveryState::Dead && reason.split_whitespace().count() >= 2,
        format!(
            "the record with {} is given up with the vendor's reason (outcome `rejected`)",
            samples[poison].marker()
        ),
        || describe(bad),
    )?;
    let good = rows.iter().enumerate().filter(|(at, _)| *at != poison);
    let lost: Vec<_> = good
        .filter(|(_, row)| row.state != DeliveryState::Delivered)
        .map(|(_, row)| describe(row))
        .collect();
    expect(lost.is_empty(), "the other records are delivered", || lost.join("; "))?;
    let held = stage.rows(&samples[poison])?.len();
    if held > 0 {
        return Err(Failure::new(
            "the vendor has nothing of the refused record",
            format!("it has {held}"),
        ));
    }
    samples.remove(poison);
    stage.once(&samples)
}

/// Puts the members of `over` into `value`, object by object.
fn merge(value: &mut Value, over: &Value) {
    match (value, over) {
        (Value::Object(members), Value::Object(over)) => {
            for (name, over) in over {
                merge(members.entry(name.clone()).or_insert(Value::Null), over);
            }
        }
        (value, over) => *value = over.clone(),
    }
}
