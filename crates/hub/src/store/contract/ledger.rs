//! Records.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use switchboard_model::{
    event::EventType,
    id::{ConnectionId, RecordId},
    record::{MatchKey, ObjectType, Policy, check, standard},
};

use super::{
    bench::{Bench, NOW},
    fixture::{Fixture, Heard, PRINT, delivery},
};
use crate::store::{
    Accepted, Announce, Commit, Committed, DuplicateFilter, DuplicateState, Filter, Guard, How, LinkChange, Listener,
    NewEvent, Outcome, RecordQuery, RecordRow, RecordWrite, SortBy, Written,
};

mod lists;

pub(super) use lists::{by_field, numbers};

fn people() -> Arc<ObjectType> {
    Arc::new(standard("people").unwrap().clone())
}

fn write(how: How, data: Value) -> RecordWrite {
    let object = people();
    let checked = check(&object, data.as_object().unwrap(), "test").unwrap();
    RecordWrite {
        object,
        how,
        data: checked.data,
        lookups: Vec::new(),
        source: "test".into(),
    }
}

fn upsert(data: Value) -> RecordWrite {
    let (policy, only) = (Policy::Update, None);
    write(How::Match { policy, only }, data)
}

fn silent() -> Announce {
    Arc::new(|_| Vec::new())
}

impl Fixture {
    fn commit_of(&self, records: Vec<RecordWrite>) -> Commit {
        Commit {
            workspace: self.workspace,
            now_ms: NOW,
            guard: Guard::None,
            records,
            events: Vec::new(),
            announce: silent(),
            link_places: Arc::new([(self.connection, "lead".into())]),
        }
    }

    pub(super) async fn write(&self, write: RecordWrite) -> Written {
        let committed: Committed = self.store.commit(self.commit_of(vec![write])).await.unwrap();
        assert!(committed.held);
        committed.records.into_iter().next().unwrap()
    }

    pub(super) async fn upsert(&self, data: Value) -> RecordRow {
        self.write(upsert(data)).await.record.unwrap()
    }

    pub(super) async fn everybody(&self) -> Vec<RecordRow> {
        self.list_records(Vec::new(), SortBy::Id, false).await
    }

    /// All that pass, read in pages of two.
    async fn list_records(&self, filters: Vec<Filter>, sort: SortBy, descending: bool) -> Vec<RecordRow> {
        let mut query = RecordQuery {
            object: "people".into(),
            filters,
            sort,
            descending,
            after: None,
            limit: 2,
        };
        let mut all: Vec<RecordRow> = Vec::new();
        loop {
            let page = self.store.records(self.workspace, query.clone()).await.unwrap();
            let Some(last) = page.last() else { return all };
            query.after = Some(query.sort.place(last));
            all.extend(page);
        }
    }
}

fn created(written: &Written) -> RecordRow {
    assert_eq!(written.outcome, Outcome::Created);
    written.record.clone().unwrap()
}

fn refusal(written: &Written) -> String {
    match &written.outcome {
        Outcome::Refused(problem) => problem.detail.clone(),
        other => panic!("{other:?}"),
    }
}

/// Two that became one, and one that may be a duplicate of it.
pub(super) async fn some_people(fixture: &Fixture) {
    for data in [json!({"email": "m@example.org"}), json!({"phone": "+12025550109"})] {
        fixture.upsert(data).await;
    }
    let both = json!({"email": "m@example.org", "phone": "+12025550109", "city": "Минск"});
    fixture.upsert(both.clone()).await;
    let (policy, only) = (Policy::Ask, None);
    fixture.write(write(How::Match { policy, only }, both)).await;
}

pub(super) async fn kept(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let ana = json!({"firstName": "Ана", "lastName": "Петрова", "email": "Ana@Example.org", "notes": "\0 ' \" 🙂"});
    let first = created(&fixture.write(upsert(ana)).await);
    assert_eq!((first.title.as_str(), first.revision), ("Ана Петрова", 1));
    let again = fixture
        .write(upsert(json!({"email": "ana@example.ORG", "city": "Минск"})))
        .await;
    assert_eq!(again.outcome, Outcome::Updated);
    let key = MatchKey {
        kind: "email".into(),
        value: "ana@example.org".into(),
    };
    assert_eq!(again.found_by, Some(key.clone()));
    let row = again.record.unwrap();
    assert_eq!(
        (row.id, row.revision, &row.data["city"]),
        (first.id, 2, &json!("Минск"))
    );
    let same = fixture
        .write(upsert(json!({"email": "ana@example.org", "city": "Минск"})))
        .await;
    assert_eq!(same.outcome, Outcome::Unchanged);
    fixture.store.close().await.unwrap();
    let store = bench.open().await;
    let found = store.record(fixture.workspace, first.id).await.unwrap();
    assert_eq!(found, Some(row.clone()));
    assert_eq!(store.known_by(fixture.workspace, "people", key).await.unwrap(), [row]);
    let matches = store.matches(fixture.workspace, first.id).await.unwrap();
    let words: Vec<&str> = matches.iter().map(|found| found.outcome.as_str()).collect();
    assert_eq!(words, ["unchanged", "updated"]);
    assert_eq!(store.record(fixture.workspace, RecordId(7)).await.unwrap(), None);
}

