//! Lists.

use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId, WorkspaceId},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, delivery},
};
use crate::store::{DeliveryFilter, EventFilter, Page};

const FIRST_PAGE: Page = Page {
    before: None,
    limit: 10,
};

pub(super) async fn by_page(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    fixture.accept_many(25).await;
    let seen = fixture.list(DeliveryFilter::default()).await;
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by(|a, b| a > b));
    let other = WorkspaceId(77);
    let store = &fixture.store;
    assert!(
        store
            .events(other, EventFilter::default(), FIRST_PAGE)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(
        store
            .deliveries(other, DeliveryFilter::default(), FIRST_PAGE)
            .await
            .unwrap()
            .is_empty()
    );
    assert!(store.event(other, EventId(seen[0].0)).await.unwrap().is_none());
    assert!(store.delivery(other, seen[0]).await.unwrap().is_none());
}

pub(super) async fn by_filter(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(6).await;
    fixture.settle(&all[0], DeliveryState::Delivered).await;
    fixture.settle(&all[1], DeliveryState::Dead).await;
    let added = fixture
        .store
        .add_deliveries(all[2].event, vec![delivery(fixture.backup, "task", None)])
        .await
        .unwrap();
    let none = DeliveryFilter::default;
    let state = |state| DeliveryFilter {
        state: Some(state),
        ..none()
    };
    assert_eq!(fixture.list(state(DeliveryState::Delivered)).await, [all[0].id]);
    assert_eq!(fixture.list(state(DeliveryState::Dead)).await, [all[1].id]);
    assert_eq!(fixture.list(state(DeliveryState::Waiting)).await.len(), 5);
    assert_eq!(fixture.list(state(DeliveryState::Held)).await, []);
    by_destination(&fixture, all[2].event, all[2].id, &added).await;
    let from_ms = Some(NOW + 60_000);
    assert_eq!(fixture.list(DeliveryFilter { from_ms, ..none() }).await, []);
    let (from_ms, until_ms) = (Some(NOW - 60_000), Some(NOW + 60_000));
    let within = DeliveryFilter {
        from_ms,
        until_ms,
        ..none()
    };
    assert_eq!(fixture.list(within).await.len(), 7);
    let kind = Some("lead.received".to_owned());
    let events = fixture
        .store
        .events(fixture.workspace, EventFilter { kind }, FIRST_PAGE)
        .await
        .unwrap();
    assert!(events.is_empty());
}

async fn by_destination(fixture: &Fixture, event: EventId, first: DeliveryId, added: &[DeliveryId]) {
    let none = DeliveryFilter::default;
    let connection = Some(fixture.backup);
    assert_eq!(fixture.list(DeliveryFilter { connection, ..none() }).await, added);
    let event = Some(event);
    assert_eq!(
        fixture.list(DeliveryFilter { event, ..none() }).await,
        [added[0], first]
    );
    let object = Some("task".to_owned());
    assert_eq!(fixture.list(DeliveryFilter { object, ..none() }).await, added);
}
