//! What is over: moved, found again, dropped.

use std::sync::Arc;

use jiff::civil::Date;
use rusqlite::Connection;
use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId, WorkspaceId},
};

use super::{Fixture, NOW, fixture, open};
use crate::{
    clock::ManualClock,
    store::{
        Accepted, CallRecord, DeliveryFilter, EventFilter, Fence, Fingerprint, History, Journal, LinkChange, Linked,
        NewDelivery, NewEvent, Outbox, Page, Pending, Selection, Settlement, Wish,
        sqlite::{SqliteStore, StoreOptions, history::copy},
    },
};

pub(super) const DAY: i64 = 86_400_000;

pub(super) fn print(number: u8) -> Fingerprint {
    Fingerprint {
        key: [number; 16],
        content: [1; 8],
    }
}

fn call(now_ms: i64) -> CallRecord {
    CallRecord {
        id: Default::default(),
        started_ms: now_ms,
        duration_ms: 3,
        operation: "create",
        request: "POST https://crm.example.org/leads".into(),
        status: Some(201),
        answer: "好".into(),
        outcome: "delivered",
        records: 1,
    }
}

pub(super) fn all() -> Page {
    Page {
        before: None,
        limit: 1_000,
    }
}

impl Fixture {
    fn event_at(&self, now_ms: i64, fingerprint: Option<Fingerprint>) -> NewEvent {
        NewEvent {
            received_ms: now_ms,
            ..self.event("客户", fingerprint)
        }
    }

    /// Accepts an event at a moment; answers what waits for it.
    async fn accept_at(&self, now_ms: i64, fingerprint: Option<Fingerprint>) -> Pending {
        let accepted = self
            .store
            .accept(vec![self.event_at(now_ms, fingerprint)])
            .await
            .unwrap();
        let Accepted::New { event, .. } = accepted[0] else {
            panic!("{accepted:?}")
        };
        self.waiting(event).await
    }

    async fn waiting(&self, event: EventId) -> Pending {
        let pending = self.store.pending(self.connection, DeliveryId(0), 1_000).await.unwrap();
        pending.into_iter().rfind(|pending| pending.event == event).unwrap()
    }

    async fn settle_at(&self, now_ms: i64, pending: &Pending, state: DeliveryState) {
        let settlement = Settlement {
            now_ms,
            calls: vec![call(now_ms).into()],
            ..self.settlement(pending, state)
        };
        self.store.settle(Fence::default(), vec![settlement]).await.unwrap();
    }

    pub(super) async fn deliver_at(&self, now_ms: i64, fingerprint: Option<Fingerprint>) -> Pending {
        let pending = self.accept_at(now_ms, fingerprint).await;
        self.settle_at(now_ms, &pending, DeliveryState::Delivered).await;
        pending
    }

    async fn event_ids(&self) -> Vec<EventId> {
        let rows = self
            .store
            .events(self.workspace, EventFilter::default(), all())
            .await
            .unwrap();
        rows.into_iter().map(|row| row.event.id).collect()
    }

    async fn delivery_ids(&self, filter: DeliveryFilter) -> Vec<DeliveryId> {
        let rows = self.store.deliveries(self.workspace, filter, all()).await.unwrap();
        rows.into_iter().map(|row| row.id).collect()
    }

    async fn days(&self) -> Vec<String> {
        let days = self.store.days().await.unwrap();
        days.into_iter().map(|row| row.day.to_string()).collect()
    }

    fn hot(&self) -> Connection {
        Connection::open(self.folder.path().join("t.db")).unwrap()
    }

    fn hot_rows(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        self.hot().query_row(&sql, [], |row| row.get(0)).unwrap()
    }
}

pub(super) fn date(now_ms: i64) -> Date {
    crate::store::sqlite::days::Day::at(now_ms).date().unwrap()
}

#[tokio::test]
async fn a_call_stands_in_the_history_once_however_often_it_is_handed_over() {
    let fixture = fixture().await;
    let pending = fixture.accept_at(NOW, None).await;
    let settlement = Settlement {
        calls: vec![call(NOW).into(), call(NOW).into()],
        ..fixture.settlement(&pending, DeliveryState::Delivered)
    };
    for _ in 0..3 {
        let again = vec![settlement.clone()];
        fixture.store.settle(Fence::default(), again).await.unwrap();
    }
    let attempts = fixture.store.attempts(fixture.workspace, pending.id).await.unwrap();
    assert_eq!(attempts.len(), 2);
}