pub(super) async fn changed(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let row = fixture
        .upsert(json!({"email": "a@example.org", "phone": "+12025550101"}))
        .await;
    let update = |id, revision, data| write(How::Update { id, revision }, data);
    let late = fixture.write(update(row.id, Some(7), json!({"city": "x"}))).await;
    assert!(refusal(&late).contains("revision 1"));
    let moved = fixture
        .write(update(
            row.id,
            Some(1),
            json!({"email": "b@example.org", "phone": null}),
        ))
        .await;
    assert_eq!(moved.outcome, Outcome::Updated);
    assert_eq!(moved.record.unwrap().data.get("phone"), None);
    // What it was known by leads nowhere now, and what it is known by leads to it.
    let other = created(&fixture.write(upsert(json!({"email": "a@example.org"}))).await);
    assert_ne!(other.id, row.id);
    assert_eq!(fixture.upsert(json!({"email": "b@example.org"})).await.id, row.id);
    let gone = fixture.write(write(How::Delete(row.id), json!({}))).await;
    assert_eq!(gone.outcome, Outcome::Deleted);
    assert_eq!(fixture.store.record(fixture.workspace, row.id).await.unwrap(), None);
    assert_ne!(fixture.upsert(json!({"email": "b@example.org"})).await.id, row.id);
    assert!(refusal(&fixture.write(write(How::Delete(row.id), json!({}))).await).contains("no rec_"));
}

