//! Records as callers see them: written, found, listed, merged.

use std::{collections::HashMap, sync::Arc};

use serde_json::Value;
use switchboard_model::{
    id::{MergeId, RecordId, WorkspaceId},
    problem::{Code, Problem},
    record::{MatchKey, Objects},
};

use super::Hub;
use crate::{
    configuration::Configuration,
    record::announcer,
    store::{
        Commit, DuplicateFilter, DuplicateRow, Guard, MatchRow, MergeRow, Place, RecordQuery, RecordRow, RecordWrite,
        Written, find_value,
    },
};

/// Rows that one page of a list looks at, at most, where what is asked for has to be looked for row by row.
const LOOKED_AT: usize = 20_000;
/// Rows that are read at once then.
const BITE: usize = 500;

/// A commit of this workspace in which nothing is done yet. Changes of records are routed as this configuration says.
pub fn empty_commit(configuration: &Arc<Configuration>, workspace: WorkspaceId, now_ms: i64) -> Commit {
    let compiled = configuration.workspace(workspace);
    Commit {
        workspace,
        now_ms,
        guard: Guard::None,
        records: Vec::new(),
        events: Vec::new(),
        announce: announcer(Arc::clone(configuration), workspace, Arc::default()),
        link_places: compiled.map_or_else(Arc::default, |compiled| Arc::clone(&compiled.link_places)),
    }
}

/// A text that is looked for in values, in any case of letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contains {
    /// The field; `None`: in any text of the record.
    pub field: Option<String>,
    /// The text.
    pub text: String,
    /// Where.
    pub part: Part,
}

/// Where a text is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Anywhere in the value.
    Inside,
    /// At its beginning.
    Start,
    /// The value, or one of a list, is this text.
    Whole,
}

impl Contains {
    fn holds(&self, row: &RecordRow) -> bool {
        let wanted = self.text.to_lowercase();
        match &self.field {
            Some(field) => find_value(&row.data, field).is_some_and(|value| self.is_in(value, &wanted)),
            None => {
                row.title.to_lowercase().contains(&wanted) || row.data.values().any(|value| self.is_in(value, &wanted))
            }
        }
    }

    fn is_in(&self, value: &Value, wanted: &str) -> bool {
        let has = |text: &str| {
            let text = text.to_lowercase();
            match self.part {
                Part::Inside => text.contains(wanted),
                Part::Start => text.starts_with(wanted),
                Part::Whole => text == wanted,
            }
        };
        match value {
            Value::String(text) => has(text),
            Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(has)),
            Value::Number(number) => has(&number.to_string()),
            _ => false,
        }
    }
}

/// A page of records.
#[derive(Debug, Clone)]
pub struct RecordPage {
    /// The records.
    pub rows: Vec<RecordRow>,
    /// Where the next page begins; `None`: this is the last one.
    pub next: Option<Place>,
}

impl Hub {
    /// The kinds of records of a workspace.
    pub fn objects(&self, workspace: WorkspaceId) -> Arc<Objects> {
        self.configuration().objects(workspace)
    }

    /// A commit of this workspace in which nothing is done yet.
    pub fn commit_of(&self, workspace: WorkspaceId) -> Commit {
        empty_commit(&self.configuration(), workspace, self.now_ms())
    }

    /// Does this with records, one after the other, in one transaction, and tells what has changed as events. What cannot be done with one of
    /// them is said in its answer; the others are done.
    ///
    /// # Errors
    /// When the store fails; then nothing is done.
    pub async fn write_records(
        &self,
        workspace: WorkspaceId,
        records: Vec<RecordWrite>,
    ) -> Result<Vec<Written>, Problem> {
        let commit = Commit {
            records,
            ..self.commit_of(workspace)
        };
        let committed = self.inner.store.commit(commit).await?;
        if !committed.announced.is_empty() {
            self.inner.desk.bell.ring();
        }
        Ok(committed.records)
    }

    /// One record; the id of one that was merged leads to the one that it was merged into.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn record(&self, workspace: WorkspaceId, id: RecordId) -> Result<Option<RecordRow>, Problem> {
        Ok(self.inner.store.record(workspace, id).await?)
    }

    /// What people call these records.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn titles(
        &self,
        workspace: WorkspaceId,
        ids: Vec<RecordId>,
    ) -> Result<HashMap<RecordId, String>, Problem> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        Ok(self.inner.store.titles(workspace, ids).await?)
    }

    /// A page of records. Where texts are looked for inside of values, a page looks at some thousand records and may be short although more
    /// follow.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn records(
        &self,
        workspace: WorkspaceId,
        query: RecordQuery,
        contains: &[Contains],
    ) -> Result<RecordPage, Problem> {
        let limit = query.limit;
        let mut query = RecordQuery {
            limit: if contains.is_empty() { limit + 1 } else { BITE },
            ..query
        };
        let (mut rows, mut looked_at) = (Vec::new(), 0);
        loop {
            let bite = self.inner.store.records(workspace, query.clone()).await?;
            looked_at += bite.len();
            let is_last = bite.len() < query.limit;
            for row in bite {
                if rows.len() == limit {
                    // There is more than the page has room for.
                    let next = rows.last().map(|last| query.sort.place(last));
                    return Ok(RecordPage { rows, next });
                }
                query.after = Some(query.sort.place(&row));
                if contains.iter().all(|contains| contains.holds(&row)) {
                    rows.push(row);
                }
            }
            if is_last || looked_at >= LOOKED_AT {
                let next = query.after.clone().filter(|_| !is_last);
                return Ok(RecordPage { rows, next });
            }
        }
    }

    /// The records that a key leads to, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_by(
        &self,
        workspace: WorkspaceId,
        object: &str,
        key: MatchKey,
    ) -> Result<Vec<RecordRow>, Problem> {
        Ok(self.inner.store.known_by(workspace, object, key).await?)
    }

    /// By which keys a record was found, newest first, the last hundred.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn matches(&self, workspace: WorkspaceId, id: RecordId) -> Result<Vec<MatchRow>, Problem> {
        Ok(self.inner.store.matches(workspace, id).await?)
    }

    /// Merges into a record and out of it, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn merges(&self, workspace: WorkspaceId, id: RecordId) -> Result<Vec<MergeRow>, Problem> {
        Ok(self.inner.store.merges(workspace, id).await?)
    }

    /// One merge.
    ///
    /// # Errors
    /// [`Code::NotFound`]; when the store fails.
    pub async fn merge(&self, workspace: WorkspaceId, id: MergeId) -> Result<MergeRow, Problem> {
        let found = self.inner.store.merge(workspace, id).await?;
        found.ok_or_else(|| {
            Problem::new(
                Code::NotFound,
                format!("there is no merge {id} in this workspace"),
                "The history of a record (GET …/history) names its merges.",
            )
        })
    }

    /// Pairs of records that may be one, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn duplicates(
        &self,
        workspace: WorkspaceId,
        filter: DuplicateFilter,
    ) -> Result<Vec<DuplicateRow>, Problem> {
        Ok(self.inner.store.duplicates(workspace, filter).await?)
    }
}
