//! What a simulated account consists of, and the handle by which its script reaches it.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rhai::{Dynamic, Engine, INT, Map};

use super::tables::Tables;
use crate::chance::Chance;
use crate::consent::Codes;
use crate::credentials::Tokens;
use crate::options::Setup;
use crate::rolling::Rolling;

/// Everything that a simulated account remembers.
#[derive(Debug)]
pub struct State {
    /// Scale of the limits.
    pub setup: Setup,
    /// What can be changed from outside.
    pub settings: Map,
    /// Any non-empty credential is good.
    pub any_credentials: bool,
    /// Unknown places of the configuration come into being.
    pub any_place: bool,
    /// The rows.
    pub tables: Tables,
    /// `db.set` and `db.value`.
    pub values: HashMap<String, Dynamic>,
    /// `db.next`: the last number that was given.
    pub counters: BTreeMap<String, INT>,
    /// The tokens.
    pub tokens: Tokens,
    /// The codes of people who agreed.
    pub codes: Codes,
    /// The limits by name.
    pub limits: HashMap<String, Rolling>,
    /// The seeded chance.
    pub chance: Chance,
    /// The time of the request that is being answered, milliseconds since 1970; 0 at the start.
    pub now_ms: i64,
}

/// The account as a script holds it: `db`.
#[derive(Clone)]
pub struct Db(Arc<Mutex<State>>);

impl fmt::Debug for Db {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Db")
    }
}

impl Db {
    /// An account without anything in it.
    #[must_use]
    pub fn new(slug: &str, setup: &Setup) -> Self {
        Self(Arc::new(Mutex::new(State {
            setup: *setup,
            settings: Map::new(),
            any_credentials: setup.accept_any_credentials,
            any_place: setup.accept_any_database,
            tables: Tables::default(),
            values: HashMap::new(),
            counters: BTreeMap::new(),
            tokens: Tokens::default(),
            codes: Codes::default(),
            limits: HashMap::new(),
            chance: Chance::new(setup.seed, slug),
            now_ms: 0,
        })))
    }

    /// The account; no script runs while it is held.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock()
    }
}

/// Text by which something is called: text as it is, a number as text, `()` as nothing.
#[must_use]
pub fn name_of(value: &Dynamic) -> String {
    if value.is_unit() {
        String::new()
    } else {
        value.to_string()
    }
}

/// `db.settings`, `db.any_credentials`, `db.any_place`, `db.now_ms`, and the values and counters of the account.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Db>("Db");
    engine.register_get("settings", |db: &mut Db| db.lock().settings.clone());
    engine.register_get("any_credentials", |db: &mut Db| db.lock().any_credentials);
    engine.register_get("any_place", |db: &mut Db| db.lock().any_place);
    engine.register_get("now_ms", |db: &mut Db| db.lock().now_ms);
    engine.register_fn("set", |db: &mut Db, key: &str, value: Dynamic| {
        db.lock().values.insert(key.to_owned(), super::json::own(value));
    });
    engine.register_fn("value", |db: &mut Db, key: &str| {
        db.lock().values.get(key).cloned().unwrap_or(Dynamic::UNIT)
    });
    engine.register_fn("next", |db: &mut Db, counter: &str| next(db, counter, 1));
    engine.register_fn("next_from", next);
}

fn next(db: &mut Db, counter: &str, first: INT) -> INT {
    let mut state = db.lock();
    let number = match state.counters.get(counter) {
        None => first,
        Some(last) => last.saturating_add(1),
    };
    state.counters.insert(counter.to_owned(), number);
    number
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    #[test]
    fn values_and_counters_are_remembered() {
        for (script, expected) in [
            (r#"db.set("k", #{a: 1}); db.value("k")"#, json!({"a": 1})),
            (r#"db.value("nothing")"#, json!(null)),
            (r#"[db.next("a"), db.next("a"), db.next("b")]"#, json!([1, 2, 1])),
            (
                r#"[db.next_from("a", 1000), db.next_from("a", 1000), db.next("a")]"#,
                json!([1000, 1001, 1002]),
            ),
            ("db.settings.speed", json!(7)),
            ("[db.any_credentials, db.any_place]", json!([false, false])),
            (r#"let x = [1]; db.set("k", x); x.push(2); db.value("k")"#, json!([1])),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }
}
