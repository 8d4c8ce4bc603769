//! Measures the store on PostgreSQL alone: `cargo run --release -p switchboard-hub --example postgres_store -- URL [EVENTS] [STORED]`.
//!
//! Accepts EVENTS events of 1 KB with fingerprints from 64 callers, then writes intents and settlements 100 at a time from 8 callers, with one
//! call each; with STORED, after so many events have been put into the history. Prints one line per figure. The database is best a fresh one.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::{sync::Arc, time::Instant};

use parking_lot::Mutex;
use serde_json::json;
use switchboard_connect::manifest::OperationKind;
use switchboard_hub::{
    clock::{Clock, SystemClock},
    store::{
        CallRecord, ConfigurationChange, ConnectionWrite, DeliveryFilter, Fence, Filling, Fingerprint, Intent, Journal,
        Leasing, Lifecycle, LinkChange, NewDelivery, NewEvent, Outbox, Page, Pending, Register, Settlement,
        postgres::PostgresStore,
    },
};
use switchboard_model::{
    connection::ConnectionState,
    delivery::DeliveryState,
    event::EventType,
    id::{ConnectionId, DeliveryId, WorkspaceId},
};

const CALLERS: usize = 64;
const SENDERS: usize = 8;
const GROUP: usize = 100;

#[derive(Clone)]
struct Bench {
    store: PostgresStore,
    workspace: WorkspaceId,
    connection: ConnectionId,
    fence: Fence,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().expect("the address of a database");
    let mut number = |default: usize| arguments.next().map_or(default, |text| text.parse().unwrap());
    let (events, stored) = (number(50_000), number(0));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run(&url, events, stored));
}

async fn run(url: &str, events: usize, stored: usize) {
    let began = Instant::now();
    let store = PostgresStore::open(url, Arc::new(SystemClock)).await.unwrap();
    println!("open: {:.1} ms", began.elapsed().as_secs_f64() * 1e3);
    let bench = prepare(store).await;
    if stored > 0 {
        let began = Instant::now();
        let filling = Filling {
            workspace: bench.workspace,
            connection: bench.connection,
            events: stored,
            days: 10,
            now_ms: SystemClock.now_ms(),
            bytes: 1_000,
        };
        bench.store.fill(filling).await.unwrap();
        println!("{stored} events stored in {:.0} s", began.elapsed().as_secs_f64());
    }
    accept(&bench, events).await;
    send(&bench).await;
    let began = Instant::now();
    let page = Page {
        before: None,
        limit: 50,
    };
    let rows = bench
        .store
        .deliveries(bench.workspace, DeliveryFilter::default(), page)
        .await
        .unwrap();
    println!(
        "first page of deliveries ({} rows): {:.2} ms",
        rows.len(),
        began.elapsed().as_secs_f64() * 1e3
    );
    bench.store.close().await.unwrap();
}

