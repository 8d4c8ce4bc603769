//! Receives what is pushed: verified, written down raw, answered; processed afterwards by [`worker`].
//!
//! A pusher is answered as soon as its request is on the disk. What comes of it (records, events) is committed in the transaction that
//! settles the callback, so that it happens once, whatever happens to the hub in between.

mod completion;
mod outcome;
mod process;
mod refusals;
mod worker;

use std::sync::Arc;

use switchboard_connect::source::{NoLists, Received, Reply, Request};
use switchboard_model::{problem::Problem, template::Lookups};

pub(crate) use process::request_of;
pub use process::{Preview, preview};
pub use refusals::{Refusal, Refusals};
pub(crate) use worker::{Bell, run};

use crate::{
    attempt::Desk,
    configuration::{Configuration, Receiver},
    failpoint,
    intake::Waiting,
    store::{CallbackState, Kept, NewCallback, RawRequest},
};

/// The answer to a request, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// What the pusher gets.
    pub reply: Reply,
    /// For counts: `kept`, `repeat`, `test`, `handshake`, `refused`, `failed`.
    pub result: &'static str,
}

/// Receives a request at `path`, which is what stands behind `/in/`. `None`: no source has such a path.
pub async fn receive(
    desk: &Desk,
    configuration: &Configuration,
    waiting: &Waiting,
    bell: &Bell,
    mut request: Request,
) -> Option<Arrived> {
    let receiver = find(configuration, &mut request)?;
    let arrived = arrive(desk, configuration, waiting, receiver, request).await;
    if arrived.result == "kept" {
        bell.ring();
    }
    desk.metrics.received(&receiver.spec.source, arrived.result);
    Some(arrived)
}

/// The source of the path; or, where a secret stands behind it, of the path without its last segment.
fn find<'c>(configuration: &'c Configuration, request: &mut Request) -> Option<&'c Arc<Receiver>> {
    let path = request.path.trim_matches('/').to_owned();
    if let Some(receiver) = configuration.receiver_at(&path) {
        return Some(receiver);
    }
    let (parent, tail) = path.rsplit_once('/')?;
    let receiver = configuration.receiver_at(parent)?;
    if !receiver.source.as_ref().is_ok_and(|source| source.reads_tail()) {
        return None;
    }
    request.tail = format!("/{tail}");
    Some(receiver)
}

async fn arrive(
    desk: &Desk,
    configuration: &Configuration,
    waiting: &Waiting,
    receiver: &Receiver,
    request: Request,
) -> Arrived {
    let Ok(source) = &receiver.source else {
        return failed(Reply {
            status: 503,
            headers: Vec::new(),
            body: Vec::new(),
        });
    };
    if !receiver.spec.enabled {
        return failed(source.failed(&request));
    }
    let now_ms = desk.clock.now_ms();
    let lists = lists_of(configuration, receiver);
    match source.receive(&request, &*lists, now_ms) {
        Received::Handshake(reply) => Arrived {
            reply,
            result: "handshake",
        },
        Received::Refused { reason, reply } => {
            receiver.refusals.add(Refusal {
                at_ms: now_ms,
                from: request.from.map(|from| from.to_string()).unwrap_or_default(),
                method: request.method.clone(),
                bytes: request.body.len(),
                reason,
            });
            Arrived {
                reply,
                result: "refused",
            }
        }
        Received::Callback {
            delivery,
            test,
            mut notes,
            reply,
        } => {
            let masked = source.mask(&request);
            let test = test || receiver.spec.test_mode;
            if receiver.spec.test_mode {
                notes.push("the source is in test mode".into());
            }
            let failure = source.failed(&request);
            let callback = NewCallback {
                workspace: receiver.workspace,
                source: receiver.key.clone(),
                received_ms: now_ms,
                request: RawRequest {
                    method: request.method,
                    path: masked.path,
                    query: masked.query,
                    headers: masked.headers,
                    from: request.from.map(|from| from.to_string()).unwrap_or_default(),
                    url: masked.url,
                },
                body: request.body,
                delivery,
                state: if test {
                    CallbackState::Test
                } else {
                    CallbackState::Waiting
                },
                notes,
            };
            match keep(desk, waiting, callback).await {
                Ok(Kept::New(_)) => Arrived {
                    reply,
                    result: if test { "test" } else { "kept" },
                },
                Ok(Kept::Repeat(_)) => Arrived {
                    reply,
                    result: "repeat",
                },
                Err(problem) => {
                    tracing::error!(source = receiver.key, %problem, "a callback could not be kept");
                    failed(failure)
                }
            }
        }
    }
}

/// Writes a callback down. When too much waits for the store already, it is not taken.
async fn keep(desk: &Desk, waiting: &Waiting, callback: NewCallback) -> Result<Kept, Problem> {
    let _place = waiting.enter(1, callback.body.len())?;
    let kept = desk.store.keep(callback).await?;
    failpoint::reach(failpoint::CALLBACK_KEPT);
    Ok(kept)
}

/// The pusher comes again.
fn failed(mut reply: Reply) -> Arrived {
    let named = reply
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("retry-after"));
    if reply.status >= 500 && !named {
        reply.headers.push(("Retry-After".into(), "5".into()));
    }
    Arrived {
        reply,
        result: "failed",
    }
}

/// The lists of the source's workspace.
fn lists_of(configuration: &Configuration, receiver: &Receiver) -> Arc<dyn Lookups + Send> {
    match configuration.workspace(receiver.workspace) {
        Some(workspace) => Arc::clone(&workspace.lists) as Arc<dyn Lookups + Send>,
        None => Arc::new(NoLists),
    }
}
