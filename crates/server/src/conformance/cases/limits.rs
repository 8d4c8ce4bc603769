//! The vendor's real limits.

use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;

use super::{Case, Scope};
use crate::conformance::{
    failure::{Verdict, expect},
    sample::Sample,
    stage::{Pace, Stage},
};

/// So long a burst is watched.
const WATCHED: Duration = Duration::from_secs(5);

/// The cases of this file.
pub const CASES: &[Case] = &[Case {
    scope: Scope::Object,
    pace: Pace::Real,
    ..Case::object(
        "limits",
        "With the vendor's real limits a burst of records is never answered with “too many calls”.",
        |stage| burst(stage).boxed_local(),
    )
}];

async fn burst(stage: &Stage<'_>) -> Verdict {
    stage.connect().await?;
    let samples = Sample::several(1, 60);
    let events = stage.send(&samples).await?;
    let end = Instant::now() + WATCHED;
    let watched = async || {
        let rows = stage.deliveries(&events).await?;
        let over = rows.iter().all(|row| row.state.is_settled()) || Instant::now() >= end;
        Ok(over.then_some(rows))
    };
    let rows = stage.until("the burst is over", watched).await?;
    let throttled = stage.throttled(&rows).await?;
    let expected = "no call is answered with “too many” (the manifest's `limits` hold the vendor's)";
    expect(throttled.is_none(), expected, || throttled.unwrap_or_default())?;
    let moved = !stage.calls_since(0).is_empty();
    expect(moved, "calls are made at the pace of the limits", || {
        "none was made".to_owned()
    })
}
