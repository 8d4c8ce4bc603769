//! Sends requests.

use std::{error::Error as _, net::IpAddr, time::Duration};

use bytes::Bytes;
use switchboard_connect::call::{Answer, HttpRequest};

use super::address::{AddressPolicy, FilteringResolver, Refused};

/// Until a connection stands.
const CONNECT: Duration = Duration::from_secs(10);
/// For the whole call. Notion gives itself 60 s (fact sheet §8), most others less.
const WHOLE: Duration = Duration::from_secs(75);
/// Answers beyond this are cut off.
const LARGEST_ANSWER: usize = 8 << 20;

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
    inner: reqwest::Client,
    policy: AddressPolicy,
}

impl Client {
    /// A client that calls the addresses that `policy` allows.
    ///
    /// # Errors
    /// When the machine's TLS certificates cannot be read.
    pub fn new(policy: AddressPolicy) -> Result<Self, SendError> {
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let inner = reqwest::Client::builder()
            .dns_resolver(FilteringResolver(policy))
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT)
            .timeout(WHOLE)
            .pool_idle_timeout(Duration::from_secs(55))
            .user_agent(concat!("Switchboard/", env!("CARGO_PKG_VERSION")))
            .no_proxy()
            .build()
            .map_err(|error| SendError::NotSent(explain(&error)))?;
        Ok(Self { inner, policy })
    }

    /// Sends one request and reads the whole answer, up to 8 MiB.
    ///
    /// # Errors
    /// [`SendError::NotSent`] and [`SendError::Refused`] promise that nothing reached the vendor.
    pub async fn send(&self, request: &HttpRequest) -> Result<Answer, SendError> {
        let url = reqwest::Url::parse(&request.url)
            .map_err(|error| SendError::Refused(format!("`{}` is no address: {error}", request.url)))?;
        self.check(&url)?;
        let builder = self
            .inner
            .request(request.method.clone(), url)
            .headers(request.headers.clone());
        let response = builder
            .body(request.body.clone())
            .send()
            .await
            .map_err(|error| classify(&error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = read_body(response).await?;
        Ok(Answer::new(status, headers, body))
    }

    /// The resolver never sees addresses that are written out as numbers.
    fn check(&self, url: &reqwest::Url) -> Result<(), SendError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(SendError::Refused(format!(
                "only http and https are called, not {}",
                url.scheme()
            )));
        }
        let host = url
            .host_str()
            .unwrap_or_default()
            .trim_start_matches('[')
            .trim_end_matches(']');
        match host.parse::<IpAddr>() {
            Ok(address) if !self.policy.allows(address) => {
                Err(SendError::Refused(format!("{address} is not a public address")))
            }
            _ => Ok(()),
        }
    }
}

async fn read_body(mut response: reqwest::Response) -> Result<Bytes, SendError> {
    let first = response
        .chunk()
        .await
        .map_err(|error| classify(&error))?
        .unwrap_or_default();
    let mut rest = match response.chunk().await.map_err(|error| classify(&error))? {
        // Most answers come in one piece, which needs no copy.
        None => return Ok(first),
        Some(second) => [first, second].concat(),
    };
    while let Some(chunk) = response.chunk().await.map_err(|error| classify(&error))? {
        rest.extend_from_slice(&chunk);
        if rest.len() > LARGEST_ANSWER {
            return Err(SendError::NoAnswer(format!(
                "the answer is larger than {LARGEST_ANSWER} bytes"
            )));
        }
    }
    Ok(rest.into())
}

fn classify(error: &reqwest::Error) -> SendError {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(refused) = inner.downcast_ref::<Refused>() {
            return SendError::Refused(refused.to_string());
        }
        cause = inner.source();
    }
    if error.is_connect() || error.is_builder() {
        SendError::NotSent(explain(error))
    } else {
        SendError::NoAnswer(explain(error))
    }
}

/// The innermost cause says most, and names no address with secrets in it.
fn explain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "time-out".to_owned()
    } else {
        String::new()
    };
    let mut cause = error.source();
    while let Some(inner) = cause {
        if inner.source().is_none() {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&inner.to_string());
        }
        cause = inner.source();
    }
    if text.is_empty() {
        "the request could not be sent".into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests;