#[tokio::test]
async fn what_is_over_moves_to_its_day_and_reads_as_before() {
    let fixture = fixture().await;
    let pending = fixture.deliver_at(NOW, Some(print(1))).await;
    assert_eq!(fixture.store.archive(10).await.unwrap(), 1);
    assert_eq!(fixture.store.archive(10).await.unwrap(), 0);
    assert_eq!((fixture.hot_rows("event"), fixture.hot_rows("delivery")), (0, 0));
    assert_eq!(fixture.days().await, [date(NOW).to_string()]);
    let (store, workspace) = (&fixture.store, fixture.workspace);
    let event = store.event(workspace, pending.event).await.unwrap().unwrap();
    assert_eq!(event.event.data["messageContent"], "客户");
    let delivery = store.delivery(workspace, pending.id).await.unwrap().unwrap();
    assert_eq!(
        (delivery.state, delivery.event),
        (DeliveryState::Delivered, pending.event)
    );
    let attempts = store.attempts(workspace, pending.id).await.unwrap();
    assert_eq!((attempts.len(), attempts[0].answer.as_str()), (1, "好"));
    assert_eq!(fixture.event_ids().await, [pending.event]);
    assert_eq!(fixture.delivery_ids(DeliveryFilter::default()).await, [pending.id]);
    let of_event = DeliveryFilter {
        event: Some(pending.event),
        ..Default::default()
    };
    assert_eq!(fixture.delivery_ids(of_event).await, [pending.id]);
    assert!(store.event(WorkspaceId(77), pending.event).await.unwrap().is_none());
    assert!(store.attempts(WorkspaceId(77), pending.id).await.unwrap().is_empty());
    assert_eq!(store.bodies(vec![pending.event]).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_stays_until_its_last_delivery_has_arrived() {
    let fixture = fixture().await;
    let dead = fixture.accept_at(NOW, None).await;
    fixture.settle_at(NOW, &dead, DeliveryState::Dead).await;
    let new = NewDelivery {
        object: "case".into(),
        ..fixture.event("x", None).deliveries.remove(0)
    };
    fixture.store.add_deliveries(dead.event, vec![new]).await.unwrap();
    let second = fixture.waiting(dead.event).await;
    fixture.settle_at(NOW, &second, DeliveryState::Delivered).await;
    assert_eq!(fixture.store.archive(10).await.unwrap(), 0);
    let which = Selection::Filter {
        filter: DeliveryFilter::default(),
        after: DeliveryId(0),
        limit: 10,
    };
    let changed = fixture
        .store
        .change(fixture.workspace, Wish::Replay, which, NOW)
        .await
        .unwrap();
    assert_eq!(changed.deliveries, [dead.id]);
    fixture.settle_at(NOW, &dead, DeliveryState::Delivered).await;
    assert_eq!(fixture.store.archive(10).await.unwrap(), 1);
    assert_eq!(
        fixture.store.attempts(fixture.workspace, dead.id).await.unwrap().len(),
        2
    );
}

#[tokio::test]
async fn an_event_that_nobody_wanted_is_over_at_once() {
    let fixture = fixture().await;
    let mut event = fixture.event("x", None);
    event.deliveries.clear();
    fixture.store.accept(vec![event]).await.unwrap();
    assert_eq!(fixture.store.archive(10).await.unwrap(), 1);
    assert_eq!(fixture.event_ids().await.len(), 1);
}

#[tokio::test]
async fn lists_go_from_the_database_into_the_days_page_by_page() {
    let fixture = fixture().await;
    let mut expected = Vec::new();
    for day in 0..3 {
        for step in 0..4 {
            expected.push(fixture.deliver_at(NOW + day * DAY + step, None).await);
        }
        if day < 2 {
            fixture.store.archive(100).await.unwrap();
        }
    }
    // Two are in both, as after a crash between the copy and the deletion.
    fixture.store.historian.run(|books| copy(books, 2)).await.unwrap();
    expected.push(fixture.accept_at(NOW + 2 * DAY + 9, None).await);
    expected.reverse();
    for limit in [1, 2, 3, 5, 13, 50] {
        let (mut before, mut events, mut deliveries) = (None, Vec::new(), Vec::new());
        loop {
            let page = Page { before, limit };
            let rows = fixture
                .store
                .events(fixture.workspace, EventFilter::default(), page)
                .await
                .unwrap();
            let Some(last) = rows.last() else { break };
            before = Some(last.event.id.0);
            events.extend(rows.iter().map(|row| row.event.id));
        }
        before = None;
        loop {
            let page = Page { before, limit };
            let filter = DeliveryFilter {
                connection: Some(fixture.connection),
                ..Default::default()
            };
            let rows = fixture.store.deliveries(fixture.workspace, filter, page).await.unwrap();
            let Some(last) = rows.last() else { break };
            before = Some(last.id.0);
            deliveries.extend(rows.iter().map(|row| row.id));
        }
        assert_eq!(events, expected.iter().map(|p| p.event).collect::<Vec<_>>(), "{limit}");
        assert_eq!(deliveries, expected.iter().map(|p| p.id).collect::<Vec<_>>(), "{limit}");
    }
    let second_day = DeliveryFilter {
        state: Some(DeliveryState::Delivered),
        from_ms: Some(NOW + DAY),
        until_ms: Some(NOW + 2 * DAY),
        ..Default::default()
    };
    assert_eq!(fixture.delivery_ids(second_day).await.len(), 4);
    let waiting = DeliveryFilter {
        state: Some(DeliveryState::Waiting),
        ..Default::default()
    };
    assert_eq!(fixture.delivery_ids(waiting).await, [expected[0].id]);
}

#[tokio::test]
async fn a_crash_between_copy_and_deletion_leaves_nothing_twice() {
    let fixture = fixture().await;
    let pending = fixture.deliver_at(NOW, None).await;
    fixture.store.historian.run(|books| copy(books, 10)).await.unwrap();
    fixture.store.close();
    let again = open(&fixture.folder);
    let deliveries = again
        .deliveries(fixture.workspace, DeliveryFilter::default(), all())
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 1);
    assert_eq!(again.archive(10).await.unwrap(), 1);
    let attempts = again.attempts(fixture.workspace, pending.id).await.unwrap();
    assert_eq!(attempts.len(), 1);
    assert_eq!(fixture.hot_rows("over"), 0);
}

#[tokio::test]
async fn what_is_added_between_copy_and_deletion_is_kept() {
    let fixture = fixture().await;
    let pending = fixture.deliver_at(NOW, None).await;
    fixture.store.historian.run(|books| copy(books, 10)).await.unwrap();
    let new = NewDelivery {
        object: "case".into(),
        ..fixture.event("x", None).deliveries.remove(0)
    };
    let added = fixture.store.add_deliveries(pending.event, vec![new]).await.unwrap();
    assert_eq!(fixture.store.archive(10).await.unwrap(), 0);
    assert_eq!(fixture.waiting(pending.event).await.id, added[0]);
}

#[tokio::test]
async fn an_event_of_the_history_can_be_routed_anew() {
    let fixture = fixture().await;
    let pending = fixture.deliver_at(NOW - 2 * DAY, None).await;
    fixture.store.archive(10).await.unwrap();
    let new = |object: &str| NewDelivery {
        object: object.into(),
        ..fixture.event("x", None).deliveries.remove(0)
    };
    let added = fixture
        .store
        .add_deliveries(pending.event, vec![new("lead"), new("case")])
        .await
        .unwrap();
    assert_eq!(added.len(), 1, "the lead is there");
    let second = fixture.waiting(pending.event).await;
    assert_eq!(second.id, added[0]);
    assert_eq!(fixture.store.bodies(vec![second.event]).await.unwrap().len(), 1);
    fixture.settle_at(NOW, &second, DeliveryState::Delivered).await;
    assert_eq!(fixture.store.archive(10).await.unwrap(), 1);
    assert_eq!(
        fixture.delivery_ids(DeliveryFilter::default()).await,
        [second.id, pending.id]
    );
    let of_event = DeliveryFilter {
        event: Some(pending.event),
        ..Default::default()
    };
    assert_eq!(fixture.delivery_ids(of_event).await.len(), 2);
    assert_eq!(
        fixture.days().await,
        [date(NOW - 2 * DAY).to_string(), date(NOW).to_string()]
    );
    assert_eq!(fixture.event_ids().await, [pending.event]);
    assert_eq!(
        fixture
            .store
            .attempts(fixture.workspace, second.id)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_dropped_day_is_gone_at_once_and_what_is_not_settled_stays() {
    let fixture = fixture().await;
    let yesterday = NOW - DAY;
    fixture.deliver_at(yesterday, Some(print(1))).await;
    let open = fixture.accept_at(yesterday + 1, Some(print(2))).await;
    fixture.store.archive(10).await.unwrap();
    // Over, but not moved yet.
    let late = fixture.deliver_at(yesterday + 2, Some(print(4))).await;
    let kept = fixture.deliver_at(NOW, Some(print(3))).await;
    assert_eq!(fixture.event_ids().await.len(), 4);
    let file = fixture.folder.path().join(format!("history/{}.db", date(yesterday)));
    assert!(file.exists());
    fixture.store.drop_day(date(yesterday)).await.unwrap();
    assert!(!file.exists());
    assert_eq!(fixture.days().await, [date(NOW).to_string()]);
    assert_eq!(fixture.event_ids().await, [kept.event, open.event]);
    assert!(
        fixture
            .store
            .event(fixture.workspace, late.event)
            .await
            .unwrap()
            .is_none()
    );
    let again = |number| fixture.store.accept(vec![fixture.event("客户", Some(print(number)))]);
    assert!(matches!(again(1).await.unwrap()[0], Accepted::New { .. }));
    assert!(matches!(again(4).await.unwrap()[0], Accepted::New { .. }));
    assert_eq!(again(2).await.unwrap(), [Accepted::Repeat(open.event)]);
    assert_eq!(again(3).await.unwrap(), [Accepted::Repeat(kept.event)]);
    fixture.store.drop_day(date(NOW - 100 * DAY)).await.unwrap();
}

#[tokio::test]
async fn repeats_are_recognised_in_memory_in_the_days_and_after_a_start() {
    let fixture = fixture().await;
    let old = fixture.deliver_at(NOW - 3 * DAY, Some(print(1))).await;
    fixture.store.archive(10).await.unwrap();
    assert_eq!(fixture.hot_rows("recent"), 0, "its day is over: it is in the file");
    let new = fixture.deliver_at(NOW, Some(print(2))).await;
    fixture.store.archive(10).await.unwrap();
    assert_eq!(fixture.hot_rows("recent"), 1, "the present day's wait for a whole run");
    let other = Fingerprint {
        content: [9; 8],
        ..print(1)
    };
    let ask = async |store: &SqliteStore| {
        let events = [print(1), print(2), other].map(|print| fixture.event("客户", Some(print)));
        store.accept(events.to_vec()).await.unwrap()
    };
    let expected = [
        Accepted::Repeat(old.event),
        Accepted::Repeat(new.event),
        Accepted::Conflict(old.event),
    ];
    assert_eq!(ask(&fixture.store).await, expected);
    fixture.store.close();
    assert_eq!(ask(&open(&fixture.folder)).await, expected);
}

#[tokio::test]
async fn a_filter_of_an_earlier_version_is_made_anew() {
    let fixture = fixture().await;
    let first = fixture.deliver_at(NOW - DAY, Some(print(1))).await;
    fixture.store.archive(10).await.unwrap();
    fixture.store.close();
    let day = format!("history/{}.db", date(NOW - DAY));
    let day = Connection::open(fixture.folder.path().join(day)).unwrap();
    // Those of short runs were smaller.
    let changed = day.execute("UPDATE run SET filter = zeroblob(64)", []).unwrap();
    assert_eq!(changed, 1);
    drop(day);
    let event = fixture.event("客户", Some(print(1)));
    let accepted = open(&fixture.folder).accept(vec![event]).await.unwrap();
    assert_eq!(accepted, [Accepted::Repeat(first.event)]);
}

#[tokio::test]
async fn a_repeat_outside_of_the_window_is_a_new_event() {
    let fixture = fixture().await;
    fixture.deliver_at(NOW - 3 * DAY, Some(print(1))).await;
    fixture.store.archive(10).await.unwrap();
    fixture.store.close();
    let options = StoreOptions { repeat_days: 2 };
    let path = fixture.folder.path().join("t.db");
    let store = SqliteStore::open_with(&path, Arc::new(ManualClock::at(NOW)), options).unwrap();
    let accepted = store.accept(vec![fixture.event("客户", Some(print(1)))]).await.unwrap();
    assert!(matches!(accepted[0], Accepted::New { .. }));
}

#[tokio::test]
async fn ids_go_on_growing_when_everything_is_in_the_days() {
    let fixture = fixture().await;
    let pending = fixture.deliver_at(NOW + DAY, None).await;
    fixture.store.archive(10).await.unwrap();
    fixture.store.close();
    let again = open(&fixture.folder);
    // The clock was set back meanwhile.
    let accepted = again.accept(vec![fixture.event("x", None)]).await.unwrap();
    let Accepted::New { event, .. } = accepted[0] else {
        panic!("{accepted:?}")
    };
    assert!(event.0 > pending.id.0);
}

#[tokio::test]
async fn the_tally_follows_every_change() {
    let fixture = fixture().await;
    let tally = async || {
        let tally = fixture
            .store
            .tally(fixture.workspace, fixture.connection)
            .await
            .unwrap();
        (tally.pending, tally.delivered, tally.dead)
    };
    let (one, two) = (
        fixture.accept_at(NOW, None).await,
        fixture.accept_at(NOW + 1, None).await,
    );
    assert_eq!(tally().await, (2, 0, 0));
    let wish = async |wish, id| {
        let which = Selection::These(vec![id]);
        let changed = fixture.store.change(fixture.workspace, wish, which, NOW).await.unwrap();
        assert_eq!(changed.deliveries, [id]);
    };
    wish(Wish::Hold, one.id).await;
    assert_eq!(tally().await, (2, 0, 0));
    wish(Wish::Cancel, one.id).await;
    assert_eq!(tally().await, (1, 0, 0));
    fixture.settle_at(NOW, &two, DeliveryState::Waiting).await;
    assert_eq!(tally().await, (1, 0, 0));
    fixture.settle_at(NOW, &two, DeliveryState::Dead).await;
    assert_eq!(tally().await, (0, 0, 1));
    wish(Wish::Replay, two.id).await;
    assert_eq!(tally().await, (1, 0, 0));
    fixture.settle_at(NOW, &two, DeliveryState::Delivered).await;
    assert_eq!(tally().await, (0, 1, 0));
    fixture.store.archive(10).await.unwrap();
    assert_eq!(tally().await, (0, 1, 0));
}

#[tokio::test]
async fn a_filled_history_reads_like_one_that_grew() {
    let fixture = fixture().await;
    let filling = crate::store::Filling {
        workspace: fixture.workspace,
        connection: fixture.connection,
        events: 300,
        days: 3,
        now_ms: NOW,
        bytes: 50,
    };
    fixture.store.fill(filling).await.unwrap();
    let events = fixture.event_ids().await;
    assert_eq!((events.len(), events.is_sorted_by(|a, b| a > b)), (300, true));
    let deliveries = fixture.delivery_ids(DeliveryFilter::default()).await;
    assert_eq!(deliveries.len(), 300);
    let attempts = fixture.store.attempts(fixture.workspace, deliveries[0]).await.unwrap();
    assert_eq!(attempts.len(), 1);
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!((tally.pending, tally.delivered), (0, 300));
    assert_eq!(fixture.days().await.len(), 3);
}

#[tokio::test]
async fn the_record_of_a_delivery_is_linked_whatever_became_of_its_history() {
    let fixture = fixture().await;
    let pending = fixture.accept_at(NOW - DAY, None).await;
    let settlement = Settlement {
        link: LinkChange::Set {
            connection: fixture.connection,
            object: "lead".into(),
            record_key: "p-1".into(),
            external_id: "00Q1".into(),
            was_in_doubt: false,
        },
        ..fixture.settlement(&pending, DeliveryState::Delivered)
    };
    fixture.store.settle(Fence::default(), vec![settlement]).await.unwrap();
    fixture.store.archive(10).await.unwrap();
    fixture.store.drop_day(date(NOW - DAY)).await.unwrap();
    let links = fixture
        .store
        .links(fixture.connection, "lead", vec!["p-1".into()])
        .await
        .unwrap();
    assert_eq!(links["p-1"], Linked::To("00Q1".into()));
}

#[tokio::test]
async fn a_day_whose_making_was_interrupted_is_made_anew() {
    let fixture = fixture().await;
    let left = fixture.folder.path().join(format!("history/{}.db.new", date(NOW)));
    std::fs::create_dir_all(left.parent().unwrap()).unwrap();
    std::fs::write(&left, "half a file").unwrap();
    fixture.store.close();
    let again = open(&fixture.folder);
    assert!(again.days().await.unwrap().is_empty());
    let mut event = fixture.event("x", None);
    event.deliveries.clear();
    again.accept(vec![event]).await.unwrap();
    assert_eq!(again.archive(10).await.unwrap(), 1);
    assert!(!left.exists());
}
