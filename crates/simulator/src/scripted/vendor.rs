//! A simulated vendor whose behaviour is a script.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Once};

use parking_lot::Mutex;
use rhai::{Dynamic, FuncArgs, INT, Map};
use serde_json::{Value, json};

use super::error::ScriptError;
use super::json::from_script;
use super::request::Req;
use super::script::Script;
use super::settings;
use super::state::Db;
use super::tables::Wanted;
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::vendor::Vendor;

/// As many errors are kept.
const KEPT: usize = 1_000;

/// A vendor whose behaviour is a script. It comes to life, with what its script's `start` makes, when it is first asked.
pub struct Scripted {
    script: Arc<Script>,
    db: Db,
    begun: Once,
    errors: Mutex<Vec<ScriptError>>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Scripted")
            .field("script", &self.script)
            .finish_non_exhaustive()
    }
}

impl Scripted {
    /// The vendor in its first state.
    #[must_use]
    pub fn new(script: Arc<Script>, setup: &Setup) -> Self {
        Self {
            db: Db::new(script.slug(), setup),
            script,
            begun: Once::new(),
            errors: Mutex::default(),
        }
    }

    /// The account, begun.
    fn account(&self) -> &Db {
        self.begun.call_once(|| {
            if let Some(first) = self.call("settings", ()).and_then(|value| self.map("settings", value)) {
                self.db.lock().settings = super::json::own_map(first);
            }
            if self.script.defines("start") {
                self.call("start", (self.db.clone(),));
            }
        });
        &self.db
    }

    /// Calls the script; an error is kept and told to the log.
    fn call(&self, function: &str, arguments: impl FuncArgs) -> Option<Dynamic> {
        self.script
            .call(function, arguments)
            .map_err(|error| self.keep(error))
            .ok()
    }

    fn keep(&self, error: ScriptError) {
        tracing::error!(
            vendor = error.vendor,
            file = error.file,
            line = error.line,
            "simulator's script: {}",
            error.message
        );
        let mut errors = self.errors.lock();
        if errors.len() < KEPT {
            errors.push(error);
        }
    }

    fn map(&self, function: &str, value: Dynamic) -> Option<Map> {
        let kind = value.type_name();
        let found = value.try_cast::<Map>();
        if found.is_none() {
            self.keep(
                self.script
                    .problem(0, format!("`{function}` gave back {kind} and not a map")),
            );
        }
        found
    }

    /// The reply that a function of the script gives, or the one that says what is wrong with the script.
    fn answer(&self, function: &str, now_ms: i64, arguments: impl FuncArgs) -> Reply {
        self.account().lock().now_ms = now_ms;
        let answer = self.script.call(function, arguments);
        let reply = answer.and_then(|value| {
            let kind = value.type_name();
            let reply = value.try_cast::<Reply>();
            reply.ok_or_else(|| {
                self.script
                    .problem(0, format!("`{function}` gave back {kind} and not a reply"))
            })
        });
        reply.unwrap_or_else(|error| {
            let said =
                json!({ "script_error": { "script": error.file, "line": error.line, "message": error.message } });
            self.keep(error);
            Reply::json(500, &said)
        })
    }

    /// The rows of a table as they are shown.
    fn shown(&self, object: &str) -> Vec<Value> {
        let db = self.account();
        let rows: Vec<Map> = db.lock().tables.find(object, Wanted::default()).cloned().collect();
        let shows = self.script.defines("show");
        let show = |row: Map| {
            let row = Dynamic::from_map(row);
            let row = if shows {
                self.call("show", (object.to_owned(), row, db.clone()))?
            } else {
                row
            };
            let value = from_script(&row)
                .map_err(|error| self.keep(self.script.problem(0, error.to_string())))
                .ok()?;
            (!value.is_null()).then_some(value)
        };
        rows.into_iter().filter_map(show).collect()
    }
}

impl Vendor for Scripted {
    fn handle(&mut self, request: &Arc<Request>) -> Reply {
        let req = Req::new(Arc::clone(request));
        self.answer("handle", request.now_ms, (req, self.db.clone()))
    }

    fn failure(&mut self, status: u16, request: &Request) -> Reply {
        let req = Req::new(Arc::new(request.clone()));
        self.answer("failure", request.now_ms, (INT::from(status), req, self.db.clone()))
    }

    fn throttle(&mut self, retry_after_s: Option<u64>, request: &Request) -> Reply {
        let req = Req::new(Arc::new(request.clone()));
        let seconds = retry_after_s.and_then(|seconds| INT::try_from(seconds).ok());
        let seconds = seconds.map_or(Dynamic::UNIT, Dynamic::from_int);
        self.answer("throttle", request.now_ms, (seconds, req, self.db.clone()))
    }

    fn expire_tokens(&mut self, now_ms: i64) {
        self.account().lock().tokens.expire_all(now_ms);
    }

    fn revoke_tokens(&mut self) {
        self.account().lock().tokens.revoke_all();
    }

    fn counts(&self) -> BTreeMap<String, u64> {
        let names: Vec<String> = self.account().lock().tables.names().map(str::to_owned).collect();
        let shows = self.script.defines("show");
        let count = |name: String| {
            let rows = if shows {
                self.shown(&name).len()
            } else {
                self.db.lock().tables.count(&name)
            };
            (name, rows as u64)
        };
        names
            .into_iter()
            .filter(|name| !name.starts_with('_'))
            .map(count)
            .collect()
    }

    fn records(&self, object: &str) -> Option<Vec<Value>> {
        let is_there = self.account().lock().tables.names().any(|name| name == object);
        // A table comes with its first row; until then its name stands in the script only.
        (is_there || self.script.mentions(object)).then(|| self.shown(object))
    }

    fn settings(&self) -> Value {
        settings::shown(&self.account().lock())
    }

    fn configure(&mut self, patch: &Value) -> Result<(), String> {
        settings::change(&mut self.account().lock(), patch)
    }

    fn script_errors(&self) -> Vec<ScriptError> {
        self.errors.lock().clone()
    }
}
