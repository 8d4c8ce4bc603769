//! Receives what is pushed: verified, written down raw, answered; processed afterwards by [`worker`].
//!
//! A pusher is answered as soon as its request is on the disk. What comes of it (records, events) is committed in the transaction that
//! settles the callback, so that it happens once, whatever happens to the hub in between.

mod apart;
mod completion;
mod outcome;
mod process;
mod refusals;
mod worker;

use std::sync::Arc;

use switchboard_connect::source::{NoLists, Received, Reply, Request, Source};
use switchboard_model::{problem::Problem, template::Lookups};

pub(crate) use process::request_of;
pub use process::{Preview, preview};
pub use refusals::{Refusal, Refusals};
pub(crate) use worker::{Bell, run};

use self::apart::{RECEIVED, apart};
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
    let (receiver, tail) = find(configuration, &request.path)?;
    request.tail = tail;
    let arrived = arrive(desk, configuration, waiting, receiver, request).await;
    if arrived.result == "kept" {
        bell.ring();
    }
    desk.metrics.received(&receiver.spec.source, arrived.result);
    Some(arrived)
}

/// Whether there is a source that takes requests at this path.
pub(crate) fn is_expected(configuration: &Configuration, path: &str) -> bool {
    find(configuration, path).is_some()
}

/// The source of the path; or, where a secret stands behind it, of the path without its last segment, which comes with it.
fn find<'c>(configuration: &'c Configuration, path: &str) -> Option<(&'c Arc<Receiver>, String)> {
    let path = path.trim_matches('/');
    if let Some(receiver) = configuration.receiver_at(path) {
        return Some((receiver, String::new()));
    }
    let (parent, tail) = path.rsplit_once('/')?;
    let receiver = configuration.receiver_at(parent)?;
    let reads_tail = receiver.source.as_ref().is_ok_and(|source| source.reads_tail());
    reads_tail.then(|| (receiver, format!("/{tail}")))
}

async fn arrive(
    desk: &Desk,
    configuration: &Configuration,
    waiting: &Waiting,
    receiver: &Arc<Receiver>,
    request: Request,
) -> Arrived {
    let Ok(source) = &receiver.source else {
        return unusable();
    };
    if !receiver.spec.enabled {
        return failed(source.failed(&request));
    }
    let now_ms = desk.clock.now_ms();
    let place = apart::Place::for_body(request.body.len(), &RECEIVED).await;
    let looked = {
        let (receiver, lists) = (Arc::clone(receiver), lists_of(configuration, receiver));
        apart(place, move || {
            let received = receiver
                .source
                .as_ref()
                .ok()
                .map(|source| source.receive(&request, &*lists, now_ms));
            (received, request)
        })
    };
    let (_, (Some(received), request)) = looked.await else {
        return unusable();
    };
    match received {
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
            notes,
            reply,
        } => {
            let failure = source.failed(&request);
            let callback = callback_of(receiver, source, request, (delivery, test, notes), now_ms);
            let test = callback.state == CallbackState::Test;
            match keep(desk, waiting, callback).await {
                Ok(kept) => Arrived {
                    reply,
                    result: match kept {
                        Kept::Repeat(_) => "repeat",
                        Kept::New(_) if test => "test",
                        Kept::New(_) => "kept",
                    },
                },
                Err(problem) => {
                    tracing::error!(source = receiver.key, %problem, "a callback could not be kept");
                    failed(failure)
                }
            }
        }
    }
}

/// What is written down of a request.
fn callback_of(
    receiver: &Receiver,
    source: &Source,
    request: Request,
    (delivery, test, mut notes): (Option<String>, bool, Vec<String>),
    received_ms: i64,
) -> NewCallback {
    let masked = source.mask(&request);
    if receiver.spec.test_mode {
        notes.push("the source is in test mode".into());
    }
    let test = test || receiver.spec.test_mode;
    NewCallback {
        workspace: receiver.workspace,
        source: receiver.key.clone(),
        received_ms,
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
    }
}

/// Writes a callback down. When too much waits for the store already, it is not taken.
async fn keep(desk: &Desk, waiting: &Waiting, callback: NewCallback) -> Result<Kept, Problem> {
    let _place = waiting.enter(1, callback.body.len())?;
    let kept = desk.store.keep(callback).await?;
    failpoint::reach(failpoint::CALLBACK_KEPT);
    Ok(kept)
}

/// The source cannot say anything.
fn unusable() -> Arrived {
    failed(Reply {
        status: 503,
        headers: Vec::new(),
        body: Vec::new(),
    })
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
