//! Moves from one database to another.

use std::sync::Arc;

use serde_json::json;
use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId},
};

use super::{
    bench::{Bench, NOW, PostgresBench, SqliteBench},
    fixture::{Fixture, LONG, PRINT, claims, delivery_at, new_event},
    ledger::some_people,
};
use crate::store::{
    Accepted, AccessNote, CallRecord, ConnectionNote, DeliveryFilter, DuplicateFilter, EventFilter, Fingerprint,
    LinkChange, NewEvent, Page, Pending, Store,
    postgres::transfer::PostgresTransfer,
    sqlite::transfer::{SqliteSource, SqliteTarget},
    transfer::{Cell, PARTS, Row, Source, Target, transfer},
};

const DAY: i64 = 86_400_000;
/// It came twice, with more days between than repeats are recognised for.
const TWICE: Fingerprint = print(40);

const fn print(number: u8) -> Fingerprint {
    Fingerprint {
        key: [number; 16],
        content: [3; 8],
    }
}

/// Every row, without what is kept of a delivery only until it has arrived, and without the first coming of [`TWICE`].
async fn rows(source: &mut dyn Source) -> Vec<(&'static str, Vec<Row>)> {
    let mut all = Vec::new();
    for part in PARTS {
        let (mut rows, mut after) = (Vec::<Row>::new(), None);
        // Small pages, so that some end within a day and some between two.
        loop {
            let page = source.page(part, after, 3).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last[..part.key].to_vec());
            rows.extend(page);
        }
        assert!(rows.is_sorted_by_key(|row| match &row[0] {
            Cell::Number(key) => *key,
            _ => 0,
        }));
        let column = |name: &str| part.columns.iter().position(|(known, _)| *known == name);
        if part.name == "delivery" {
            let delivered = Cell::Number(DeliveryState::Delivered as i64);
            for row in rows.iter_mut().filter(|row| row[column("state").unwrap()] == delivered) {
                for passing in ["doubt_ms", "operation", "means", "request_digest"] {
                    row[column(passing).unwrap()] = Cell::Null;
                }
            }
        }
        if part.name == "seen" {
            let twice = |row: &&Row| row[column("key").unwrap()] == Cell::Bytes(TWICE.key.to_vec());
            if rows.iter().filter(twice).count() == 2 {
                let first = rows.iter().position(|row| twice(&row)).unwrap();
                rows.remove(first);
            }
        }
        all.push((part.name, rows));
    }
    all
}

fn call(now_ms: i64) -> CallRecord {
    CallRecord {
        id: Default::default(),
        started_ms: now_ms,
        duration_ms: 1,
        operation: "create",
        request: "POST https://crm.example.org".into(),
        status: Some(200),
        answer: "你好".into(),
        outcome: "delivered",
        records: 1,
    }
}

impl Fixture {
    async fn settle_with_call(&self, pending: &Pending, state: DeliveryState, now_ms: i64) {
        let mut settlement = self.settlement(pending, state);
        (settlement.now_ms, settlement.calls) = (now_ms, vec![call(now_ms).into()]);
        settlement.link = LinkChange::Set {
            connection: self.connection,
            object: "lead".into(),
            record_key: format!("k-{}", pending.id),
            external_id: format!("x-{}", pending.id),
            was_in_doubt: false,
        };
        self.store.settle(self.fence, vec![settlement]).await.unwrap();
    }

    async fn accept_at(&self, now_ms: i64, fingerprint: Fingerprint) -> EventId {
        let event = NewEvent {
            received_ms: now_ms,
            ..self.event("早", Some(fingerprint))
        };
        new_event(self.store.accept(vec![event]).await.unwrap()[0])
    }

    async fn waiting_for(&self, event: EventId) -> Pending {
        let mut pending = self.pending().await.into_iter();
        pending.rfind(|pending| pending.event == event).unwrap()
    }

    async fn accept_again(&self, fingerprint: Fingerprint) -> Accepted {
        self.store
            .accept(vec![self.event("again", Some(fingerprint))])
            .await
            .unwrap()[0]
    }

    /// The ids of what is listed, and the counts.
    async fn look(&self) -> (Vec<EventId>, Vec<(DeliveryId, DeliveryState, usize)>, [u64; 3]) {
        let (page, none) = (
            Page {
                before: None,
                limit: 500,
            },
            EventFilter::default(),
        );
        let events = self.store.events(self.workspace, none, page).await.unwrap();
        let mut deliveries = Vec::new();
        for id in self.list(DeliveryFilter::default()).await {
            let calls = self.store.attempts(self.workspace, id).await.unwrap();
            deliveries.push((id, self.state(id).await, calls.len()));
        }
        let tally = self.store.tally(self.workspace, self.connection).await.unwrap();
        let counts = [tally.pending, tally.delivered, tally.dead];
        (events.iter().map(|row| row.event.id).collect(), deliveries, counts)
    }
}

