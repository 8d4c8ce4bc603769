//! Posts the events of a run over HTTP, as senders do: what was not answered is posted again with the same Idempotency-Key.

use std::time::Duration;

use futures::future::try_join_all;
use parking_lot::Mutex;
use serde_json::Value;
use switchboard_model::problem::Problem;
use tokio::{sync::watch, time::timeout};

use super::{
    compare::Answer,
    node::{Caller, broken},
    plan::{Plan, Post},
};

/// A hub that was killed is started again within this; a request that failed for another reason is repeated after it.
const RESTART: Duration = Duration::from_secs(5);
/// When the API says "not now".
const BUSY: Duration = Duration::from_millis(50);

/// Which hubs are there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// How often this changed, from 0.
    pub generation: u32,
    /// Where they listen; none before the first start.
    pub addresses: Vec<String>,
}

/// Senders at work.
#[derive(Debug)]
pub struct Senders<'a> {
    plan: &'a Plan,
    caller: &'a Caller,
    stage: watch::Receiver<Stage>,
    /// Between two posts of one sender.
    pace: Option<Duration>,
    answers: Mutex<Vec<Answer>>,
}

/// What came back.
enum Reply {
    Accepted(Vec<String>),
    Busy,
    /// Nothing; whether the request may have arrived.
    Nothing {
        may_have_arrived: bool,
    },
}

impl<'a> Senders<'a> {
    /// The senders of a plan, who look at `stage` for the hubs.
    pub fn new(plan: &'a Plan, caller: &'a Caller, stage: watch::Receiver<Stage>, pace: Option<Duration>) -> Self {
        Self {
            plan,
            caller,
            stage,
            pace,
            answers: Mutex::new(vec![Answer::None; plan.events.len()]),
        }
    }

    /// Posts everything, each sender in its order and all at the same time. Answers what was answered, event by event.
    ///
    /// # Errors
    /// When the API refuses an event.
    pub async fn post_all(&self) -> Result<Vec<Answer>, Problem> {
        try_join_all((0..self.plan.senders.len()).map(|sender| self.post_one_by_one(sender))).await?;
        Ok(self.answers.lock().clone())
    }

    async fn post_one_by_one(&self, sender: usize) -> Result<(), Problem> {
        let mut stage = self.stage.clone();
        let mut pace = self.pace.map(tokio::time::interval);
        for post in &self.plan.senders[sender] {
            if let Some(pace) = &mut pace {
                pace.tick().await;
            }
            if self.post(post, sender, &mut stage).await? && post.repeated {
                self.post(post, sender, &mut stage).await?;
            }
        }
        Ok(())
    }

    /// Posts until there is an answer, unless the sender gives up; whether there is one.
    async fn post(&self, post: &Post, sender: usize, stage: &mut watch::Receiver<Stage>) -> Result<bool, Problem> {
        for turn in sender.. {
            let ready = |stage: &Stage| stage.generation >= post.generation && !stage.addresses.is_empty();
            let now = stage.wait_for(ready).await.map_err(|_| gone())?.clone();
            let address = &now.addresses[turn % now.addresses.len()];
            match self.request(address, post).await? {
                Reply::Accepted(ids) => {
                    let mut answers = self.answers.lock();
                    for (event, id) in post.events.iter().zip(ids) {
                        answers[*event] = Answer::Accepted(id);
                    }
                    return Ok(true);
                }
                Reply::Nothing { may_have_arrived: true } if post.given_up => return Ok(false),
                Reply::Nothing { .. } => {
                    let restarted = stage.wait_for(|stage| stage.generation > now.generation);
                    // Without a restart it was something else, and is tried again all the same.
                    drop(timeout(RESTART, restarted).await);
                }
                Reply::Busy => drop(timeout(BUSY, stage.changed()).await),
            }
        }
        Ok(false)
    }

    async fn request(&self, address: &str, post: &Post) -> Result<Reply, Problem> {
        let mut bodies = post
            .events
            .iter()
            .map(|event| self.plan.events[*event].body(&self.plan.mark));
        let body = match post.events.len() {
            1 => bodies.next().unwrap_or_default(),
            _ => bodies.collect(),
        };
        let request = self
            .caller
            .http
            .post(format!("{address}/v1/events"))
            .bearer_auth(&self.caller.key)
            .header("content-type", "application/json")
            .header("idempotency-key", &post.key)
            .body(body.to_string());
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                return Ok(Reply::Nothing {
                    may_have_arrived: !error.is_connect(),
                });
            }
        };
        let status = response.status().as_u16();
        let Ok(text) = response.text().await else {
            return Ok(Reply::Nothing { may_have_arrived: true });
        };
        match status {
            202 => read_ids(&text, post.events.len())
                .map(Reply::Accepted)
                .ok_or_else(|| broken(&format!("its answer to a post is {text}"))),
            429 | 503 => Ok(Reply::Busy),
            _ => Err(broken(&format!("it refused a post with {status}: {text}"))),
        }
    }
}

fn gone() -> Problem {
    broken("nobody starts it any more")
}

/// The ids in the answer to a post of so many events, when all were taken.
fn read_ids(text: &str, events: usize) -> Option<Vec<String>> {
    let answer: Value = serde_json::from_str(text).ok()?;
    let receipts: Vec<&Value> = match answer.get("results").and_then(Value::as_array) {
        Some(results) => results.iter().collect(),
        None => vec![&answer],
    };
    let taken = |receipt: &&Value| receipt["status"] == "accepted" || receipt["status"] == "duplicate";
    let ids: Option<Vec<String>> = receipts
        .iter()
        .filter(|receipt| taken(receipt))
        .map(|receipt| receipt["id"].as_str().map(str::to_owned))
        .collect();
    ids.filter(|ids| ids.len() == events)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_every_event_of_the_post_or_is_none() {
        let one = r#"{"id": "a", "status": "accepted"}"#;
        let two = r#"{"results": [{"id": "a", "status": "accepted"}, {"id": "b", "status": "duplicate"}]}"#;
        let part = r#"{"results": [{"id": "a", "status": "accepted"}, {"status": "rejected"}]}"#;
        assert_eq!(read_ids(one, 1), Some(vec!["a".into()]));
        assert_eq!(read_ids(two, 2), Some(vec!["a".into(), "b".into()]));
        assert_eq!(read_ids(part, 2), None);
        assert_eq!(read_ids("<html>", 1), None);
    }
}
