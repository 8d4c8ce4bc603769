//! How a workspace's messages are classified, compiled.

use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::{Map, Value};
use switchboard_connect::guide::ClassifierItem;
use switchboard_model::{
    classify::{Classifier, ClassifierSpec},
    id::WorkspaceId,
    problem::{Code, Problem},
};

use super::Tools;
use crate::{
    classify::Asked,
    store::{DefinitionKind, DefinitionRow, DefinitionWrite},
    vault::Vault,
};

/// The key of the one classifier that a workspace has.
pub(crate) const CLASSIFIER_KEY: &str = "main";
/// The name of the model's key among the secrets.
const API_KEY: &str = "api_key";

/// A classifier at work.
#[derive(Debug)]
pub struct WorkspaceClassifier {
    /// What a person said about it.
    pub spec: ClassifierSpec,
    /// Compiled; `Err` keeps why it cannot be, and nothing is classified.
    pub compiled: Result<Classifier, String>,
    /// How the model's server stands, as far as this node knows.
    pub(crate) asked: Mutex<Asked>,
    api_key: Option<String>,
    row: DefinitionRow,
}

impl WorkspaceClassifier {
    /// The classifier among the definitions of a workspace; one that did not change is taken over.
    pub(super) fn of_rows(rows: &[DefinitionRow], old: Option<&Arc<Self>>, tools: &Tools) -> Option<Arc<Self>> {
        let row = rows.iter().find(|row| row.kind == DefinitionKind::Classifier)?;
        let same = old.filter(|old| old.is_same(row)).cloned();
        Some(same.unwrap_or_else(|| Arc::new(Self::compile(row.clone(), tools))))
    }

    fn compile(row: DefinitionRow, tools: &Tools) -> Self {
        let (spec, mut fault) = match serde_json::from_value::<ClassifierSpec>(row.spec.clone()) {
            Ok(spec) => (spec, None),
            Err(error) => {
                let off = ClassifierSpec {
                    enabled: false,
                    ..ClassifierSpec::default()
                };
                (off, Some(format!("its description cannot be read: {error}")))
            }
        };
        let api_key = match open(&tools.vault, &row) {
            Ok(api_key) => api_key,
            Err(problem) => {
                fault = fault.or(Some(problem.detail));
                None
            }
        };
        let compiled = match fault {
            Some(fault) => Err(fault),
            None => Classifier::compile(spec.clone()).map_err(|problems| {
                let told = problems.iter().map(ToString::to_string);
                told.collect::<Vec<_>>().join("; ")
            }),
        };
        Self {
            spec,
            compiled,
            asked: Mutex::new(Asked::new(row.workspace)),
            api_key,
            row,
        }
    }

    /// Whether the row still says what this was compiled from.
    fn is_same(&self, row: &DefinitionRow) -> bool {
        self.row == *row
    }

    /// The rules, when it is switched on and can be used.
    pub fn active(&self) -> Option<&Classifier> {
        self.compiled.as_ref().ok().filter(|_| self.spec.enabled)
    }

    /// The key that the model's server wants.
    pub(crate) fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// Whether a key is kept.
    pub fn has_api_key(&self) -> bool {
        self.api_key.is_some()
    }

    /// When it was written last, Unix milliseconds.
    pub fn changed_ms(&self) -> i64 {
        self.row.changed_ms
    }
}

/// What a key is sealed for.
fn seal_place(workspace: WorkspaceId) -> String {
    format!("classifier {}", workspace.0)
}

fn open(vault: &Vault, row: &DefinitionRow) -> Result<Option<String>, Problem> {
    if row.sealed.is_empty() {
        return Ok(None);
    }
    let secrets = vault.open(&seal_place(row.workspace), &row.sealed)?;
    Ok(secrets.get(API_KEY).and_then(Value::as_str).map(str::to_owned))
}

/// What the store writes. A key that is not given anew stays as long as the address stays: it is shown to no other server.
///
/// # Errors
/// What is wrong with it, or that the key cannot be sealed.
pub(super) fn write(
    workspace: WorkspaceId,
    item: ClassifierItem,
    before: Option<&Arc<WorkspaceClassifier>>,
    vault: &Vault,
) -> Result<DefinitionWrite, Vec<Problem>> {
    let ClassifierItem { spec, api_key } = item;
    Classifier::compile(spec.clone())?;
    let address = |spec: &ClassifierSpec| spec.model.as_ref().map(|model| model.base_url.clone());
    let kept = before.filter(|before| address(&before.spec) == address(&spec));
    let api_key = api_key.or_else(|| kept.and_then(|before| before.api_key.clone()));
    let sealed = match api_key.filter(|key| !key.is_empty() && spec.model.is_some()) {
        Some(key) => {
            let secrets = Map::from_iter([(API_KEY.to_owned(), key.into())]);
            let sealed = vault.seal(&seal_place(workspace), &secrets);
            sealed.map_err(|problem| vec![problem])?
        }
        None => Vec::new(),
    };
    let spec = serde_json::to_value(&spec).map_err(|error| {
        let detail = format!("the classifier cannot be written: {error}");
        vec![Problem::new(Code::Internal, detail, "Please report this.")]
    })?;
    Ok(DefinitionWrite {
        kind: DefinitionKind::Classifier,
        key: CLASSIFIER_KEY.to_owned(),
        spec,
        sealed,
    })
}
