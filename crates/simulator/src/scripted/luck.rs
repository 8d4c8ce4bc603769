//! The calls by which a script makes ids and tokens. The same seed and the same calls make the same ones.

use rhai::{Array, Dynamic, Engine, INT};

use super::state::Db;
use crate::chance::Chance;

/// No id and no token is longer.
const LONGEST: usize = 65_536;

/// `db.uuid`, `hex`, `digits`, `token`, `between`, `pick`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("uuid", |db: &mut Db| db.lock().chance.uuid());
    engine.register_fn("hex", |db: &mut Db, length: INT| {
        drawn(&mut db.lock().chance, "0123456789abcdef", length)
    });
    // A number that begins with 0 would lose it where it is read as a number.
    engine.register_fn("digits", |db: &mut Db, length: INT| {
        let chance = &mut db.lock().chance;
        let first = drawn(chance, "123456789", length.min(1));
        first + drawn(chance, "0123456789", length - 1).as_str()
    });
    engine.register_fn("token", |db: &mut Db, length: INT| db.lock().chance.token(size(length)));
    engine.register_fn("between", |db: &mut Db, low: INT, high: INT| {
        let span = u64::try_from(high.saturating_sub(low)).unwrap_or(0);
        let step = db.lock().chance.between(0, span);
        low.saturating_add(INT::try_from(step).unwrap_or(0))
    });
    engine.register_fn("pick", |db: &mut Db, list: Array| {
        let last = list.len().saturating_sub(1);
        let position = db.lock().chance.between(0, last as u64);
        let position = usize::try_from(position).unwrap_or(0);
        list.into_iter().nth(position).unwrap_or(Dynamic::UNIT)
    });
}

fn drawn(chance: &mut Chance, letters: &str, length: INT) -> String {
    let letters = letters.as_bytes();
    let last = letters.len().saturating_sub(1) as u64;
    let letter = |_| {
        let position = usize::try_from(chance.between(0, last)).unwrap_or(0);
        char::from(letters[position])
    };
    (0..size(length)).map(letter).collect()
}

fn size(length: INT) -> usize {
    usize::try_from(length).unwrap_or(0).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{says, says_seeded};

    #[test]
    fn ids_have_the_form_that_was_asked_for() {
        for script in [
            r#"matches(db.uuid(), "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")"#,
            r#"matches(db.hex(24), "^[0-9a-f]{24}$")"#,
            r#"matches(db.digits(18), "^[1-9][0-9]{17}$")"#,
            r#"matches(db.token(40), "^[A-Za-z0-9]{40}$")"#,
            r#"db.hex(0) == "" && db.digits(0) == "" && db.token(-1) == """#,
            r#"let n = db.between(3, 5); n >= 3 && n <= 5 && db.between(9, 2) == 9"#,
            r#"["a", "b"].contains(db.pick(["a", "b"])) && db.pick([]) == ()"#,
        ] {
            assert_eq!(says(script), json!(true), "{script}");
        }
    }

    #[test]
    fn one_seed_makes_one_sequence() {
        let script =
            "[db.uuid(), db.hex(9), db.digits(9), db.token(9), db.between(0, 1000000), db.pick([1, 2, 3, 4, 5])]";
        assert_eq!(says_seeded(7, script), says_seeded(7, script));
        assert_ne!(says_seeded(7, script), says_seeded(8, script));
    }
}
