//! Endpoints of outgoing webhooks: made, changed, given new secrets and removed, each in one change of the configuration.

use indexmap::IndexMap;
use rand::TryRng;
use serde_json::{Map, Value, json};
use switchboard_connect::{guide::Item, sign};
use switchboard_model::{
    connection::ConnectionState,
    id::{ConnectionId, IdSource, WebhookId, WorkspaceId},
    problem::{Code, Problem},
};

use super::Hub;
use crate::{
    configuration::{Told, prepare_change},
    http::AddressPolicy,
    outgoing::{
        Endpoint, Owner, Stop, address,
        endpoint::{RETRY_SECONDS, check_headers},
    },
    store::{ConfigurationChange, DefinitionKind, DefinitionWrite, Removal},
};

/// Most endpoints of one workspace.
const MOST: usize = 1_000;

/// How messages are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// `v1`: with a secret that the receiver has, too.
    Shared,
    /// `v1a`: with a private key; the receiver has the public one.
    Private,
}

/// An endpoint to be made.
#[derive(Debug, Clone)]
pub struct NewEndpoint {
    /// The name that people see; its host when not given.
    pub name: Option<String>,
    /// Where it is.
    pub url: String,
    /// The types of events.
    pub events: Vec<String>,
    /// CEL; what must hold besides.
    pub condition: Option<String>,
    /// Further headers.
    pub headers: IndexMap<String, String>,
    /// `false`: it is told nothing yet.
    pub active: bool,
    /// The waits between tries, in seconds; three days of tries when not given.
    pub retry_seconds: Option<Vec<u64>>,
    /// How it is signed.
    pub signature: Signature,
    /// Who makes it.
    pub owner: Owner,
}

/// What is to be changed of an endpoint; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct EndpointChange {
    /// The name.
    pub name: Option<String>,
    /// Where it is.
    pub url: Option<String>,
    /// The types of events.
    pub events: Option<Vec<String>>,
    /// The condition; `Some(None)` takes it away.
    pub condition: Option<Option<String>>,
    /// All further headers.
    pub headers: Option<IndexMap<String, String>>,
    /// Whether it is told anything.
    pub active: Option<bool>,
    /// The waits between tries, in seconds.
    pub retry_seconds: Option<Vec<u64>>,
}

/// An endpoint as people see it.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointView {
    /// Its id, also the key of its connection.
    pub id: WebhookId,
    /// What is said about it.
    pub endpoint: Endpoint,
    /// When it was made or changed last, Unix milliseconds.
    pub changed_ms: i64,
    /// Its connection; `None` when that was taken away by other means.
    pub connection: Option<ConnectionId>,
    /// How its connection stands.
    pub state: ConnectionState,
    /// Why it does not work.
    pub reason: Option<String>,
}

/// An endpoint that was made, or was there already.
#[derive(Debug, Clone)]
pub struct MadeEndpoint {
    /// It.
    pub view: EndpointView,
    /// Whether it is new.
    pub is_new: bool,
    /// Its secret: shown this once, and to its subscriber again.
    pub secret: Option<String>,
}

impl Hub {
    /// The endpoints of a workspace, in the order in which they were made.
    pub fn endpoints(&self, workspace: WorkspaceId) -> Vec<EndpointView> {
        let configuration = self.configuration();
        let Some(workspace) = configuration.workspace(workspace) else {
            return Vec::new();
        };
        let view = |(id, told): (&WebhookId, &Told)| {
            let connection = workspace.connection(&id.to_string());
            EndpointView {
                id: *id,
                endpoint: told.endpoint.clone(),
                changed_ms: told.changed_ms,
                connection: connection.map(|connection| connection.id),
                state: connection.map_or(ConnectionState::Error, |connection| connection.state),
                reason: match connection {
                    Some(connection) => connection.reason.clone(),
                    None => Some("its connection is gone".to_owned()),
                },
            }
        };
        workspace.endpoints.iter().map(view).collect()
    }

    /// One endpoint.
    ///
    /// # Errors
    /// When there is none with this id.
    pub fn endpoint(&self, workspace: WorkspaceId, id: WebhookId) -> Result<EndpointView, Problem> {
        let all = self.endpoints(workspace);
        all.into_iter()
            .find(|view| view.id == id)
            .ok_or_else(|| unknown(&id.to_string()))
    }

