//! The simulated vendor: takes anything over HTTP/1.1, in one thread of its own, and notes when which message arrived.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU16, AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use parking_lot::{Mutex, RwLock};
use switchboard_model::problem::Problem;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{oneshot, watch},
};

use super::{failure, ledger::Ledger, message::numbers, pace::pause};

/// How it answers at the moment, and what it has seen.
#[derive(Debug)]
struct State {
    ledgers: RwLock<Vec<Arc<Ledger>>>,
    status: AtomicU16,
    delay_us: AtomicU64,
    open: watch::Sender<bool>,
    calls: AtomicU64,
    failed: AtomicU64,
    records: AtomicU64,
    repeats: AtomicU64,
    recognises: AtomicBool,
    keys: Mutex<HashSet<Box<[u8]>>>,
}

/// A running sink; it ends with this value.
#[derive(Debug)]
pub struct Sink {
    address: SocketAddr,
    state: Arc<State>,
    _running: oneshot::Sender<()>,
}

/// What a sink has seen so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Calls.
    pub calls: u64,
    /// Calls that it answered with a failure, because it was told to.
    pub failed: u64,
    /// Records in the calls that it took.
    pub records: u64,
    /// Calls that it recognised as repetitions by their `Idempotency-Key`.
    pub repeats: u64,
}

impl Sink {
    /// Listens on this address; port 0 takes a free one.
    ///
    /// # Errors
    /// When the address cannot be used.
    pub fn start(listen: SocketAddr) -> Result<Self, Problem> {
        let wrong = |error| failure("The simulated vendor cannot start", error);
        let listener = std::net::TcpListener::bind(listen).map_err(wrong)?;
        listener.set_nonblocking(true).map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let state = Arc::new(State {
            ledgers: RwLock::default(),
            status: AtomicU16::new(200),
            delay_us: AtomicU64::new(0),
            open: watch::channel(true).0,
            calls: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            records: AtomicU64::new(0),
            repeats: AtomicU64::new(0),
            recognises: AtomicBool::new(false),
            keys: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(wrong)?;
        let (running, ended) = oneshot::channel();
        let serving = Arc::clone(&state);
        std::thread::Builder::new()
            .name("bench-sink".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = listen_on(listener, serving) => {}
                        _ = ended => {}
                    }
                });
            })
            .map_err(wrong)?;
        Ok(Self {
            address,
            state,
            _running: running,
        })
    }

    /// Its address for a connection.
    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// A ledger for a new run, in which arrivals are noted from now on.
    pub fn ledger(&self) -> Arc<Ledger> {
        let ledger = Arc::new(Ledger::new(rand::random()));
        self.state.ledgers.write().push(Arc::clone(&ledger));
        ledger
    }

    /// Answers with this status from now on; what is no success notes no arrivals.
    pub fn answer(&self, status: u16) {
        self.state.status.store(status, Relaxed);
    }

    /// Takes so long for each call from now on.
    pub fn delay(&self, delay: Duration) {
        self.state
            .delay_us
            .store(u64::try_from(delay.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    /// Holds all calls (`false`) or lets them go on (`true`).
    pub fn open(&self, open: bool) {
        self.state.open.send_replace(open);
    }

    /// Recognises repetitions by their `Idempotency-Key` from now on, and takes each call once.
    pub fn recognise_repeats(&self) {
        self.state.recognises.store(true, Relaxed);
    }

    /// What it has seen so far.
    pub fn seen(&self) -> Seen {
        Seen {
            calls: self.state.calls.load(Relaxed),
            failed: self.state.failed.load(Relaxed),
            records: self.state.records.load(Relaxed),
            repeats: self.state.repeats.load(Relaxed),
        }
    }
}

async fn listen_on(listener: std::net::TcpListener, state: Arc<State>) {
    let Ok(listener) = TcpListener::from_std(listener) else {
        return;
    };
    loop {
        // A connection that cannot be taken is tried again by its caller.
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&state)));
        }
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: http::Request<Incoming>| {
        let state = Arc::clone(&state);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await?.to_bytes();
            let status = state.take(&head.headers, &body).await;
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = StatusCode::from_u16(status).unwrap_or_default();
            Ok::<_, hyper::Error>(response)
        }
    });
    // Callers that break connections are what some scenarios are about.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

impl State {
    async fn take(&self, headers: &HeaderMap, body: &[u8]) -> u16 {
        let arrived = Instant::now();
        self.calls.fetch_add(1, Relaxed);
        if !*self.open.borrow() {
            // The sender of the watch lives as long as this state.
            let _ = self.open.subscribe().wait_for(|open| *open).await;
        }
        let delay = self.delay_us.load(Relaxed);
        if delay > 0 {
            pause(Duration::from_micros(delay)).await;
        }
        let status = self.status.load(Relaxed);
        if !(200..300).contains(&status) {
            self.failed.fetch_add(1, Relaxed);
        } else if self.is_repeat(headers) {
            self.repeats.fetch_add(1, Relaxed);
        } else {
            self.note(body, arrived);
        }
        status
    }

    fn is_repeat(&self, headers: &HeaderMap) -> bool {
        if !self.recognises.load(Relaxed) {
            return false;
        }
        let key = headers.get("idempotency-key");
        key.is_some_and(|key| !self.keys.lock().insert(key.as_bytes().into()))
    }

    fn note(&self, body: &[u8], arrived: Instant) {
        let ledgers = self.ledgers.read();
        for (run, number) in numbers(body) {
            self.records.fetch_add(1, Relaxed);
            if let Some(ledger) = ledgers.iter().find(|ledger| ledger.run() == run) {
                ledger.arrived(number, arrived);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{
        connection::{Connection, Destination},
        message::Template,
    };

    #[tokio::test]
    async fn a_message_is_noted_once_it_is_taken() {
        let sink = Sink::start(([127, 0, 0, 1], 0).into()).unwrap();
        let ledger = sink.ledger();
        let batch = Template::new("message.received", ledger.run(), 400).messages(0..2);
        ledger.take(2, u64::MAX);
        let to = Destination::events(sink.address, None).unwrap();
        let mut connection = Connection::open(sink.address).await.unwrap();
        sink.answer(500);
        assert_eq!(connection.post(&to, batch.clone()).await.unwrap().status, 500);
        assert_eq!(ledger.arrived_so_far(), 0);
        sink.answer(200);
        assert_eq!(connection.post(&to, batch).await.unwrap().status, 200);
        assert_eq!(ledger.arrived_so_far(), 2);
        let expected = Seen {
            calls: 2,
            failed: 1,
            records: 2,
            repeats: 0,
        };
        assert_eq!(sink.seen(), expected);
    }
}
