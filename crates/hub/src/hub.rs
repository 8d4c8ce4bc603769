//! The hub as its callers see it.

mod access;
mod automations;
mod classifier;
mod definitions;
mod endpoints;
mod options;
mod outlook;
mod reading;
mod records;
mod schema;
mod setup;
mod sign_in;
mod sources;
mod surveyor;
mod trial;
mod try_endpoint;
mod upkeep;
mod warden;
mod watch;
mod wishes;

use std::{sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use switchboard_connect::registry::Registry;
use switchboard_model::{
    id::WorkspaceId,
    problem::{Code, Problem},
};

pub use access::Caller;
pub use automations::{AutomationView, RunView};
pub use classifier::{ClassifierView, Decided, ModelView, try_rules};
pub use endpoints::{EndpointChange, EndpointView, MadeEndpoint, NewEndpoint, Signature};
pub use options::{HubOptions, Tuning};
pub use reading::{ConnectionView, RouteView};
pub use records::{Contains, Part, RecordPage, empty_commit};
pub use schema::{Choices, ObjectSchema, Schema};
pub use sign_in::{SignIn, SignedIn};
pub use sources::{Sample, SourceView};
pub use trial::TestReport;
pub use wishes::{Trial, Unchanged, done};

use crate::{
    attempt::Desk,
    classify,
    clock::Clock,
    configuration::{Configuration, Tools},
    http::{AddressPolicy, Client},
    intake::{self, Incoming, Receipt},
    lane::{Gates, Lanes},
    metrics::Metrics,
    receive,
    store::{Database, Listener, Store, StoreError},
    vault::{MasterKey, Vault},
};

/// The name of the database file in the data folder.
pub const DATABASE: &str = "switchboard.db";
/// The name of the file whose lock says that a hub is at work in the data folder.
const LOCK: &str = "switchboard.lock";
/// The key of the workspace that everything belongs to until more are made.
pub const FIRST_WORKSPACE: &str = "main";

/// A hub. Clones are the same hub.
#[derive(Clone)]
pub struct Hub {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    options: HubOptions,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) desk: Desk,
    vault: Vault,
    registry: RwLock<Arc<Registry>>,
    pub(crate) configuration: RwLock<Arc<Configuration>>,
    /// One change of the configuration at a time is compiled and adopted.
    adopting: tokio::sync::Mutex<()>,
    /// One change of endpoints of outgoing webhooks at a time is made.
    telling: tokio::sync::Mutex<()>,
    keys: RwLock<access::Keys>,
    running: Mutex<Option<Running>>,
    gates: Gates,
    waiting: intake::Waiting,
    /// What comes to sources and is being read. What never comes whole takes no room from anything else.
    arriving: intake::Waiting,
    bell: Arc<receive::Bell>,
}

/// What only a started hub has.
struct Running {
    lanes: Arc<Lanes>,
    /// What goes on in the background, with names for people. None of it ends before the hub does.
    tasks: Vec<(&'static str, tokio::task::JoinHandle<()>)>,
    /// Held open, where the store is not shared: its lock keeps a second hub away.
    _lock: Option<std::fs::File>,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub")
            .field("data", &self.inner.options.data)
            .finish_non_exhaustive()
    }
}

impl Hub {
    /// Opens the data folder, making it if need be, and reads the configuration. Sends nothing yet; several processes may have the same folder
    /// open.
    ///
    /// # Errors
    /// When folder, database or master key cannot be used.
    pub async fn open(options: HubOptions) -> Result<Self, Problem> {
        std::fs::create_dir_all(&options.data).map_err(|error| unusable(&options.data, &error.to_string()))?;
        let vault = Vault::new(MasterKey::load(&options.master_key)?);
        let clock = Arc::clone(&options.clock);
        let opened = options
            .database
            .open(&options.data.join(DATABASE), Arc::clone(&clock))
            .await;
        let store = opened.map_err(|error| unopened(&options, &error))?;
        let policy = if options.allow_private_addresses {
            AddressPolicy::Any
        } else {
            AddressPolicy::PublicOnly
        };
        let client = Client::new(policy, Duration::from_millis(options.tuning.call_limit_ms))
            .map_err(|error| unusable(&options.data, &error.to_string()))?;
        let gates = Gates::new(Arc::clone(&clock));
        let desk = Desk {
            store: Arc::clone(&store),
            client,
            clock,
            vault: vault.clone(),
            schedule: options.tuning.retry,
            hand_over_after_ms: options.tuning.hand_over_after_ms,
            metrics: Arc::new(Metrics::default()),
            pace: Arc::default(),
            doubts: Arc::default(),
            bell: Arc::default(),
            unclassified: Arc::default(),
        };
        let registry = RwLock::new(Arc::clone(&options.registry));
        let waiting = intake::Waiting::new(options.tuning.waiting_events);
        let arriving = intake::Waiting::new(options.tuning.waiting_events);
        let hub = Self {
            inner: Arc::new(Inner {
                options,
                store,
                desk,
                vault,
                registry,
                configuration: RwLock::default(),
                adopting: tokio::sync::Mutex::new(()),
                telling: tokio::sync::Mutex::new(()),
                keys: RwLock::default(),
                running: Mutex::new(None),
                gates,
                waiting,
                arriving,
                bell: Arc::default(),
            }),
        };
        hub.refresh().await?;
        Ok(hub)
    }

