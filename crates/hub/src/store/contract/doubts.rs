//! What is in doubt: with a delivery, with its record, and until a person has looked.

use switchboard_connect::manifest::OperationKind;
use switchboard_model::delivery::DeliveryState;

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, RECOVERY},
};
use crate::store::{InDoubt, Intent, LinkChange, Linked, Pending, Wish};

const DOUBT: InDoubt = InDoubt {
    since_ms: NOW + 5,
    operation: Some(OperationKind::Create),
    recovery: Some(RECOVERY),
    open: false,
};

fn of_record(fixture: &Fixture, forget: bool) -> LinkChange {
    LinkChange::Doubt {
        connection: fixture.connection,
        object: "lead".into(),
        record_key: "p-1".into(),
        doubt: DOUBT,
        forget,
    }
}

fn set(fixture: &Fixture, was_in_doubt: bool) -> LinkChange {
    LinkChange::Set {
        connection: fixture.connection,
        object: "lead".into(),
        record_key: "p-1".into(),
        external_id: "00Q1".into(),
        was_in_doubt,
    }
}

fn forget(fixture: &Fixture) -> LinkChange {
    LinkChange::Forget {
        connection: fixture.connection,
        object: "lead".into(),
        record_key: "p-1".into(),
    }
}

impl Fixture {
    async fn settle_with(&self, pending: &Pending, state: DeliveryState, doubt: Option<InDoubt>, link: LinkChange) {
        let mut settlement = self.settlement(pending, state);
        (settlement.doubt, settlement.link) = (doubt, link);
        self.store.settle(self.fence, vec![settlement]).await.unwrap();
    }

    async fn linked_one(&self) -> Option<Linked> {
        self.linked(&["p-1", "p-2"]).await.remove("p-1")
    }
}

/// What was settled as unknown is read back with what could tell, and is no call under way; a later write counts from its own moment.
pub(super) async fn settled(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    fixture
        .settle_with(&pending, DeliveryState::Unknown, Some(DOUBT), LinkChange::Keep)
        .await;
    assert_eq!(fixture.pending().await[0].doubt, Some(DOUBT));
    let later = Intent {
        since_ms: NOW + 90,
        recovery: None,
        ..fixture.intent(pending.id)
    };
    assert!(
        fixture
            .store
            .intend(fixture.fence, vec![later])
            .await
            .unwrap()
            .is_empty()
    );
    let expected = InDoubt {
        since_ms: NOW + 90,
        recovery: None,
        open: true,
        ..DOUBT
    };
    assert_eq!(fixture.pending().await[0].doubt, Some(expected));
    fixture.settle(&pending, DeliveryState::Waiting).await;
    assert_eq!(fixture.pending().await[0].doubt, None);
}

/// A record stays in doubt when its delivery is given up, until its id is known or it is known that there is none.
pub(super) async fn of_records(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(5).await;
    let give_up = async |at: usize, link| {
        fixture
            .settle_with(&all[at], DeliveryState::Dead, Some(DOUBT), link)
            .await;
        fixture.linked_one().await
    };
    let in_doubt = Some(Linked::InDoubt(DOUBT));
    assert_eq!(give_up(0, of_record(&fixture, false)).await, in_doubt);
    let known = Some(Linked::To("00Q1".into()));
    assert_eq!(give_up(1, set(&fixture, true)).await, known);
    // What was linked is gone, and the record that was made instead of it is in doubt.
    assert_eq!(give_up(2, of_record(&fixture, true)).await, in_doubt);
    assert_eq!(give_up(3, forget(&fixture)).await, None);
    assert_eq!(give_up(4, set(&fixture, false)).await, known);
}

/// A replay keeps the doubt; one by a person who has looked ends it, also that of the record.
pub(super) async fn replayed(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let give_up = async || {
        fixture
            .settle_with(&pending, DeliveryState::Dead, Some(DOUBT), of_record(&fixture, false))
            .await;
    };
    give_up().await;
    assert_eq!(fixture.wish(Wish::Replay, &[pending.id]).await, [pending.id]);
    assert_eq!(fixture.pending().await[0].doubt, Some(DOUBT));
    assert_eq!(fixture.linked_one().await, Some(Linked::InDoubt(DOUBT)));
    give_up().await;
    assert_eq!(fixture.wish(Wish::ReplayNotThere, &[pending.id]).await, [pending.id]);
    let replayed = fixture.pending().await.remove(0);
    assert_eq!((replayed.doubt, replayed.attempts), (None, 0));
    assert_eq!(fixture.linked_one().await, None);
}
