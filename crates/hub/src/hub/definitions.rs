//! Tables and lists as callers see them: defined, listed, taken away.

use serde_json::Value;
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
    record::standard,
};

use super::Hub;
use crate::{
    configuration::{check_list, check_object},
    store::{ConfigurationChange, DefinitionKind, DefinitionRow, DefinitionWrite, RecordQuery, Removal, SortBy},
};

impl Hub {
    /// The definitions of this kind that a workspace has, in the order in which they were made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn definitions(
        &self,
        workspace: WorkspaceId,
        kind: DefinitionKind,
    ) -> Result<Vec<DefinitionRow>, Problem> {
        let all = self.inner.store.configuration().await?.definitions;
        Ok(all
            .into_iter()
            .filter(|row| row.workspace == workspace && row.kind == kind)
            .collect())
    }

    /// Why a definition of a table is kept and not used: this version cannot read it.
    pub fn unreadable_object(&self, workspace: WorkspaceId, name: &str) -> Option<Problem> {
        let configuration = self.configuration();
        let broken = &configuration.workspace(workspace)?.tables.broken;
        broken
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, problem)| problem.clone())
    }

    /// Defines a table, or what is added to a standard object, in place of what was said of it before.
    ///
    /// # Errors
    /// Everything that is wrong, each with a JSON pointer as its place.
    pub async fn define_object(&self, workspace: WorkspaceId, name: &str, spec: &Value) -> Result<(), Problem> {
        let spec = check_object(name, spec).map_err(first)?;
        self.define(workspace, DefinitionKind::Object, name, spec).await
    }

    /// Writes a named list of values, in place of the one with its name.
    ///
    /// # Errors
    /// Everything that is wrong, each with a JSON pointer as its place.
    pub async fn define_list(&self, workspace: WorkspaceId, name: &str, spec: &Value) -> Result<(), Problem> {
        let spec = check_list(name, spec).map_err(first)?;
        self.define(workspace, DefinitionKind::List, name, spec).await
    }

    async fn define(
        &self,
        workspace: WorkspaceId,
        kind: DefinitionKind,
        name: &str,
        spec: Value,
    ) -> Result<(), Problem> {
        let change = ConfigurationChange {
            definitions: vec![DefinitionWrite {
                kind,
                key: name.to_owned(),
                spec,
                sealed: Vec::new(),
            }],
            now_ms: self.now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await
    }

    /// Takes a definition away. A table with rows stays; so does a list that is not there.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::WrongState`] for a table that has rows.
    pub async fn remove_definition(
        &self,
        workspace: WorkspaceId,
        kind: DefinitionKind,
        name: &str,
    ) -> Result<(), Problem> {
        let known = self.definitions(workspace, kind).await?;
        if !known.iter().any(|row| row.key == name) {
            let shown: String = name.chars().take(80).collect();
            return Err(Problem::new(
                Code::NotFound,
                format!("there is no definition `{shown}`"),
                "Check the name.",
            ));
        }
        if kind == DefinitionKind::Object && standard(name).is_none() {
            let query = RecordQuery {
                object: name.into(),
                filters: Vec::new(),
                sort: SortBy::Id,
                descending: false,
                after: None,
                limit: 1,
            };
            if !self.inner.store.records(workspace, query).await?.is_empty() {
                return Err(Problem::new(
                    Code::WrongState,
                    format!("the table `{name}` has rows"),
                    "Export what is needed and delete its rows first.",
                ));
            }
        }
        let change = ConfigurationChange {
            removed: vec![Removal::Definition(kind, name.to_owned())],
            now_ms: self.now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await
    }
}

fn first(problems: Vec<Problem>) -> Problem {
    Problem::all(problems)
        .unwrap_or_else(|| Problem::new(Code::WrongValue, "the definition cannot be read", "Correct it."))
}
