//! The SMTP side: takes conversations and lets the simulated mail server answer, under the same dial as every vendor.
//!
//! What the dial strikes are the sign-in, the check (NOOP) and the message: each is a call, carried out when its last line has come. So a
//! connection can be cut before or after the server has taken a message. It speaks plain text only: whoever tests TLS needs a certificate
//! that the tester's machine trusts.

mod conversation;
mod line;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::simulation::Simulation;

/// The vendor that answers.
pub const SLUG: &str = "email";

/// How many conversations each user has.
type Sessions = Arc<Mutex<HashMap<String, u64>>>;

/// Takes connections until `stop` changes; then closes them all.
pub async fn accept(listener: TcpListener, simulation: Arc<Simulation>, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    let sessions = Sessions::default();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            accepted = listener.accept() => match accepted {
                // A server that is away says nothing.
                Ok(_) if is_down(&simulation) => {}
                Ok((stream, from)) => {
                    let _ = stream.set_nodelay(true);
                    tracing::debug!(%from, "a mail client has called");
                    connections.spawn(conversation::hold(stream, Arc::clone(&simulation), Arc::clone(&sessions)));
                }
                Err(error) => tracing::warn!(%error, "a connection to the simulated mail server could not be taken"),
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
    connections.shutdown().await;
}

fn is_down(simulation: &Simulation) -> bool {
    simulation.dial(SLUG).is_ok_and(|dial| dial.down)
}
