//! Measures the embedded store alone: `cargo run --release -p switchboard-hub --example store -- FOLDER [EVENTS] [STORED]`.
//!
//! Accepts EVENTS events of 1 KB with fingerprints from 64 callers, settles them in groups of 50 with one call each, does both at once, and
//! archives them; with STORED, after so many events have been put into the history. Prints one line per figure.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Map, json};
use switchboard_hub::{
    clock::{Clock, SystemClock},
    store::{
        CallRecord, ConfigurationChange, ConnectionWrite, DeliveryFilter, Fence, Filling, Fingerprint, History,
        Journal, LinkChange, NewDelivery, NewEvent, Outbox, Page, Pending, Register, Settlement, sqlite::SqliteStore,
    },
};
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, DeliveryId, WorkspaceId},
};

const CALLERS: usize = 64;
const GROUP: usize = 50;

#[derive(Clone)]
struct Bench {
    store: SqliteStore,
    workspace: WorkspaceId,
    connection: ConnectionId,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = PathBuf::from(arguments.next().expect("a folder"));
    let mut number = |default: usize| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (events, stored) = (number(100_000), number(0));
    std::fs::create_dir_all(&folder).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(folder, events, stored));
}

async fn run(folder: PathBuf, events: usize, stored: usize) {
    let began = Instant::now();
    let store = SqliteStore::open(&folder.join("switchboard.db"), Arc::new(SystemClock)).unwrap();
    let revision = store.revision().await.unwrap();
    println!(
        "open and first read: {:.1} ms (revision {revision})",
        millis(began.elapsed())
    );
    let bench = Bench::new(store).await;
    if stored > 0 {
        bench.fill(stored).await;
    }
    bench.accept(events, 0).await;
    bench.settle().await;
    let (accepting, settling) = (bench.clone(), bench.clone());
    let both = tokio::spawn(async move { accepting.accept(events, events).await });
    while !both.is_finished() {
        settling.settle().await;
    }
    both.await.unwrap();
    settling.settle().await;
    bench.archive().await;
    bench.reads(events).await;
    bench.drop_oldest().await;
    bench.store.close();
}

impl Bench {
    async fn new(store: SqliteStore) -> Self {
        let workspace = store.workspace("main").await.unwrap();
        let write = ConnectionWrite {
            key: "crm".into(),
            spec: json!({}),
            sealed: vec![1],
            state: ConnectionState::Active,
            reason: None,
            kept: None,
        };
        let change = ConfigurationChange {
            connections: vec![write],
            routes: vec![],
            now_ms: SystemClock.now_ms(),
            ..ConfigurationChange::default()
        };
        store.configure(workspace, change).await.unwrap();
        let connection = store.configuration().await.unwrap().connections[0].id;
        Self {
            store,
            workspace,
            connection,
        }
    }

    fn event(&self, number: usize) -> NewEvent {
        let mut key = [0; 16];
        // Scattered like a digest.
        let spread = (number as u128 + SystemClock.now_ms() as u128 * 1_000_003)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        key.copy_from_slice(&spread.to_be_bytes());
        NewEvent {
            workspace: self.workspace,
            kind: EventType::find("message.received").unwrap(),
            received_ms: SystemClock.now_ms(),
            data: Map::from_iter([
                ("messageContent".to_owned(), json!("x".repeat(900))),
                ("from".to_owned(), json!(format!("+375 29 {number}"))),
            ])
            .into(),
            fingerprint: Some(Fingerprint { key, content: [1; 8] }),
            deliveries: vec![NewDelivery {
                connection: self.connection,
                object: "lead".into(),
                record_key: Some(format!("phone:{number}")),
                place: None,
                options: None,
                fallback: None,
            }],
            runs: vec![],
            note: None,
        }
    }

    async fn accept(&self, events: usize, first: usize) {
        let began = Instant::now();
        let callers = (0..CALLERS).map(|caller| {
            let bench = self.clone();
            tokio::spawn(async move {
                let mut waits = Vec::new();
                for number in (caller..events).step_by(CALLERS) {
                    let event = bench.event(first + number);
                    let asked = Instant::now();
                    bench.store.accept(vec![event]).await.unwrap();
                    waits.push(asked.elapsed());
                }
                waits
            })
        });
        let mut waits = Vec::new();
        for caller in callers.collect::<Vec<_>>() {
            waits.extend(caller.await.unwrap());
        }
        let took = began.elapsed();
        waits.sort_unstable();
        println!(
            "accept: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
            events as f64 / took.as_secs_f64(),
            millis(waits[waits.len() / 2]),
            millis(waits[waits.len() * 99 / 100])
        );
    }

