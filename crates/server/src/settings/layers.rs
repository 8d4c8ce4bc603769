//! Puts the sources on top of each other: default < file < environment < flag. Collects every problem instead of stopping at
//! the first.

use std::fmt;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_connect::document::Document;
use switchboard_model::problem::{Code, Problem};

use super::{
    form::{Fitting, fit},
    table::{DATABASE_URL, OTHER_VARIABLES, PREFIX, SETTINGS, Setting},
};
use crate::nearest::did_you_mean;

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Nobody.
    Default,
    /// The file, at `file:line:column`.
    File(String),
    /// An environment variable.
    Environment(String),
    /// A flag of the command line.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(place) => f.write_str(place),
            Self::Environment(name) => f.write_str(name),
            Self::Flag(flag) => write!(f, "--{flag}"),
        }
    }
}

/// A value and who set it.
#[derive(Debug, Clone)]
pub struct Set {
    /// As it was written.
    pub text: String,
    /// As it is understood.
    pub value: Fitting,
    /// Who set it.
    pub origin: Origin,
}

/// The values of all settings that have one.
#[derive(Debug, Default)]
pub struct Layers {
    values: IndexMap<&'static str, Set>,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

impl Layers {
    /// The defaults.
    pub fn new() -> Self {
        let mut layers = Self::default();
        for setting in SETTINGS.iter().filter(|setting| !setting.default.is_empty()) {
            layers.put(setting, setting.default, Origin::Default);
        }
        layers
    }

    /// Lays the file on top. An unknown key is a problem.
    pub fn file(&mut self, document: &Document) {
        match document.value() {
            Value::Object(members) => self.members(document, members, ""),
            Value::Null => {}
            _ => self.problems.push(document.problem(
                Code::WrongSetting,
                "",
                "A settings file holds names and values",
                "Write lines such as `listen: 127.0.0.1:8080`; `switchboard config show --defaults` prints a whole file.",
            )),
        }
    }

    fn members(&mut self, document: &Document, members: &Map<String, Value>, group: &str) {
        for (name, value) in members {
            let key = if group.is_empty() {
                name.clone()
            } else {
                format!("{group}.{name}")
            };
            let pointer = format!("/{}", key.replace('~', "~0").replace('/', "~1").replace('.', "/"));
            let scalar = match value {
                Value::String(text) => Some(text.clone()),
                Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
                _ => None,
            };
            match (Setting::find(&key), value) {
                (Some(_), Value::Null) => {}
                (Some(setting), _) => match scalar {
                    Some(text) => self.put(setting, &text, Origin::File(document.place(&pointer))),
                    None => self.problems.push(document.problem(
                        Code::WrongSetting,
                        &pointer,
                        format!("The setting `{key}` is one value, not a list or an object"),
                        "Write the value behind the colon.",
                    )),
                },
                (None, Value::Object(inner)) if group.is_empty() && Setting::groups().contains(&name.as_str()) => {
                    self.members(document, inner, name);
                }
                (None, _) => {
                    let known = SETTINGS.iter().map(|setting| setting.key).chain(Setting::groups());
                    let problem = Problem::new(
                        Code::UnknownKey,
                        format!("There is no setting `{key}`{}", did_you_mean(&key, known)),
                        "Correct or remove it; `switchboard config show --defaults` prints all settings.",
                    );
                    self.problems.push(problem.at(document.place_of_key(&pointer)));
                }
            }
        }
    }

    /// Lays the environment on top. Names that begin like ours and are read by nobody become notes, not problems: container
    /// platforms add such names on their own (`SWITCHBOARD_PORT_8080_TCP` for a service called switchboard).
    pub fn environment(&mut self, variables: impl IntoIterator<Item = (String, String)>) {
        for (name, value) in variables {
            if name == DATABASE_URL {
                self.database_url(&name, value.trim());
                continue;
            }
            if !name.starts_with(PREFIX) {
                continue;
            }
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == name) {
                self.put(setting, value.trim(), Origin::Environment(name));
            } else if OTHER_VARIABLES.iter().all(|(known, _)| *known != name) {
                let known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
                let hint = did_you_mean(&name, known.iter().map(String::as_str));
                self.notes
                    .push(format!("The environment variable {name} is read by nobody{hint}"));
            }
        }
    }

    /// `SWITCHBOARD_DATABASE` is meant for us alone and goes before `DATABASE_URL`, in whichever order they come. An address of another kind
    /// of database is meant for another program.
    fn database_url(&mut self, name: &str, value: &str) {
        let ours = value.starts_with("postgres://") || value.starts_with("postgresql://");
        let set = self.values.get("database").map(|set| &set.origin);
        let Some(setting) = Setting::find("database").filter(|_| !matches!(set, Some(Origin::Environment(_)))) else {
            return;
        };
        match ours {
            true => self.put(setting, value, Origin::Environment(name.to_owned())),
            false if value.is_empty() => {}
            false => self
                .notes
                .push(format!("{name} names no PostgreSQL database and is not used")),
        }
    }

