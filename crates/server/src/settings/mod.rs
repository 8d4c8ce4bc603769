//! Start-up settings: default < file < environment < flag. The one place where the environment is read.

mod form;
mod layers;
mod show;
mod table;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use indexmap::IndexMap;
use switchboard_connect::document::Document;
use switchboard_hub::store::Database;
use switchboard_model::problem::{Code, Problem};

pub use form::Fitting;
pub use layers::{Layers, Origin, Set};
pub use show::{print_defaults, print_effective};
pub use table::{Form, SETTINGS, Setting};

/// The settings file that is read when none is named and it is there.
pub const USUAL_FILE: &str = "switchboard.yaml";

/// What the API refuses to take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Largest body, in bytes.
    pub body_bytes: usize,
    /// Largest data of one event, in bytes.
    pub event_bytes: usize,
    /// Most events in one request.
    pub batch: usize,
    /// Deepest nesting.
    pub depth: usize,
    /// Most keys in the data of one event.
    pub keys: usize,
    /// Most events that wait to be stored.
    pub waiting_events: usize,
    /// Most requests of one key to records in a minute; 0: any.
    pub requests_per_minute: u64,
    /// How long a call to a vendor may take.
    pub call_seconds: u64,
}

/// When a failed delivery is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Milliseconds before the second try.
    pub base_ms: u64,
    /// The longest wait, in milliseconds.
    pub cap_ms: u64,
    /// Given up after so many failed tries.
    pub attempts: u32,
    /// How long a primary may be down before its backup takes what waits, in seconds.
    pub hand_over_seconds: u32,
}

/// Where the master key comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum MasterKey {
    /// This file.
    File(PathBuf),
    /// What this command prints.
    Command(String),
    /// This text, from the environment.
    Text(String),
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Command(_) => f.write_str("Command(…)"),
            Self::Text(_) => f.write_str("Text(…)"),
        }
    }
}

/// Everything that is decided at start.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// Where people's browsers reach the API, without a slash at its end; `None`: where it listens.
    pub public_url: Option<String>,
    /// The data folder.
    pub data: PathBuf,
    /// Which database keeps events and configuration.
    pub database: Database,
    /// Whether connections may call private and loopback addresses.
    pub allow_private_addresses: bool,
    /// Filter of the log.
    pub log: String,
    /// Log lines as JSON.
    pub log_json: bool,
    /// Where the master key comes from.
    pub master_key: MasterKey,
    /// A folder with further connectors.
    pub connectors: Option<PathBuf>,
    /// What the API refuses.
    pub limits: Limits,
    /// When deliveries are tried again.
    pub retry: Retry,
    /// Endpoints where nobody has taken anything for so many seconds are switched off; 0: none is.
    pub disable_after_seconds: u32,
    /// Older days of the history are dropped; 0: none is.
    pub keep_days: u32,
    /// How long stopping may take.
    pub stop: Duration,
    /// What a person should know about how the settings were read.
    pub notes: Vec<String>,
    values: IndexMap<&'static str, Set>,
}

/// What the settings are made of.
#[derive(Debug, Default)]
pub struct Sources {
    /// A file that was named; else `switchboard.yaml` is read when it is there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: BTreeMap<String, String>,
    /// Flags: the setting's key and the text.
    pub flags: Vec<(&'static str, String)>,
}

impl Sources {
    /// The environment of this process, beside the given file and flags.
    pub fn of_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect();
        Self {
            file,
            environment,
            flags,
        }
    }
}

impl Settings {
    /// Reads and checks every source.
    ///
    /// # Errors
    /// Everything that is wrong, as one problem ([`Code::WrongSetting`], [`Code::UnknownKey`]) with its `others`.
    pub fn load(sources: Sources) -> Result<Self, Problem> {
        let Sources {
            file,
            mut environment,
            flags,
        } = sources;
        let master_key = environment
            .remove("SWITCHBOARD_MASTER_KEY")
            .filter(|text| !text.trim().is_empty());
        let file = file.or_else(|| environment.remove("SWITCHBOARD_CONFIG").map(PathBuf::from));
        let mut layers = Layers::new();
        if let Some(document) = read_file(file.as_deref())? {
            layers.file(&document);
        }
        layers.environment(environment);
        layers.flags(flags.iter().map(|(key, text)| (*key, text.clone())));
        let (values, notes) = layers.finish()?;
        Ok(Self::assemble(values, notes, master_key))
    }

    fn assemble(values: IndexMap<&'static str, Set>, notes: Vec<String>, master_key: Option<String>) -> Self {
        let read = Values(&values);
        let data = PathBuf::from(read.text("data").unwrap_or_else(|| "data".into()));
        let master_key = match (
            master_key,
            read.text("master_key_command"),
            read.text("master_key_file"),
        ) {
            (Some(text), _, _) => MasterKey::Text(text),
            (None, Some(command), _) => MasterKey::Command(command),
            (None, None, Some(file)) => MasterKey::File(file.into()),
            (None, None, None) => MasterKey::File(data.join("master.key")),
        };
        Self {
            listen: read.address("listen"),
            public_url: read.text("public_url"),
            allow_private_addresses: read.switch("allow_private_addresses"),
            log: read.text("log").unwrap_or_else(|| "info".into()),
            log_json: read.text("log_format").as_deref() == Some("json"),
            connectors: read.text("connectors").map(PathBuf::from),
            limits: Limits {
                body_bytes: read.size("limits.body_bytes"),
                event_bytes: read.size("limits.event_bytes"),
                batch: read.size("limits.batch"),
                depth: read.size("limits.depth"),
                keys: read.size("limits.keys"),
                waiting_events: read.size("limits.waiting_events"),
                requests_per_minute: read.count("limits.requests_per_minute"),
                call_seconds: read.count("limits.call_seconds"),
            },
            retry: Retry {
                base_ms: read.count("retry.base_ms"),
                cap_ms: read.count("retry.cap_ms"),
                attempts: u32::try_from(read.count("retry.attempts")).unwrap_or(u32::MAX),
                hand_over_seconds: u32::try_from(read.count("retry.hand_over_seconds")).unwrap_or(u32::MAX),
            },
            disable_after_seconds: u32::try_from(read.count("webhooks.disable_after_seconds")).unwrap_or(u32::MAX),
            keep_days: u32::try_from(read.count("history.keep_days")).unwrap_or(u32::MAX),
            stop: Duration::from_secs(read.count("stop_seconds")),
            database: read
                .text("database")
                .and_then(|text| text.parse().ok())
                .unwrap_or_default(),
            data,
            master_key,
            notes,
            values,
        }
    }