    /// Makes an endpoint. The same key that asks for the same events at the same address again gets the one that is there.
    ///
    /// # Errors
    /// Everything that is wrong with it, or when the store fails; then nothing is made.
    pub async fn make_endpoint(&self, workspace: WorkspaceId, new: NewEndpoint) -> Result<MadeEndpoint, Problem> {
        let _one_at_a_time = self.inner.telling.lock().await;
        let all = self.endpoints(workspace);
        let same = |view: &&EndpointView| {
            let known = &view.endpoint;
            known.owner == new.owner
                && known.url == new.url
                && known.events == new.events
                && known.condition == new.condition
        };
        if let Some(view) = all.iter().find(same) {
            let secret = view
                .endpoint
                .owner
                .is_subscription
                .then(|| self.secret_of(view))
                .flatten();
            return Ok(MadeEndpoint {
                view: view.clone(),
                is_new: false,
                secret,
            });
        }
        if all.len() >= MOST {
            let detail = format!("There are {MOST} endpoints already");
            return Err(Problem::new(
                Code::WrongState,
                detail,
                "Remove one that is no longer needed.",
            ));
        }
        let id = fresh(self.now_ms(), random()?);
        let secret = sign::new_secret(random()?, new.signature == Signature::Private);
        let host = || {
            let url = url::Url::parse(&new.url).ok();
            url.and_then(|url| url.host_str().map(str::to_owned))
                .unwrap_or_default()
        };
        let endpoint = Endpoint {
            name: new.name.clone().unwrap_or_else(host),
            events: new.events,
            condition: new.condition,
            headers: new.headers.keys().cloned().collect(),
            active: new.active,
            retry_seconds: new.retry_seconds.unwrap_or_else(|| RETRY_SECONDS.to_vec()),
            owner: new.owner,
            stop: None,
            public_key: sign::public_key(&secret)?,
            overlap_until_ms: None,
            url: new.url,
        };
        self.check_endpoint(&endpoint, Some(&new.headers))?;
        let secrets = json!({ "secret": secret, "headers": new.headers });
        self.write_endpoint(workspace, id, &endpoint, object(secrets)).await?;
        Ok(MadeEndpoint {
            view: self.endpoint(workspace, id)?,
            is_new: true,
            secret: Some(secret),
        })
    }

    /// Changes an endpoint. One that the hub has switched off works again when it is made active, and what waits for it is tried again.
    ///
    /// # Errors
    /// When there is no such endpoint, or everything that is wrong with the change.
    pub async fn change_endpoint(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        change: EndpointChange,
    ) -> Result<EndpointView, Problem> {
        let _one_at_a_time = self.inner.telling.lock().await;
        let view = self.endpoint(workspace, id)?;
        let mut secrets = self.secrets_of(&view);
        let mut endpoint = view.endpoint;
        if let Some(headers) = &change.headers {
            endpoint.headers = headers.keys().cloned().collect();
            secrets.insert("headers".into(), json!(headers));
        }
        endpoint.name = change.name.unwrap_or(endpoint.name);
        endpoint.url = change.url.unwrap_or(endpoint.url);
        endpoint.events = change.events.unwrap_or(endpoint.events);
        endpoint.condition = change.condition.unwrap_or(endpoint.condition);
        endpoint.retry_seconds = change.retry_seconds.unwrap_or(endpoint.retry_seconds);
        endpoint.active = change.active.unwrap_or(endpoint.active);
        if endpoint.active {
            endpoint.stop = None;
        }
        self.check_endpoint(&endpoint, change.headers.as_ref())?;
        self.write_endpoint(workspace, id, &endpoint, secrets).await?;
        self.endpoint(workspace, id)
    }

    /// Gives an endpoint a new secret; answers it. For `overlap_seconds` the former one signs, too.
    ///
    /// # Errors
    /// When there is no such endpoint, or the store fails.
    pub async fn rotate_endpoint(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        signature: Option<Signature>,
        overlap_seconds: u32,
    ) -> Result<(EndpointView, String), Problem> {
        let _one_at_a_time = self.inner.telling.lock().await;
        let view = self.endpoint(workspace, id)?;
        let mut secrets = self.secrets_of(&view);
        let mut endpoint = view.endpoint;
        let usual = match endpoint.public_key {
            Some(_) => Signature::Private,
            None => Signature::Shared,
        };
        let secret = sign::new_secret(random()?, signature.unwrap_or(usual) == Signature::Private);
        let until_ms = self.now_ms() + i64::from(overlap_seconds) * 1_000;
        match secrets.insert("secret".into(), secret.clone().into()) {
            Some(former) if overlap_seconds > 0 => {
                secrets.insert("previousSecret".into(), former);
                secrets.insert("previousUntil".into(), until_ms.div_euclid(1_000).into());
                endpoint.overlap_until_ms = Some(until_ms);
            }
            _ => {
                secrets.shift_remove("previousSecret");
                secrets.shift_remove("previousUntil");
                endpoint.overlap_until_ms = None;
            }
        }
        endpoint.public_key = sign::public_key(&secret)?;
        self.write_endpoint(workspace, id, &endpoint, secrets).await?;
        Ok((self.endpoint(workspace, id)?, secret))
    }

