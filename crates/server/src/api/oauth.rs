//! Signing in on a vendor's page: `/v1/connections/{key}/oauth/start`, `/v1/oauth`, and the address that vendors send people back to.

mod landing;

use std::collections::HashMap;

use axum::{
    Json,
    extract::{Path, RawQuery, State},
    response::Response,
};
use http::HeaderMap;
use serde::Serialize;
use switchboard_hub::{ConnectionView, clock::moment};
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};

/// Where vendors send people back to, below the public address.
const CALLBACK: &str = "/oauth/callback";
/// So long before its known end a sign-in is to be repeated, in milliseconds.
const WARNING_MS: i64 = 7 * 86_400_000;

/// Where a person has to go to sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignInStarted)]
pub struct StartedView {
    /// The vendor's page, to be opened in a browser. Good once.
    authorization_url: String,
    /// Until when the person is expected back.
    expires_at: String,
    /// Where the vendor sends them back to. It has to be registered with the app at the vendor.
    #[schema(example = "https://hub.example.org/oauth/callback")]
    redirect_uri: String,
}

/// Begin to sign in for a connection on the vendor's page.
#[utoipa::path(
    post, path = "/v1/connections/{key}/oauth/start", tag = "connections", operation_id = "startSignIn",
    params(("key" = String, Path, description = "The connection's id")),
    responses(
        (status = 200, description = "The page to open", body = StartedView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn start(State(app): State<App>, caller: Caller, Path(key): Path<String>) -> Answer<Json<StartedView>> {
    let redirect_uri = redirect_uri(&app);
    let started = app.hub.start_sign_in(caller.workspace, &key, &redirect_uri).await?;
    tracing::info!(connection = %key, by = caller.name(), "a sign-in was started");
    Ok(Json(StartedView {
        authorization_url: started.address,
        expires_at: moment(started.expires_ms),
        redirect_uri: started.redirect_uri,
    }))
}

/// What has to be registered with an app at a vendor.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OAuthAddresses)]
pub struct AddressesView {
    /// Where vendors send people back to, the same for every connector. It follows from the setting `public_url`.
    #[schema(example = "https://hub.example.org/oauth/callback")]
    redirect_uri: String,
    /// The connections that people can sign in for.
    connections: Vec<String>,
}

/// What to register with an app at a vendor.
#[utoipa::path(
    get, path = "/v1/oauth", tag = "connections", operation_id = "oauthAddresses",
    responses(
        (status = 200, description = "The redirect address", body = AddressesView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn addresses(State(app): State<App>, caller: Caller) -> Answer<Json<AddressesView>> {
    let connections = app.hub.connections(caller.workspace).into_iter();
    let signing_in = connections.filter(|connection| connection.signs_in);
    Ok(Json(AddressesView {
        redirect_uri: redirect_uri(&app),
        connections: signing_in.map(|connection| connection.key).collect(),
    }))
}

/// What a person's sign-in came to, for programs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignedIn)]
pub struct SignedInView {
    /// The connection's id.
    connection: String,
    /// The vendor's name of the product.
    connector: String,
    /// What the test of the connection found.
    message: String,
}

/// Where a vendor's page sends people back to. It recognises them by `state` and needs no key; browsers get a page.
#[utoipa::path(
    get, path = "/oauth/callback", tag = "connections", operation_id = "finishSignIn", security(()),
    params(
        ("state" = String, Query, description = "What the person was sent away with"),
        ("code" = Option<String>, Query, description = "What the tokens are given for"),
        ("error" = Option<String>, Query, description = "Why the vendor gives no code"),
        ("error_description" = Option<String>, Query, description = "The same in the vendor's words"),
    ),
    responses(
        (status = 200, description = "The connection works", body = SignedInView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn callback(State(app): State<App>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let query = query.unwrap_or_default();
    let parameters: HashMap<String, String> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let finished = app.hub.finish_sign_in(&parameters).await;
    match &finished {
        Ok(done) => tracing::info!(connection = %done.key, "somebody has signed in"),
        Err(problem) => tracing::warn!(%problem, "a sign-in failed"),
    }
    let answer = finished.map(|done| SignedInView {
        connection: done.key,
        connector: done.connector,
        message: done.message,
    });
    landing::render(answer, landing::wants_page(&headers))
}

fn redirect_uri(app: &App) -> String {
    format!("{}{CALLBACK}", app.public_url)
}

/// Signing in on the vendor's page.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SignIn)]
pub struct SignInView {
    /// What is posted to begin.
    #[schema(example = "/v1/connections/primary-crm/oauth/start")]
    start: String,
    /// When the present sign-in ends, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at: Option<String>,
}

impl SignInView {
    /// `None` when the connection has no page to sign in on.
    pub fn of(connection: &ConnectionView, ends_ms: Option<i64>) -> Option<Self> {
        connection.signs_in.then(|| Self {
            start: start_of(connection),
            ends_at: ends_ms.map(moment),
        })
    }
}

fn start_of(connection: &ConnectionView) -> String {
    format!("/v1/connections/{}/oauth/start", connection.key)
}

/// The problem of a connection that stands still until somebody has signed in again.
pub fn reconnect(connection: &ConnectionView) -> Option<Problem> {
    let reason = connection.reason.clone().filter(|_| connection.needs_sign_in)?;
    let next = format!("POST {} and open the address of the answer.", start_of(connection));
    Some(Problem::new(Code::ReconnectNeeded, reason, next))
}

/// The notes of a connection, with what a person has to do soon.
pub fn notes(connection: &ConnectionView, ends_ms: Option<i64>, now_ms: i64) -> Vec<String> {
    let mut notes = connection.notes.clone();
    if let Some(ends_ms) = ends_ms.filter(|ends_ms| ends_ms - now_ms <= WARNING_MS && connection.signs_in) {
        let (when, start) = (moment(ends_ms), start_of(connection));
        notes.push(match ends_ms > now_ms {
            true => format!("The sign-in ends on {when}. Sign in again before: POST {start}."),
            false => format!("The sign-in ended on {when}. Sign in again: POST {start}."),
        });
    }
    notes
}

#[cfg(test)]
mod tests {
    use serde_json::Map;
    use switchboard_model::{connection::ConnectionState, id::ConnectionId};

    use super::*;

    const DAY_MS: i64 = 86_400_000;

    fn connection(signs_in: bool) -> ConnectionView {
        ConnectionView {
            id: ConnectionId(1),
            key: "crm".into(),
            name: "CRM".into(),
            connector: "hubspot".into(),
            state: ConnectionState::Active,
            reason: None,
            enabled: true,
            priority: 1,
            objects: Vec::new(),
            settings: Map::new(),
            notes: vec!["说明".into()],
            signs_in,
            needs_sign_in: false,
        }
    }

    #[test]
    fn a_sign_in_that_ends_is_told_of_seven_days_before() {
        let now_ms = 1_795_512_600_000;
        for (ends_in_days, words) in [
            (Some(8), None),
            (Some(7), Some("ends on 2026-12-01T")),
            (Some(1), Some("Sign in again before")),
            (Some(-1), Some("ended on")),
            (None, None),
        ] {
            let ends_ms = ends_in_days.map(|days| now_ms + days * DAY_MS);
            let notes = notes(&connection(true), ends_ms, now_ms);
            assert_eq!(notes[0], "说明");
            assert_eq!(notes.len(), 1 + usize::from(words.is_some()), "{notes:?}");
            assert!(words.is_none_or(|words| notes[1].contains(words)), "{notes:?}");
        }
        assert_eq!(notes(&connection(false), Some(now_ms), now_ms).len(), 1);
    }
}