    /// Whether nobody set this.
    pub fn is_default(&self, key: &str) -> bool {
        self.values.get(key).is_none_or(|set| set.origin == Origin::Default)
    }

    /// Puts the data folder elsewhere, with the database in it, and the master key as well unless that was set.
    pub fn move_data(&mut self, folder: &Path) {
        self.data = folder.to_owned();
        self.database = Database::Folder;
        if matches!(self.master_key, MasterKey::File(_)) && self.is_default("master_key_file") {
            self.master_key = MasterKey::File(folder.join("master.key"));
        }
    }

    /// Every setting that has a value, in the order of the table.
    pub fn values(&self) -> impl Iterator<Item = (&'static Setting, &Set)> {
        SETTINGS
            .iter()
            .filter_map(|setting| self.values.get(setting.key).map(|set| (setting, set)))
    }
}

/// The forms were checked when the layers were put together, so a value of another form cannot occur; it would read as zero.
struct Values<'a>(&'a IndexMap<&'static str, Set>);

impl Values<'_> {
    fn count(&self, key: &str) -> u64 {
        match self.0.get(key).map(|set| &set.value) {
            Some(Fitting::Count(count)) => *count,
            _ => 0,
        }
    }

    fn size(&self, key: &str) -> usize {
        usize::try_from(self.count(key)).unwrap_or(usize::MAX)
    }

    fn switch(&self, key: &str) -> bool {
        matches!(self.0.get(key).map(|set| &set.value), Some(Fitting::Switch(true)))
    }

    fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key).map(|set| &set.value) {
            Some(Fitting::Text(text)) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    }

    fn address(&self, key: &str) -> SocketAddr {
        match self.0.get(key).map(|set| &set.value) {
            Some(Fitting::Address(address)) => *address,
            _ => SocketAddr::from(([127, 0, 0, 1], 0)),
        }
    }
}

fn read_file(named: Option<&Path>) -> Result<Option<Document>, Problem> {
    let path = named.unwrap_or(Path::new(USUAL_FILE));
    match std::fs::read_to_string(path) {
        Ok(text) => Document::parse(&text, &path.display().to_string()).map(Some),
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Problem::new(
            Code::WrongSetting,
            format!("The settings file {} cannot be read: {error}", path.display()),
            "Correct the path after --config or in SWITCHBOARD_CONFIG, or the permissions of the file.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(file: &Path, environment: &[(&str, &str)]) -> Sources {
        Sources {
            file: Some(file.to_owned()),
            environment: environment
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            flags: vec![],
        }
    }

    #[test]
    fn without_any_source_every_setting_has_its_documented_default() {
        let settings = Settings::assemble(Layers::new().finish().unwrap().0, vec![], None);
        assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(settings.master_key, MasterKey::File("./data/master.key".into()));
        assert!(!settings.allow_private_addresses && !settings.log_json);
        let Limits {
            body_bytes,
            event_bytes,
            batch,
            depth,
            keys,
            waiting_events,
            requests_per_minute,
            call_seconds,
        } = settings.limits;
        assert_eq!(
            (
                body_bytes,
                event_bytes,
                batch,
                depth,
                keys,
                waiting_events,
                requests_per_minute,
                call_seconds
            ),
            (4 << 20, 256 << 10, 1000, 64, 10_000, 2_000, 100, 75)
        );
        assert_eq!(settings.keep_days, 90);
        assert_eq!(
            settings.retry,
            Retry {
                base_ms: 1000,
                cap_ms: 900_000,
                attempts: 14,
                hand_over_seconds: 60
            }
        );
        assert_eq!(settings.stop, Duration::from_secs(10));
    }

    #[test]
    fn the_master_key_comes_from_the_environment_before_command_and_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.json");
        std::fs::write(
            &file,
            r#"{"data": "/d", "master_key_file": "/k", "master_key_command": "pass"}"#,
        )
        .unwrap();
        let settings = Settings::load(sources(&file, &[("SWITCHBOARD_MASTER_KEY", "00")])).unwrap();
        assert_eq!(settings.master_key, MasterKey::Text("00".into()));
        assert!(!format!("{:?}", settings.master_key).contains("00"));
        let settings = Settings::load(sources(&file, &[])).unwrap();
        assert_eq!(settings.master_key, MasterKey::Command("pass".into()));
    }

    #[test]
    fn a_named_file_that_is_missing_or_broken_is_a_problem_with_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("s.yaml");
        let missing = Settings::load(sources(&file, &[])).unwrap_err();
        assert!(missing.detail.contains("s.yaml"), "{missing}");
        std::fs::write(&file, "{\"listen\": ").unwrap();
        let broken = Settings::load(sources(&file, &[])).unwrap_err();
        assert!(
            broken.place.as_deref().is_some_and(|place| place.contains("s.yaml:1:")),
            "{broken:?}"
        );
    }
}
