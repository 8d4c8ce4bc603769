//! The calls by which a script issues and judges tokens. What is no token at all, as `()` for a missing header, is one that
//! nobody knows.

use rhai::{Dynamic, Engine, INT};

use super::state::{Db, name_of};
use crate::credentials::Standing;

/// `db.issue`, `issue_refresh`, `admit`, `prolong`, `standing`, `was_issued`, `owner`, `refresh_owner`, `revoke`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("issue", |db: &mut Db, token: &str, owner: Dynamic, until_ms: INT| {
        db.lock().tokens.issue(token, &name_of(&owner), until_ms);
    });
    engine.register_fn("issue_refresh", |db: &mut Db, token: &str, owner: Dynamic| {
        db.lock().tokens.issue_refresh(token, &name_of(&owner));
    });
    engine.register_fn("admit", |db: &mut Db, token: Dynamic| {
        let token = name_of(&token);
        if !token.is_empty() {
            db.lock().tokens.admit(&token);
        }
    });
    engine.register_fn("prolong", |db: &mut Db, token: &str, until_ms: INT| {
        db.lock().tokens.prolong(token, until_ms);
    });
    engine.register_fn("standing", |db: &mut Db, token: Dynamic, now_ms: INT| {
        standing(db, &token, now_ms)
    });
    engine.register_fn("standing", |db: &mut Db, token: Dynamic| {
        let now_ms = db.lock().now_ms;
        standing(db, &token, now_ms)
    });
    engine.register_fn("was_issued", |db: &mut Db, token: Dynamic| {
        db.lock().tokens.was_issued(&name_of(&token))
    });
    engine.register_fn("owner", |db: &mut Db, token: Dynamic| {
        let owner = db.lock().tokens.owner(&name_of(&token)).map(str::to_owned);
        owner.map_or(Dynamic::UNIT, Dynamic::from)
    });
    engine.register_fn("refresh_owner", |db: &mut Db, token: Dynamic| {
        let state = db.lock();
        let owner = state.tokens.refresh_owner(&name_of(&token), state.any_credentials);
        owner.map_or(Dynamic::UNIT, Dynamic::from)
    });
    engine.register_fn("revoke", |db: &mut Db, token: Dynamic| {
        db.lock().tokens.revoke(&name_of(&token))
    });
}

fn standing(db: &Db, token: &Dynamic, now_ms: INT) -> &'static str {
    match db.lock().tokens.standing(&name_of(token), now_ms) {
        Standing::Good => "good",
        Standing::Expired(_) => "expired",
        Standing::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::{says, says_in_demo};

    #[test]
    fn tokens_are_issued_age_and_are_revoked() {
        for (script, expected) in [
            (
                r#"db.issue("a", "app", 100); [db.standing("a", 99), db.standing("a", 100), db.owner("a"), db.was_issued("a")]"#,
                json!(["good", "expired", "app", true]),
            ),
            (
                r#"db.admit("pat"); [db.standing("pat", 1), db.standing("pat"), db.was_issued("pat"), db.owner("pat")]"#,
                json!(["good", "good", false, "pat"]),
            ),
            (r#"db.issue("a", 7, 100); db.owner("a")"#, json!("7")),
            (
                r#"db.issue("a", "x", 100); db.prolong("a", 200); db.standing("a", 150)"#,
                json!("good"),
            ),
            (
                r#"[db.standing((), 0), db.owner(()), db.was_issued(())]"#,
                json!(["unknown", null, false]),
            ),
            (r#"db.admit(()); db.standing("", 0)"#, json!("unknown")),
            (
                r#"db.issue_refresh("r", "app"); [db.refresh_owner("r"), db.refresh_owner("other"), db.refresh_owner(())]"#,
                json!(["app", null, null]),
            ),
            (
                r#"db.admit("pat"); let known = db.revoke("pat"); db.admit("pat"); [known, db.standing("pat"), db.revoke("no")]"#,
                json!([true, "unknown", false]),
            ),
        ] {
            assert_eq!(says(script), expected, "{script}");
        }
    }

    #[test]
    fn in_a_demo_any_refresh_token_counts_for_itself() {
        let script = r#"db.revoke("old"); [db.refresh_owner("any"), db.refresh_owner("old"), db.refresh_owner("")]"#;
        assert_eq!(says_in_demo(script), json!(["any", null, null]));
    }
}
