//! Intents, settlements, wishes, links.

use std::{collections::HashMap, sync::Arc};

use switchboard_connect::manifest::OperationKind;
use switchboard_model::{
    delivery::DeliveryState,
    id::{DeliveryId, WorkspaceId},
    problem::{Code, Problem},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, RECOVERY, delivery},
};
use crate::store::{CallRecord, DeliveryFilter, Fallback, InDoubt, LinkChange, Selection, Settlement, Share, Wish};

pub(super) async fn open_intent(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    assert!(fixture.intend(fixture.fence, pending.id).await.is_empty());
    fixture.store.close().await.unwrap();
    let again = bench.open().await;
    let found = again.pending(fixture.connection, DeliveryId(0), 10).await.unwrap();
    let expected = InDoubt {
        since_ms: NOW + 5,
        operation: Some(OperationKind::Create),
        recovery: Some(RECOVERY),
        open: true,
    };
    assert_eq!(found[0].doubt, Some(expected));
    assert!(found[0].is_sending());
}

pub(super) async fn delivered(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let mut settlement = fixture.settlement(&pending, DeliveryState::Delivered);
    settlement.external_id = Some("00Q1".into());
    settlement.link = set(&fixture, "p-1", "00Q1");
    fixture.store.settle(fixture.fence, vec![settlement]).await.unwrap();
    assert!(fixture.pending().await.is_empty());
    let expected = HashMap::from([("p-1".to_owned(), "00Q1".to_owned())]);
    assert_eq!(fixture.links(&["p-1", "p-2"]).await, expected);
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    let counts = (tally.pending, tally.delivered, tally.dead, tally.last_delivered_ms);
    assert_eq!(counts, (0, 1, 0, Some(NOW)));
    // A settlement that comes twice changes nothing.
    fixture.settle(&pending, DeliveryState::Dead).await;
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Delivered);
}

pub(super) async fn tried_again(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let mut settlement = fixture.settlement(&pending, DeliveryState::Waiting);
    settlement.attempts = 3;
    settlement.problem = Some((&Problem::new(Code::VendorThrottled, "слишком часто", "Wait.")).into());
    let call = CallRecord {
        id: Default::default(),
        started_ms: NOW,
        duration_ms: 7,
        operation: "create",
        request: "POST https://crm.example.org".into(),
        status: None,
        answer: "\0".into(),
        outcome: "retry",
        records: 1,
    };
    settlement.calls = vec![call.clone().into(), call.into()];
    fixture.store.settle(fixture.fence, vec![settlement]).await.unwrap();
    let found = fixture.pending().await;
    assert_eq!(
        (found[0].attempts, found[0].due_ms, found[0].doubt),
        (3, NOW + 1_000, None)
    );
    let row = fixture.row(pending.id).await;
    assert!(row.problem.is_some() && row.settled_ms.is_none());
    let calls = fixture.store.attempts(fixture.workspace, pending.id).await.unwrap();
    assert_eq!((calls.len(), calls[0].status, calls[0].duration_ms), (2, None, 7));
    assert!(calls[0].id < calls[1].id);
    fixture.settle(&pending, DeliveryState::Dead).await;
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!((tally.pending, tally.dead), (0, 1));
}

pub(super) async fn refused_intents(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(3).await;
    let ids: Vec<_> = all.iter().map(|pending| pending.id).collect();
    assert_eq!(fixture.wish(Wish::Hold, &ids[..1]).await, &ids[..1]);
    assert_eq!(fixture.wish(Wish::Cancel, &ids[1..2]).await, &ids[1..2]);
    let intents = ids.iter().map(|id| fixture.intent(*id)).collect();
    let refused = fixture.store.intend(fixture.fence, intents).await.unwrap();
    assert_eq!(refused, &ids[..2]);
    assert_eq!(fixture.state(ids[2]).await, DeliveryState::Sending);
    assert!(
        fixture.wish(Wish::Cancel, &ids[2..]).await.is_empty(),
        "it is being sent"
    );
}

pub(super) async fn replays(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let pending = fixture.accept_one("a").await;
    let replay = async |workspace| {
        let which = Selection::These(vec![pending.id]);
        let changed = fixture.store.change(workspace, Wish::Replay, which, NOW + 9).await;
        changed.unwrap().connections
    };
    assert!(replay(fixture.workspace).await.is_empty(), "it waits");
    fixture.settle(&pending, DeliveryState::Dead).await;
    fixture.archive().await;
    assert!(replay(WorkspaceId(77)).await.is_empty(), "another tenant's");
    assert_eq!(fixture.state(pending.id).await, DeliveryState::Dead);
    assert_eq!(replay(fixture.workspace).await, [fixture.connection]);
    let row = fixture.row(pending.id).await;
    let replayed = (row.state, row.attempts, row.due_ms, row.settled_ms);
    assert_eq!(replayed, (DeliveryState::Waiting, 0, NOW + 9, None));
}

