//! The laws of merging: what is merged and undone is as it was; the order in which records come does not change who is whom.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;
use switchboard_model::record::{Policy, check, standard};

use super::*;
use crate::store::{How, RecordWrite};

/// A store in memory: what the effects leave.
#[derive(Default)]
struct World {
    shelf: Shelf,
    last: i64,
}

impl World {
    fn apply(&mut self, write: &RecordWrite) -> Written {
        let shelf = std::mem::take(&mut self.shelf);
        let mut last = self.last;
        let mut next = || {
            last += 1;
            last
        };
        let mut plan = Plan::new(WorkspaceId(1), 1_795_512_600_000, shelf, &mut next);
        let written = plan.apply(write);
        let decided = plan.finish();
        self.shelf = decided.shelf;
        for merge in decided.effects.merges {
            self.shelf.merges.insert(merge.id, merge);
        }
        self.last = last;
        written
    }

    fn upsert(&mut self, data: &Value) -> Written {
        let (policy, only) = (Policy::Update, None);
        self.apply(&write(How::Match { policy, only }, data))
    }

    /// Who is there: the values of each.
    fn people(&self) -> BTreeMap<RecordId, Map<String, Value>> {
        let live = self.shelf.records.values().filter(|row| row.merged_into.is_none());
        live.map(|row| (row.id, row.data.clone())).collect()
    }

    /// By what each is known.
    fn known(&self) -> BTreeMap<MatchKey, Vec<RecordId>> {
        let name: Arc<str> = "people".into();
        let keys = self.shelf.keys.keys().filter(|(_, key)| !key.kind.starts_with('~'));
        keys.map(|(_, key)| (key.clone(), self.shelf.holders(&name, key)))
            .filter(|(_, holders)| !holders.is_empty())
            .collect()
    }
}

fn write(how: How, data: &Value) -> RecordWrite {
    let object = Arc::new(standard("people").unwrap().clone());
    RecordWrite {
        data: check(&object, data.as_object().unwrap(), "test").unwrap().data,
        object,
        how,
        lookups: Vec::new(),
        source: "test".into(),
    }
}

/// Something that a source says of one of three people, each of whom has an address and a telephone number of their own.
fn said() -> impl Strategy<Value = (usize, Value)> {
    let city = prop::option::of(prop::sample::select(vec!["Riga", "Oslo"]));
    let id = prop::option::of(prop::sample::select(vec!["shop", "crm"]));
    (0..3_usize, 0..3_usize, city, id).prop_map(|(person, by, city, id)| {
        let mut said = Map::new();
        if by != 1 {
            said.insert("email".into(), json!(format!("p{person}@example.org")));
        }
        if by != 0 {
            said.insert("phone".into(), json!(format!("+1202555010{person}")));
        }
        if let Some(city) = city {
            said.insert("city".into(), json!(city));
        }
        if let Some(system) = id {
            said.insert("externalIds".into(), json!({ system: format!("{person}") }));
        }
        (person, Value::Object(said))
    })
}

proptest! {
    /// What two records become one by is taken back by undoing it: values, keys, and who is there.
    #[test]
    fn what_is_merged_and_undone_is_as_it_was(all in prop::collection::vec(said(), 2..8), pick in any::<(prop::sample::Index, prop::sample::Index)>()) {
        let mut world = World::default();
        for (_, said) in &all {
            world.upsert(said);
        }
        let ids: Vec<RecordId> = world.people().into_keys().collect();
        let (winner, loser) = (*pick.0.get(&ids), *pick.1.get(&ids));
        prop_assume!(winner != loser);
        let (people, known) = (world.people(), world.known());
        let merged = world.apply(&write(How::Merge { winner, loser }, &json!({})));
        prop_assert_eq!(&merged.outcome, &Outcome::Updated);
        prop_assert_eq!(world.people().len(), people.len() - 1);
        for holders in world.known().values() {
            prop_assert!(!holders.contains(&loser));
        }
        let undone = world.apply(&write(How::Undo(merged.merges[0]), &json!({})));
        prop_assert_eq!(&undone.outcome, &Outcome::Updated);
        prop_assert_eq!(world.people(), people);
        prop_assert_eq!(world.known(), known);
    }

    /// A person who was named by both keys is one record, whatever came before it and after it; and two people are never taken for one.
    #[test]
    fn the_order_in_which_people_come_does_not_change_who_is_whom(all in prop::collection::vec(said(), 1..10)) {
        let mut all = all;
        for person in 0..3 {
            let both = json!({"email": format!("p{person}@example.org"), "phone": format!("+1202555010{person}")});
            all.push((person, both));
        }
        let mut world = World::default();
        let mut ids = BTreeMap::new();
        for (person, said) in &all {
            ids.entry(*person).or_insert_with(Vec::new).push(world.upsert(said).record.unwrap().id);
        }
        prop_assert_eq!(world.people().len(), 3);
        let live = |id: RecordId| world.shelf.live(id).map(|row| row.id);
        let each: Vec<_> = ids.values().map(|ids| live(ids[0])).collect();
        prop_assert!(each[0] != each[1] && each[1] != each[2] && each[0] != each[2]);
        for ids in ids.values() {
            prop_assert!(ids.iter().all(|id| live(*id) == live(ids[0])));
        }
    }

    /// Three records that become one by themselves have the same values in whatever order that happens: of each field, the oldest record's.
    #[test]
    fn joining_three_records_does_not_depend_on_the_order(all in prop::collection::vec(said(), 3)) {
        let object = standard("people").unwrap();
        let data: Vec<Map<String, Value>> = all
            .iter()
            .map(|(_, said)| check(object, said.as_object().unwrap(), "test").unwrap().data)
            .collect();
        let join = |one: &Map<String, Value>, other: &Map<String, Value>| super::super::joining::join(object, one, other);
        let first = join(&join(&data[0], &data[1]), &data[2]);
        let last = join(&data[0], &join(&data[1], &data[2]));
        let gap = join(&join(&data[0], &data[2]), &data[1]);
        prop_assert_eq!(&first, &last);
        // The younger two have met the oldest in the other order; what both of them have and it has not is the elder's only in the first.
        let shared = |name: &str| !data[0].contains_key(name) && data[1].contains_key(name) && data[2].contains_key(name);
        for (name, value) in &first {
            prop_assert!(gap.contains_key(name));
            prop_assert!(gap.get(name) == Some(value) || shared(name) || value.is_object());
        }
    }
}
