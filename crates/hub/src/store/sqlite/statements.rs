//! Statements that one transaction uses again and again.

use rusqlite::{CachedStatement, Connection};

/// The statements that a transaction has asked for. The connection keeps them beyond it, but finding one there, by its text, takes as long as
/// carrying out a small one.
pub(super) struct Statements<'a> {
    db: &'a Connection,
    used: Vec<(&'static str, CachedStatement<'a>)>,
}

impl<'a> Statements<'a> {
    pub(super) fn new(db: &'a Connection) -> Self {
        Self { db, used: Vec::new() }
    }

    /// The statement of this text. Texts are told apart by where they stand in the program, so each should be asked for at one place.
    pub(super) fn of(&mut self, sql: &'static str) -> rusqlite::Result<&mut CachedStatement<'a>> {
        let known = self.used.iter().position(|(known, _)| std::ptr::eq(*known, sql));
        let at = match known {
            Some(at) => at,
            None => {
                self.used.push((sql, self.db.prepare_cached(sql)?));
                self.used.len() - 1
            }
        };
        Ok(&mut self.used[at].1)
    }
}