pub(super) async fn wishes_by_filter(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(7).await;
    for pending in &all[..5] {
        fixture.settle(pending, DeliveryState::Dead).await;
    }
    let (mut after, mut changed) = (DeliveryId(0), Vec::new());
    loop {
        let which = Selection::Filter {
            filter: DeliveryFilter {
                connection: Some(fixture.connection),
                object: Some("lead".into()),
                ..DeliveryFilter::default()
            },
            after,
            limit: 2,
        };
        let done = fixture
            .store
            .change(fixture.workspace, Wish::Replay, which, NOW)
            .await
            .unwrap();
        let Some(last) = done.deliveries.last() else { break };
        assert!(done.deliveries.len() <= 2 && done.deliveries.is_sorted());
        after = *last;
        changed.extend(done.deliveries);
    }
    let dead: Vec<_> = all[..5].iter().map(|pending| pending.id).collect();
    assert_eq!(changed, dead);
    let which = Selection::Filter {
        filter: DeliveryFilter {
            state: Some(DeliveryState::Dead),
            ..DeliveryFilter::default()
        },
        after: DeliveryId(0),
        limit: 100,
    };
    let hold = fixture
        .store
        .change(fixture.workspace, Wish::Hold, which, NOW)
        .await
        .unwrap();
    assert!(hold.deliveries.is_empty(), "nothing dead can be held");
}

pub(super) async fn held_left_out(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(3).await;
    let id = all[1].id;
    fixture.wish(Wish::Hold, &[id]).await;
    let ids = async || {
        fixture
            .pending()
            .await
            .iter()
            .map(|pending| pending.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [all[0].id, all[2].id]);
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!(tally.pending, 3);
    fixture.wish(Wish::Release, &[id]).await;
    assert_eq!(ids().await.len(), 3);
}

pub(super) async fn backlog(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    for _ in 0..4 {
        fixture.accept_many(250).await;
    }
    let (mut after, mut read) = (DeliveryId(0), Vec::new());
    loop {
        let page = fixture.store.pending(fixture.connection, after, 300).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.id;
        read.extend(page.iter().map(|pending| pending.id));
    }
    assert_eq!(read.len(), 1_000);
    assert!(read.is_sorted_by(|a, b| a < b));
}

pub(super) async fn handed_over(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let fallback = Fallback {
        connection: fixture.backup,
        objects: vec![share("lead", Some("p-1")), share("task", None)],
        options: None,
        sync_back: true,
    };
    let mut event = fixture.event("a", None);
    event.deliveries[0].fallback = Some(fallback.clone());
    fixture.store.accept(vec![event]).await.unwrap();
    let pending = fixture.pending().await.pop().unwrap();
    assert_eq!(pending.fallback.as_deref(), Some(&fallback));
    assert!(!pending.handed_over);
    let mut settlement = fixture.settlement(&pending, DeliveryState::Waiting);
    settlement.hand_over = Some(vec![
        delivery(fixture.backup, "lead", Some("p-1")),
        delivery(fixture.backup, "task", None),
    ]);
    let twice: Vec<Settlement> = vec![settlement.clone(), settlement];
    for settlement in twice {
        fixture.store.settle(fixture.fence, vec![settlement]).await.unwrap();
    }
    let backup = fixture.store.pending(fixture.backup, DeliveryId(0), 10).await.unwrap();
    let objects: Vec<_> = backup.iter().map(|pending| (&*pending.object, pending.event)).collect();
    assert_eq!(objects, [("lead", pending.event), ("task", pending.event)]);
    assert_eq!(fixture.row(pending.id).await.handed_over_ms, Some(NOW));
    assert!(fixture.pending().await[0].handed_over);
}

fn share(object: &str, key: Option<&str>) -> Share {
    Share {
        object: object.into(),
        record_key: key.map(str::to_owned),
        place: None,
    }
}

pub(super) async fn carriers(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(2).await;
    let mut folded = fixture.settlement(&all[0], DeliveryState::Delivered);
    folded.carrier = Some(all[1].id);
    let carrier = fixture.settlement(&all[1], DeliveryState::Delivered);
    fixture
        .store
        .settle(fixture.fence, vec![folded, carrier])
        .await
        .unwrap();
    fixture.archive().await;
    assert_eq!(fixture.row(all[0].id).await.carrier, Some(all[1].id));
    assert_eq!(fixture.row(all[1].id).await.carrier, None);
    let tally = fixture
        .store
        .tally(fixture.workspace, fixture.connection)
        .await
        .unwrap();
    assert_eq!(tally.delivered, 2);
}

fn set(fixture: &Fixture, key: &str, external_id: &str) -> LinkChange {
    LinkChange::Set {
        connection: fixture.connection,
        object: Arc::from("lead"),
        record_key: key.into(),
        external_id: external_id.into(),
        was_in_doubt: false,
    }
}

pub(super) async fn many_links(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let all = fixture.accept_many(102).await;
    let mut settlements: Vec<Settlement> = Vec::new();
    for (n, pending) in all.iter().enumerate() {
        let mut settlement = fixture.settlement(pending, DeliveryState::Delivered);
        settlement.link = match n {
            // The last two are about records that come before in the same group.
            100 => set(&fixture, "k-0", "newer"),
            101 => LinkChange::Forget {
                connection: fixture.connection,
                object: "lead".into(),
                record_key: "k-1".into(),
            },
            n => set(&fixture, &format!("k-{n}"), &format!("x-{n}")),
        };
        settlements.push(settlement);
    }
    fixture.store.settle(fixture.fence, settlements).await.unwrap();
    let keys: Vec<String> = (0..101).map(|n| format!("k-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let links = fixture.links(&keys).await;
    assert_eq!(links.len(), 99);
    assert_eq!(
        (links["k-0"].as_str(), links["k-99"].as_str(), links.get("k-1")),
        ("newer", "x-99", None)
    );
}
