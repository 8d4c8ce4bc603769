//! The users' guides' way of writing a connection → ours.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::problem::{Code, Problem};

use crate::{auth::Auth, compile::child, connector::Connector};

/// Members of a `config` that have a meaning of their own.
const AUTH_TYPE: &str = "authType";
const CREDENTIALS: &str = "credentials";
const ENDPOINTS: &str = "endpoints";
const MAPPINGS: &str = "mappings";

/// A connection as the connector understands it.
#[derive(Clone, PartialEq)]
pub struct Translated {
    /// Which way to authenticate.
    pub auth_kind: String,
    /// Settings that are no secrets.
    pub settings: Map<String, Value>,
    /// Credentials.
    pub secrets: Map<String, Value>,
    /// Mappings by the connector's own names of its objects.
    pub mappings: IndexMap<String, Value>,
    /// What a person should know about the translation.
    pub notes: Vec<String>,
}

impl std::fmt::Debug for Translated {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Translated")
            .field("auth_kind", &self.auth_kind)
            .field("settings", &self.settings)
            .field("secrets", &self.secrets.keys().collect::<Vec<_>>())
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

/// A translation that is under way.
struct Translation<'c> {
    connector: &'c Connector,
    done: Translated,
    /// Where each setting was written, for messages.
    origins: IndexMap<String, String>,
    problems: Vec<Problem>,
}

impl Connector {
    /// Reads a guide's `config`: `{authType, credentials, endpoints, mappings}` and settings beside them. Missing
    /// credentials are no error: the connection becomes a draft.
    ///
    /// # Errors
    /// Everything that is not understood or wrong; places are JSON pointers inside `config`.
    pub fn translate(&self, config: &Value) -> Result<Translated, Vec<Problem>> {
        let nothing = Map::new();
        let config = config.as_object().unwrap_or(&nothing);
        let credentials = config.get(CREDENTIALS).and_then(Value::as_object).unwrap_or(&nothing);
        let (auth, note) = match self.choose_auth(config.get(AUTH_TYPE), credentials) {
            Ok(chosen) => chosen,
            Err(problem) => return Err(vec![problem]),
        };
        let done = Translated {
            auth_kind: auth.name.clone(),
            settings: Map::new(),
            secrets: Map::new(),
            mappings: IndexMap::new(),
            notes: note.into_iter().collect(),
        };
        let mut translation = Translation {
            connector: self,
            done,
            origins: IndexMap::new(),
            problems: Vec::new(),
        };
        for (name, value) in credentials {
            translation.credential(auth, name, value);
        }
        for (name, value) in config.get(ENDPOINTS).and_then(Value::as_object).unwrap_or(&nothing) {
            translation.setting("/endpoints", name, value);
        }
        for (name, value) in config.get(MAPPINGS).and_then(Value::as_object).unwrap_or(&nothing) {
            translation.mapping(name, value);
        }
        let known = [AUTH_TYPE, CREDENTIALS, ENDPOINTS, MAPPINGS];
        for (name, value) in config.iter().filter(|(name, _)| !known.contains(&name.as_str())) {
            translation.setting("", name, value);
        }
        for part in [CREDENTIALS, ENDPOINTS, MAPPINGS] {
            if config
                .get(part)
                .is_some_and(|value| !value.is_object() && !value.is_null())
            {
                let problem = Problem::new(Code::WrongValue, format!("`{part}` is no object"), "Write an object.");
                translation.problems.push(problem.at(child("", part)));
            }
        }
        translation.finish()
    }

