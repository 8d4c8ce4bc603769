//! `/in/…`: where pushers push. Verified by what the source says, not by an API key, and answered as the pusher expects.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body_util::BodyExt;
use switchboard_connect::source::{Reply, Request as Pushed};
use switchboard_hub::intake::Place;
use switchboard_model::problem::{Code, Problem};
use tokio::time::timeout;

use super::{
    App,
    problem::{self, ProblemSchema},
};

/// What stands before the path of a source.
const PREFIX: &str = "/in/";

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// Push something to a source.
///
/// The path may have several segments. The source says how a request is verified and how a callback is acknowledged: status, headers and
/// body are the pusher's to expect, so they are not described here. A callback is on the disk before it is answered. A source that is
/// switched off, and a hub that cannot keep a callback, answer 503 unless the source says otherwise. Other methods are taken alike.
#[utoipa::path(
    post, path = "/in/{path}", tag = "sources", operation_id = "push", security(()),
    params(("path" = String, Path, description = "The path of a source; slashes in it are not escaped.")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "Whatever the pusher sends, with the content type that it has: JSON, a form, multipart, text."),
    responses(
        (status = 404, description = "No source has this path", body = ProblemSchema, content_type = "application/problem+json"),
        (status = 413, description = "The body is larger than the hub takes", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "What the source answers", content(
            (serde_json::Value = "application/json"), (String = "text/plain"), (ProblemSchema = "application/problem+json"),
        )),
    ),
)]
pub async fn receive(State(app): State<App>, request: Request) -> Response {
    take(&app, request).await
}

/// Ask a source something before pushing.
///
/// Some pushers prove with a question that the address belongs to somebody who expects them. A source that knows no such question takes it for a
/// callback.
#[utoipa::path(
    get, path = "/in/{path}", tag = "sources", operation_id = "shakeHands", security(()),
    params(("path" = String, Path, description = "The path of a source; slashes in it are not escaped.")),
    responses(
        (status = 404, description = "No source has this path", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "What the source answers", content(
            (serde_json::Value = "application/json"), (String = "text/plain"), (ProblemSchema = "application/problem+json"),
        )),
    ),
)]
pub async fn ask(State(app): State<App>, request: Request) -> Response {
    take(&app, request).await
}

async fn take(app: &App, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let uri = parts.uri.clone();
    let path = uri.path().strip_prefix(PREFIX).unwrap_or_default();
    if !app.hub.expects(path) {
        return nobody(uri.path());
    }
    // Held until the answer: what has come and is not on the disk yet.
    let mut place = app.hub.arriving();
    let body = match timeout(PATIENCE, read(body, app.limits.body_bytes, &mut place)).await {
        Ok(Ok(body)) => body,
        Ok(Err(problem)) => return problem::render(&problem),
        Err(_) => return problem::render(&slow()),
    };
    let peer = parts
        .extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map(|info| info.0.ip());
    let query = uri.query().unwrap_or_default().to_owned();
    let question = if query.is_empty() { "" } else { "?" };
    let pushed = Pushed {
        method: parts.method.as_str().to_owned(),
        path: path.to_owned(),
        tail: String::new(),
        url: format!("{}{}{question}{query}", app.public_url, uri.path()),
        query,
        headers: headers(&parts.headers),
        body,
        from: sender(peer, &parts.headers),
    };
    match app.hub.receive(pushed).await {
        Some(arrived) => answer(arrived.reply),
        None => nobody(uri.path()),
    }
}

fn nobody(path: &str) -> Response {
    problem::render(
        &Problem::new(
            Code::NotFound,
            "No source has this path.",
            "GET /v1/sources lists the sources and their addresses.",
        )
        .at(path.chars().take(200).collect::<String>()),
    )
}

fn slow() -> Problem {
    let detail = format!("The body did not arrive within {} s.", PATIENCE.as_secs());
    Problem::new(Code::BrokenJson, detail, "Send the request again.")
}

/// Names in small letters, values as text; bytes that are no text are replaced, as they can be part of no scheme.
fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), text(value)))
        .collect()
}

/// Where the request comes from. Only a proxy on this machine is believed about that: then it is the last address that it has added.
fn sender(peer: Option<IpAddr>, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = peer?;
    if !peer.to_canonical().is_loopback() {
        return Some(peer);
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().next_back();
    let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next()?.trim().parse().ok());
    last.or(Some(peer))
}

/// Reads the body up to the limit, taking room for what has come. A body that is larger is read on for a while and thrown away, so that the pusher sees the answer.
async fn read(mut body: Body, limit: usize, place: &mut Place) -> Result<Vec<u8>, Problem> {
    const PATIENCE: usize = 8;
    let mut all = Vec::new();
    let mut length = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| {
            Problem::new(
                Code::BrokenJson,
                "The body did not arrive whole.",
                "Send the request again.",
            )
        })?;
        if let Ok(piece) = frame.into_data() {
            length = length.saturating_add(piece.len());
            if length <= limit {
                place.grow(piece.len())?;
                all.extend_from_slice(&piece);
            } else if length > limit.saturating_mul(PATIENCE) {
                break;
            }
        }
    }
    if length > limit {
        let detail = format!("The body is larger than {limit} bytes.");
        return Err(Problem::new(
            Code::TooLarge,
            detail,
            "The limit is the setting limits.body_bytes.",
        ));
    }
    Ok(all)
}

/// What a pusher sent may come back in an answer; no browser is to take it for more than text.
fn answer(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        let pair = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .zip(HeaderValue::from_str(&value).ok());
        if let Some((name, value)) = pair {
            headers.append(name, value);
        }
    }
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_is_not_waited_for() {
        let waiting = switchboard_hub::intake::Waiting::new(10);
        let mut place = waiting.begin();
        let each_second = tokio::time::interval(Duration::from_secs(1));
        let pieces = futures::stream::unfold(each_second, |mut each_second| async {
            each_second.tick().await;
            Some((Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"x")), each_second))
        });
        let read = timeout(PATIENCE, read(Body::from_stream(pieces), 1_000, &mut place)).await;
        assert!(read.is_err());
    }

    #[test]
    fn only_a_proxy_on_this_machine_is_believed_about_the_sender() {
        let mut forwarded = HeaderMap::new();
        forwarded.append("x-forwarded-for", HeaderValue::from_static("203.0.113.9, 192.0.2.7"));
        let from = |peer: &str, headers: &HeaderMap| sender(peer.parse().ok(), headers).map(|from| from.to_string());
        assert_eq!(from("127.0.0.1", &forwarded).as_deref(), Some("192.0.2.7"));
        assert_eq!(from("::1", &forwarded).as_deref(), Some("192.0.2.7"));
        assert_eq!(from("198.51.100.4", &forwarded).as_deref(), Some("198.51.100.4"));
        assert_eq!(from("127.0.0.1", &HeaderMap::new()).as_deref(), Some("127.0.0.1"));
    }
}
