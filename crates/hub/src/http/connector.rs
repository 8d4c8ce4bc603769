//! Makes connections: resolves with the address filter, with TLS where the address says so, all of it within a time.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::{client::legacy::connect::HttpConnector, rt::TokioIo};
use rustls_platform_verifier::ConfigVerifierExt;
use tokio::net::TcpStream;
use tower::{BoxError, Service};

use super::address::{AddressPolicy, FilteringResolver};

/// Until a connection stands, TLS included.
const CONNECT: Duration = Duration::from_secs(10);

/// A connection could not be made in time.
#[derive(Debug, thiserror::Error)]
#[error("no connection within {} s", CONNECT.as_secs())]
struct TooSlow;

/// Connects to the addresses that a policy allows.
#[derive(Debug, Clone)]
pub(super) struct Connector(HttpsConnector<HttpConnector<FilteringResolver>>);

impl Connector {
    /// A connector that trusts whom the machine trusts.
    ///
    /// # Errors
    /// When the machine's TLS certificates cannot be read.
    pub fn new(policy: AddressPolicy) -> Result<Self, rustls::Error> {
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let tls = rustls::ClientConfig::with_platform_verifier()?;
        let mut tcp = HttpConnector::new_with_resolver(FilteringResolver(policy));
        tcp.enforce_http(false);
        // A request is one small write; waiting for more would only delay it.
        tcp.set_nodelay(true);
        let https = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(tcp);
        Ok(Self(https))
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<TokioIo<TcpStream>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let connecting = self.0.call(to);
        Box::pin(async move {
            tokio::time::timeout(CONNECT, connecting)
                .await
                .unwrap_or_else(|_| Err(TooSlow.into()))
        })
    }
}
