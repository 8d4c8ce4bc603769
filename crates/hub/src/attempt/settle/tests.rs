//! What several deliveries of one record become together.

use switchboard_connect::manifest::OperationKind;
use switchboard_model::id::{ConnectionId, DeliveryId, EventId};

use super::*;

const DOUBT: InDoubt = InDoubt {
    since_ms: 5,
    operation: Some(OperationKind::Create),
    recovery: None,
    open: false,
};

fn concluded(id: i64, state: DeliveryState, due_ms: i64, doubt: Option<InDoubt>) -> Concluded {
    let pending = Pending {
        id: DeliveryId(id),
        event: EventId(id),
        body: None,
        connection: ConnectionId(1),
        object: "lead".into(),
        record_key: "p-1".into(),
        options: None,
        attempts: 0,
        due_ms: 0,
        doubt,
        fallback: None,
        handed_over: false,
        fresh: false,
        alone: false,
    };
    let next = Next {
        state,
        attempts: 1,
        due_ms,
        problem: None,
        external_id: None,
        hand_over: false,
    };
    (pending, doubt, next)
}

#[test]
fn what_was_sent_together_is_due_together_and_what_is_given_up_stays_so() {
    let mut all = [
        concluded(1, DeliveryState::Dead, 7, Some(DOUBT)),
        concluded(2, DeliveryState::Unknown, 1_000, Some(DOUBT)),
        concluded(3, DeliveryState::Unknown, 400, Some(DOUBT)),
        concluded(4, DeliveryState::Unknown, 1_300, Some(DOUBT)),
    ];
    wait_together(&mut all);
    let due: Vec<i64> = all.iter().map(|(.., next)| next.due_ms).collect();
    assert_eq!(due, [7, 1_000, 1_000, 1_000]);
}

#[test]
fn a_doubt_stays_with_a_record_that_can_have_other_deliveries() {
    let given_up = |pending: Concluded| given_up_in_doubt(&[concluded(1, DeliveryState::Dead, 0, None), pending]);
    let dead = || concluded(2, DeliveryState::Dead, 0, Some(DOUBT));
    assert_eq!(given_up(dead()), Some(DOUBT));
    assert_eq!(
        given_up(concluded(2, DeliveryState::Unknown, 0, Some(DOUBT))),
        None,
        "it goes on"
    );
    let (mut own, doubt, next) = dead();
    own.record_key = own.event.to_string();
    assert_eq!(given_up((own, doubt, next)), None, "a record that is its event");
    for (operation, expected) in [
        (OperationKind::Update, false),
        (OperationKind::Delete, false),
        (OperationKind::Upsert, true),
    ] {
        let doubt = InDoubt {
            operation: Some(operation),
            ..DOUBT
        };
        let kept = given_up(concluded(2, DeliveryState::Dead, 0, Some(doubt)));
        assert_eq!(kept.is_some(), expected, "{operation:?}");
    }
}
