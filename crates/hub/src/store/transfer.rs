//! Moving a whole installation from one database to another: every row, with its id.
//!
//! A source is read in pages of each part, in the order of keys, from one consistent state. A target takes everything in one transaction: a move
//! that is interrupted leaves it empty, and is simply begun again.

use super::{Answer, StoreError};

/// Rows of a page.
const PAGE: usize = 1_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A whole number.
    Number,
    /// Text.
    Text,
    /// Bytes.
    Bytes,
}

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// None.
    Null,
    /// Of [`Kind::Number`].
    Number(i64),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Bytes`].
    Bytes(Vec<u8>),
}

/// The values of a row, in the order of the part's columns.
pub type Row = Vec<Cell>;

/// Rows of one shape.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Its name, for people and as the name of its table.
    pub name: &'static str,
    /// The first so many columns are its key.
    pub key: usize,
    /// Its columns.
    pub columns: &'static [(&'static str, Kind)],
}

impl Part {
    /// The names of its columns, separated by commas.
    pub fn column_list(&self) -> String {
        self.columns
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The names of the columns of its key.
    pub fn key_list(&self) -> String {
        self.columns[..self.key]
            .iter()
            .map(|(name, _)| *name)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

use Kind::{Bytes, Number, Text};

/// Everything that is moved: first what others refer to, and what waits before its events, so that a target knows which events are over.
/// Fingerprints go by their event, of which each has one at most. Rights to send, hints, and people who are signing in at
/// this moment are not moved.
pub const PARTS: &[Part] = &[
    Part {
        name: "workspace",
        key: 1,
        columns: &[("id", Number), ("key", Text)],
    },
    Part {
        name: "api_key",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("name", Text),
            ("hash", Bytes),
            ("created_ms", Number),
            ("revoked_ms", Number),
        ],
    },
    Part {
        name: "connection",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("key", Text),
            ("spec", Text),
            ("sealed", Bytes),
            ("state", Number),
            ("reason", Text),
            ("facts", Text),
            ("changed_ms", Number),
        ],
    },
    Part {
        name: "access",
        key: 1,
        columns: &[("connection", Number), ("sealed", Bytes), ("grant_ends_ms", Number)],
    },
    Part {
        name: "discovered",
        key: 2,
        columns: &[
            ("connection", Number),
            ("part", Text),
            ("account", Bytes),
            ("found_ms", Number),
            ("content", Text),
        ],
    },
    Part {
        name: "route",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("key", Text),
            ("spec", Text),
            ("changed_ms", Number),
        ],
    },
    Part {
        name: "definition",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("kind", Text),
            ("key", Text),
            ("spec", Text),
            ("sealed", Bytes),
            ("changed_ms", Number),
        ],
    },
    Part {
        name: "callback",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("source", Text),
            ("received_ms", Number),
            ("request", Text),
            ("body", Bytes),
            ("delivery", Text),
            ("state", Number),
            ("round", Number),
            ("tries", Number),
            ("starts", Number),
            ("due_ms", Number),
            ("settled_ms", Number),
            ("repeats", Number),
            ("notes", Text),
            ("problem", Text),
            ("made", Text),
        ],
    },
    Part {
        name: "classifier_use",
        key: 2,
        columns: &[
            ("workspace", Number),
            ("day", Text),
            ("requests", Number),
            ("tokens", Number),
        ],
    },
    Part {
        name: "unclassified",
        key: 1,
        columns: &[("event", Number), ("workspace", Number), ("until_ms", Number)],
    },
    Part {
        name: "record",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("object", Text),
            ("title", Text),
            ("data", Text),
            ("revision", Number),
            ("source", Text),
            ("review", Number),
            ("merged_into", Number),
            ("created_ms", Number),
            ("updated_ms", Number),
        ],
    },
    Part {
        name: "record_key",
        key: 3,
        columns: &[
            ("record", Number),
            ("kind", Text),
            ("value", Text),
            ("workspace", Number),
            ("object", Text),
            ("shared", Number),
        ],
    },
    Part {
        name: "record_match",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("record", Number),
            ("at_ms", Number),
            ("source", Text),
            ("kind", Text),
            ("value", Text),
            ("outcome", Text),
        ],
    },
    Part {
        name: "record_merge",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("object", Text),
            ("winner", Number),
            ("loser", Number),
            ("at_ms", Number),
            ("undone_ms", Number),
            ("story", Text),
        ],
    },
    Part {
        name: "duplicate",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("object", Text),
            ("one", Number),
            ("other", Number),
            ("kind", Text),
            ("value", Text),
            ("state", Number),
            ("found_ms", Number),
            ("decided_ms", Number),
        ],
    },
    Part {
        name: "delivery",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("event", Number),
            ("connection", Number),
            ("object", Text),
            ("record_key", Text),
            ("options", Text),
            ("fallback", Text),
            ("state", Number),
            ("attempts", Number),
            ("due_ms", Number),
            ("doubt_ms", Number),
            ("operation", Text),
            ("means", Text),
            ("request_digest", Bytes),
            ("settled_ms", Number),
            ("external_id", Text),
            ("problem", Text),
            ("carrier", Number),
            ("handed_over_ms", Number),
        ],
    },
    Part {
        name: "event",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("kind", Text),
            ("received_ms", Number),
            ("data", Text),
            ("note", Text),
        ],
    },
    Part {
        name: "seen",
        key: 1,
        columns: &[
            ("event", Number),
            ("workspace", Number),
            ("key", Bytes),
            ("content", Bytes),
        ],
    },
    Part {
        name: "automation_version",
        key: 2,
        columns: &[("workspace", Number), ("digest", Bytes), ("body", Text)],
    },
    Part {
        name: "run",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("automation", Text),
            ("version", Bytes),
            ("event", Number),
            ("kept", Text),
            ("chain", Text),
            ("state", Number),
            ("step", Number),
            ("attempts", Number),
            ("due_ms", Number),
            ("fence", Number),
            ("problem", Text),
            ("ended_ms", Number),
        ],
    },
    Part {
        name: "run_step",
        key: 2,
        columns: &[
            ("run", Number),
            ("step", Number),
            ("workspace", Number),
            ("name", Text),
            ("action", Text),
            ("outcome", Number),
            ("result", Text),
            ("detail", Text),
            ("problem", Text),
            ("at_ms", Number),
        ],
    },
    Part {
        name: "rotation",
        key: 3,
        columns: &[
            ("workspace", Number),
            ("automation", Text),
            ("step", Text),
            ("turn", Number),
        ],
    },
    Part {
        name: "attempt",
        key: 1,
        columns: &[
            ("id", Number),
            ("workspace", Number),
            ("delivery", Number),
            ("started_ms", Number),
            ("duration_ms", Number),
            ("operation", Text),
            ("request", Text),
            ("status", Number),
            ("answer", Text),
            ("outcome", Text),
            ("records", Number),
        ],
    },
    Part {
        name: "link",
        key: 3,
        columns: &[
            ("connection", Number),
            ("object", Text),
            ("record_key", Text),
            ("external_id", Text),
        ],
    },
    Part {
        name: "link_doubt",
        key: 3,
        columns: &[
            ("connection", Number),
            ("object", Text),
            ("record_key", Text),
            ("doubt_ms", Number),
            ("operation", Text),
            ("means", Text),
        ],
    },
    Part {
        name: "tally",
        key: 1,
        columns: &[
            ("connection", Number),
            ("delivered", Number),
            ("last_delivered_ms", Number),
        ],
    },
];

/// A database that is read.
pub trait Source: Send {
    /// Rows of a part whose keys come after `after`, in the order of keys, at most `limit`.
    fn page(&mut self, part: &'static Part, after: Option<Row>, limit: usize) -> Answer<'_, Vec<Row>>;
}

/// A database that is filled.
pub trait Target: Send {
    /// Whether it holds nothing.
    fn is_empty(&mut self) -> Answer<'_, bool>;
    /// Takes rows of a part.
    fn put(&mut self, part: &'static Part, rows: Vec<Row>) -> Answer<'_, ()>;
    /// Makes everything durable. Without it nothing of it is kept.
    fn finish(&mut self) -> Answer<'_, ()>;
}

/// Moves everything; `progress` hears the part and how many of its rows were moved so far, after each page.
///
/// # Errors
/// When the target is not empty, or one of the two fails. Then the target is as it was.
pub async fn transfer(
    source: &mut dyn Source,
    target: &mut dyn Target,
    mut progress: impl FnMut(&str, u64),
) -> Result<(), StoreError> {
    if !target.is_empty().await? {
        return Err(StoreError::Failed(
            "there is an installation in the target already; name one that is empty".into(),
        ));
    }
    for part in PARTS {
        let (mut after, mut moved) = (None, 0);
        loop {
            let rows = source.page(part, after, PAGE).await?;
            let Some(last) = rows.last() else { break };
            after = Some(last[..part.key].to_vec());
            moved += rows.len() as u64;
            target.put(part, rows).await?;
            progress(part.name, moved);
        }
    }
    target.finish().await
}
