//! A connection, compiled: its connector, mappings, credentials, limiter and token.

use std::sync::Arc;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use parking_lot::{Mutex, RwLock};
use serde_json::{Map, Value};
use switchboard_connect::{
    connector::{Account, AccountId, Connector},
    manifest::RecordKind,
    registry::Registry,
};
use switchboard_model::{
    condition::Condition,
    connection::{ConnectionSpec, ConnectionState, Defaults},
    event::EventType,
    id::{ConnectionId, WorkspaceId},
    problem::{Code, Problem},
    template::Scope,
};

use super::{
    mapping::{ObjectMapping, compile_mappings, time_zone},
    object::Lists,
};
use crate::{
    attempt::Unanswered,
    lane::{
        Gate, Gates,
        backoff::{Patience, Schedule},
        circuit::{Circuit, Settings as CircuitSettings},
    },
    lookups::Lookups,
    store::ConnectionRow,
    token::TokenSlot,
    vault::Vault,
};

/// What compiling a connection takes.
#[derive(Debug, Clone)]
pub struct Tools {
    /// Opens its credentials.
    pub vault: Vault,
    /// The limiters of all accounts.
    pub gates: Gates,
}

/// One connection at work.
#[derive(Debug)]
pub struct Connection {
    /// Its number in the store.
    pub id: ConnectionId,
    /// Its tenant.
    pub workspace: WorkspaceId,
    /// The user's own id.
    pub key: String,
    /// The name that people see.
    pub name: String,
    /// Among connections of one connector the smallest is meant when only the system is named.
    pub priority: i64,
    /// `false`: nothing is sent.
    pub enabled: bool,
    /// Whether it may carry traffic.
    pub state: ConnectionState,
    /// Why it does not.
    pub reason: Option<String>,
    /// What a person said about it; its secrets are empty.
    pub spec: Arc<ConnectionSpec>,
    /// `None` when this version has no such connector.
    pub connector: Option<Arc<Connector>>,
    /// How many calls may be under way at once.
    pub concurrency: usize,
    /// The vendor account; `None`: one that no other connection is about, or none yet.
    pub account_id: Option<AccountId>,
    /// The limiter of its account.
    pub gate: Arc<Gate>,
    /// Whether the vendor is well.
    pub circuit: Arc<Mutex<Circuit>>,
    /// Its access token.
    pub tokens: Arc<TokenSlot>,
    /// Ids that were looked up for its records.
    pub lookups: Arc<Lookups<Unanswered>>,
    mappings: Arc<IndexMap<Arc<str>, ObjectMapping>>,
    /// The country of telephone numbers without one.
    pub country: Option<String>,
    /// The zone of times without an offset.
    pub time_zone: TimeZone,
    /// The workspace's defaults that it was compiled with.
    defaults: Defaults,
    /// The waits between the tries of a delivery, where it has its own.
    retry_ms: Option<Vec<u64>>,
    /// The lists of its workspace, for the filter `lookup`.
    lists: Arc<RwLock<Arc<Lists>>>,
    condition: Arc<Result<Option<Condition>, String>>,
    learned: Arc<RwLock<Learned>>,
    row: Arc<ConnectionRow>,
}

/// What was learnt from the vendor, and the account as it is with that.
#[derive(Debug)]
struct Learned {
    facts: Map<String, Value>,
    /// The credentials; a vendor may replace one of them with each token.
    secrets: Map<String, Value>,
    /// The same as the store has them, or is about to.
    sealed: Vec<u8>,
    /// What the store has, as far as is known here.
    stored: Vec<u8>,
    /// What the store had before the vendor replaced one of them. Who has read that has read too early.
    spent: Option<Vec<u8>>,
    account: Result<Arc<Account>, Problem>,
}

