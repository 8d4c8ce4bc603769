//! Records of the hub that live on: a deal, a task, the row of a table.

use futures::FutureExt;
use switchboard_connect::manifest::RecordKind;

use super::Case;
use crate::conformance::{
    failure::{Verdict, expect},
    sample::Sample,
    stage::Stage,
    subject::Subject,
};

/// The cases of this file.
pub const CASES: &[Case] = &[Case::object(
    "change",
    "A record of the hub that changes is changed at the vendor, and not made a second time.",
    |stage| change(stage).boxed_local(),
)
.when(can_change)];

fn can_change(subject: &Subject, object: &str) -> bool {
    subject.kind(object) == RecordKind::Event && subject.connector().changes(object)
}

async fn change(stage: &Stage<'_>) -> Verdict {
    const WORD: &str = "zebra";
    stage.connect().await?;
    stage.keep_rows().await?;
    let (first, other) = (Sample::new(1), Sample::new(2));
    for sample in [&first, &other] {
        stage.write_row(sample).await?;
    }
    let later = first.clone().again(WORD);
    stage.write_row(&later).await?;
    stage.once(&[first.clone(), other])?;
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
