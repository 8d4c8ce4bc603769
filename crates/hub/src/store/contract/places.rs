//! Objects that go to several places of a connection.

use std::collections::HashSet;

use serde_json::json;
use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, EventId},
};

use super::{
    bench::Bench,
    fixture::{Fixture, delivery, delivery_at},
};
use crate::store::{Fallback, NewDelivery, Pending, Share};

const OBJECT: &str = "message";

impl Fixture {
    fn to(&self, names: &[&str]) -> Vec<NewDelivery> {
        let each = names.iter();
        each.map(|name| delivery_at(self.connection, OBJECT, name)).collect()
    }

    /// Accepts an event that goes to these places; answers its deliveries.
    async fn accept_to(&self, names: &[&str]) -> Vec<Pending> {
        let mut event = self.event("客户", None);
        event.deliveries = self.to(names);
        self.store.accept(vec![event]).await.unwrap();
        self.pending().await
    }

    async fn add_to(&self, event: EventId, names: &[&str]) -> Vec<DeliveryId> {
        self.store.add_deliveries(event, self.to(names)).await.unwrap()
    }
}

/// The name of the place that a delivery carries.
fn place(pending: &Pending) -> &str {
    let options = pending.options.as_ref().unwrap();
    options["channels"][0].as_str().unwrap()
}

pub(super) async fn told_apart(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_to(&["#客户", "#sales"]).await;
    assert_eq!(pending.iter().map(place).collect::<Vec<_>>(), ["#客户", "#sales"]);
    let keys: HashSet<&str> = pending.iter().map(|pending| pending.record_key.as_str()).collect();
    assert_eq!(keys.len(), 2, "neither waits for the other");
    fixture.settle(&pending[0], DeliveryState::Dead).await;
    fixture.settle(&pending[1], DeliveryState::Delivered).await;
    fixture.archive().await;
    assert_eq!(fixture.state(pending[0].id).await, DeliveryState::Dead);
    let row = fixture.row(pending[1].id).await;
    assert_eq!(
        (row.state, row.record_key),
        (DeliveryState::Delivered, pending[1].record_key.clone())
    );
    assert_eq!(json!(row.options), json!({"channels": ["#sales"]}));
}

pub(super) async fn added_once(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_to(&["#a", "#b"]).await;
    let event = pending[0].event;
    assert!(fixture.add_to(event, &["b", "A"]).await.is_empty());
    for pending in &pending {
        fixture.settle(pending, DeliveryState::Delivered).await;
    }
    fixture.archive().await;
    let added = fixture.add_to(event, &["#a", "#c", "C", "#b"]).await;
    assert_eq!(added.len(), 1, "each place once");
    let waiting = fixture.pending().await;
    assert_eq!((waiting.len(), place(&waiting[0])), (1, "#c"));
    // Of an object that has one place only any delivery is the one.
    let plain = delivery(fixture.connection, OBJECT, None);
    let added = fixture.store.add_deliveries(event, vec![plain]).await.unwrap();
    assert!(added.is_empty());
}

pub(super) async fn handed_over(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let at = |name: &str| delivery_at(fixture.backup, OBJECT, name);
    let share = |name: &str| Share {
        object: OBJECT.into(),
        record_key: None,
        place: at(name).place,
    };
    let fallback = Fallback {
        connection: fixture.backup,
        objects: vec![share("#a"), share("#b")],
        options: json!({"channels": ["#a", "#b"]}).as_object().cloned(),
        sync_back: true,
    };
    let mut event = fixture.event("a", None);
    event.deliveries[0].fallback = Some(fallback.clone());
    event.deliveries.push(at("B"));
    fixture.store.accept(vec![event]).await.unwrap();
    let pending = fixture.pending().await.pop().unwrap();
    assert_eq!(pending.fallback.as_deref(), Some(&fallback));
    for _ in 0..2 {
        let mut settlement = fixture.settlement(&pending, DeliveryState::Waiting);
        settlement.hand_over = Some(vec![at("#a"), at("#b")]);
        fixture.store.settle(fixture.fence, vec![settlement]).await.unwrap();
    }
    let backup = fixture.store.pending(fixture.backup, DeliveryId(0), 10).await.unwrap();
    let mut names: Vec<&str> = backup.iter().map(place).collect();
    names.sort_unstable();
    assert_eq!(names, ["#a", "B"], "what the backup gets anyway it does not get again");
}
