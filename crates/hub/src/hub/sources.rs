//! Sources and what was sent to them, as people and programs see it.

use std::sync::Arc;

use rand::{TryRng, rngs::SysRng};
use serde_json::{Map, Value};
use switchboard_connect::{
    guide::Item,
    source::{Request, Source, SourceSpec, ready},
};
use switchboard_model::{
    id::{CallbackId, WorkspaceId},
    problem::{Code, Problem},
    template::Lookups,
};

use super::{Hub, Inner};
use crate::{
    attempt::Desk,
    configuration::{Configured, Receiver},
    intake::Place,
    receive::{self, Arrived, Preview, Refusal},
    store::{Anew, Begun, CallbackFilter, CallbackRow, ConfigurationChange, DefinitionKind, Page, Removal, Store},
};

/// A source as people see it.
#[derive(Debug, Clone)]
pub struct SourceView {
    /// What a person said about it, without the secrets.
    pub spec: SourceSpec,
    /// The names of the secrets that are given.
    pub given: Vec<String>,
    /// Secrets that have to be given before any request can be known to be the pusher's.
    pub missing: Vec<String>,
    /// Seconds that the pusher waits for its answer.
    pub deadline_s: Option<u32>,
    /// Why it can do nothing.
    pub problem: Option<Problem>,
    /// When it was written, Unix milliseconds.
    pub changed_ms: i64,
    /// How many requests were refused since this node started, and the last of them.
    pub refused: (u64, Vec<Refusal>),
}

/// What a mapping is tried on.
#[derive(Debug, Clone)]
pub enum Sample {
    /// A callback that was kept.
    Callback(CallbackId),
    /// A request as a pusher would send it.
    Request(Box<Request>),
}

impl From<&Arc<Receiver>> for SourceView {
    fn from(receiver: &Arc<Receiver>) -> Self {
        let source = receiver.source.as_ref();
        Self {
            spec: SourceSpec {
                secrets: Map::new(),
                ..receiver.spec.clone()
            },
            given: receiver.given.clone(),
            missing: source.map(Source::missing_secrets).unwrap_or_default(),
            deadline_s: source.ok().and_then(Source::deadline_s),
            problem: source.err().cloned(),
            changed_ms: receiver.changed_ms,
            refused: receiver.refusals.look(),
        }
    }
}

impl Hub {
    /// Receives a request; `request.path` is what stands behind `/in/`. `None`: no source has such a path.
    pub async fn receive(&self, request: Request) -> Option<Arrived> {
        let Inner {
            desk, waiting, bell, ..
        } = &*self.inner;
        receive::receive(desk, &self.configuration(), waiting, bell, request).await
    }

    /// Whether there is a source that takes requests at `path`, which is what stands behind `/in/`.
    pub fn expects(&self, path: &str) -> bool {
        receive::is_expected(&self.configuration(), path)
    }

    /// Room for a request that is being read; it grows with what has come, and is held until the request is answered.
    pub fn arriving(&self) -> Place {
        self.inner.arriving.begin()
    }

    /// The sources of a workspace, in the order in which they were made.
    pub fn sources(&self, workspace: WorkspaceId) -> Vec<SourceView> {
        let configuration = self.configuration();
        let workspace = configuration.workspace(workspace);
        let sources = workspace.into_iter().flat_map(|workspace| &workspace.sources);
        sources.map(SourceView::from).collect()
    }