async fn prepare(store: PostgresStore) -> Bench {
    let workspace = store.workspace("main").await.unwrap();
    let write = ConnectionWrite {
        key: "crm".into(),
        spec: json!({}),
        sealed: vec![],
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
    let fence = store.lease(vec![connection.into()], 600_000).await.unwrap()[&connection];
    Bench {
        store,
        workspace,
        connection,
        fence,
    }
}

async fn accept(bench: &Bench, events: usize) {
    let latencies = Arc::new(Mutex::new(Vec::with_capacity(events)));
    let began = Instant::now();
    let callers = (0..CALLERS).map(|caller| {
        let (bench, latencies) = (bench.clone(), Arc::clone(&latencies));
        tokio::spawn(async move {
            let mut own = Vec::new();
            for n in 0..events / CALLERS {
                let began = Instant::now();
                bench.store.accept(vec![event(&bench, caller, n)]).await.unwrap();
                own.push(began.elapsed());
            }
            latencies.lock().extend(own);
        })
    });
    futures::future::join_all(callers).await;
    let took = began.elapsed();
    let mut all = latencies.lock();
    all.sort_unstable();
    println!(
        "accepts: {:.0}/s, p50 {:.2} ms, p99 {:.2} ms",
        all.len() as f64 / took.as_secs_f64(),
        all[all.len() / 2].as_secs_f64() * 1e3,
        all[all.len() * 99 / 100].as_secs_f64() * 1e3
    );
}

fn event(bench: &Bench, caller: usize, n: usize) -> NewEvent {
    let now_ms = SystemClock.now_ms();
    let mut key = [0; 16];
    key[..8].copy_from_slice(
        &now_ms
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed())
            .to_le_bytes(),
    );
    key[8..].copy_from_slice(&((caller as u64) << 32 | n as u64).to_le_bytes());
    NewEvent {
        workspace: bench.workspace,
        kind: EventType::find("message.received").unwrap(),
        received_ms: now_ms,
        data: json!({"messageContent": "x".repeat(1_000)})
            .as_object()
            .cloned()
            .unwrap()
            .into(),
        fingerprint: Some(Fingerprint { key, content: [1; 8] }),
        deliveries: vec![NewDelivery {
            connection: bench.connection,
            object: "lead".into(),
            record_key: Some(format!("p-{caller}-{n}")),
            place: None,
            options: None,
            fallback: None,
        }],
        runs: vec![],
        note: None,
    }
}

async fn send(bench: &Bench) {
    let mut waiting = Vec::new();
    let mut after = DeliveryId(0);
    let began = Instant::now();
    loop {
        let page = bench.store.pending(bench.connection, after, 2_000).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        waiting.extend(page);
    }
    println!(
        "backlog read: {:.0}/s",
        waiting.len() as f64 / began.elapsed().as_secs_f64()
    );
    let count = waiting.len();
    let groups: Vec<Vec<Pending>> = waiting.chunks(GROUP).map(<[Pending]>::to_vec).collect();
    let groups = Arc::new(Mutex::new(groups));
    let began = Instant::now();
    let senders = (0..SENDERS).map(|_| {
        let (bench, groups) = (bench.clone(), Arc::clone(&groups));
        tokio::spawn(async move {
            loop {
                let Some(group) = groups.lock().pop() else { return };
                let intents = group.iter().map(intent).collect();
                assert!(bench.store.intend(bench.fence, intents).await.unwrap().is_empty());
                let settlements = group.iter().map(|pending| settlement(&bench, pending)).collect();
                bench.store.settle(bench.fence, settlements).await.unwrap();
            }
        })
    });
    futures::future::join_all(senders).await;
    println!(
        "intents and settlements: {:.0}/s",
        count as f64 / began.elapsed().as_secs_f64()
    );
}

fn intent(pending: &Pending) -> Intent {
    Intent {
        delivery: pending.id,
        connection: pending.connection,
        operation: OperationKind::Create,
        recovery: None,
        request_digest: [0; 8],
        since_ms: SystemClock.now_ms(),
    }
}

fn settlement(bench: &Bench, pending: &Pending) -> Settlement {
    let now_ms = SystemClock.now_ms();
    Settlement {
        delivery: pending.id,
        connection: pending.connection,
        event: pending.event,
        workspace: bench.workspace,
        state: DeliveryState::Delivered,
        attempts: 1,
        due_ms: now_ms,
        doubt: None,
        now_ms,
        external_id: Some(format!("x-{}", pending.id.0)),
        link: LinkChange::Set {
            connection: bench.connection,
            object: "lead".into(),
            record_key: pending.record_key.clone(),
            external_id: format!("x-{}", pending.id.0),
            was_in_doubt: false,
        },
        problem: None,
        calls: vec![Arc::new(CallRecord {
            id: Default::default(),
            started_ms: now_ms,
            duration_ms: 10,
            operation: "create",
            request: "POST https://crm.example.org/leads".into(),
            status: Some(201),
            answer: "{\"id\": 1}".into(),
            outcome: "delivered",
            records: 1,
        })],
        carrier: None,
        hand_over: None,
    }
}