impl Connection {
    pub(super) fn compile(row: ConnectionRow, registry: &Registry, tools: &Tools, defaults: &Defaults) -> Self {
        let mut faults = Vec::new();
        let spec = serde_json::from_value(row.spec.clone()).unwrap_or_else(|error| {
            faults.push(format!("its description cannot be read: {error}"));
            unreadable(&row.key)
        });
        let connector = registry.get(&spec.connector).cloned();
        if connector.is_none() && row.state != ConnectionState::Draft {
            faults.push(format!("this version has no connector `{}`", spec.connector));
        }
        let secrets = tools
            .vault
            .open(&seal_place(row.workspace, &row.key), &row.sealed)
            .unwrap_or_else(|problem| {
                faults.push(problem.detail);
                Map::new()
            });
        let (mappings, mapping_faults) = compile_mappings(&spec, connector.as_deref());
        faults.extend(mapping_faults);
        let time_zone = time_zone(&spec, defaults, &mut faults);
        let settings = Value::Object(spec.settings.clone());
        let limits = connector.as_deref().map(|connector| connector.limits(&settings));
        let limits = limits.unwrap_or_default();
        let connector_retry = connector.as_deref().and_then(|connector| connector.retry_ms(&settings));
        let account = open_account(connector.as_deref(), &spec, &secrets, &row.facts);
        let account_id = connector
            .as_deref()
            .zip(account.as_deref().ok())
            .and_then(|(connector, account)| connector.account_id(account));
        let gate = tools.gates.of(account_id, &limits);
        let (state, reason) = match faults.is_empty() {
            true => (row.state, row.reason.clone()),
            false => (ConnectionState::Error, Some(faults.join("; "))),
        };
        if state == ConnectionState::Active {
            // It was not, before: a person has tested or changed it.
            gate.unblock();
        }
        Self {
            id: row.id,
            workspace: row.workspace,
            key: row.key.clone(),
            name: spec.name.clone(),
            priority: spec.priority,
            enabled: spec.enabled,
            state,
            reason,
            connector,
            concurrency: limits.concurrency.max(1),
            account_id,
            gate,
            circuit: Arc::new(Mutex::new(closed_circuit(row.id))),
            tokens: Arc::default(),
            lookups: Arc::default(),
            mappings: Arc::new(mappings),
            country: spec.values.country.clone().or_else(|| defaults.country.clone()),
            time_zone,
            defaults: defaults.clone(),
            retry_ms: connector_retry,
            lists: Arc::default(),
            condition: Arc::new(read_condition(&spec)),
            learned: Arc::new(RwLock::new(Learned {
                facts: row.facts.clone(),
                secrets,
                sealed: row.sealed.clone(),
                stored: row.sealed.clone(),
                spent: None,
                account,
            })),
            spec: Arc::new(spec),
            row: Arc::new(row),
        }
    }

    /// Goes by these lists from now on.
    pub(super) fn adopt_lists(&self, lists: &Arc<Lists>) {
        *self.lists.write() = Arc::clone(lists);
    }

    /// The lists of its workspace.
    pub fn lists(&self) -> Arc<Lists> {
        Arc::clone(&self.lists.read())
    }