    /// One source.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn source(&self, workspace: WorkspaceId, key: &str) -> Result<SourceView, Problem> {
        self.receiver(workspace, key)
            .map(|receiver| SourceView::from(&receiver))
    }

    fn receiver(&self, workspace: WorkspaceId, key: &str) -> Result<Arc<Receiver>, Problem> {
        let configuration = self.configuration();
        configuration.receiver(workspace, key).cloned().ok_or_else(|| {
            let shown: String = key.chars().take(80).collect();
            Problem::new(
                Code::NotFound,
                format!("there is no source `{shown}`"),
                "GET /v1/sources lists them.",
            )
        })
    }

    /// Writes a source, in place of the one with its key. Secrets that are not named stay as they are.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub async fn write_source(&self, workspace: WorkspaceId, spec: SourceSpec) -> Result<Configured, Problem> {
        self.configure(workspace, vec![Item::Source(spec)]).await
    }

    /// Adds a random segment to a path that nobody is to guess; one that was added before stays.
    ///
    /// # Errors
    /// When the machine has no randomness to give.
    pub(super) fn lengthen_path(&self, workspace: WorkspaceId, spec: &mut SourceSpec) -> Result<(), Problem> {
        if !spec.unguessable {
            return Ok(());
        }
        let present = self
            .receiver(workspace, &spec.key)
            .ok()
            .map(|receiver| receiver.spec.path.clone());
        let longer = present.filter(|path| path.strip_prefix(&spec.path).is_some_and(|rest| rest.starts_with('/')));
        spec.path = match longer {
            Some(path) => path,
            None => {
                let mut random = [0; 16];
                SysRng.try_fill_bytes(&mut random).map_err(|error| {
                    let detail = format!("the machine gives no random bytes: {error}");
                    Problem::new(Code::Internal, detail, "Check the machine.")
                })?;
                format!("{}/{}", spec.path, hex::encode(random))
            }
        };
        Ok(())
    }

    /// Takes a source away. What was sent to it stays until it is old enough.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn remove_source(&self, workspace: WorkspaceId, key: &str) -> Result<(), Problem> {
        self.receiver(workspace, key)?;
        let change = ConfigurationChange {
            removed: vec![Removal::Definition(DefinitionKind::Source, key.to_owned())],
            now_ms: self.now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await
    }

    /// What was sent to a source, newest first.
    ///
    /// # Errors
    /// [`Code::NotFound`], or when the store fails.
    pub async fn callbacks(
        &self,
        workspace: WorkspaceId,
        key: &str,
        filter: CallbackFilter,
        page: Page,
    ) -> Result<Vec<CallbackRow>, Problem> {
        self.receiver(workspace, key)?;
        Ok(self.inner.store.callbacks(workspace, key, filter, page).await?)
    }

    /// One callback of a source.
    ///
    /// # Errors
    /// [`Code::NotFound`], or when the store fails.
    pub async fn callback(&self, workspace: WorkspaceId, key: &str, id: CallbackId) -> Result<CallbackRow, Problem> {
        let found = self.inner.store.callback(workspace, id).await?;
        found.filter(|row| row.source == key).ok_or_else(|| {
            let next = format!("GET /v1/sources/{key}/callbacks lists them.");
            Problem::new(Code::NotFound, format!("`{key}` has no callback {id}"), next)
        })
    }

    /// Has callbacks processed anew; answers which.
    ///
    /// # Errors
    /// [`Code::NotFound`]; [`Code::WrongState`] when records of those that are named might be doubled; or when the store fails.
    pub async fn reprocess(&self, workspace: WorkspaceId, key: &str, which: Anew) -> Result<Begun, Problem> {
        self.receiver(workspace, key)?;
        let all_or_none = matches!(which, Anew::These { .. });
        let begun = self
            .inner
            .store
            .process_anew(workspace, key, which, self.now_ms())
            .await?;
        if let Some(first) = begun.doubling.first().filter(|_| all_or_none) {
            let others = match begun.doubling.len() {
                1 => String::new(),
                many => format!(" and {} others", many - 1),
            };
            return Err(Problem::new(
                Code::WrongState,
                format!("{first}{others} have written records already, which might be made once more; none was begun"),
                "Look at what they made. With \"force\": true they are processed all the same.",
            ));
        }
        self.inner.bell.ring();
        Ok(begun)
    }

    /// What a source would make of a sample, with `changed` in place of what is kept of it. Nothing is written, and nothing is called.
    ///
    /// # Errors
    /// When the change cannot be used, or there is no such callback.
    pub async fn preview_source(
        &self,
        workspace: WorkspaceId,
        key: &str,
        changed: Option<SourceSpec>,
        sample: Sample,
        fetched: Option<Map<String, Value>>,
    ) -> Result<(Preview, Value), Problem> {
        let receiver = self.receiver(workspace, key)?;
        let (request, at_ms) = match sample {
            Sample::Callback(id) => {
                let row = self.callback(workspace, key, id).await?;
                (receive::request_of(&row.request, &row.body), row.received_ms)
            }
            Sample::Request(request) => (*request, self.now_ms()),
        };
        let configuration = self.configuration();
        let lists = configuration
            .workspace(workspace)
            .map(|workspace| Arc::clone(&workspace.lists));
        let lists = lists.as_deref().map(|lists| lists as &dyn Lookups);
        let look = |source: &Source| {
            let preview = receive::preview(source, &request, fetched.as_ref(), lists, at_ms);
            (preview, source.shown_body(&request))
        };
        let Some(spec) = changed else {
            return receiver.source().map(look);
        };
        let ready = ready::find(&spec.source).ok_or_else(|| {
            let detail = format!("there is no source `{}`", spec.source);
            Problem::new(
                Code::WrongValue,
                detail,
                "GET /v1/sources/ready lists those that there are.",
            )
        })?;
        let source = Source::compile(&spec, ready);
        let source = source.map_err(|problems| {
            let nothing = || Problem::new(Code::WrongValue, "the source cannot be used", "Correct it.");
            Problem::all(problems).unwrap_or_else(nothing)
        })?;
        Ok(look(&source))
    }

    /// What a callback says, parsed; its text where it cannot be.
    pub fn shown_body(&self, workspace: WorkspaceId, row: &CallbackRow) -> Value {
        let configuration = self.configuration();
        let request = receive::request_of(&row.request, &row.body);
        let receiver = configuration.receiver(workspace, &row.source);
        match receiver.map(|receiver| receiver.source.as_ref()) {
            Some(Ok(source)) => source.shown_body(&request),
            _ => Value::String(String::from_utf8_lossy(&row.body).into_owned()),
        }
    }

    pub(crate) fn of(inner: Arc<Inner>) -> Self {
        Self { inner }
    }

    pub(crate) fn store(&self) -> &dyn Store {
        &*self.inner.store
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.inner.desk
    }

    pub(crate) fn bell(&self) -> Arc<receive::Bell> {
        Arc::clone(&self.inner.bell)
    }
}
