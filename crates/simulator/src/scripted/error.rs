//! What is wrong with a script: when it is read, or while it runs.

use std::fmt;

/// Something wrong with a script.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ScriptError {
    /// The vendor's slug.
    pub vendor: String,
    /// The file, as `asana/simulator.rhai`.
    pub file: String,
    /// The line, from 1; `None` when it is not about one line.
    pub line: Option<usize>,
    /// What is wrong, for the author.
    pub message: String,
}

impl fmt::Display for ScriptError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(out, "{}:{line}: {}", self.file, self.message),
            None => write!(out, "{}: {}", self.file, self.message),
        }
    }
}