/// Rows to be found again.
struct Moved {
    /// Archived.
    old: EventId,
    /// One of its two deliveries has arrived, on the day after its own.
    half: EventId,
    doubtful: DeliveryId,
}

async fn fill(fixture: &Fixture) -> Moved {
    let mut old = EventId(0);
    for (accepted_ms, fingerprint, delivered_ms) in [
        (NOW - 40 * DAY, TWICE, NOW - 40 * DAY),
        (NOW - 2 * DAY, print(41), NOW - 2 * DAY),
        (NOW - 2 * DAY, print(42), NOW - DAY),
    ] {
        let event = fixture.accept_at(accepted_ms, fingerprint).await;
        let pending = fixture.waiting_for(event).await;
        fixture
            .settle_with_call(&pending, DeliveryState::Delivered, delivered_ms)
            .await;
        if fingerprint == print(41) {
            old = event;
        }
    }
    let half = fixture.accept_at(NOW - DAY, print(43)).await;
    // The store's clock says that it is the last day by now.
    let added = vec![delivery_at(fixture.connection, "contact", "#客户")];
    fixture.store.add_deliveries(half, added).await.unwrap();
    let added = fixture.waiting_for(half).await;
    fixture.settle_with_call(&added, DeliveryState::Delivered, NOW).await;
    fixture.archive().await;
    fixture.accept_at(NOW, TWICE).await;
    fixture.accept_at(NOW, PRINT).await;
    let all = fixture.accept_many(20).await;
    for (n, pending) in all.iter().enumerate().skip(1) {
        let state = [DeliveryState::Delivered, DeliveryState::Dead, DeliveryState::Waiting][n % 3];
        fixture.settle_with_call(pending, state, NOW).await;
    }
    fixture.intend(fixture.fence, all[2].id).await;
    let access = ConnectionNote {
        access: Some(AccessNote {
            sealed: vec![3],
            grant_ends_ms: Some(NOW + DAY),
        }),
        ..Default::default()
    };
    assert!(fixture.store.note_connection(fixture.connection, access).await.unwrap());
    some_people(fixture).await;
    Moved {
        old,
        half,
        doubtful: all[2].id,
    }
}

async fn check_access(fixture: &Fixture) {
    let access = fixture.store.access(fixture.connection).await.unwrap();
    assert_eq!(access.unwrap().token, Some(vec![3]));
    let ends = fixture.store.grant_ends(fixture.workspace).await.unwrap();
    assert_eq!(ends, [(fixture.connection, NOW + DAY)].into());
}

/// Who is who is as it was.
async fn check_people(fixture: &Fixture) {
    let all = fixture.everybody().await;
    assert_eq!(all.len(), 2);
    assert_eq!(fixture.upsert(json!({"phone": "+12025550109"})).await.id, all[0].id);
    assert_eq!(
        fixture.store.merges(fixture.workspace, all[0].id).await.unwrap().len(),
        1
    );
    let filter = DuplicateFilter {
        record: Some(all[1].id),
        limit: 10,
        ..DuplicateFilter::default()
    };
    assert_eq!(
        fixture.store.duplicates(fixture.workspace, filter).await.unwrap().len(),
        1
    );
}

/// A place that has got an event does not get it again.
async fn check_places(fixture: &Fixture, moved: &Moved) {
    let anew = vec![delivery_at(fixture.connection, "contact", "客户")];
    let added = fixture.store.add_deliveries(moved.half, anew).await.unwrap();
    assert!(added.is_empty());
}

async fn check(fixture: &Fixture, moved: &Moved) {
    check_access(fixture).await;
    check_people(fixture).await;
    check_places(fixture, moved).await;
    let pending = fixture.pending().await;
    let doubt = pending
        .iter()
        .find(|pending| pending.id == moved.doubtful)
        .unwrap()
        .doubt;
    assert_eq!(doubt.map(|doubt| doubt.since_ms), Some(NOW + 5));
    for (fingerprint, event) in [(print(41), Some(moved.old)), (PRINT, None), (TWICE, None)] {
        match fixture.accept_again(fingerprint).await {
            Accepted::Repeat(first) => {
                assert!(event.is_none_or(|event| event == first));
                assert!(first.0 >= moved.old.0, "the last coming of a key counts");
            }
            other => panic!("{other:?}"),
        }
    }
    let content = [9; 8];
    let conflict = fixture.accept_again(Fingerprint { content, ..print(42) }).await;
    assert!(matches!(conflict, Accepted::Conflict(_)), "{conflict:?}");
    let body = fixture.store.event(fixture.workspace, moved.old).await.unwrap();
    assert_eq!(body.unwrap().event.data["messageContent"], "早");
    // What was left to do for an event is done here, and then it is over.
    let [_, delivered, _] = fixture.look().await.2;
    let rest = pending.iter().find(|pending| pending.event == moved.half).unwrap();
    fixture.settle_with_call(rest, DeliveryState::Delivered, NOW).await;
    fixture.archive().await;
    let (events, deliveries, counts) = fixture.look().await;
    assert_eq!(counts[1], delivered + 1);
    assert!(events.contains(&moved.half) && events.is_sorted_by(|a, b| a > b));
    assert!(deliveries.contains(&(rest.id, DeliveryState::Delivered, 1)));
    let fresh = fixture.store.accept(vec![fixture.event("new", None)]).await.unwrap();
    let greatest = deliveries.iter().map(|(id, ..)| id.0).max();
    assert!(
        greatest < Some(new_event(fresh[0]).0),
        "new ids go on after those that were moved"
    );
}

