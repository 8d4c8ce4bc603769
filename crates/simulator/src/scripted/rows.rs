//! The calls by which a script reads and changes its tables.

use rhai::{Array, Dynamic, Engine, INT, Map};

use super::Wrong;
use super::state::{Db, State};
use super::tables::Wanted;

/// `db.insert`, `get`, `replace`, `patch`, `remove`, `all`, `find`, `find_before`, `find_folded`, `first`, `slice`, `count`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("insert", |db: &mut Db, table: &str, row: Map, now_ms: INT| {
        insert(&mut db.lock(), table, row, now_ms)
    });
    engine.register_fn("insert", |db: &mut Db, table: &str, row: Map| {
        let mut state = db.lock();
        let now_ms = state.now_ms;
        insert(&mut state, table, row, now_ms)
    });
    engine.register_fn("get", |db: &mut Db, table: &str, id: Dynamic| {
        shown(db.lock().tables.get(table, &id).cloned())
    });
    engine.register_fn("remove", |db: &mut Db, table: &str, id: Dynamic| {
        db.lock().tables.remove(table, &id)
    });
    engine.register_fn("count", |db: &mut Db, table: &str| whole(db.lock().tables.count(table)));
    register_changes(engine);
    register_searches(engine);
}

fn register_changes(engine: &mut Engine) {
    engine.register_fn("replace", |db: &mut Db, table: &str, id: Dynamic, row: Map| {
        let now_ms = db.lock().now_ms;
        change(db, table, &id, now_ms, |old| *old = row)
    });
    engine.register_fn(
        "replace",
        |db: &mut Db, table: &str, id: Dynamic, row: Map, now_ms: INT| change(db, table, &id, now_ms, |old| *old = row),
    );
    engine.register_fn("patch", |db: &mut Db, table: &str, id: Dynamic, members: Map| {
        let now_ms = db.lock().now_ms;
        change(db, table, &id, now_ms, |old| old.extend(members))
    });
    engine.register_fn(
        "patch",
        |db: &mut Db, table: &str, id: Dynamic, members: Map, now_ms: INT| {
            change(db, table, &id, now_ms, |old| old.extend(members))
        },
    );
}

fn register_searches(engine: &mut Engine) {
    engine.register_fn("all", |db: &mut Db, table: &str| find(db, table, Wanted::default()));
    engine.register_fn("find", |db: &mut Db, table: &str, members: Map| {
        find(
            db,
            table,
            Wanted {
                members: Some(&members),
                ..Wanted::default()
            },
        )
    });
    engine.register_fn("find_folded", |db: &mut Db, table: &str, members: Map| {
        find(
            db,
            table,
            Wanted {
                members: Some(&members),
                folded: true,
                ..Wanted::default()
            },
        )
    });
    engine.register_fn(
        "find_before",
        |db: &mut Db, table: &str, members: Map, before_ms: INT| {
            let wanted = Wanted {
                members: Some(&members),
                before_ms: Some(before_ms),
                folded: false,
            };
            find(db, table, wanted)
        },
    );
    engine.register_fn("first", |db: &mut Db, table: &str, members: Map| {
        let wanted = Wanted {
            members: Some(&members),
            ..Wanted::default()
        };
        shown(db.lock().tables.find(table, wanted).next().cloned())
    });
    engine.register_fn(
        "slice",
        |db: &mut Db, table: &str, members: Map, skip: INT, most: INT| {
            let wanted = Wanted {
                members: Some(&members),
                ..Wanted::default()
            };
            let state = db.lock();
            let rows = state.tables.find(table, wanted).skip(size(skip)).take(size(most));
            rows.cloned().map(Dynamic::from_map).collect::<Array>()
        },
    );
}

fn insert(state: &mut State, table: &str, row: Map, now_ms: INT) -> Result<Dynamic, Wrong> {
    let shown = Dynamic::from_map(row.clone());
    state.tables.insert(table, row, now_ms)?;
    Ok(shown)
}

fn change(db: &Db, table: &str, id: &Dynamic, now_ms: INT, change: impl FnOnce(&mut Map)) -> Result<Dynamic, Wrong> {
    let mut state = db.lock();
    state.tables.change(table, id, now_ms, change)?;
    Ok(shown(state.tables.get(table, id).cloned()))
}

fn find(db: &Db, table: &str, wanted: Wanted<'_>) -> Array {
    let state = db.lock();
    state
        .tables
        .find(table, wanted)
        .cloned()
        .map(Dynamic::from_map)
        .collect()
}

fn shown(row: Option<Map>) -> Dynamic {
    row.map_or(Dynamic::UNIT, Dynamic::from_map)
}

fn whole(count: usize) -> INT {
    INT::try_from(count).unwrap_or(INT::MAX)
}

fn size(number: INT) -> usize {
    usize::try_from(number).unwrap_or(0)
}