pub(super) async fn policies(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let first = fixture.upsert(json!({"email": "a@example.org"})).await;
    let with = |policy| {
        let data = json!({"email": "a@example.org", "city": "Hanoi"});
        fixture.write(write(How::Match { policy, only: None }, data))
    };
    let found = with(Policy::Find).await;
    assert_eq!(
        (found.outcome, found.record.as_ref().unwrap()),
        (Outcome::Unchanged, &first)
    );
    let second = with(Policy::Create).await;
    assert!(!created(&second).review && second.duplicates.len() == 1);
    let third = with(Policy::Ask).await;
    assert!(created(&third).review);
    let listed = async |state| {
        let filter = DuplicateFilter {
            state: Some(state),
            limit: 10,
            ..DuplicateFilter::default()
        };
        fixture.store.duplicates(fixture.workspace, filter).await.unwrap()
    };
    assert_eq!(listed(DuplicateState::Open).await.len(), 3, "each with each");
    let dismissed = fixture.write(write(How::Dismiss(third.duplicates[0]), json!({}))).await;
    assert_eq!(dismissed.outcome, Outcome::Updated);
    assert_eq!(listed(DuplicateState::Dismissed).await.len(), 1);
    let asked = vec![Filter::Review(true)];
    assert!(
        fixture.list_records(asked, SortBy::Id, false).await.is_empty(),
        "a person has said what it is"
    );
    // The oldest is meant from then on, too; with it gone, the next one is.
    assert_eq!(fixture.upsert(json!({"email": "a@example.org"})).await.id, first.id);
    fixture.write(write(How::Delete(first.id), json!({}))).await;
    assert_eq!(
        fixture.upsert(json!({"email": "a@example.org"})).await.id,
        created(&second).id
    );
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
pub(super) async fn three_ways(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let by_mail = fixture.upsert(json!({"email": "a@example.org", "city": "Minsk"})).await;
    let by_phone = fixture
        .upsert(json!({"phone": "+12025550101", "jobTitle": "Buyer"}))
        .await;
    assert_ne!(by_mail.id, by_phone.id);
    fixture.link("lead", &link_of(&by_phone), "77").await;
    let both = fixture
        .write(upsert(json!({"email": "a@example.org", "phone": "+1 202 555 0101"})))
        .await;
    let row = both.record.unwrap();
    assert_eq!(row.id, by_mail.id, "the older one stays");
    assert_eq!(
        (&row.data["city"], &row.data["jobTitle"]),
        (&json!("Minsk"), &json!("Buyer"))
    );
    let merge = fixture
        .store
        .merge(fixture.workspace, both.merges[0])
        .await
        .unwrap()
        .unwrap();
    assert!(merge.story.automatic && merge.undone_ms.is_none());
    let kinds: Vec<&str> = merge.story.keys.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["email", "phone"]);
    // The other id, the keys and the vendor's id lead to the one that is left.
    let found = fixture
        .store
        .record(fixture.workspace, by_phone.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.id, row.id);
    assert_eq!(fixture.upsert(json!({"phone": "12025550101"})).await.id, row.id);
    assert_eq!(fixture.links(&[&link_of(&row)]).await[&link_of(&row)], "77");
    assert_eq!(fixture.everybody().await.len(), 1);
    // And back.
    let undone = fixture.write(write(How::Undo(merge.id), json!({}))).await;
    assert_eq!(undone.record.unwrap().data, by_mail.data);
    let back = fixture
        .store
        .record(fixture.workspace, by_phone.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((back.id, back.data), (by_phone.id, by_phone.data.clone()));
    assert!(fixture.links(&[&link_of(&by_mail)]).await.is_empty());
    assert_eq!(fixture.links(&[&link_of(&by_phone)]).await[&link_of(&by_phone)], "77");
    assert!(refusal(&fixture.write(write(How::Undo(merge.id), json!({}))).await).contains("already"));
    // A person has said that they are two.
    let again = fixture
        .write(upsert(json!({"email": "a@example.org", "phone": "+1 202 555 0101"})))
        .await;
    assert!(again.merges.is_empty() && fixture.everybody().await.len() == 2);
}

/// Under which key the vendors' ids of a person are kept.
fn link_of(row: &RecordRow) -> String {
    crate::normalise::person_key(&row.data).unwrap()
}

impl Fixture {
    async fn link(&self, object: &str, record_key: &str, external_id: &str) {
        let pending = self.accept_one("x").await;
        let mut settlement = self.settlement(&pending, switchboard_model::delivery::DeliveryState::Delivered);
        settlement.link = LinkChange::Set {
            connection: self.connection,
            object: object.into(),
            record_key: record_key.into(),
            external_id: external_id.into(),
            was_in_doubt: false,
        };
        self.store.settle(self.fence, vec![settlement]).await.unwrap();
    }
}

pub(super) async fn contradictions(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let one = fixture
        .upsert(json!({"email": "a@example.org", "phone": "+12025550101"}))
        .await;
    // Two people with one telephone are two people.
    let other = fixture
        .write(upsert(json!({"email": "b@example.org", "phone": "+12025550101"})))
        .await;
    assert_ne!(created(&other).id, one.id);
    assert_eq!(other.duplicates.len(), 1);
    // Names that differ speak against a merge.
    fixture
        .upsert(json!({"firstName": "Ana", "lastName": "Petrova", "email": "c@example.org"}))
        .await;
    fixture
        .upsert(json!({"firstName": "Boris", "lastName": "Ivanov", "phone": "+12025550102"}))
        .await;
    let both = fixture
        .write(upsert(json!({"email": "c@example.org", "phone": "+12025550102"})))
        .await;
    assert!(both.merges.is_empty() && both.duplicates.len() == 1);
    // The same id in the same system is the strongest.
    let sold = fixture
        .upsert(json!({"externalIds": {"shop": "1"}, "email": "d@example.org"}))
        .await;
    let moved = fixture
        .upsert(json!({"externalIds": {"shop": "1"}, "email": "e@example.org"}))
        .await;
    assert_eq!(moved.id, sold.id);
    let namesake = fixture
        .write(upsert(json!({"externalIds": {"shop": "2"}, "email": "e@example.org"})))
        .await;
    assert_ne!(created(&namesake).id, sold.id);
}

#[expect(
    clippy::cognitive_complexity,
    reason = "one story, told from its beginning to its end"
)]
pub(super) async fn by_hand(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let one = fixture
        .upsert(json!({"firstName": "Ana", "email": "a@example.org"}))
        .await;
    let two = fixture
        .upsert(json!({"firstName": "Anna", "email": "b@example.org", "city": "Riga"}))
        .await;
    let three = fixture.upsert(json!({"email": "c@example.org", "city": "Oslo"})).await;
    let merge = |winner: &RecordRow, loser: &RecordRow| {
        let (winner, loser) = (winner.id, loser.id);
        fixture.write(write(How::Merge { winner, loser }, json!({})))
    };
    let first = merge(&two, &one).await;
    assert_eq!(first.record.as_ref().unwrap().data["firstName"], "Anna");
    let second = merge(&three, &one).await;
    let row = second.record.unwrap();
    assert_eq!(
        (row.id, &row.data["city"], &row.data["firstName"]),
        (three.id, &json!("Oslo"), &json!("Anna"))
    );
    for email in ["a@example.org", "b@example.org", "c@example.org"] {
        assert_eq!(
            fixture
                .store
                .known_by(fixture.workspace, "people", mail(email))
                .await
                .unwrap()[0]
                .id,
            three.id
        );
    }
    assert!(refusal(&merge(&three, &one).await).contains("already"));
    let too_early = fixture.write(write(How::Undo(first.merges[0]), json!({}))).await;
    assert!(refusal(&too_early).contains("since"));
    let history = fixture.store.merges(fixture.workspace, two.id).await.unwrap();
    assert_eq!(history.len(), 2);
    fixture.write(write(How::Undo(second.merges[0]), json!({}))).await;
    fixture.write(write(How::Undo(first.merges[0]), json!({}))).await;
    let all = fixture.everybody().await;
    let data: Vec<&Map<String, Value>> = all.iter().map(|row| &row.data).collect();
    assert_eq!(data, [&one.data, &two.data, &three.data]);
    // One that is removed takes with it what was merged into it.
    merge(&two, &one).await;
    fixture.write(write(How::Delete(two.id), json!({}))).await;
    assert_eq!(fixture.everybody().await.len(), 1);
    assert!(
        fixture
            .store
            .known_by(fixture.workspace, "people", mail("a@example.org"))
            .await
            .unwrap()
            .is_empty()
    );
}

