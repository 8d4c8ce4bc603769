//! Records arrive, as they are.

use futures::FutureExt;

use super::Case;
use crate::conformance::{failure::Verdict, sample::Sample, stage::Stage};

/// The cases of this file.
pub const CASES: &[Case] = &[
    Case::object(
        "created-once",
        "Records that come together arrive, each exactly once.",
        |stage| created(stage).boxed_local(),
    ),
    Case::object(
        "awkward-text",
        "Text of 20,000 characters, in several scripts, with quotes, mark-up and line breaks arrives, cut where the vendor has a limit.",
        |stage| awkward(stage).boxed_local(),
    ),
];

async fn created(stage: &Stage<'_>) -> Verdict {
    stage.connect().await?;
    let samples = Sample::several(1, 12);
    stage.deliver(&samples).await?;
    stage.once(&samples)
}

async fn awkward(stage: &Stage<'_>) -> Verdict {
    stage.connect().await?;
    let samples = [Sample::new(1).awkward(), Sample::new(2)];
    stage.deliver(&samples).await?;
    stage.once(&samples)
}