    /// Begins to send what waits, and to follow changes of the configuration that other processes make.
    ///
    /// # Errors
    /// [`Code::AlreadyRunning`] when another process sends from this data folder.
    pub fn start(&self) -> Result<(), Problem> {
        let lock = match self.inner.store.shared() {
            true => None,
            false => Some(lock_folder(&self.inner.options.data)?),
        };
        let lanes = Arc::new(Lanes::new(self.inner.desk.clone()));
        let listener: Arc<dyn Listener> = Arc::clone(&lanes) as Arc<dyn Listener>;
        self.inner.store.listen(listener);
        lanes.adopt(&self.configuration());
        let hub = || Arc::downgrade(&self.inner);
        let tasks = vec![
            ("rights to send", tokio::spawn(Arc::clone(&lanes).follow())),
            ("changes of the configuration", tokio::spawn(watch::follow(hub()))),
            ("upkeep", tokio::spawn(upkeep::run(hub()))),
            ("fields of accounts", tokio::spawn(surveyor::run(hub()))),
            ("automations", tokio::spawn(automations::run(hub()))),
            ("callbacks", tokio::spawn(receive::run(hub()))),
            ("classification", tokio::spawn(classify::worker::run(hub()))),
            ("receivers of webhooks", tokio::spawn(warden::watch(hub()))),
        ];
        *self.inner.running.lock() = Some(Running {
            lanes,
            tasks,
            _lock: lock,
        });
        Ok(())
    }

    /// Starts nothing more, waits up to `grace` for what is being sent, and closes the store.
    pub async fn stop(&self, grace: Duration) {
        let running = self.inner.running.lock().take();
        if let Some(Running {
            lanes,
            tasks,
            _lock: lock,
        }) = running
        {
            for (_, task) in tasks {
                task.abort();
            }
            lanes.stop(grace).await;
            self.close().await;
            drop(lock);
        } else {
            self.close().await;
        }
    }

    async fn close(&self) {
        if let Err(error) = self.inner.store.close().await {
            // What was acknowledged is on the disk.
            tracing::warn!(%error, "the store could not be closed in order");
        }
    }