fn mail(address: &str) -> MatchKey {
    MatchKey {
        kind: "email".into(),
        value: address.into(),
    }
}

/// What is told of a change: an event whose delivery goes to the connection.
fn telling(connection: ConnectionId, workspace: switchboard_model::id::WorkspaceId) -> Announce {
    Arc::new(move |change| {
        let kind = EventType::find("contact.created").unwrap();
        let data = json!({"id": change.record.id, "before": change.before, "was": format!("{:?}", change.kind)});
        vec![NewEvent {
            workspace,
            kind,
            received_ms: change.now_ms,
            data: data.as_object().cloned().unwrap().into(),
            fingerprint: None,
            deliveries: vec![delivery(connection, "lead", None)],
            runs: vec![],
            note: None,
        }]
    })
}

pub(super) async fn told(bench: &impl Bench) {
    let fixture = Fixture::new(bench).await;
    let heard = Arc::new(Heard::default());
    fixture.store.listen(Arc::clone(&heard) as Arc<dyn Listener>);
    let commit = |records: Vec<RecordWrite>| Commit {
        events: vec![fixture.event("a", Some(PRINT))],
        announce: telling(fixture.connection, fixture.workspace),
        ..fixture.commit_of(records)
    };
    let first = fixture
        .store
        .commit(commit(vec![upsert(json!({"email": "a@example.org"}))]))
        .await
        .unwrap();
    assert!(matches!(first.events[0], Accepted::New { .. }) && first.announced.len() == 1);
    let again = fixture
        .store
        .commit(commit(vec![upsert(json!({"email": "a@example.org"}))]))
        .await
        .unwrap();
    assert!(matches!(again.events[0], Accepted::Repeat(_)), "fingerprints count");
    assert!(again.announced.is_empty(), "nothing has changed");
    let changed = commit(vec![
        upsert(json!({"email": "a@example.org", "city": "Riga"})),
        upsert(json!({"city": "Oslo"})),
    ]);
    let changed = fixture.store.commit(changed).await.unwrap();
    let Accepted::New { event, .. } = changed.announced[0] else {
        panic!("{:?}", changed.announced)
    };
    let row = fixture.store.event(fixture.workspace, event).await.unwrap().unwrap();
    assert_eq!(row.event.data["was"], "Updated");
    assert_eq!(row.event.data["before"], json!({"email": "a@example.org"}));
    let pending = fixture.pending().await;
    assert_eq!(pending.len(), 4, "one event, and three changes");
    heard.hint_for(fixture.connection, pending[0].id).await;
}

pub(super) async fn at_once(bench: &impl Bench) {
    let fixture = Arc::new(Fixture::new(bench).await);
    let mut state = 5_u64;
    let mut roll = |below: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..100 {
        let (email, phone) = (format!("p{round}@example.org"), format!("+1202556{round:04}"));
        let mut writes = vec![
            json!({"email": email}),
            json!({"phone": phone}),
            json!({"email": email, "phone": phone}),
        ];
        writes.extend((0..roll(3)).map(|_| json!({"email": email, "city": "Riga"})));
        for at in (1..writes.len()).rev() {
            writes.swap(at, roll(at + 1));
        }
        let all = writes.into_iter().map(|data| {
            let fixture = Arc::clone(&fixture);
            tokio::spawn(async move { fixture.upsert(data).await })
        });
        for task in all.collect::<Vec<_>>() {
            task.await.unwrap();
        }
    }
    let all = fixture.everybody().await;
    assert_eq!(all.len(), 100, "each person once");
    assert!(
        all.iter()
            .all(|row| row.data.contains_key("email") && row.data.contains_key("phone"))
    );
}
