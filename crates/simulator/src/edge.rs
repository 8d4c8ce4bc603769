//! The HTTP side: reads a request, waits as the dial says, lets the simulation answer, or closes the connection without one.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control;
use crate::message::{Reply, Request};
use crate::simulation::Simulation;

/// No vendor takes more in one request.
const MOST_BODY_BYTES: usize = 64 * 1024 * 1024;

/// The reason for a connection that is closed without an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the connection is cut without an answer")
    }
}

impl std::error::Error for Cut {}

/// Takes connections until `stop` changes; then closes them all.
pub async fn accept(listener: TcpListener, simulation: Arc<Simulation>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(converse(stream, Arc::clone(&simulation)));
                }
                Err(error) => tracing::warn!(%error, "a connection to the simulator could not be taken"),
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    connections.shutdown().await;
}

async fn converse(stream: TcpStream, simulation: Arc<Simulation>) {
    // A reply is one small write; waiting for more would only delay it.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&simulation), request));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new());
    // An error here is a cut connection, ours or the caller's: nothing to do about either.
    let _ = builder.serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(simulation: Arc<Simulation>, request: hyper::Request<Incoming>) -> Result<Response<Full<Bytes>>, Cut> {
    let (parts, body) = request.into_parts();
    let (slug, path) = split(parts.uri.path());
    let slug = slug.to_owned();
    let request = Request {
        path: path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        origin: origin(&parts.headers, &slug),
        now_ms: simulation.now_ms(),
        method: parts.method,
        headers: parts.headers,
        body: match Limited::new(body, MOST_BODY_BYTES).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<http_body_util::LengthLimitError>() => return Ok(transport(Reply::empty(413))),
            Err(_) => return Err(Cut),
        },
    };
    if slug == "_control" {
        return Ok(transport(control::answer(&simulation, &request)));
    }
    let Ok(plan) = simulation.plan(&slug, &request) else {
        return Ok(transport(control::unknown_vendor(&simulation)));
    };
    if plan.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(plan.delay_ms)).await;
    }
    let hold_ms = plan.hold_ms;
    let reply = simulation.perform(&slug, &Arc::new(request), plan);
    if hold_ms > 0 {
        tokio::time::sleep(Duration::from_millis(hold_ms)).await;
    }
    match reply {
        Ok(Some(reply)) => Ok(transport(reply)),
        _ => Err(Cut),
    }
}

/// `/salesforce/services/data` is the vendor `salesforce` and the path `/services/data`.
fn split(path: &str) -> (&str, &str) {
    let rest = path.trim_start_matches('/');
    match rest.find('/') {
        Some(at) => rest.split_at(at),
        None => (rest, "/"),
    }
}

fn origin(headers: &http::HeaderMap, slug: &str) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    format!("http://{}/{slug}", host.unwrap_or("localhost"))
}

fn transport(reply: Reply) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in reply.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(&value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_part_of_the_path_is_the_vendor() {
        for (path, expected) in [
            ("/salesforce/services/data", ("salesforce", "/services/data")),
            ("/webhook", ("webhook", "/")),
            ("/webhook/", ("webhook", "/")),
            ("//notion/v1", ("notion", "/v1")),
            ("/", ("", "/")),
        ] {
            assert_eq!(split(path), expected, "{path}");
        }
    }
}