/// The same rows on another store.
async fn on(store: Arc<dyn Store>, fixture: &Fixture) -> Fixture {
    let connections = vec![fixture.connection, fixture.backup];
    let fence = store.lease(claims(&connections), LONG).await.unwrap()[&fixture.connection];
    Fixture {
        store,
        fence,
        ..*fixture
    }
}

/// What lies in the database and not in the days, in a table.
fn hot(file: &std::path::Path, table: &str) -> usize {
    let db = rusqlite::Connection::open(file).unwrap();
    db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
        .unwrap()
}

/// Fills an empty PostgreSQL database, after a move that was interrupted.
async fn to_postgres(source: &mut SqliteSource, bench: &PostgresBench) {
    let mut target = PostgresTransfer::target(&bench.url).await.unwrap();
    let page = source.page(&PARTS[0], None, 10).await.unwrap();
    target.put(&PARTS[0], page).await.unwrap();
    drop(target);
    let mut target = PostgresTransfer::target(&bench.url).await.unwrap();
    transfer(source, &mut target, |_, _| {}).await.unwrap();
    drop(target);
    let mut occupied = PostgresTransfer::target(&bench.url).await.unwrap();
    let again = transfer(source, &mut occupied, |_, _| {}).await;
    assert!(again.is_err(), "the target is not empty");
}

/// Fills an empty folder.
async fn to_sqlite(source: &mut dyn Source) -> SqliteBench {
    let bench = SqliteBench::new();
    bench.open().await.close().await.unwrap();
    let mut target = SqliteTarget::open(&bench.file()).unwrap();
    transfer(source, &mut target, |_, _| {}).await.unwrap();
    bench
}

pub(super) async fn there_and_back(bench: &PostgresBench) {
    let sqlite = SqliteBench::new();
    let fixture = Fixture::new(&sqlite).await;
    let moved = fill(&fixture).await;
    let seen = fixture.look().await;
    fixture.store.close().await.unwrap();
    let mut source = SqliteSource::open(&sqlite.file()).unwrap();
    let before = rows(&mut source).await;
    to_postgres(&mut source, bench).await;
    let mut there = PostgresTransfer::source(&bench.url).await.unwrap();
    assert_eq!(rows(&mut there).await, before);
    let back = to_sqlite(&mut there).await;
    drop(there);
    assert_eq!(rows(&mut SqliteSource::open(&back.file()).unwrap()).await, before);
    for store in [back.open().await, bench.open().await] {
        let here = on(store, &fixture).await;
        assert_eq!(here.look().await, seen);
        check(&here, &moved).await;
    }
}

#[tokio::test]
async fn what_is_over_moves_into_its_day_and_the_rest_into_the_database() {
    let (one, other) = (SqliteBench::new(), SqliteBench::new());
    let fixture = Fixture::new(&one).await;
    let moved = fill(&fixture).await;
    fixture.store.close().await.unwrap();
    other.open().await.close().await.unwrap();
    let mut source = SqliteSource::open(&one.file()).unwrap();
    // One that is interrupted leaves nothing behind.
    let mut target = SqliteTarget::open(&other.file()).unwrap();
    for part in PARTS {
        let page = source.page(part, None, 100).await.unwrap();
        target.put(part, page).await.unwrap();
    }
    drop(target);
    let history = other.file().with_file_name("history");
    assert!(!history.exists() && hot(&other.file(), "workspace") == 0);
    let mut target = SqliteTarget::open(&other.file()).unwrap();
    transfer(&mut source, &mut target, |_, _| {}).await.unwrap();
    drop(target);
    let mut there = SqliteSource::open(&other.file()).unwrap();
    assert_eq!(rows(&mut there).await, rows(&mut source).await);
    let mut occupied = SqliteTarget::open(&other.file()).unwrap();
    assert!(transfer(&mut source, &mut occupied, |_, _| {}).await.is_err());
    drop((there, occupied));
    let file = other.file();
    let waiting = hot(&file, "delivery WHERE state <> 10");
    assert_eq!(
        hot(&file, "event"),
        waiting,
        "each event that is not over, and no other"
    );
    assert_eq!(hot(&file, "delivery"), waiting + 1, "with all its deliveries");
    assert_eq!((hot(&file, "over"), hot(&file, "attempt")), (0, 0));
    assert_eq!(hot(&file, "recent"), 2, "the others are in runs");
    let there = on(other.open().await, &fixture).await;
    assert_eq!(there.store.days().await.unwrap().len(), 4);
    check(&there, &moved).await;
}