    /// The way to authenticate that a guide means, and what is to be said about it.
    fn choose_auth(
        &self,
        named: Option<&Value>,
        given: &Map<String, Value>,
    ) -> Result<(&Auth, Option<String>), Problem> {
        let text = named.and_then(Value::as_str).unwrap_or_default();
        let called = |auth: &&Auth| text.is_empty() || auth.name == text || auth.guide.contains_key(text);
        let candidates: Vec<_> = self.auth.iter().filter(called).collect();
        let uses = |auth: &Auth| given.keys().filter(|name| auth.credential_name(name).is_some()).count();
        let complete = candidates.iter().filter(|auth| {
            let names: Vec<_> = given.keys().filter_map(|name| auth.credential_name(name)).collect();
            auth.credentials.required().all(|required| names.contains(&required))
        });
        // Of equals `max_by_key` takes the last, and the first is meant.
        let best = complete.rev().max_by_key(|auth| uses(auth)).or(candidates.first());
        let auth = best.ok_or_else(|| {
            let known: Vec<_> = self
                .auth
                .iter()
                .flat_map(|auth| std::iter::once(&auth.name).chain(auth.guide.keys()))
                .collect();
            let known: Vec<_> = known.into_iter().map(String::as_str).collect();
            let detail = format!("{} has no sign-in called `{text}`", self.name);
            Problem::new(Code::WrongValue, detail, format!("Use one of {}.", known.join(", "))).at("/authType")
        })?;
        let note = auth.guide.get(text).filter(|note| !note.is_empty()).cloned();
        Ok((auth, note))
    }
}

impl Auth {
    /// Our name of a credential, when this way has it.
    fn credential_name<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let name = self.rename.get(name).map_or(name, String::as_str);
        self.credentials.has(name).then_some(name)
    }
}

impl Translation<'_> {
    fn credential(&mut self, auth: &Auth, name: &str, value: &Value) {
        let place = child("/credentials", name);
        if let Some(name) = auth.credential_name(name) {
            self.done.secrets.insert(name.to_owned(), value.clone());
        } else if let Some(reason) = auth.ignore.get(name) {
            self.note(reason);
        } else if self.setting_name(name).is_some() || self.connector.guide.ignore.contains_key(name) {
            self.setting("/credentials", name, value);
        } else {
            let mut problem = auth.credentials.unknown(name, "/credentials");
            problem.place = Some(place);
            self.problems.push(problem);
        }
    }

    fn setting(&mut self, of: &str, name: &str, value: &Value) {
        let place = child(of, name);
        if let Some(ours) = self.setting_name(name).map(str::to_owned) {
            self.done.settings.insert(ours.clone(), value.clone());
            self.origins.insert(ours, place);
        } else if let Some(reason) = self.connector.guide.ignore.get(name) {
            self.note(&reason.clone());
        } else {
            self.problems.push(self.connector.settings.unknown(name, of));
        }
    }

    fn setting_name<'n>(&'n self, name: &'n str) -> Option<&'n str> {
        let name = self.connector.guide.rename.get(name).map_or(name, String::as_str);
        self.connector.settings.has(name).then_some(name)
    }

    fn mapping(&mut self, name: &str, tree: &Value) {
        match self.connector.known_object(name) {
            Ok(object) if self.done.mappings.contains_key(&object.name) => {
                let detail = format!("`{name}` and another mapping are both for {}", object.title);
                let problem = Problem::new(Code::WrongValue, detail, "Leave one of the two out.");
                self.problems.push(problem.at(child("/mappings", name)));
            }
            Ok(object) => {
                self.done.mappings.insert(object.name.clone(), tree.clone());
            }
            Err(problem) => self.problems.push(problem.at(child("/mappings", name))),
        }
    }

    fn note(&mut self, note: &str) {
        if !self.done.notes.iter().any(|known| known == note) {
            self.done.notes.push(note.to_owned());
        }
    }

    /// Checks the values, at the places where the user wrote them.
    fn finish(mut self) -> Result<Translated, Vec<Problem>> {
        let Translated {
            auth_kind,
            settings,
            secrets,
            ..
        } = &self.done;
        for mut problem in self.connector.check(auth_kind, settings, secrets).problems {
            let place = problem.place.take().unwrap_or_default();
            let setting = place
                .strip_prefix("/settings/")
                .map(|rest| rest.split('/').next().unwrap_or(rest));
            let origin = setting.and_then(|name| self.origins.get(name)).cloned();
            let place = origin.unwrap_or_else(|| place.replacen("/secrets", "/credentials", 1));
            self.problems.push(problem.at(place));
        }
        if self.problems.is_empty() {
            Ok(self.done)
        } else {
            Err(self.problems)
        }
    }
}
