//! The tables against a plain list, and how fast they stay.

use proptest::prelude::*;
use rhai::{Dynamic, Map};

use crate::scripted::tables::{Tables, Wanted};

#[derive(Debug, Clone)]
enum Step {
    Insert { id: i64, value: i64, at: i64 },
    Patch { id: i64, value: i64, at: i64 },
    Replace { id: i64, value: i64, at: i64 },
    Remove { id: i64 },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (id, value, at) = (0_i64..12, 0_i64..4, 0_i64..100);
    let three = (id.clone(), value, at);
    let step = prop_oneof![
        3 => three.clone().prop_map(|(id, value, at)| Step::Insert { id, value, at }),
        2 => three.clone().prop_map(|(id, value, at)| Step::Patch { id, value, at }),
        1 => three.prop_map(|(id, value, at)| Step::Replace { id, value, at }),
        1 => id.prop_map(|id| Step::Remove { id }),
    ];
    prop::collection::vec(step, 0..60)
}

/// Id, value, whether it was never replaced, time of the last change.
type Line = (i64, i64, bool, i64);
type Model = Vec<Line>;

fn row(id: i64, value: i64) -> Map {
    Map::from([
        ("id".into(), id.into()),
        ("value".into(), value.into()),
        ("kept".into(), true.into()),
    ])
}

fn bare(value: i64) -> Map {
    Map::from([("value".into(), value.into())])
}

fn take(step: &Step, tables: &mut Tables, model: &mut Model) {
    match *step {
        Step::Insert { id, value, at } => {
            let is_new = model.iter().all(|row| row.0 != id);
            assert_eq!(tables.insert("t", row(id, value), at).is_ok(), is_new);
            if is_new {
                model.push((id, value, true, at));
            }
        }
        Step::Patch { id, value, at } => {
            let known = model.iter_mut().find(|row| row.0 == id);
            let done = tables.change("t", &Dynamic::from(id.to_string()), at, |old| old.extend(bare(value)));
            assert_eq!(done, Ok(known.is_some()));
            if let Some(row) = known {
                (row.1, row.3) = (value, at);
            }
        }
        Step::Replace { id, value, at } => {
            let known = model.iter_mut().find(|row| row.0 == id);
            let done = tables.change("t", &id.into(), at, |old| *old = bare(value));
            assert_eq!(done, Ok(known.is_some()));
            if let Some(row) = known {
                *row = (id, value, false, at);
            }
        }
        Step::Remove { id } => {
            let place = model.iter().position(|row| row.0 == id);
            assert_eq!(tables.remove("t", &id.into()), place.is_some());
            if let Some(place) = place {
                model.remove(place);
            }
        }
    }
}

fn ids(tables: &Tables, wanted: Wanted<'_>) -> Vec<i64> {
    tables
        .find("t", wanted)
        .map(|row| row["id"].as_int().unwrap())
        .collect()
}

proptest! {
    #[test]
    fn tables_do_what_a_plain_list_does(steps in steps()) {
        let (mut tables, mut model) = (Tables::default(), Model::new());
        for step in &steps {
            take(step, &mut tables, &mut model);
        }
        prop_assert_eq!(tables.count("t"), model.len());
        let of = |fits: &dyn Fn(&Line) -> bool| -> Vec<i64> {
            model.iter().filter(|row| fits(row)).map(|row| row.0).collect()
        };
        prop_assert_eq!(ids(&tables, Wanted::default()), of(&|_| true));
        for value in 0..4 {
            let members = bare(value);
            let wanted = Wanted { members: Some(&members), ..Wanted::default() };
            prop_assert_eq!(ids(&tables, wanted), of(&|row| row.1 == value));
            let early = Wanted { before_ms: Some(50), ..wanted };
            prop_assert_eq!(ids(&tables, early), of(&|row| row.1 == value && row.3 < 50));
        }
        for id in 0..12_i64 {
            let members = Map::from([("id".into(), id.to_string().into())]);
            let wanted = Wanted { members: Some(&members), ..Wanted::default() };
            prop_assert_eq!(ids(&tables, wanted), of(&|row| row.0 == id));
            let kept = tables.get("t", &id.into()).map(|row| row.contains_key("kept"));
            prop_assert_eq!(kept, model.iter().find(|row| row.0 == id).map(|row| row.2));
        }
    }
}

#[test]
fn a_row_keeps_its_id_and_needs_one() {
    let mut tables = Tables::default();
    assert!(tables.insert("t", Map::new(), 0).unwrap_err().contains("no id"));
    tables.insert("t", row(1, 0), 0).unwrap();
    let other = tables.change("t", &1_i64.into(), 0, |old| {
        old.insert("id".into(), 2_i64.into());
    });
    assert!(other.unwrap_err().contains("another id"));
    assert_eq!(tables.get("t", &1_i64.into()).unwrap()["value"].as_int(), Ok(0));
}
