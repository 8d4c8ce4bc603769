//! People and companies: changed in their place, recognised, removed.

use futures::FutureExt;
use indexmap::IndexMap;
use serde_json::json;
use switchboard_connect::manifest::{OperationKind, RecordKind};

use super::Case;
use crate::conformance::{
    failure::{Verdict, expect},
    sample::Sample,
    stage::Stage,
    subject::Subject,
};

/// Longer than simulated searches lag, in milliseconds.
const FOUND_AFTER_MS: i64 = 300;

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::object(
        "update",
        "What the same person sends later changes the record that is there.",
        |stage| update(stage).boxed_local(),
    )
    .when(can_update),
    Case::object(
        "duplicate",
        "A person whom somebody else has entered at the vendor is found there and not entered again.",
        |stage| duplicate(stage).boxed_local(),
    )
    .when(can_find),
    Case::object(
        "delete",
        "A record that is removed elsewhere is removed here, others stay, and a second removal changes nothing.",
        |stage| delete(stage).boxed_local(),
    )
    .when(can_delete),
];

fn can_update(subject: &Subject, object: &str) -> bool {
    subject.kind(object) != RecordKind::Event
        && (subject.offers(object, OperationKind::Update) || subject.offers(object, OperationKind::Upsert))
}

fn can_find(subject: &Subject, object: &str) -> bool {
    subject.kind(object) != RecordKind::Event && subject.offers(object, OperationKind::Find)
}

fn can_delete(subject: &Subject, object: &str) -> bool {
    subject.kind(object) != RecordKind::Event && subject.offers(object, OperationKind::Delete)
}

async fn update(stage: &Stage<'_>) -> Verdict {
    const WORD: &str = "zebra";
    stage.connect().await?;
    let first = Sample::new(1);
    let other = Sample::new(2);
    stage.deliver(&[first.clone(), other.clone()]).await?;
    let later = first.clone().again(WORD);
    stage.deliver(std::slice::from_ref(&later)).await?;
    stage.once(&[first.clone(), other.clone()])?;
    if !stage.record(&later)?.to_string().contains(WORD) {
        return Ok(());
    }
    let rows = stage.rows(&first)?;
    let changed = rows.iter().any(|row| row.to_string().contains(WORD));
    expect(
        changed,
        format!("the record has the later words (“{WORD}”)"),
        || "it has only the first ones".to_owned(),
    )
}

async fn duplicate(stage: &Stage<'_>) -> Verdict {
    let sample = Sample::new(1);
    // The same person under another key of ours: for the vendor somebody else has entered them.
    let mut spec = stage.spec();
    spec.mappings = IndexMap::from([(stage.object.to_owned(), json!("{{ record }}"))]);
    stage.configure(spec).await?;
    let record = stage.record(&sample)?;
    let entered = Sample::stranger("elsewhere").with("record", record.clone());
    stage.deliver(&[entered]).await?;
    stage.once(std::slice::from_ref(&sample))?;
    stage.pass(FOUND_AFTER_MS).await?;
    stage.deliver(&[sample.clone().with("record", record)]).await?;
    stage.once(&[sample])
}

async fn delete(stage: &Stage<'_>) -> Verdict {
    stage.connect().await?;
    stage.route_removals().await?;
    let (gone, kept) = (Sample::new(1), Sample::new(2));
    stage.deliver(&[gone.clone(), kept.clone()]).await?;
    stage.once(&[gone.clone(), kept.clone()])?;
    for _ in 0..2 {
        let events = stage.send_as("contact.deleted", std::slice::from_ref(&gone)).await?;
        stage.confirmed(&events).await?;
        let left = stage.rows(&gone)?.len();
        let expected = format!("the record with {} is removed", gone.marker());
        expect(left == 0, expected, || format!("the vendor has {left}"))?;
    }
    stage.once(&[kept])
}
