//! Puts the hub and its API together, starts and stops them.

use std::{io::ErrorKind, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use switchboard_hub::{Hub, HubOptions, Tuning, clock::SteadyClock, lane::backoff::Schedule, vault::MasterKeySource};
use switchboard_model::problem::{Code, Problem};
use tokio::{net::TcpListener, signal, sync::watch, task::JoinHandle, time::Instant};

use crate::{
    accept,
    api::{self, App, Quota},
    connectors::Shelf,
    settings::{MasterKey, Settings},
};

/// A hub whose data folder is open, with the connectors that it knows.
#[derive(Debug)]
pub struct Opened {
    /// The hub, not started.
    pub hub: Hub,
    /// Where the connectors come from.
    pub connectors: Arc<Shelf>,
}

/// Opens the data folder. The hub sends nothing yet.
///
/// # Errors
/// When the folder, the database, the master key or a connector's manifest cannot be used.
pub async fn open(settings: &Settings) -> Result<Opened, Problem> {
    check_folder(&settings.data)?;
    let connectors = Arc::new(Shelf::open(settings)?);
    let options = HubOptions {
        data: settings.data.clone(),
        database: settings.database.clone(),
        clock: Arc::new(SteadyClock::start()),
        registry: Arc::new(connectors.registry()),
        allow_private_addresses: settings.allow_private_addresses,
        master_key: match &settings.master_key {
            MasterKey::File(path) => MasterKeySource::File(path.clone()),
            MasterKey::Command(command) => MasterKeySource::Command(command.clone()),
            MasterKey::Text(text) => MasterKeySource::Text(text.clone()),
        },
        tuning: Tuning {
            retry: Schedule {
                base_ms: settings.retry.base_ms,
                cap_ms: settings.retry.cap_ms,
                attempts: settings.retry.attempts,
            },
            hand_over_after_ms: i64::from(settings.retry.hand_over_seconds) * 1_000,
            call_limit_ms: settings.limits.call_seconds * 1_000,
            waiting_events: settings.limits.waiting_events,
            keep_days: settings.keep_days,
            disable_after_ms: i64::from(settings.disable_after_seconds) * 1_000,
        },
    };
    Ok(Opened {
        hub: Hub::open(options).await?,
        connectors,
    })
}

/// Makes sure, before anything else is tried, that the data folder is there and can be written.
///
/// # Errors
/// What is wrong with it, and what to do.
pub fn check_folder(folder: &Path) -> Result<(), Problem> {
    let refuse = |error: &std::io::Error| {
        Problem::new(
            Code::StoreFailed,
            format!("The data folder {} cannot be used: {error}.", folder.display()),
            "Give this user the right to write there, or choose another folder with --data or SWITCHBOARD_DATA.",
        )
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    // It will hold what customers write: nobody else on this machine needs to see it.
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| refuse(&error))?;
    let probe = folder.join(format!(".write-test-{}", std::process::id()));
    std::fs::write(&probe, b"")
        .and_then(|()| std::fs::remove_file(&probe))
        .map_err(|error| refuse(&error))
}

/// A hub at work with its API.
#[derive(Debug)]
pub struct Server {
    hub: Hub,
    address: SocketAddr,
    first_key: Option<String>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    /// Takes the address, opens the data folder, makes the first API key if there is none, begins to send and to serve.
    ///
    /// # Errors
    /// When the address or the folder cannot be used, or another hub is at work there.
    pub async fn start(settings: &Settings) -> Result<Self, Problem> {
        let listener = bind(settings.listen).await?;
        let Opened { hub, connectors } = open(settings).await?;
        hub.start()?;
        let workspace = hub.default_workspace().await?;
        let first_key = if hub.keys(workspace).await?.is_empty() {
            Some(hub.create_key(workspace, "first key").await?.1)
        } else {
            None
        };
        let address = listener
            .local_addr()
            .map_err(|error| no_address(settings.listen, &error))?;
        let service = api::service(App {
            hub: hub.clone(),
            connectors,
            public_url: public_url(settings, address).into(),
            limits: settings.limits,
            quota: Arc::new(Quota::new(settings.limits.requests_per_minute)),
        });
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(accept::serve(listener, service, stopped, accept::PATIENCE));
        Ok(Self {
            hub,
            address,
            first_key,
            stop,
            serving,
        })
    }

    /// Where the API listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The first API key, when it was made by this start.
    pub fn first_key(&self) -> Option<&str> {
        self.first_key.as_deref()
    }

    /// The engine.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Takes no more requests, lets those that run and what is being sent finish for up to `grace`, and closes the store.
    pub async fn stop(self, grace: Duration) {
        let end = Instant::now() + grace;
        self.stop.send_replace(true);
        let mut serving = self.serving;
        // A caller that sends its request slowly would keep it for ever.
        if tokio::time::timeout(grace / 2, &mut serving).await.is_err() {
            serving.abort();
        }
        self.hub.stop(end.saturating_duration_since(Instant::now())).await;
    }
}

/// Where people's browsers reach the hub. One that listens on every address is reached on this machine, as far as it knows.
fn public_url(settings: &Settings, address: SocketAddr) -> String {
    match &settings.public_url {
        Some(url) => url.clone(),
        None if address.ip().is_unspecified() => format!("http://localhost:{}", address.port()),
        None => format!("http://{address}"),
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, Problem> {
    TcpListener::bind(address)
        .await
        .map_err(|error| no_address(address, &error))
}

fn no_address(address: SocketAddr, error: &std::io::Error) -> Problem {
    let other = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(8080));
    let (detail, next) = match error.kind() {
        ErrorKind::AddrInUse => (
            format!(
                "Port {} of {} is in use by another program.",
                address.port(),
                address.ip()
            ),
            format!("Stop that program, or choose another port, for example --listen {other}."),
        ),
        ErrorKind::PermissionDenied => (
            format!("This user may not open port {}.", address.port()),
            "Choose a port above 1023, for example --listen 127.0.0.1:8080, and put a reverse proxy before it."
                .to_owned(),
        ),
        ErrorKind::AddrNotAvailable => (
            format!("{} is no address of this machine.", address.ip()),
            "Choose 127.0.0.1 for this machine only, or 0.0.0.0 for every network, with --listen.".to_owned(),
        ),
        _ => (
            format!("The address {address} cannot be used: {error}."),
            "Choose another one with --listen.".to_owned(),
        ),
    };
    Problem::new(Code::WrongSetting, detail, next).at("listen")
}

/// Waits until a person (ctrl-c) or the system (SIGTERM) wants an end.
pub async fn ended() {
    let interrupt = async {
        // Without the handler the signal ends the process all the same.
        if signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_used_port_is_a_sentence_with_a_way_out() {
        let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let address = taken.local_addr().unwrap();
        let problem = bind(address).await.unwrap_err();
        assert_eq!(problem.code, Code::WrongSetting);
        assert!(
            problem.detail.contains(&address.port().to_string()) && problem.detail.contains("in use"),
            "{problem}"
        );
        assert!(problem.next.contains("--listen 127.0.0.1:"), "{}", problem.next);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let problem = check_folder(&file.join("data")).unwrap_err();
        assert!(problem.detail.contains("file/data"), "{problem}");
        assert!(problem.next.contains("--data"));
    }
}
