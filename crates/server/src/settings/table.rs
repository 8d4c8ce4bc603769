//! The list of all settings: names, forms, defaults, one line of documentation each. Flags, environment names, the printed
//! defaults and the check for unknown keys all come from it.

/// The form of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `host:port`, a port alone, or `:port`.
    Address,
    /// A file or folder; relative ones count from where the program is started.
    Path,
    /// `true` or `false`.
    Switch,
    /// Any text.
    Text,
    /// The beginning of web addresses: http or https, without a query.
    Url,
    /// A whole number between these two, both included.
    Count(u64, u64),
    /// A database; its password is never shown.
    Database,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// Its key in the file; a dot goes one object deeper.
    pub key: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// Its value when nobody sets it; empty: none.
    pub default: &'static str,
    /// What it does.
    pub doc: &'static str,
}

const MEBIBYTE: u64 = 1 << 20;

/// Every setting, in the order in which people read them.
pub const SETTINGS: &[Setting] = &[
    Setting {
        key: "listen",
        form: Form::Address,
        default: "127.0.0.1:8080",
        doc: "Address and port of the API; port 0 takes a free one",
    },
    Setting {
        key: "public_url",
        form: Form::Url,
        default: "",
        doc: "Address under which people's browsers reach this hub, for example https://hub.example.org; the address of listen when not set",
    },
    Setting {
        key: "data",
        form: Form::Path,
        default: "./data",
        doc: "Folder of the master key, and of the database unless that is PostgreSQL",
    },
    Setting {
        key: "database",
        form: Form::Database,
        default: "sqlite",
        doc: "sqlite for a file in the data folder, or postgres://USER:PASSWORD@HOST:PORT/NAME; DATABASE_URL is read as well",
    },
    Setting {
        key: "allow_private_addresses",
        form: Form::Switch,
        default: "false",
        doc: "Whether connections may call private and loopback addresses",
    },
    Setting {
        key: "log",
        form: Form::Text,
        default: "info",
        doc: "What is logged: error, warn, info, debug, trace, or a filter such as info,switchboard_hub=debug",
    },
    Setting {
        key: "log_format",
        form: Form::Choice(&["text", "json"]),
        default: "text",
        doc: "How log lines look",
    },
    Setting {
        key: "master_key_file",
        form: Form::Path,
        default: "",
        doc: "File of the master key; master.key in the data folder when not set",
    },
    Setting {
        key: "master_key_command",
        form: Form::Text,
        default: "",
        doc: "Command that prints the master key, instead of the file",
    },
    Setting {
        key: "connectors",
        form: Form::Path,
        default: "",
        doc: "Folder with connectors that are added to the embedded ones or replace them",
    },
    Setting {
        key: "limits.body_bytes",
        form: Form::Count(1024, 256 * MEBIBYTE),
        default: "4194304",
        doc: "Largest body of a request",
    },
    Setting {
        key: "limits.event_bytes",
        form: Form::Count(1024, 64 * MEBIBYTE),
        default: "262144",
        doc: "Largest data of one event",
    },
    Setting {
        key: "limits.batch",
        form: Form::Count(1, 10_000),
        default: "1000",
        doc: "Most events in one request",
    },
    Setting {
        key: "limits.depth",
        form: Form::Count(4, 100),
        default: "64",
        doc: "Deepest nesting of objects and lists in a request",
    },
    Setting {
        key: "limits.keys",
        form: Form::Count(16, 1_000_000),
        default: "10000",
        doc: "Most keys in the data of one event",
    },
    Setting {
        key: "limits.waiting_events",
        form: Form::Count(1, 1_000_000),
        default: "2000",
        doc: "Most events that wait to be stored; senders of more are told to wait (429)",
    },
    Setting {
        key: "limits.requests_per_minute",
        form: Form::Count(0, 1_000_000),
        default: "100",
        doc: "Most requests of one API key to records, tables and lists in a minute; 0 sets no limit",
    },
    Setting {
        key: "limits.call_seconds",
        form: Form::Count(1, 600),
        default: "75",
        doc: "Longest time that a call to a vendor may take; after a crash nothing is looked for there before it has passed",
    },
    Setting {
        key: "retry.base_ms",
        form: Form::Count(1, 3_600_000),
        default: "1000",
        doc: "Wait before a failed delivery is tried the second time; it doubles with each failure",
    },
    Setting {
        key: "retry.cap_ms",
        form: Form::Count(1, 86_400_000),
        default: "900000",
        doc: "No wait between two tries is longer than this",
    },
    Setting {
        key: "retry.attempts",
        form: Form::Count(1, 1000),
        default: "14",
        doc: "After so many failed tries a delivery is given up, visibly; tries while the vendor is known to be down do not count",
    },
    Setting {
        key: "retry.hand_over_seconds",
        form: Form::Count(0, 604_800),
        default: "60",
        doc: "With primary_backup, how long the primary may be down before the backup takes what waits",
    },
    Setting {
        key: "webhooks.disable_after_seconds",
        form: Form::Count(0, 31_536_000),
        default: "432000",
        doc: "An endpoint of outgoing webhooks where nobody has taken a message for so long is switched off, visibly; 0 never does that",
    },
    Setting {
        key: "history.keep_days",
        form: Form::Count(0, 36_500),
        default: "90",
        doc: "Days of the history that are older than this many days are dropped; 0 keeps them for ever",
    },
    Setting {
        key: "stop_seconds",
        form: Form::Count(0, 600),
        default: "10",
        doc: "How long a stopping hub waits for what is being sent",
    },
];

/// The beginning of every environment variable that is ours.
pub const PREFIX: &str = "SWITCHBOARD_";

/// Environment variables that are ours and no settings of this list, with what reads them.
pub const OTHER_VARIABLES: &[(&str, &str)] = &[
    ("SWITCHBOARD_CONFIG", "the settings file"),
    ("SWITCHBOARD_MASTER_KEY", "the master key itself, 64 hexadecimal digits"),
    ("SWITCHBOARD_SPECS", "official interface descriptions, for the tests"),
    ("SWITCHBOARD_TEST_POSTGRES_URL", "a PostgreSQL server, for the tests"),
];

/// The environment variable that names the database on most platforms.
pub const DATABASE_URL: &str = "DATABASE_URL";

impl Setting {
    /// The setting with this key.
    pub fn find(key: &str) -> Option<&'static Self> {
        SETTINGS.iter().find(|setting| setting.key == key)
    }

    /// Its environment variable: `SWITCHBOARD_LIMITS_BATCH`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.replace('.', "_").to_uppercase())
    }

    /// Its flag without the dashes: `limits-batch`.
    pub fn flag(&self) -> String {
        self.key.replace(['.', '_'], "-")
    }

    /// The objects that hold settings: `limits`, `retry`.
    pub fn groups() -> Vec<&'static str> {
        let mut groups: Vec<_> = SETTINGS
            .iter()
            .filter_map(|s| s.key.split_once('.'))
            .map(|(group, _)| group)
            .collect();
        groups.dedup();
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_in_every_source() {
        for (at, setting) in SETTINGS.iter().enumerate() {
            for other in &SETTINGS[..at] {
                assert_ne!(setting.key, other.key);
                assert_ne!(setting.variable(), other.variable());
                assert_ne!(setting.flag(), other.flag());
            }
            assert!(OTHER_VARIABLES.iter().all(|(name, _)| *name != setting.variable()));
        }
    }

    #[test]
    fn settings_of_a_group_stand_together() {
        assert_eq!(Setting::groups(), ["limits", "retry", "webhooks", "history"]);
    }
}
