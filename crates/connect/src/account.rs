//! What a call knows: the account that it is made for, and the record that it is about.

use std::{collections::HashMap, sync::Arc};

use jiff::Timestamp;
use serde_json::{Map, Value};
use switchboard_model::{
    problem::Problem,
    template::{Lookups, Scope, Unknown},
};

use crate::{auth::Token, connector::Connector, decision::Known, object::Object, paging::PageAt, request::incomplete};

/// How far a vendor's clock may be behind ours, in milliseconds.
const SKEW_MS: i64 = 120_000;

/// One configured account of a connector, ready for calls. Made anew when settings, credentials or facts change.
pub struct Account {
    pub(crate) auth: usize,
    pub(crate) base_url: Option<String>,
    base: Map<String, Value>,
    objects: HashMap<String, Map<String, Value>>,
    nothing: Map<String, Value>,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Connector {
    /// Puts an account together: fills in the defaults of the settings, works out the manifest's `values` and the base
    /// address. `settings`, `secrets` and `facts` are JSON objects.
    ///
    /// # Errors
    /// When there is no such kind of authentication, or a value of the manifest cannot be worked out.
    pub fn account(
        &self,
        auth_kind: &str,
        settings: &Map<String, Value>,
        secrets: &Map<String, Value>,
        facts: &Map<String, Value>,
    ) -> Result<Account, Problem> {
        let auth = self.auth.iter().position(|auth| auth.name == auth_kind);
        let auth = auth.ok_or_else(|| incomplete(&format!("{} has no sign-in called `{auth_kind}`", self.name)))?;
        let mut base = Map::new();
        base.insert("settings".into(), self.with_defaults(settings));
        base.insert("secrets".into(), Value::Object(secrets.clone()));
        base.insert("facts".into(), Value::Object(facts.clone()));
        let mut values = Map::new();
        for (name, template) in &self.values {
            base.insert("values".into(), Value::Object(values.clone()));
            let value = template.render(&Scope::of(&base).lookups(&self.lookups));
            let value = value.map_err(|error| incomplete(&format!("`{name}` cannot be worked out: {error}")))?;
            values.extend(value.map(|value| (name.clone(), value)));
        }
        base.insert("values".into(), Value::Object(values));
        // Without an address no call can be built; until then everything else works.
        let base_url = self.base_url.fill(&Scope::of(&base).lookups(&self.lookups)).ok();
        let objects = self
            .objects
            .values()
            .map(|object| (object.name.clone(), layer_of(object, &base)))
            .collect();
        Ok(Account {
            auth,
            base_url,
            base,
            objects,
            nothing: Map::new(),
        })
    }

    /// What templates see: the call (`record`, `key`, `id`, `token`, `since` …), the `object`, the account (`settings`,
    /// `secrets`, `facts`, `values`), in this order.
    pub(crate) fn scope<'a>(&'a self, account: &'a Account, object: Option<&str>, call: &'a Call) -> Scope<'a> {
        let object = object
            .and_then(|name| account.objects.get(name))
            .unwrap_or(&account.nothing);
        Scope::of(&call.vars)
            .with_map(&call.start.vars)
            .with_map(object)
            .with_map(&account.base)
            .lookups(&self.lookups)
    }
}

/// What templates see as `object`: name, vendor's type, the manifest's own variables, the facts of this object
/// (`facts.objects.<name>`) and the settings of this object (`settings.objects.<name>`).
fn layer_of(object: &Object, base: &Map<String, Value>) -> Map<String, Value> {
    let mut layer = object.vars.clone();
    layer.insert("name".into(), object.name.clone().into());
    layer.insert("type".into(), object.vendor_type.clone().into());
    for part in ["facts", "settings"] {
        let own = base
            .get(part)
            .map(|part| &part["objects"][&object.name])
            .filter(|own| own.is_object());
        layer.insert(part.into(), own.cloned().unwrap_or_else(|| Value::Object(Map::new())));
    }
    Map::from_iter([("object".to_owned(), Value::Object(layer))])
}

impl Account {
    /// A credential that is text.
    pub(crate) fn secret(&self, name: &str) -> Option<&str> {
        self.base.get("secrets")?.get(name)?.as_str()
    }

    /// What was looked up so far, an object.
    pub fn facts(&self) -> &Value {
        &self.base["facts"]
    }
}

/// The tables of a manifest.
#[derive(Debug, Default)]
pub(crate) struct Tables(pub indexmap::IndexMap<String, indexmap::IndexMap<String, Value>>);

impl Lookups for Tables {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        self.0.get(table)?.get(key).cloned()
    }

    fn unknown(&self) -> Unknown {
        Unknown::Goes
    }
}

/// When calls are made, and with which token. It is made once for all that are made together; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Start {
    now_ms: i64,
    vars: Arc<Map<String, Value>>,
}

impl Start {
    /// Calls at this time (Unix milliseconds) with the token, where there is one.
    pub fn new(now_ms: i64, token: Option<&Token>) -> Self {
        let mut vars = now(now_ms);
        vars.extend(since(now_ms));
        vars.extend(token.map(|token| ("token".to_owned(), token.access.as_str().into())));
        Self {
            now_ms,
            vars: Arc::new(vars),
        }
    }

