//! The yardstick: takes a post, forwards its body over a kept connection, and answers 202 when the receiver has taken it. It
//! keeps nothing, checks nothing, and tries nothing again. Its client is that of hyper-util, without the layers above it.

use std::{net::SocketAddr, process::ExitCode};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    routing::{get, post},
};
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use switchboard_model::problem::Problem;
use tokio::net::TcpListener;

use super::failure;
use crate::serve::ended;

#[derive(Clone)]
struct Relay {
    client: Client<HttpConnector, Full<Bytes>>,
    to: Uri,
}

/// Relays until it is told to stop.
///
/// # Errors
/// When an address cannot be used.
pub async fn run(listen: SocketAddr, to: &str) -> Result<ExitCode, Problem> {
    let wrong = |error: &dyn std::fmt::Display| failure("The relay cannot start", error);
    let to = to.parse().map_err(|error: http::uri::InvalidUri| wrong(&error))?;
    let listener = TcpListener::bind(listen).await.map_err(|error| wrong(&error))?;
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let router = Router::new()
        .route("/v1/events", post(forward))
        .route("/livez", get(async || StatusCode::OK))
        .with_state(Relay { client, to });
    axum::serve(listener, router)
        .with_graceful_shutdown(ended())
        .await
        .map_err(|error| wrong(&error))?;
    Ok(ExitCode::SUCCESS)
}

async fn forward(State(relay): State<Relay>, body: Bytes) -> StatusCode {
    let request = Request::post(relay.to)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(body));
    let Ok(request) = request else {
        return StatusCode::INTERNAL_SERVER_ERROR;
    };
    let Ok(response) = relay.client.request(request).await else {
        return StatusCode::BAD_GATEWAY;
    };
    let taken = response.status().is_success();
    // The connection is free for the next message once the answer was read to its end.
    match response.into_body().collect().await {
        Ok(_) if taken => StatusCode::ACCEPTED,
        _ => StatusCode::BAD_GATEWAY,
    }
}
