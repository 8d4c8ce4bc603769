//! Posts the generated messages to the API over HTTP, as a sender would.

use std::{net::SocketAddr, time::Duration};

use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use switchboard_model::problem::{Code, Problem};

use super::{
    generator::{Post, Run, one_more},
    progress::Progress,
};

/// How many requests are under way at once.
const SENDERS: usize = 16;
/// Between two messages of live traffic.
const LIVE_PERIOD: Duration = Duration::from_millis(500);

/// What the API said to the posts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Posted {
    /// Events that it accepted.
    pub accepted: u64,
    /// Events that it recognised as repeats.
    pub repeats: u64,
}

/// A sender of events.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    key: String,
}

impl Client {
    /// A sender with this API key.
    ///
    /// # Errors
    /// When the machine lets no HTTP client be made.
    pub fn new(address: SocketAddr, key: &str) -> Result<Self, Problem> {
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().no_proxy().build().map_err(|error| {
            Problem::new(
                Code::Internal,
                format!("No HTTP client can be made: {error}"),
                "Check the machine.",
            )
        })?;
        Ok(Self {
            http,
            url: format!("http://{address}/v1/events"),
            key: key.to_owned(),
        })
    }

    /// Posts a whole run.
    ///
    /// # Errors
    /// When the API does not take a post.
    pub async fn post_all(&self, run: &Run, progress: &Progress<'_>) -> Result<Posted, Problem> {
        self.post_bodies(run.posts.iter().map(|post| body(run, post)), progress)
            .await
    }

    /// Posts these bodies, each an event or a list of events, some at the same time.
    ///
    /// # Errors
    /// When the API does not take one.
    pub async fn post_bodies(
        &self,
        bodies: impl Iterator<Item = Value>,
        progress: &Progress<'_>,
    ) -> Result<Posted, Problem> {
        let posts = stream::iter(bodies).map(|body| async move {
            let posted = self.post(&body).await?;
            progress.posted(posted.accepted);
            Ok::<_, Problem>(posted)
        });
        posts
            .buffer_unordered(SENDERS)
            .try_fold(Posted::default(), |sum, posted| async move {
                Ok(Posted {
                    accepted: sum.accepted + posted.accepted,
                    repeats: sum.repeats + posted.repeats,
                })
            })
            .await
    }

    /// Posts a message now and then, for ever.
    ///
    /// # Errors
    /// When the API does not take one.
    pub async fn go_on(&self, from: u32, seed: u64) -> Result<(), Problem> {
        let mut tick = tokio::time::interval(LIVE_PERIOD);
        for number in from.. {
            tick.tick().await;
            self.post(&one_more(number, seed).body()).await?;
        }
        Ok(())
    }

    async fn post(&self, body: &Value) -> Result<Posted, Problem> {
        let text = serde_json::to_vec(body).unwrap_or_default();
        let request = self
            .http
            .post(&self.url)
            .bearer_auth(&self.key)
            .header("content-type", "application/json");
        let response = request
            .body(text)
            .send()
            .await
            .map_err(|error| refused(&error.to_string()))?;
        let status = response.status().as_u16();
        let answer = response.bytes().await.map_err(|error| refused(&error.to_string()))?;
        let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
        if status != 202 {
            return Err(refused(&format!("{status} {answer}")));
        }
        let receipts = match answer.get("results").and_then(Value::as_array) {
            Some(results) => results.iter().collect(),
            None => vec![&answer],
        };
        let count = |status: &str| receipts.iter().filter(|receipt| receipt["status"] == status).count() as u64;
        let posted = Posted {
            accepted: count("accepted"),
            repeats: count("duplicate"),
        };
        if posted.accepted + posted.repeats == receipts.len() as u64 {
            Ok(posted)
        } else {
            Err(refused(&answer.to_string()))
        }
    }
}

fn body(run: &Run, post: &Post) -> Value {
    let mut bodies = post.messages.iter().map(|number| run.messages[*number as usize].body());
    if post.messages.len() == 1 {
        bodies.next().unwrap_or_default()
    } else {
        bodies.collect()
    }
}

fn refused(why: &str) -> Problem {
    let why: String = why.chars().take(500).collect();
    Problem::new(
        Code::Internal,
        format!("The API did not take a generated event: {why}"),
        "Please report this.",
    )
}