    /// The same for a record that was first sent at this moment.
    fn of_record(&self, first_sent_ms: i64) -> Self {
        let mut own = self.clone();
        Arc::make_mut(&mut own.vars).extend(since(first_sent_ms));
        own
    }
}

/// This moment as templates see it.
fn now(now_ms: i64) -> Map<String, Value> {
    let mut vars = times("now", now_ms);
    vars.insert("now_seconds".into(), now_ms.div_euclid(1000).into());
    vars
}

/// A moment as templates see it: `<name>` as text, `<name>_ms` as a number.
fn times(name: &str, ms: i64) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), moment(ms)), (format!("{name}_ms"), ms.into())])
}

/// From when on a probe looks for what was first sent at this moment.
fn since(first_sent_ms: i64) -> Map<String, Value> {
    times("since", first_sent_ms.saturating_sub(SKEW_MS))
}

/// One delivery's calls: the record that they are about, what is known of it, and what changes from call to call.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is known of the record; grows with every outcome.
    pub known: Known,
    vars: Map<String, Value>,
    start: Start,
    age_ms: i64,
    page: PageAt,
}

impl Call {
    /// Calls about a record. `key` is the stable text of at most 64 characters that marks the record at the vendor;
    /// `record` is what [`Connector::shape`] gave.
    pub fn new(key: &str, record: Value, known: Known) -> Self {
        let vars = Map::from_iter([("key".to_owned(), key.into()), ("record".to_owned(), record)]);
        Self {
            known,
            vars,
            start: Start::default(),
            age_ms: 0,
            page: PageAt::default(),
        }
    }

    /// Calls about no record: tests, preparations, tokens.
    pub(crate) fn plain() -> Self {
        Self {
            known: Known::default(),
            vars: Map::new(),
            start: Start::default(),
            age_ms: 0,
            page: PageAt::default(),
        }
    }

    /// What stands around the calls of one request: the token and the times of this one, and a key of the group.
    pub(crate) fn around(&self, key: String) -> Self {
        let kept = self
            .vars
            .iter()
            .filter(|(name, _)| !matches!(name.as_str(), "record" | "resolved"));
        let mut group = Self {
            known: Known::default(),
            vars: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
            start: self.start.clone(),
            age_ms: self.age_ms,
            page: PageAt::default(),
        };
        group.set("key", key.into());
        group
    }

    /// Readies it for the next call. A probe looks for nothing older than `first_sent_ms`, the moment when this record was
    /// first sent.
    pub fn begin(&mut self, start: &Start, first_sent_ms: Option<i64>) {
        self.start = first_sent_ms.map_or_else(|| start.clone(), |ms| start.of_record(ms));
        self.age_ms = start.now_ms.saturating_sub(first_sent_ms.unwrap_or(start.now_ms));
    }

    /// The page of a read that [`Connector::build`] asks for from now on; the default is the first one.
    pub fn turn_to(&mut self, page: PageAt) {
        self.page = page;
    }

    pub(crate) fn page(&self) -> &PageAt {
        &self.page
    }

    /// How long ago the record was first sent, in milliseconds.
    pub(crate) fn age_ms(&self) -> i64 {
        self.age_ms
    }

    pub(crate) fn set_now(&mut self, now_ms: i64) {
        self.vars.extend(now(now_ms));
    }

    pub(crate) fn set_token(&mut self, token: Option<&Token>) {
        if let Some(token) = token {
            self.set("token", token.access.as_str().into());
        }
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.vars.insert(name.to_owned(), value);
    }

    /// The record.
    pub fn record(&self) -> &Value {
        self.vars.get("record").unwrap_or(&Value::Null)
    }

    /// The record, to put what was looked up into it.
    pub(crate) fn record_mut(&mut self) -> &mut Value {
        self.vars.entry("record").or_insert(Value::Null)
    }

    /// Adds something that was looked up: templates see it as `resolved.<name>`.
    pub(crate) fn add_resolved(&mut self, name: &str, value: Value) {
        let resolved = self.vars.entry("resolved").or_insert_with(|| Value::Object(Map::new()));
        if let Some(resolved) = resolved.as_object_mut() {
            resolved.insert(name.to_owned(), value);
        }
    }

    /// Forgets what was looked up: the record is again what [`Connector::shape`] gave.
    pub fn restore(&mut self, record: Value) {
        self.vars.shift_remove("resolved");
        self.set("record", record);
    }

    /// The text that marks the record at the vendor.
    pub fn key(&self) -> &str {
        self.vars.get("key").and_then(Value::as_str).unwrap_or_default()
    }
}

/// A moment as vendors read it: RFC 3339 in UTC with whole seconds.
fn moment(ms: i64) -> Value {
    Timestamp::from_second(ms.div_euclid(1000))
        .map(|moment| moment.to_string().into())
        .unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_probe_looks_as_far_back_as_the_write_that_is_in_doubt_and_no_further() {
        let since_ms = |call: &Call| call.start.vars["since_ms"].as_i64();
        let start = Start::new(9_000_000, None);
        let mut call = Call::new("k", Value::Null, Known::default());
        call.begin(&start, Some(1_000_000));
        assert_eq!((since_ms(&call), call.age_ms()), (Some(1_000_000 - SKEW_MS), 8_000_000));
        // What was in doubt is certain now.
        call.begin(&start, None);
        assert_eq!((since_ms(&call), call.age_ms()), (Some(9_000_000 - SKEW_MS), 0));
    }
}
