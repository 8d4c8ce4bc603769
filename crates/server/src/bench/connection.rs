//! One kept connection to whatever is measured.

use std::{net::SocketAddr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::TcpStream;

use super::failure;
use switchboard_model::problem::Problem;

/// Where messages are posted to, and with which key.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The address.
    pub address: SocketAddr,
    /// What the header `Host` says.
    pub host: HeaderValue,
    /// The path, with its query.
    pub path: String,
    /// The header `Authorization`.
    pub authorization: Option<HeaderValue>,
}

impl Destination {
    /// The events of a hub, or of the relay, on this machine.
    ///
    /// # Errors
    /// When the key cannot stand in a header.
    pub fn events(address: SocketAddr, key: Option<&str>) -> Result<Self, Problem> {
        Self::new(address, &address.to_string(), "/v1/events", key)
    }

    /// Any address.
    ///
    /// # Errors
    /// When key or host cannot stand in a header.
    pub fn new(address: SocketAddr, host: &str, path: &str, key: Option<&str>) -> Result<Self, Problem> {
        let value =
            |text: &str| HeaderValue::from_str(text).map_err(|error| failure("A header cannot be written", error));
        Ok(Self {
            address,
            host: value(host)?,
            path: path.to_owned(),
            authorization: key.map(|key| value(&format!("Bearer {key}"))).transpose()?,
        })
    }

    /// The same place with another path.
    pub fn with_path(&self, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            ..self.clone()
        }
    }

    /// What stands there, as JSON; `None` when it cannot be read.
    pub async fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let reply = Connection::open(self.address).await?.get(self).await?;
        serde_json::from_slice(&reply.body).ok().filter(|_| reply.status == 200)
    }

    fn request(&self, method: Method, body: Bytes) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A path that is none becomes the root; the answer then shows that it is wrong.
        *request.uri_mut() = self.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        headers.insert(header::HOST, self.host.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(authorization) = &self.authorization {
            headers.insert(header::AUTHORIZATION, authorization.clone());
        }
        request
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// How long the sender is asked to wait, when the answer is 429.
    pub wait: Option<Duration>,
    /// The body.
    pub body: Bytes,
}

/// A kept connection.
#[derive(Debug)]
pub struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Connects. `None` when nobody takes the connection.
    pub async fn open(address: SocketAddr) -> Option<Self> {
        let stream = TcpStream::connect(address).await.ok()?;
        stream.set_nodelay(true).ok()?;
        let (sender, driver) = handshake(TokioIo::new(stream)).await.ok()?;
        // Its end is seen by the sender.
        tokio::spawn(async move { drop(driver.await) });
        Some(Self { sender })
    }

    /// Posts a body. `None` when the connection broke, and nobody knows what became of it.
    pub async fn post(&mut self, to: &Destination, body: Bytes) -> Option<Reply> {
        self.send(to.request(Method::POST, body)).await
    }

    /// Reads something.
    pub async fn get(&mut self, from: &Destination) -> Option<Reply> {
        self.send(from.request(Method::GET, Bytes::new())).await
    }

    /// Deletes something.
    pub async fn delete(&mut self, what: &Destination) -> Option<Reply> {
        self.send(what.request(Method::DELETE, Bytes::new())).await
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Option<Reply> {
        self.sender.ready().await.ok()?;
        let response = self.sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        let wait = (status == 429).then(|| retry_after(response.headers().get(header::RETRY_AFTER)));
        let body = response.into_body().collect().await.ok()?.to_bytes();
        Some(Reply { status, wait, body })
    }
}

/// Seconds of `Retry-After`; a second when it does not say.
fn retry_after(value: Option<&HeaderValue>) -> Duration {
    let seconds = value.and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    let seconds = seconds.filter(|seconds| seconds.is_finite()).unwrap_or(1.0);
    Duration::from_secs_f64(seconds.clamp(0.01, 600.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_waits_as_long_as_it_is_told() {
        let wait = |text: &'static str| retry_after(Some(&HeaderValue::from_static(text)));
        assert_eq!(wait("2"), Duration::from_secs(2));
        assert_eq!(wait("0"), Duration::from_millis(10));
        assert_eq!(wait("Wed, 21 Oct 2026 07:28:00 GMT"), Duration::from_secs(1));
        assert_eq!(retry_after(None), Duration::from_secs(1));
    }
}
