//! Sends requests.

use std::{error::Error, io::Read, time::Duration};

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use http::{HeaderMap, HeaderValue, Request, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use switchboard_connect::call::{Answer, HttpRequest};

use super::{
    address::{AddressPolicy, Refused},
    connector::Connector,
    target::target,
};
use crate::mail;

/// How long a connection that nobody uses is kept: less than the 5 s after which common servers close theirs. A request that meets the closing
/// has no answer, and a write without an answer costs more than a new connection does.
const IDLE: Duration = Duration::from_secs(4);
/// Answers beyond this are not read.
const LARGEST_ANSWER: usize = 8 << 20;
const USER_AGENT: HeaderValue = HeaderValue::from_static(concat!("Switchboard/", env!("CARGO_PKG_VERSION")));
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SendError {
    /// Nothing was sent: the address may not be called.
    #[error("{0}")]
    Refused(String),
    /// Nothing was sent: no connection could be made.
    #[error("no connection: {0}")]
    NotSent(String),
    /// Something may have been sent and have taken effect.
    #[error("no answer: {0}")]
    NoAnswer(String),
}

/// The client. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct Client {
    inner: legacy::Client<Connector, Full<Bytes>>,
    policy: AddressPolicy,
    limit: Duration,
}

impl Client {
    /// A client that calls the addresses that `policy` allows. A call that takes longer than `limit` is given up.
    ///
    /// # Errors
    /// When the machine's TLS certificates cannot be read.
    pub fn new(policy: AddressPolicy, limit: Duration) -> Result<Self, SendError> {
        let connector = Connector::new(policy).map_err(|error| SendError::NotSent(error.to_string()))?;
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .build(connector);
        Ok(Self { inner, policy, limit })
    }

    /// How long a call may take, in milliseconds. For so long a vendor may be at work on one whose end nobody sees.
    pub fn limit_ms(&self) -> i64 {
        i64::try_from(self.limit.as_millis()).unwrap_or(i64::MAX / 4)
    }

    /// Sends one request and reads the whole answer, up to 8 MiB. Redirects are answers like others.
    ///
    /// # Errors
    /// [`SendError::NotSent`] and [`SendError::Refused`] promise that nothing reached the vendor.
    pub async fn send(&self, request: &HttpRequest) -> Result<Answer, SendError> {
        if mail::is_mail(&request.url) {
            // Rare, and large: beside it every other call would be as large.
            return Box::pin(mail::send(request, self.policy)).await;
        }
        let request = self.prepare(request)?;
        match tokio::time::timeout(self.limit, self.exchange(request)).await {
            Ok(answer) => answer,
            Err(_) => Err(SendError::NoAnswer("time-out".into())),
        }
    }

    fn prepare(&self, request: &HttpRequest) -> Result<Request<Full<Bytes>>, SendError> {
        let target = target(&request.url, self.policy)?;
        let mut prepared = Request::new(Full::new(request.body.clone()));
        *prepared.method_mut() = request.method.clone();
        *prepared.uri_mut() = target.uri;
        let headers = prepared.headers_mut();
        *headers = request.headers.clone();
        for (name, value) in [(header::USER_AGENT, USER_AGENT), (header::ACCEPT_ENCODING, GZIP)] {
            headers.entry(name).or_insert(value);
        }
        if let Some(basic) = target.basic {
            headers.entry(header::AUTHORIZATION).or_insert(basic);
        }
        Ok(prepared)
    }

    async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, SendError> {
        let response = self.inner.request(request).await.map_err(|error| classify(&error))?;
        let (parts, body) = response.into_parts();
        let body = match Limited::new(body, LARGEST_ANSWER).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) => return Err(SendError::NoAnswer(innermost(&*error))),
        };
        let body = unpacked(&parts.headers, body)?;
        Ok(Answer::new(parts.status.as_u16(), parts.headers, body))
    }
}

/// The body as it was before it was compressed for the way.
fn unpacked(headers: &HeaderMap, body: Bytes) -> Result<Bytes, SendError> {
    let encoding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
    if !encoding.is_some_and(|encoding| encoding.eq_ignore_ascii_case(b"gzip")) || body.is_empty() {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let most = LARGEST_ANSWER as u64 + 1;
    let read = MultiGzDecoder::new(&*body).take(most).read_to_end(&mut plain);
    match read {
        Ok(_) if plain.len() <= LARGEST_ANSWER => Ok(plain.into()),
        Ok(_) => Err(SendError::NoAnswer(format!(
            "the answer is larger than {LARGEST_ANSWER} bytes"
        ))),
        Err(error) => Err(SendError::NoAnswer(format!("the answer cannot be unpacked: {error}"))),
    }
}

fn classify(error: &legacy::Error) -> SendError {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return SendError::Refused(refused.to_string());
        }
        cause = inner.source();
    }
    if error.is_connect() {
        SendError::NotSent(innermost(error))
    } else {
        SendError::NoAnswer(innermost(error))
    }
}

/// The innermost cause says most, and names no address with secrets in it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(inner) = innermost.source() {
        innermost = inner;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests;