    /// Lays flags on top: the setting's key and the text that was given.
    pub fn flags<'a>(&mut self, flags: impl IntoIterator<Item = (&'a str, String)>) {
        for (key, text) in flags {
            if let Some(setting) = Setting::find(key) {
                self.put(setting, &text, Origin::Flag(setting.flag()));
            }
        }
    }

    fn put(&mut self, setting: &'static Setting, text: &str, origin: Origin) {
        match fit(setting.form, text) {
            Ok(value) => {
                self.values.insert(
                    setting.key,
                    Set {
                        text: text.to_owned(),
                        value,
                        origin,
                    },
                );
            }
            Err(sentence) => {
                let next = format!(
                    "{}. Set `{}` in the file, {} or --{}.",
                    setting.doc,
                    setting.key,
                    setting.variable(),
                    setting.flag()
                );
                let problem = Problem::new(Code::WrongSetting, format!("`{}`: {sentence}", setting.key), next);
                self.problems.push(problem.at(origin.to_string()));
            }
        }
    }

    /// The values and the notes.
    ///
    /// # Errors
    /// Everything that is wrong in any source, as one problem.
    pub fn finish(self) -> Result<(IndexMap<&'static str, Set>, Vec<String>), Problem> {
        match Problem::all(self.problems) {
            Some(problem) => Err(problem),
            None => Ok((self.values, self.notes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layered(file: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Layers {
        let mut layers = Layers::new();
        layers.file(&Document::parse(file, "switchboard.yaml").unwrap());
        layers.environment(
            environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        layers.flags(flags.iter().map(|(key, value)| (*key, (*value).to_owned())));
        layers
    }

    #[test]
    fn a_flag_beats_the_environment_which_beats_the_file_which_beats_the_default() {
        let file = "listen: 127.0.0.1:1\nlimits:\n  batch: 7\n  depth: 8\nlog: warn\n";
        let environment = [("SWITCHBOARD_LISTEN", "127.0.0.1:2"), ("SWITCHBOARD_LIMITS_DEPTH", "9")];
        let (values, notes) = layered(file, &environment, &[("listen", "127.0.0.1:3")])
            .finish()
            .unwrap();
        let set = |key: &str| (values[key].text.as_str(), values[key].origin.to_string());
        assert_eq!(set("listen"), ("127.0.0.1:3", "--listen".into()));
        assert_eq!(set("limits.depth"), ("9", "SWITCHBOARD_LIMITS_DEPTH".into()));
        assert_eq!(set("limits.batch"), ("7", "switchboard.yaml:3:10".into()));
        assert_eq!(set("data"), ("./data", "default".into()));
        assert!(notes.is_empty());
    }

    #[test]
    fn database_url_names_the_database_unless_something_of_our_own_does() {
        let (own, general) = (
            ("SWITCHBOARD_DATABASE", "postgres://db.example.org/own"),
            ("DATABASE_URL", "postgres://db.example.org/general"),
        );
        let database = |environment: &[(&str, &str)], flags: &[(&'static str, &str)]| {
            let (values, _) = layered("database: sqlite", environment, flags).finish().unwrap();
            values["database"].text.clone()
        };
        assert_eq!(database(&[], &[]), "sqlite");
        assert_eq!(database(&[general], &[]), general.1);
        assert_eq!(database(&[own, general], &[]), own.1);
        assert_eq!(database(&[general, own], &[]), own.1);
        assert_eq!(database(&[general], &[("database", "sqlite")]), "sqlite");
        assert_eq!(database(&[("DATABASE_URL", "mysql://h/d")], &[]), "sqlite");
    }

    #[test]
    fn everything_that_is_wrong_is_told_at_once_with_its_place() {
        let file = "listn: x\nlimits:\n  batch: many\n  colour: red\nretry: 3\nlog: [a]\n";
        let environment = [("SWITCHBOARD_LISTEN", "127.0.0.1:70000")];
        let problem = layered(file, &environment, &[("log_format", "xml")])
            .finish()
            .unwrap_err();
        let all: Vec<_> = std::iter::once(&problem).chain(&problem.others).collect();
        let places: Vec<_> = all.iter().filter_map(|p| p.place.as_deref()).collect();
        assert_eq!(
            places,
            [
                "switchboard.yaml:1:1",
                "switchboard.yaml:3:10",
                "switchboard.yaml:4:3",
                "switchboard.yaml:5:1",
                "switchboard.yaml:6:6",
                "SWITCHBOARD_LISTEN",
                "--log-format"
            ]
        );
        assert!(all[0].detail.contains("did you mean `listen`"), "{}", all[0].detail);
    }

    #[test]
    fn an_environment_variable_that_nobody_reads_is_noted_only() {
        let environment = [
            ("SWITCHBOARD_LISTN", "x"),
            ("SWITCHBOARD_PORT_8080_TCP", "tcp://x"),
            ("HOME", "/"),
        ];
        let (_, notes) = layered("", &environment, &[]).finish().unwrap();
        assert_eq!(notes.len(), 2);
        assert!(notes[0].contains("SWITCHBOARD_LISTEN"), "{}", notes[0]);
    }
}
