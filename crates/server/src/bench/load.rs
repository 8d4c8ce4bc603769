//! The load generator: kept connections in one thread of its own, each posting one message after the other, as fast as the
//! answers come or at a fixed rate.

use std::{
    ops::Range,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use futures::future::join_all;
use switchboard_model::problem::Problem;
use tokio::sync::{Mutex, mpsc::UnboundedReceiver, watch};

use super::{
    connection::{Connection, Destination},
    failure,
    ledger::Ledger,
    message::Template,
    pace::{at_rate, pause},
};

/// Between two attempts to connect to something that does not answer.
const CONNECT_AGAIN: Duration = Duration::from_millis(5);

/// When messages are posted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pace {
    /// Each connection posts as soon as the message before was answered.
    Full,
    /// The same, until so many messages were posted.
    Count(u64),
    /// So many per second, whether answers come or not.
    Rate(f64),
}

/// What is posted where.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where to.
    pub to: Destination,
    /// How many connections are kept.
    pub connections: usize,
    /// When.
    pub pace: Pace,
    /// The type of the messages.
    pub kind: &'static str,
    /// Bytes of a message.
    pub bytes: usize,
    /// Messages in one request.
    pub at_once: u64,
}

/// What the answers said.
#[derive(Debug, Default)]
pub struct Answers {
    /// Requests that were told to come again later (429).
    pub told_to_wait: AtomicU64,
    /// Requests that were refused in another way.
    pub refused: AtomicU64,
    /// Connections that broke before the answer.
    pub broken: AtomicU64,
    /// The first refusal: status and the beginning of the body.
    pub refusal: OnceLock<String>,
}

#[derive(Debug)]
struct Shared {
    plan: Plan,
    template: Template,
    ledger: Arc<Ledger>,
    answers: Arc<Answers>,
    tickets: Option<Mutex<UnboundedReceiver<Ticket>>>,
    stopped: watch::Receiver<bool>,
}

#[derive(Debug)]
struct Ticket {
    numbers: Range<u64>,
    due: Instant,
}

/// A load that is being posted.
#[derive(Debug)]
pub struct Load {
    answers: Arc<Answers>,
    stop: watch::Sender<bool>,
    pacer: Option<mpsc::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// Begins to post.
    ///
    /// # Errors
    /// When the machine gives no thread.
    pub fn start(plan: Plan, ledger: Arc<Ledger>) -> Result<Self, Problem> {
        let answers = Arc::new(Answers::default());
        let (stop, stopped) = watch::channel(false);
        let mut threads = Vec::new();
        let (mut pacer, mut tickets) = (None, None);
        if let Pace::Rate(per_second) = plan.pace {
            let (going, ended) = mpsc::channel();
            let (give, take) = tokio::sync::mpsc::unbounded_channel();
            let (ledger, at_once) = (Arc::clone(&ledger), plan.at_once);
            threads.push(thread("bench-pace", move || {
                at_rate(per_second, &ended, |due| {
                    let numbers = ledger.take(at_once, u64::MAX);
                    give.send(Ticket { numbers, due }).is_ok()
                });
            })?);
            (pacer, tickets) = (Some(going), Some(Mutex::new(take)));
        }
        let shared = Arc::new(Shared {
            template: Template::new(plan.kind, ledger.run(), plan.bytes),
            plan,
            ledger,
            answers: Arc::clone(&answers),
            tickets,
            stopped,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| failure("The load generator cannot start", error))?;
        threads.push(thread("bench-load", move || {
            let workers = (0..shared.plan.connections).map(|_| work(Arc::clone(&shared)));
            let workers: Vec<_> = workers.map(|worker| runtime.spawn(worker)).collect();
            runtime.block_on(join_all(workers));
        })?);
        Ok(Self {
            answers,
            stop,
            pacer,
            threads,
        })
    }

    /// Ends the load: what was posted is still waited for, unless nobody answers. Says what the answers were.
    pub async fn stop(self) -> Arc<Answers> {
        self.stop.send_replace(true);
        self.end().await
    }

    /// Waits until everything of a counted load is posted.
    pub async fn end(mut self) -> Arc<Answers> {
        self.pacer = None;
        let threads = std::mem::take(&mut self.threads);
        // A thread that panicked has said so; what it counted until then stays.
        drop(tokio::task::spawn_blocking(|| threads.into_iter().for_each(|thread| drop(thread.join()))).await);
        Arc::clone(&self.answers)
    }
}

fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, Problem> {
    let builder = std::thread::Builder::new().name(name.into());
    builder
        .spawn(work)
        .map_err(|error| failure("The load generator cannot start", error))
}

async fn work(shared: Arc<Shared>) {
    let mut connection = None;
    while let Some(ticket) = shared.next().await {
        shared.post(ticket, &mut connection).await;
    }
}

impl Shared {
    async fn next(&self) -> Option<Ticket> {
        if let Some(tickets) = &self.tickets {
            return tickets.lock().await.recv().await;
        }
        if *self.stopped.borrow() {
            return None;
        }
        let limit = match self.plan.pace {
            Pace::Count(count) => count,
            Pace::Full | Pace::Rate(_) => u64::MAX,
        };
        let numbers = self.ledger.take(self.plan.at_once, limit);
        (!numbers.is_empty()).then(|| Ticket {
            numbers,
            due: Instant::now(),
        })
    }

    /// Posts until there is an answer that settles the matter, or until the connection breaks: then nobody knows.
    async fn post(&self, ticket: Ticket, connection: &mut Option<Connection>) {
        let Ticket { numbers, due } = ticket;
        let body = self.template.messages(numbers.clone());
        self.note(&numbers, |number| self.ledger.sent(number, due));
        loop {
            let Some(open) = connection else {
                *connection = Connection::open(self.plan.to.address).await;
                if connection.is_none() && self.stopped_within(CONNECT_AGAIN).await {
                    return;
                }
                continue;
            };
            let Some(reply) = open.post(&self.plan.to, body.clone()).await else {
                self.answers.broken.fetch_add(1, Relaxed);
                *connection = None;
                return;
            };
            if (200..300).contains(&reply.status) {
                let now = Instant::now();
                self.note(&numbers, |number| self.ledger.accepted(number, now));
                return;
            }
            let Some(wait) = reply.wait else {
                self.answers.refused.fetch_add(1, Relaxed);
                let text = String::from_utf8_lossy(&reply.body[..reply.body.len().min(400)]).into_owned();
                let _ = self.answers.refusal.set(format!("{} {text}", reply.status));
                return;
            };
            self.answers.told_to_wait.fetch_add(1, Relaxed);
            if self.stopped_within(wait).await {
                return;
            }
            if self.tickets.is_none() {
                // A sender that obeys counts from when it may send; at a fixed rate the message is late, whoever is to blame.
                let now = Instant::now();
                self.note(&numbers, |number| self.ledger.sent(number, now));
            }
        }
    }

    fn note(&self, numbers: &Range<u64>, note: impl Fn(u64)) {
        numbers.clone().for_each(note);
    }

    async fn stopped_within(&self, time: Duration) -> bool {
        let mut stopped = self.stopped.clone();
        tokio::select! {
            // An error means that nobody wants more.
            _ = stopped.wait_for(|stopped| *stopped) => true,
            () = pause(time) => false,
        }
    }
}