    fn settlement(&self, pending: &Pending) -> Settlement {
        let now_ms = SystemClock.now_ms();
        Settlement {
            delivery: pending.id,
            connection: pending.connection,
            event: pending.event,
            workspace: self.workspace,
            state: DeliveryState::Delivered,
            attempts: 0,
            due_ms: now_ms,
            doubt: None,
            now_ms,
            external_id: Some("00Q5g00000XyZ".into()),
            link: LinkChange::Set {
                connection: self.connection,
                object: "lead".into(),
                record_key: pending.record_key.clone(),
                external_id: "00Q5g00000XyZ".into(),
                was_in_doubt: false,
            },
            problem: None,
            calls: vec![Arc::new(CallRecord {
                id: Default::default(),
                started_ms: now_ms,
                duration_ms: 12,
                operation: "create",
                request: format!("POST https://crm.example.org/leads\n\n{}", "y".repeat(1_000)),
                status: Some(201),
                answer: "{\"id\":\"00Q5g00000XyZ\",\"success\":true}".into(),
                outcome: "delivered",
                records: 1,
            })],
            carrier: None,
            hand_over: None,
        }
    }

    /// Settles what is pending, group by group, four groups at a time.
    async fn settle(&self) {
        let began = Instant::now();
        let (mut after, mut settled) = (DeliveryId(0), 0);
        loop {
            let found = self.store.pending(self.connection, after, 4 * GROUP).await.unwrap();
            let Some(last) = found.last() else { break };
            (after, settled) = (last.id, settled + found.len());
            let groups = found.chunks(GROUP).map(|group| {
                let settlements = group.iter().map(|pending| self.settlement(pending)).collect();
                self.store.settle(Fence::default(), settlements)
            });
            for result in futures::future::join_all(groups).await {
                result.unwrap();
            }
        }
        if settled > 0 {
            println!(
                "settle: {settled} at {:.0}/s",
                settled as f64 / began.elapsed().as_secs_f64()
            );
        }
    }

    async fn archive(&self) {
        let began = Instant::now();
        let mut moved = 0;
        loop {
            let slice = self.store.archive(2_000).await.unwrap();
            if slice == 0 {
                break;
            }
            moved += slice;
        }
        println!(
            "archive: {moved} at {:.0}/s",
            moved as f64 / began.elapsed().as_secs_f64()
        );
    }

    async fn reads(&self, events: usize) {
        let began = Instant::now();
        let many = 20_000;
        for number in 0..many {
            let key = format!("phone:{}", number * 7_919 % events);
            self.store.links(self.connection, "lead", vec![key]).await.unwrap();
        }
        println!(
            "look-up of an external id: {:.1} µs",
            millis(began.elapsed()) * 1e3 / many as f64
        );
        let page = Page {
            before: None,
            limit: 100,
        };
        let began = Instant::now();
        let found = self
            .store
            .deliveries(self.workspace, DeliveryFilter::default(), page)
            .await
            .unwrap();
        println!(
            "first page of deliveries: {} in {:.1} ms",
            found.len(),
            millis(began.elapsed())
        );
    }

    /// Drops the oldest day while events are accepted.
    async fn drop_oldest(&self) {
        let days = self.store.days().await.unwrap();
        let Some(oldest) = days.first().filter(|_| days.len() > 1) else {
            return;
        };
        let bench = self.clone();
        let accepting = tokio::spawn(async move { bench.accept(20_000, 10_000_000).await });
        let began = Instant::now();
        self.store.drop_day(oldest.day).await.unwrap();
        println!(
            "drop of a day of {} MB: {:.1} ms",
            oldest.bytes >> 20,
            millis(began.elapsed())
        );
        accepting.await.unwrap();
    }

    async fn fill(&self, stored: usize) {
        let began = Instant::now();
        let filling = Filling {
            workspace: self.workspace,
            connection: self.connection,
            events: stored,
            days: 30,
            now_ms: SystemClock.now_ms(),
            bytes: 200,
        };
        self.store.fill(filling).await.unwrap();
        println!("fill: {:.0}/s", stored as f64 / began.elapsed().as_secs_f64());
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
