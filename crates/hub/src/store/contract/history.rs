//! What is over, by day.

use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId, time_of},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, PRINT, new_event},
};
use crate::store::{Accepted, CallRecord, DeliveryFilter, EventFilter, Page, Pending};

fn call() -> CallRecord {
    CallRecord {
        id: Default::default(),
        started_ms: NOW,
        duration_ms: 12,
        operation: "create",
        request: "POST https://crm.example.org/leads".into(),
        status: Some(201),
        answer: "{\"id\": 7}".into(),
        outcome: "delivered",
        records: 3,
    }
}

pub(super) async fn lists_across(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(10).await;
    for pending in all.iter().step_by(2) {
        let mut settlement = fixture.settlement(pending, DeliveryState::Delivered);
        settlement.external_id = Some(format!("x-{}", pending.id));
        settlement.calls = vec![call().into()];
        // As after an answer of the store that was lost.
        for again in [settlement.clone(), settlement] {
            fixture.store.settle(fixture.fence, vec![again]).await.unwrap();
        }
    }
    fixture.archive().await;
    let mut ids: Vec<_> = all.iter().map(|pending| pending.id).collect();
    ids.reverse();
    assert_eq!(fixture.list(DeliveryFilter::default()).await, ids);
    let page = Page {
        before: None,
        limit: 100,
    };
    let events = fixture
        .store
        .events(fixture.workspace, EventFilter::default(), page)
        .await
        .unwrap();
    assert_eq!(events.len(), 10);
    assert!(events.is_sorted_by(|a, b| a.event.id > b.event.id));
    let row = fixture.row(all[0].id).await;
    assert_eq!(row.external_id, Some(format!("x-{}", all[0].id)));
    assert_eq!((row.state, row.settled_ms), (DeliveryState::Delivered, Some(NOW)));
    let calls = fixture.store.attempts(fixture.workspace, all[0].id).await.unwrap();
    assert_eq!((calls.len(), calls[0].status, calls[0].records), (1, Some(201), 3));
    let event = fixture.store.event(fixture.workspace, all[0].event).await.unwrap();
    assert_eq!(event.unwrap().event.data["messageContent"], "0");
    assert_eq!(
        fixture
            .store
            .bodies(vec![all[0].event, all[1].event])
            .await
            .unwrap()
            .len(),
        2
    );
}

pub(super) async fn repeats_across(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let accept = async || {
        fixture
            .store
            .accept(vec![fixture.event("a", Some(PRINT))])
            .await
            .unwrap()[0]
    };
    let event = new_event(accept().await);
    let pending = fixture.pending().await.pop().unwrap();
    fixture.settle(&pending, DeliveryState::Delivered).await;
    fixture.archive().await;
    assert_eq!(accept().await, Accepted::Repeat(event));
}

pub(super) async fn dropped(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let accepted = fixture
        .store
        .accept(vec![fixture.event("a", Some(PRINT))])
        .await
        .unwrap();
    let gone = new_event(accepted[0]);
    let all = fixture.accept_many(3).await;
    let (delivered, dead, waiting) = (&all[0], &all[1], &all[2]);
    fixture.settle(delivered, DeliveryState::Delivered).await;
    fixture.settle(dead, DeliveryState::Dead).await;
    fixture.archive().await;
    let days = fixture.store.days().await.unwrap();
    let day = jiff::tz::Offset::UTC.to_datetime(jiff::Timestamp::from_millisecond(time_of(gone.0)).unwrap());
    assert_eq!(days.iter().map(|row| row.day).collect::<Vec<_>>(), [day.date()]);
    assert!(days[0].bytes > 0);
    fixture.store.drop_day(day.date()).await.unwrap();
    check_dropped(&fixture, gone, dead.id, waiting).await;
    let again = fixture
        .store
        .accept(vec![fixture.event("a", Some(PRINT))])
        .await
        .unwrap();
    assert!(
        matches!(again[0], Accepted::New { .. }),
        "what recognises repeats is gone as well"
    );
    // What is settled later finds its place.
    fixture.settle(waiting, DeliveryState::Delivered).await;
    assert_eq!(fixture.state(waiting.id).await, DeliveryState::Delivered);
}

async fn check_dropped(fixture: &Fixture, gone: EventId, dead: DeliveryId, waiting: &Pending) {
    assert!(fixture.store.days().await.unwrap().is_empty());
    assert!(fixture.store.delivery(fixture.workspace, dead).await.unwrap().is_none());
    assert!(fixture.store.event(fixture.workspace, gone).await.unwrap().is_none());
    assert_eq!(fixture.state(waiting.id).await, DeliveryState::Waiting);
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!((tally.pending, tally.delivered, tally.dead), (2, 1, 0));
    let bodies = fixture.store.bodies(vec![waiting.event]).await.unwrap();
    assert_eq!(bodies[0].id, waiting.event);
}