    /// Removes an endpoint with its connection and its route. What waits for it is cancelled and stays in the history. Answers whether there
    /// was one.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove_endpoint(&self, workspace: WorkspaceId, id: WebhookId) -> Result<bool, Problem> {
        let _one_at_a_time = self.inner.telling.lock().await;
        if self.endpoint(workspace, id).is_err() {
            return Ok(false);
        }
        let key = id.to_string();
        let change = ConfigurationChange {
            removed: vec![
                Removal::Route(key.clone()),
                Removal::Connection(key.clone()),
                Removal::Definition(DefinitionKind::Webhook, key),
            ],
            now_ms: self.now_ms(),
            ..ConfigurationChange::default()
        };
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await?;
        Ok(true)
    }

    /// Switches an endpoint off; what waits for it waits on.
    pub(super) async fn stop_endpoint(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        reason: String,
    ) -> Result<(), Problem> {
        let _one_at_a_time = self.inner.telling.lock().await;
        let view = self.endpoint(workspace, id)?;
        let secrets = self.secrets_of(&view);
        let endpoint = Endpoint {
            active: false,
            stop: Some(Stop {
                at_ms: self.now_ms(),
                reason,
            }),
            ..view.endpoint
        };
        self.write_endpoint(workspace, id, &endpoint, secrets).await
    }

    fn check_endpoint(&self, endpoint: &Endpoint, headers: Option<&IndexMap<String, String>>) -> Result<(), Problem> {
        let policy = match self.inner.options.allow_private_addresses {
            true => AddressPolicy::Any,
            false => AddressPolicy::PublicOnly,
        };
        let mut problems: Vec<Problem> = address::check(&endpoint.url, policy).err().into_iter().collect();
        problems.extend(endpoint.problems());
        problems.extend(headers.map(check_headers).unwrap_or_default());
        Problem::all(problems).map_or(Ok(()), Err)
    }

    async fn write_endpoint(
        &self,
        workspace: WorkspaceId,
        id: WebhookId,
        endpoint: &Endpoint,
        secrets: Map<String, Value>,
    ) -> Result<(), Problem> {
        let items = vec![
            Item::Connection(endpoint.connection(id, secrets)),
            Item::Route(endpoint.route(id)),
        ];
        let (registry, now_ms) = (self.registry(), self.now_ms());
        let present = self.configuration();
        let (mut change, _) = prepare_change(workspace, items, &registry, &self.inner.vault, now_ms, &present)?;
        change.definitions.push(DefinitionWrite {
            kind: DefinitionKind::Webhook,
            key: id.to_string(),
            spec: json!(endpoint),
            sealed: Vec::new(),
        });
        self.inner.store.configure(workspace, change).await?;
        self.refresh().await
    }

    fn secrets_of(&self, view: &EndpointView) -> Map<String, Value> {
        let configuration = self.configuration();
        let connection = view.connection.and_then(|id| configuration.connection(id));
        connection.map(|connection| connection.secrets()).unwrap_or_default()
    }

    fn secret_of(&self, view: &EndpointView) -> Option<String> {
        self.secrets_of(view).get("secret")?.as_str().map(str::to_owned)
    }
}

/// The problem that there is no such endpoint.
pub fn unknown(id: &str) -> Problem {
    let shown: String = id.chars().take(80).collect();
    Problem::new(
        Code::NotFound,
        format!("There is no endpoint `{shown}`"),
        "GET /v1/webhooks lists the endpoints with their ids.",
    )
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn random() -> Result<[u8; 32], Problem> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng.try_fill_bytes(&mut bytes).map_err(|error| {
        Problem::new(
            Code::Internal,
            format!("the machine gives no random bytes: {error}"),
            "Check the machine.",
        )
    })?;
    Ok(bytes)
}

/// An id that no other process makes at the same moment.
fn fresh(now_ms: i64, random: [u8; 32]) -> WebhookId {
    let low = i64::from(random[1]) << 8 | i64::from(random[2]);
    WebhookId(IdSource::new(random[0], 0).next(now_ms) | low)
}
