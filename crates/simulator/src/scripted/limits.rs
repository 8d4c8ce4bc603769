//! The calls by which a script counts against its rate limits.

use rhai::{Dynamic, Engine, INT};

use super::state::{Db, State};
use crate::rolling::Rolling;

/// A span is counted in so many slots at most: up to a minute it is exact to the millisecond.
const SLOTS: i64 = 60_000;

/// `db.take`, `used`, `left`, `limit`.
pub fn register(engine: &mut Engine) {
    engine.register_fn(
        "take",
        |db: &mut Db, name: &str, limit: INT, span_ms: INT, now_ms: INT| take(db, name, limit, span_ms, now_ms, 1),
    );
    engine.register_fn("take", take);
    engine.register_fn("used", |db: &mut Db, name: &str, now_ms: INT| {
        let mut state = db.lock();
        state
            .limits
            .get_mut(name)
            .map_or(0, |rolling| whole(rolling.used(now_ms)))
    });
    engine.register_fn(
        "left",
        |db: &mut Db, name: &str, limit: INT, span_ms: INT, now_ms: INT| {
            whole(rolling(&mut db.lock(), name, limit, span_ms).remaining(now_ms))
        },
    );
    engine.register_fn("limit", |db: &mut Db, limit: INT| whole(scaled(&db.lock(), limit)));
}

fn take(db: &mut Db, name: &str, limit: INT, span_ms: INT, now_ms: INT, cost: INT) -> Dynamic {
    let cost = u64::try_from(cost).unwrap_or(0);
    match rolling(&mut db.lock(), name, limit, span_ms).take_many(now_ms, cost) {
        Ok(()) => Dynamic::UNIT,
        Err(wait_ms) => Dynamic::from_int(wait_ms),
    }
}

/// The limit of this name, made when it is first asked for. One that has become larger or smaller keeps its count.
fn rolling<'a>(state: &'a mut State, name: &str, limit: INT, span_ms: INT) -> &'a mut Rolling {
    let limit = scaled(state, limit);
    let span_ms = span_ms.max(1);
    let made = || Rolling::new(limit, span_ms, span_ms / SLOTS);
    let rolling = state.limits.entry(name.to_owned()).or_insert_with(made);
    rolling.resize(limit, span_ms);
    rolling
}

fn scaled(state: &State, limit: INT) -> u64 {
    state.setup.limit(u64::try_from(limit).unwrap_or(0))
}

fn whole(number: u64) -> INT {
    INT::try_from(number).unwrap_or(INT::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{says, says_scaled};

    #[test]
    fn a_limit_counts_what_it_allows_and_says_how_long_to_wait() {
        for (script, expected) in [
            (
                r#"[db.take("m", 2, 1000, 0), db.take("m", 2, 1000, 400), db.take("m", 2, 1000, 900), db.take("m", 2, 1000, 1000)]"#,
                json!([null, null, 100, null]),
            ),
            (
                r#"db.take("m", 5, 1000, 0); [db.used("m", 10), db.left("m", 5, 1000, 10), db.used("m", 1000), db.used("no", 0)]"#,
                json!([1, 4, 0, 0]),
            ),
            (
                r#"[db.take("points", 100, 1000, 0, 60), db.take("points", 100, 1000, 10, 60), db.take("points", 100, 1000, 10, 40)]"#,
                json!([null, 990, null]),
            ),
            (
                r#"db.take("m", 1, 1000, 0); [db.take("m", 2, 1000, 1), db.take("m", 2, 1000, 2)]"#,
                json!([null, 998]),
            ),
            ("db.limit(100)", json!(100)),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }

    #[test]
    fn the_simulation_scales_limits() {
        assert_eq!(says_scaled(3.0, "db.limit(100)"), json!(300));
        let script =
            r#"for i in 0..3 { db.take("m", 1, 1000, 0); } [db.take("m", 1, 1000, 0), db.left("m", 1, 1000, 0)]"#;
        assert_eq!(says_scaled(3.0, script), json!([1000, 0]));
    }
}
