//! The connection test that a person starts.

use futures::FutureExt;

use super::Case;
use crate::conformance::{
    failure::{Failure, Verdict, expect},
    stage::Stage,
};

/// The cases of this file.
pub const CASES: &[Case] = &[Case::connection(
    "connection-test",
    "A test says in a sentence to which account the connection leads, and in another one when the vendor is away.",
    |stage| says_where_it_leads(stage).boxed_local(),
)];

async fn says_where_it_leads(stage: &Stage<'_>) -> Verdict {
    stage.connect().await?;
    let report = stage.try_connection().await?;
    expect(report.ok, "the connection test succeeds", || match &report.problem {
        Some(problem) => problem.to_string(),
        None => report.message.clone(),
    })?;
    readable(stage, &report.message)?;
    stage.down(true)?;
    let report = stage.try_connection().await?;
    let Some(problem) = report.problem.filter(|_| !report.ok) else {
        let found = format!("the test says: {}", report.message);
        return Err(Failure::new("the test fails while the vendor is away", found));
    };
    readable(stage, &problem.detail)
}

/// A sentence for a person: words, no template, no credential.
pub fn readable(stage: &Stage<'_>, message: &str) -> Verdict {
    let words = message.split_whitespace().count();
    let expected = "the message is a sentence for a person";
    expect(words >= 3 && !message.contains("{{"), expected, || {
        format!("“{message}”")
    })?;
    let connection = &stage.subject.scenario.connection;
    let secrets = stage.subject.connector().secret_names(&connection.auth);
    let values = secrets
        .iter()
        .filter_map(|name| connection.credentials.get(name)?.as_str());
    let told = values
        .filter(|value| value.len() > 3)
        .any(|value| message.contains(value));
    expect(!told, "the message holds no credential", || format!("“{message}”"))
}
