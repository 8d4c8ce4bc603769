//! A temporary data folder with its configuration and key, from which hubs are started.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use switchboard_hub::store::postgres::admin;
use switchboard_model::problem::Problem;
use tempfile::TempDir;

use super::{
    child::{Child, command, free_address},
    configuration::{Receiver, configuration},
    connection::Destination,
    failure,
};

/// Numbers the databases of this process.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A configured data folder; it goes away with this value.
#[derive(Debug)]
pub struct Installation {
    root: TempDir,
    database: Option<String>,
    address: SocketAddr,
    key: String,
}

impl Installation {
    /// Makes the folder, and on the PostgreSQL `server`, where there is one, a database; connects these receivers and makes a key.
    ///
    /// # Errors
    /// What the hub says when it does not take the configuration.
    pub async fn new(server: Option<&str>, receivers: &[Receiver]) -> Result<Self, Problem> {
        let database = match server {
            None => None,
            Some(server) => {
                let number = MADE.fetch_add(1, Ordering::Relaxed);
                Some(admin::create(server, &format!("switchboard_bench_{number}")).await?)
            }
        };
        let root = tempfile::Builder::new()
            .prefix("switchboard-bench-")
            .tempdir()
            .map_err(|error| failure("No temporary folder can be made", error))?;
        let mut installation = Self {
            root,
            database,
            address: free_address()?,
            key: String::new(),
        };
        installation.connect(receivers)?;
        installation.key = installation.run(&["keys", "create", "bench"])?.trim().to_owned();
        Ok(installation)
    }

    /// Connects these receivers, in place of earlier ones with the same keys.
    ///
    /// # Errors
    /// What the hub says when it does not take the configuration.
    pub fn connect(&self, receivers: &[Receiver]) -> Result<(), Problem> {
        let file = self.root.path().join("configuration.json");
        std::fs::write(&file, configuration(receivers).to_string())
            .map_err(|error| failure("The configuration cannot be written", error))?;
        self.run(&["apply", &file.to_string_lossy()]).map(drop)
    }

    /// Starts a hub and waits until it answers.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(&self) -> Result<Child, Problem> {
        let mut command = command(&["serve", "--allow-private-addresses"])?;
        command.args(self.place());
        Child::start(command, self.address, &self.root.path().join("log")).await
    }

    /// Where events are posted to.
    ///
    /// # Errors
    /// When the key cannot stand in a header.
    pub fn events(&self) -> Result<Destination, Problem> {
        Destination::events(self.address, Some(&self.key))
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.root.path().join("data")
    }

    /// The database, when it is not the embedded one.
    pub fn database(&self) -> Option<&str> {
        self.database.as_deref()
    }

    fn place(&self) -> Vec<String> {
        let mut flags = vec!["--data".to_owned(), self.data().to_string_lossy().into_owned()];
        if let Some(database) = &self.database {
            flags.extend(["--database".to_owned(), database.clone()]);
        }
        flags
    }

    fn run(&self, arguments: &[&str]) -> Result<String, Problem> {
        let output = command(arguments)?
            .args(self.place())
            .current_dir(self.root.path())
            .output()
            .map_err(|error| failure("The program cannot be started", error))?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(failure(&format!("`{}` failed", arguments[0]), said.trim()))
        }
    }
}