    /// The workspace that everything belongs to until more are made.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn default_workspace(&self) -> Result<WorkspaceId, Problem> {
        Ok(self.inner.store.workspace(FIRST_WORKSPACE).await?)
    }

    /// Makes events durable, all in one transaction; they are sent from then on.
    ///
    /// # Errors
    /// See [`intake::accept`]; [`Code::Busy`] when too much waits for the store already.
    pub async fn accept(
        &self,
        workspace: WorkspaceId,
        items: Vec<Incoming>,
        idempotency_key: Option<&str>,
    ) -> Result<Vec<Result<Receipt, Problem>>, Problem> {
        let bytes = items.iter().map(|item| item.data.length()).sum();
        let place = self.inner.waiting.enter(items.len(), bytes)?;
        let configuration = self.configuration();
        intake::accept(
            &self.inner.desk,
            &configuration,
            workspace,
            items,
            idempotency_key,
            place,
        )
        .await
    }

    /// Whether events would be refused at the moment, whatever is in them: said before a request is read.
    ///
    /// # Errors
    /// [`Code::Busy`].
    pub fn has_room(&self) -> Result<(), Problem> {
        self.inner.waiting.has_room()
    }

    /// The counters in Prometheus' text format.
    pub fn metrics(&self) -> String {
        self.inner.desk.metrics.text()
    }

    /// Whether events can be accepted and go on from there: the store answers, and everything that is done in the background is being done.
    ///
    /// # Errors
    /// When that is not so; [`Code::TaskGone`] names what is not done any more.
    pub async fn ready(&self) -> Result<(), Problem> {
        self.inner.store.revision().await?;
        let running = self.inner.running.lock();
        let tasks = running.iter().flat_map(|running| &running.tasks);
        let gone: Vec<&str> = tasks
            .filter(|(_, task)| task.is_finished())
            .map(|(name, _)| *name)
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        Err(Problem::new(
            Code::TaskGone,
            format!("nobody does this in the background any more: {}", gone.join(", ")),
            "Start the hub anew: what waits is kept and goes on then. Please report what its log says.",
        ))
    }

    /// The connectors.
    pub fn registry(&self) -> Arc<Registry> {
        Arc::clone(&self.inner.registry.read())
    }

    /// Goes by these connectors from now on. Connections whose connector is another one than before are compiled anew, and what they had
    /// looked up beforehand is looked up again; all others go on as they are.
    ///
    /// # Errors
    /// When the configuration cannot be read; then the former connectors stay.
    pub async fn adopt_connectors(&self, registry: Arc<Registry>) -> Result<(), Problem> {
        let before = std::mem::replace(&mut *self.inner.registry.write(), registry);
        let adopted = self.refresh().await;
        if adopted.is_err() {
            *self.inner.registry.write() = before;
        }
        adopted
    }

    pub(crate) fn configuration(&self) -> Arc<Configuration> {
        Arc::clone(&self.inner.configuration.read())
    }

    /// Reads configuration and keys anew and lets the lanes follow.
    pub(crate) async fn refresh(&self) -> Result<(), Problem> {
        let _one_at_a_time = self.inner.adopting.lock().await;
        let stored = self.inner.store.configuration().await?;
        *self.inner.keys.write() = access::Keys::new(self.inner.store.keys().await?);
        let tools = Tools {
            vault: self.inner.vault.clone(),
            gates: self.inner.gates.clone(),
        };
        let compiled = Configuration::compile(stored, &self.configuration(), &self.registry(), &tools);
        let compiled = Arc::new(compiled);
        *self.inner.configuration.write() = Arc::clone(&compiled);
        if let Some(running) = &*self.inner.running.lock() {
            running.lanes.adopt(&compiled);
        }
        Ok(())
    }

    fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.inner.desk.clock)
    }

    fn reload_lane(&self, connection: switchboard_model::id::ConnectionId) {
        if let Some(running) = &*self.inner.running.lock() {
            running.lanes.reload(connection);
        }
    }
}

/// Makes sure that no other hub is at work in this data folder, and keeps others away until the file is dropped.
///
/// # Errors
/// [`Code::AlreadyRunning`] when there is one.
pub fn lock_folder(data: &std::path::Path) -> Result<std::fs::File, Problem> {
    let mut options = std::fs::OpenOptions::new();
    let file = options.create(true).truncate(false).write(true).open(data.join(LOCK));
    let file = file.map_err(|error| unusable(data, &error.to_string()))?;
    file.try_lock().map_err(|_| {
        Problem::new(
            Code::AlreadyRunning,
            format!("another hub is at work in {}", data.display()),
            "Stop it first, or start this one with another data folder (--data).",
        )
    })?;
    Ok(file)
}

fn unopened(options: &HubOptions, error: &StoreError) -> Problem {
    let place = match &options.database {
        Database::Folder => format!("the data folder {}", options.data.display()),
        database @ Database::Postgres(_) => format!("the database {database}"),
    };
    let refused = |why: &str, next| Problem::new(Code::StoreFailed, format!("{place} cannot be used: {why}"), next);
    match (error, &options.database) {
        (StoreError::Unfit { why, next }, _) => refused(why, *next),
        (error, Database::Folder) => unusable(&options.data, &error.to_string()),
        (error, Database::Postgres(_)) => refused(
            &error.to_string(),
            "Check that it runs, the address, user and password (--database, DATABASE_URL), and that the user may create tables. A \
             certificate that the machine does not know is named with sslrootcert=FILE.",
        ),
    }
}

fn unusable(data: &std::path::Path, why: &str) -> Problem {
    Problem::new(
        Code::StoreFailed,
        format!("the data folder {} cannot be used: {why}", data.display()),
        "Make the folder writable for this user, or choose another one with --data or SWITCHBOARD_DATA.",
    )
}

#[cfg(test)]
mod tests;
