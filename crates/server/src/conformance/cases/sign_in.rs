//! Signing in on the vendor's page.

use std::collections::HashMap;

use futures::FutureExt;
use switchboard_model::connection::{ConnectionSpec, ConnectionState};
use url::Url;

use super::Case;
use crate::conformance::{
    failure::{Failure, Verdict, expect},
    sample::Sample,
    setup::broken,
    stage::Stage,
    subject::Subject,
};

/// The case of this file.
pub const CASES: &[Case] = &[Case::connection(
    "sign-in",
    "Each way to sign in on the vendor's page brings what the connection needs, for now and when a token has ended.",
    |stage| each(stage).boxed_local(),
)
.when(has_page)];

/// Where people come back to. Nobody listens there: the suite looks at the address that they are sent to.
const BACK: &str = "https://hub.example.org/oauth/callback";

fn has_page(subject: &Subject, _: &str) -> bool {
    !subject.sign_ins().is_empty()
}

async fn each(stage: &Stage<'_>) -> Verdict {
    for (first, kind) in (0..).step_by(10).zip(stage.subject.sign_ins()) {
        let tried = one(stage, &kind, first).await;
        tried.map_err(|failure| Failure {
            expected: format!("{kind}: {}", failure.expected),
            ..failure
        })?;
    }
    Ok(())
}

async fn one(stage: &Stage<'_>, kind: &str, first: u32) -> Verdict {
    stage.write(spec(stage, kind)).await?;
    let state = || stage.connection().map(|connection| connection.state);
    expect(
        state() == Some(ConnectionState::Draft),
        "the connection waits for the sign-in",
        || format!("it is {:?}", state()),
    )?;
    let page = stage.start_sign_in(BACK).await?;
    let back = agree(stage, &page).await?;
    stage.finish_sign_in(&back).await?;
    expect(
        state() == Some(ConnectionState::Active),
        "the connection is at work",
        || format!("it is {:?}", state()),
    )?;
    let samples = Sample::several(first, 2);
    stage.deliver(&samples[..1]).await?;
    if stage.subject.connector().asks_for_tokens(kind) {
        let expired = stage.vendor().expire_tokens(stage.subject.slug());
        expired.map_err(|refused| Failure::new("tokens can expire", refused.to_string()))?;
    }
    stage.deliver(&samples[1..]).await?;
    stage.once(&samples)
}

fn spec(stage: &Stage<'_>, kind: &str) -> ConnectionSpec {
    let origin = stage.vendor().url(stage.subject.slug());
    let account = stage.subject.scenario.sign_in(kind, stage.subject.connector());
    let spec = stage.spec();
    match account {
        Some(account) => ConnectionSpec {
            auth_kind: account.auth.clone(),
            secrets: account.at(&origin).1,
            ..spec
        },
        None => spec,
    }
}

/// Opens the page as a person does, who agrees: the parameters with which they are sent back.
async fn agree(stage: &Stage<'_>, page: &str) -> Result<HashMap<String, String>, Failure> {
    let no_address = |error: url::ParseError| Failure::new("the page has an address", format!("{page}: {error}"));
    let asked = Url::parse(page).map_err(no_address)?;
    let origin = stage.vendor().url(stage.subject.slug());
    // Many vendors have their pages on a host of their own, which no setting names: the simulated vendor plays it, too.
    let here = match page.starts_with(&origin) {
        true => page.to_owned(),
        false => format!("{origin}{}?{}", asked.path(), asked.query().unwrap_or_default()),
    };
    let answer = open(&here).await?;
    let sent = answer.headers().get("location").and_then(|value| value.to_str().ok());
    let Some(sent) = sent.map(str::to_owned) else {
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        return Err(Failure::new(
            "the page sends the person back",
            format!("{status} {said} ({here})"),
        ));
    };
    expect(sent.starts_with(BACK), "the person is sent to the hub", || sent.clone())?;
    let parameters: HashMap<String, String> = Url::parse(&sent)
        .map_err(no_address)?
        .query_pairs()
        .into_owned()
        .collect();
    match parameters.get("error") {
        None => Ok(parameters),
        Some(error) => {
            let why = parameters.get("error_description").map_or("", String::as_str);
            Err(Failure::new(
                "the page understands what it is asked",
                format!("{error}: {why} ({page})"),
            ))
        }
    }
}

async fn open(address: &str) -> Result<reqwest::Response, Failure> {
    // Fails when a provider is installed already, which is just as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let browser = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .map_err(|error| Failure::from(broken(&error.to_string())))?;
    let answer = browser.get(address).send().await;
    answer.map_err(|error| Failure::new("the page can be opened", format!("{address}: {error}")))
}