    /// Every object that records may have ids of: those of its connector, and those that it has mappings for.
    pub(super) fn objects(&self) -> Vec<Arc<str>> {
        let known = self.connector.as_deref().into_iter().flat_map(Connector::objects);
        let mut all: Vec<Arc<str>> = known.map(|object| object.name().into()).collect();
        all.extend(
            self.mappings
                .keys()
                .filter(|name| !all.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
        all
    }

    /// Whether the row still says what this was compiled from. What the engine learnt meanwhile does not count.
    pub(super) fn is_same(&self, row: &ConnectionRow, defaults: &Defaults) -> bool {
        let learned = self.learned.read();
        self.row.spec == row.spec
            && self.defaults == *defaults
            && (learned.sealed == row.sealed || learned.spent.as_ref() == Some(&row.sealed))
            && self.row.state == row.state
            && self.row.reason == row.reason
    }

    /// Whether its connector is the one that the registry has under this name.
    pub(super) fn has_connector_of(&self, registry: &Registry) -> bool {
        match (&self.connector, registry.get(&self.spec.connector)) {
            (Some(own), Some(other)) => Arc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        }
    }

    /// Whether deliveries can be sent now.
    pub fn can_send(&self) -> bool {
        self.enabled && self.state == ConnectionState::Active
    }

    /// Whether a person can sign in for it on the vendor's page.
    pub fn signs_in(&self) -> bool {
        let connector = self.connector.as_deref();
        connector.is_some_and(|connector| connector.has_sign_in(&self.spec.auth_kind))
    }

    /// Whether it stands still until somebody has signed in again.
    pub fn needs_sign_in(&self) -> bool {
        let ended = |reason: &String| reason.starts_with(RECONNECT);
        self.state == ConnectionState::Error && self.reason.as_ref().is_some_and(ended)
    }

    /// Whether its connector goes by this name.
    pub fn is_of(&self, system: &str) -> bool {
        self.spec.connector == system
            || self
                .connector
                .as_deref()
                .is_some_and(|connector| connector.is_called(system))
    }

    /// What each request of this connection is made with.
    ///
    /// # Errors
    /// When settings or credentials do not fit together.
    pub fn account(&self) -> Result<Arc<Account>, Problem> {
        self.learned.read().account.clone()
    }

    /// The credentials.
    pub(crate) fn secrets(&self) -> Map<String, Value> {
        self.learned.read().secrets.clone()
    }

    /// The credentials as the store has them.
    pub(crate) fn sealed(&self) -> Vec<u8> {
        self.learned.read().sealed.clone()
    }

    /// The credentials as the store has them, as far as is known here.
    pub(crate) fn stored_sealed(&self) -> Vec<u8> {
        self.learned.read().stored.clone()
    }

    /// Whether these are the credentials at hand, or older ones.
    pub(crate) fn has_sealed(&self, sealed: &[u8]) -> bool {
        let learned = self.learned.read();
        learned.sealed == sealed || learned.spent.as_deref() == Some(sealed)
    }

    /// The store has the credentials that are at hand.
    pub(crate) fn note_stored(&self) {
        let mut learned = self.learned.write();
        learned.stored = learned.sealed.clone();
    }

    /// The vendor has replaced credentials; these are used from now on. `sealed`: as they are about to be written down.
    pub(crate) fn note_secrets(&self, secrets: Map<String, Value>, sealed: Vec<u8>) {
        let mut learned = self.learned.write();
        learned.account = open_account(self.connector.as_deref(), &self.spec, &secrets, &learned.facts);
        learned.secrets = secrets;
        learned.spent = Some(std::mem::replace(&mut learned.sealed, sealed));
    }

    /// What was learnt from the vendor.
    pub fn facts(&self) -> Map<String, Value> {
        self.learned.read().facts.clone()
    }

    /// Whether everything that the connector wants to know or set up beforehand is done.
    pub fn is_prepared(&self) -> bool {
        self.learned.read().facts.contains_key(PREPARED)
    }

    /// Whether that is done for this object, too.
    pub fn is_prepared_for(&self, object: &str) -> bool {
        match self.learned.read().facts.get(PREPARED) {
            Some(Value::Array(objects)) => objects.iter().any(|known| known == object),
            Some(_) => self.mapped_objects().iter().any(|known| known == object),
            None => false,
        }
    }

    fn prepared_objects(&self) -> Vec<String> {
        let learned = self.learned.read();
        match learned.facts.get(PREPARED) {
            None => Vec::new(),
            Some(Value::Array(objects)) => objects
                .iter()
                .filter_map(|name| name.as_str().map(str::to_owned))
                .collect(),
            // As earlier versions wrote it: all that the connection is for.
            Some(_) => self.mapped_objects(),
        }
    }

    /// The objects that are prepared when this one is wanted: all that the connection is for and was prepared for, and this one.
    pub(crate) fn objects_to_prepare(&self, wanted: &str) -> Vec<String> {
        let mut objects = self.mapped_objects();
        for name in self.prepared_objects().into_iter().chain([wanted.to_owned()]) {
            if !objects.contains(&name) {
                objects.push(name);
            }
        }
        objects
    }

    /// Takes in everything that the preparations for these objects told.
    pub(crate) fn note_prepared(&self, mut facts: Map<String, Value>, objects: Vec<String>) {
        facts.insert(PREPARED.into(), objects.into());
        self.note_facts(facts);
    }

    /// Takes in facts; answers whether any of them is new.
    pub(crate) fn note_facts(&self, new: Map<String, Value>) -> bool {
        let mut learned = self.learned.write();
        if new.iter().all(|(name, value)| learned.facts.get(name) == Some(value)) {
            return false;
        }
        learned.facts.extend(new);
        learned.account = open_account(self.connector.as_deref(), &self.spec, &learned.secrets, &learned.facts);
        true
    }

    /// The objects that it is for: those of the user's own mappings and of the connection's list, or, without own mappings, all that the
    /// connector has a mapping for. A route can name others that the connector has a mapping for.
    pub fn mapped_objects(&self) -> Vec<String> {
        let mut objects: Vec<Arc<str>> = match self.spec.mappings.is_empty() {
            true => self.mappings.keys().cloned().collect(),
            false => self.own_mappings(),
        };
        for name in self.objects_named(&self.spec.objects) {
            if self.mappings.contains_key(&name) && !objects.contains(&name) {
                objects.push(name);
            }
        }
        objects.iter().map(|name| name.to_string()).collect()
    }

    /// The objects that it makes of an event of this type when no route says which.
    pub fn objects_for(&self, kind: EventType) -> Vec<Arc<str>> {
        if !self.spec.objects.is_empty() {
            return self.objects_named(&self.spec.objects);
        }
        if !self.spec.mappings.is_empty() {
            return self.own_mappings();
        }
        if !kind.is_enquiry() {
            return Vec::new();
        }
        let unasked = |name: &&Arc<str>| {
            let object = self.connector.as_deref().and_then(|connector| connector.object(name));
            object.is_some_and(|object| !object.is_on_request())
        };
        self.mappings.keys().filter(unasked).cloned().collect()
    }

    /// The objects whose mapping is the user's own.
    fn own_mappings(&self) -> Vec<Arc<str>> {
        let mut own: Vec<Arc<str>> = Vec::new();
        for name in self.spec.mappings.keys().map(|name| self.canonical(name)) {
            if self.mappings.contains_key(&name) && !own.contains(&name) {
                own.push(name);
            }
        }
        own
    }

    /// These objects by the connector's own names; a name that it does not know stays, to be refused with a clear problem when it is sent.
    pub fn objects_named(&self, names: &[String]) -> Vec<Arc<str>> {
        names.iter().map(|name| self.canonical(name)).collect()
    }

    fn canonical(&self, name: &str) -> Arc<str> {
        let known = self
            .connector
            .as_deref()
            .and_then(|connector| connector.object(name))
            .map(|object| object.name());
        known.unwrap_or(name).into()
    }

    /// What is one record of this object.
    pub fn record_kind(&self, object: &str) -> RecordKind {
        let known = self.connector.as_deref().and_then(|connector| connector.object(object));
        known.map_or(RecordKind::Event, |object| object.record())
    }

    /// Whether a record of this object that is there can be changed.
    pub fn changes(&self, object: &str) -> bool {
        let connector = self.connector.as_deref();
        connector.is_some_and(|connector| connector.changes(object))
    }

    /// How many records of this object one call may carry.
    pub fn records_per_call(&self, object: &str) -> usize {
        match (&self.connector, self.account()) {
            (Some(connector), Ok(account)) => connector.most_records(object, &account),
            _ => 1,
        }
    }

    /// Whether any of its deliveries can go together with others, in one call or as one change.
    pub fn sends_together(&self) -> bool {
        let mut objects = self.mappings.keys();
        objects.any(|object| self.folds(object) || self.records_per_call(object) > 1)
    }

    /// Whether this object tells what happened, removals included.
    pub fn tells_removals(&self, object: &str) -> bool {
        let known = self.connector.as_deref().and_then(|connector| connector.object(object));
        known.is_some_and(|object| object.tells_removals())
    }

    /// When its failed deliveries are tried again; `usual` where it says nothing of its own.
    pub fn patience(&self, usual: Schedule) -> Patience<'_> {
        match &self.retry_ms {
            Some(waits) => Patience::Waits(waits),
            None => Patience::Usual(usual),
        }
    }

    /// Whether it stands still because its receiver wants nothing more.
    pub fn is_gone(&self) -> bool {
        let gone = |reason: &String| reason.starts_with(GONE);
        self.state == ConnectionState::Error && self.reason.as_ref().is_some_and(gone)
    }

    /// Whether several changes of one record may be sent as one.
    pub fn folds(&self, object: &str) -> bool {
        self.record_kind(object) != RecordKind::Event
    }

    /// The mapping that makes this object.
    pub fn mapping(&self, object: &str) -> Option<&ObjectMapping> {
        self.mappings.get(object)
    }

    /// Whether an event that no route sends here comes here all the same. A condition that cannot be decided is a no, with a note.
    pub fn wants(&self, kind: EventType, scope: &Scope<'_>, notes: &mut Vec<String>) -> bool {
        let decided = match &*self.condition {
            Ok(None) => Ok(true),
            Ok(Some(condition)) => condition.matches(kind.name(), scope).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        };
        match decided {
            Ok(wanted) => wanted && !self.objects_for(kind).is_empty(),
            Err(error) => {
                notes.push(format!(
                    "the condition of connection `{}` could not be decided: {error}",
                    self.key
                ));
                false
            }
        }
    }

    /// The connector, or the problem that there is none.
    ///
    /// # Errors
    /// When this version has no connector of that name.
    pub fn connector(&self) -> Result<&Arc<Connector>, Problem> {
        self.connector
            .as_ref()
            .ok_or_else(|| no_connector(&self.spec.connector))
    }
}

/// How the reason begins for which a connection stands still when its sign-in has ended.
const RECONNECT: &str = "Reconnect: ";

/// How the reason begins for which a connection stands still when its receiver wants nothing more.
const GONE: &str = "Gone: ";

/// The reason for which a connection stands still, for people.
pub(crate) fn reason_of(problem: &Problem) -> String {
    match problem.code {
        Code::ReconnectNeeded => format!("{RECONNECT}{}", problem.detail),
        Code::ReceiverGone => format!("{GONE}{}", problem.detail),
        _ => problem.detail.clone(),
    }
}

/// The fact that says that all preparations are done.
const PREPARED: &str = "prepared";

/// Facts without the one that everything is looked up.
pub(crate) fn unprepared(mut facts: Map<String, Value>) -> Map<String, Value> {
    facts.shift_remove(PREPARED);
    facts
}

impl ConnectionRow {
    /// The same before anything was looked up: another connector may want to know other things.
    pub(super) fn unprepared(mut self) -> Self {
        self.facts = unprepared(self.facts);
        self
    }
}

/// What the access token of a connection is sealed for.
pub(crate) fn token_place(workspace: WorkspaceId, key: &str) -> String {
    format!("token {}/{key}", workspace.0)
}

/// What the credentials of a connection are sealed for.
pub(crate) fn seal_place(workspace: WorkspaceId, key: &str) -> String {
    format!("{}/{key}", workspace.0)
}

fn read_condition(spec: &ConnectionSpec) -> Result<Option<Condition>, String> {
    let condition = spec.condition.as_deref().map(Condition::parse);
    condition.transpose().map_err(|error| error.to_string())
}

/// A circuit whose chance is the connection's own, so that not all of them look for their vendor at the same moment.
fn closed_circuit(connection: ConnectionId) -> Circuit {
    Circuit::new(CircuitSettings {
        seed: connection.0.cast_unsigned(),
        ..CircuitSettings::default()
    })
}

fn open_account(
    connector: Option<&Connector>,
    spec: &ConnectionSpec,
    secrets: &Map<String, Value>,
    facts: &Map<String, Value>,
) -> Result<Arc<Account>, Problem> {
    match connector {
        Some(connector) => connector
            .account(&spec.auth_kind, &spec.settings, secrets, facts)
            .map(Arc::new),
        None => Err(no_connector(&spec.connector)),
    }
}

fn no_connector(name: &str) -> Problem {
    Problem::new(
        Code::UnknownConnector,
        format!("this version has no connector `{name}`"),
        "Add the connector's folder, or use a version that has it.",
    )
}

/// Stands in for a description that cannot be read.
fn unreadable(key: &str) -> ConnectionSpec {
    ConnectionSpec {
        key: key.to_owned(),
        connector: String::new(),
        name: key.to_owned(),
        enabled: false,
        priority: i64::MAX,
        auth_kind: String::new(),
        settings: Map::new(),
        secrets: Map::new(),
        mappings: IndexMap::new(),
        condition: None,
        objects: Vec::new(),
        notes: Vec::new(),
        values: Default::default(),
    }
}
