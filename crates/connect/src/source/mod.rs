//! Sources: what pushes to us, and what is made of it.
//!
//! A source is data: a ready one in `sources/<slug>/source.yaml`, with the user's path, settings, secrets and own members ([`spec`]). This
//! module knows whether a request is the pusher's ([`verify`]), what it is answered ([`reply`], [`handshake`]), what is in it ([`body`],
//! [`walk`]) and what is made of it ([`make`]). Everything here is pure: nothing is stored, nothing is called, and the clock is a parameter.

mod body;
mod checker;
mod fetch;
mod handshake;
mod make;
mod mask;
mod read;
pub mod ready;
mod reply;
mod request;
pub mod sample;
pub mod shape;
pub mod spec;
mod verify;
mod view;
mod walk;
mod write;

use indexmap::IndexMap;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use switchboard_model::{
    condition::Condition,
    event::EventType,
    problem::Problem,
    template::{Lookups, Template},
};

use self::{
    checker::Checker,
    fetch::Fetch,
    handshake::Handshake,
    make::Rule,
    mask::Secrecy,
    ready::Ready,
    reply::Answer,
    shape::{BodySpec, ConductSpec, EventSpec},
    verify::{Check, checks},
    view::Surroundings,
    walk::{Gather, Walk},
};

pub use body::Body;
pub use fetch::FetchCall;
pub use make::{Made, MadeEvent, MadeRecord, TableUse};
pub use mask::{MASK, Masked};
pub use read::{Fetched, Item, Reading, Received};
pub use reply::Reply;
pub use request::Request;
pub use shape::{Missing, Mode};
pub use spec::SourceSpec;
pub use write::write;

/// The event that a source without a mapping makes.
const PLAIN_EVENT: &str = "webhook.received";
/// Where the user says in which zone dates are written, and which country telephone numbers are of.
const ZONE_SETTING: &str = "timeZone";
const COUNTRY_SETTING: &str = "country";

/// A source, compiled.
#[derive(Debug)]
pub struct Source {
    slug: String,
    settings: Map<String, Value>,
    secrets: Map<String, Value>,
    zone: TimeZone,
    country: Option<String>,
    lookups: IndexMap<String, IndexMap<String, Value>>,
    body: BodySpec,
    checks: Vec<Check>,
    handshakes: Vec<Handshake>,
    test: Option<Condition>,
    dedupe: Option<(Template, bool)>,
    received: Answer,
    refused: Answer,
    failed: Answer,
    deadline_s: Option<u32>,
    split: Vec<Walk>,
    gather: Vec<Gather>,
    ignore: Vec<(Condition, String)>,
    fetch: Vec<Fetch>,
    /// `None`: one event for each item, with all that it holds.
    rules: Option<Vec<Rule>>,
}

/// The source's own tables, then those of the workspace.
struct Tables<'t> {
    own: &'t IndexMap<String, IndexMap<String, Value>>,
    lists: &'t dyn Lookups,
}

impl Lookups for Tables<'_> {
    fn find(&self, table: &str, key: &str) -> Option<Value> {
        let own = self.own.get(table).and_then(|table| table.get(key)).cloned();
        own.or_else(|| self.lists.find(table, key))
    }
}

/// A workspace without lists.
#[derive(Debug, Clone, Copy)]
pub struct NoLists;

impl Lookups for NoLists {
    fn find(&self, _: &str, _: &str) -> Option<Value> {
        None
    }
}

impl Source {
    /// Compiles a user's source that is a ready one with changes.
    ///
    /// # Errors
    /// Everything that is wrong, each with a JSON pointer into what the user writes.
    pub fn compile(spec: &SourceSpec, ready: &Ready) -> Result<Self, Vec<Problem>> {
        let mut checker = Checker::default();
        let mut conduct = ready.conduct.clone();
        conduct.extend(spec.conduct.iter().map(|(name, value)| (name.clone(), value.clone())));
        let parsed: Result<ConductSpec, _> = serde_json::from_value(Value::Object(conduct));
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                checker.report("", error.to_string(), "See sources/source.schema.json.");
                return Err(checker.into_problems());
            }
        };
        let records = spec.records().unwrap_or_else(|why| {
            checker.report("/mapping", why, "Write {\"table\": …, \"fields\": {…}}.");
            Vec::new()
        });
        let settings = ready.with_defaults(&spec.settings);
        let source = Self::build(&mut checker, spec, ready, &parsed, &records, settings);
        let problems = checker.into_problems();
        match source {
            Some(source) if problems.is_empty() => Ok(source),
            _ => Err(problems),
        }
    }

    fn build(
        checker: &mut Checker,
        spec: &SourceSpec,
        ready: &Ready,
        conduct: &ConductSpec,
        records: &[shape::RecordSpec],
        settings: Map<String, Value>,
    ) -> Option<Self> {
        let text = |name: &str| settings.get(name).and_then(Value::as_str).map(str::to_owned);
        let zone = zone(checker, text(ZONE_SETTING).or_else(|| conduct.time_zone.clone()));
        let mut lookups = conduct.lookups.clone();
        lookups.extend(spec.lookups.iter().map(|(name, table)| (name.clone(), table.clone())));
        if let Some(charset) = conduct.body.charset.as_deref().filter(|name| !body::is_known(name)) {
            let detail = format!("the character set `{charset}` is not known");
            checker.report(
                "/body/charset",
                detail,
                "Use a name of the Encoding Standard: utf-8, gbk, windows-1251 …",
            );
        }
        let acknowledge = &conduct.acknowledge;
        let received = Answer::compile(checker, "/acknowledge/received", &acknowledge.received, 200);
        let refused = Answer::compile(checker, "/acknowledge/refused", &acknowledge.refused, 401);
        let failed = Answer::compile(checker, "/acknowledge/failed", &acknowledge.failed, 503);
        let handshakes = conduct.handshake.iter().enumerate();
        let handshakes =
            handshakes.filter_map(|(at, spec)| Handshake::compile(checker, &format!("/handshake/{at}"), spec));
        let handshakes: Vec<Handshake> = handshakes.collect();
        let ignore = conduct.ignore.iter().enumerate().filter_map(|(at, spec)| {
            let condition = checker.condition(&format!("/ignore/{at}/when"), &spec.when)?;
            Some((condition, spec.reason.clone()))
        });
        let ignore = ignore.collect();
        let split = conduct.split.iter().enumerate();
        let split = split.filter_map(|(at, spec)| Walk::compile(checker, &format!("/split/{at}"), spec));
        let split = split.collect();
        let gather = conduct.gather.iter();
        let gather = gather.filter_map(|(name, spec)| Gather::compile(checker, &format!("/gather/{name}"), name, spec));
        let gather = gather.collect();
        let fetch = conduct.fetch.each();
        let fetch = fetch.filter_map(|(end, spec)| Fetch::compile(checker, &format!("/fetch{end}"), spec));
        let fetch = fetch.collect();
        let dedupe = conduct.dedupe.as_ref().and_then(|spec| {
            let template = checker.template("/dedupe/id", &spec.id)?;
            Some((template, spec.content))
        });
        let checks = checks(checker, "/verify", &conduct.verify);
        refuse_secret_ids(checker, conduct, &secrecy(&checks, &handshakes));
        Some(Self {
            slug: ready.slug.clone(),
            secrets: spec.secrets.clone(),
            zone,
            country: text(COUNTRY_SETTING).or_else(|| conduct.country.clone()),
            lookups,
            body: conduct.body.clone(),
            checks,
            handshakes,
            test: checker.optional_condition("/test", conduct.test.as_ref()),
            dedupe,
            received: received?,
            refused: refused?,
            failed: failed?,
            deadline_s: conduct.deadline,
            split,
            gather,
            ignore,
            fetch,
            rules: rules(checker, conduct, records),
            settings,
        })
    }

    /// Seconds that the pusher waits for its answer.
    pub fn deadline_s(&self) -> Option<u32> {
        self.deadline_s
    }

    /// Whether a secret may stand in the address, behind the path of the source.
    pub fn reads_tail(&self) -> bool {
        self.checks.iter().any(Check::reads_tail)
    }

    /// Secrets that have to be given before any request can be known to be the pusher's; of each group one.
    pub fn missing_secrets(&self) -> Vec<String> {
        let given = |name: &&str| {
            let value = self.secrets.get(*name).or_else(|| self.settings.get(*name));
            value.is_some_and(|value| value.as_str().is_some_and(|text| !text.is_empty()))
        };
        let of_handshakes = self.handshakes.iter().flat_map(|handshake| &handshake.checks);
        let required = self.checks.iter().chain(of_handshakes).flat_map(Check::required);
        let lacking = required.filter(|group| !group.iter().any(given));
        let mut names: Vec<String> = lacking
            .filter_map(|group| group.first().map(|name| (*name).to_owned()))
            .collect();
        names.dedup();
        names
    }

    /// The tables of the user's own that it writes.
    pub fn tables(&self) -> Vec<TableUse<'_>> {
        self.rules.iter().flatten().flat_map(Rule::tables).collect()
    }

    /// The kinds of records that everybody has and that it writes.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().flatten().flat_map(Rule::objects)
    }

    /// The country of telephone numbers that come without one.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// The zone in which dates without one are read and written.
    pub fn time_zone(&self) -> &TimeZone {
        &self.zone
    }

    fn around<'s>(&'s self, tables: &'s Tables<'s>) -> Surroundings<'s> {
        Surroundings {
            zone: &self.zone,
            country: self.country.as_deref(),
            lookups: tables,
        }
    }

    fn tables_with<'s>(&'s self, lists: &'s dyn Lookups) -> Tables<'s> {
        Tables {
            own: &self.lookups,
            lists,
        }
    }
}

/// What is secret in requests.
fn secrecy<'c>(checks: &'c [Check], handshakes: &'c [Handshake]) -> Secrecy<'c> {
    let of_handshakes = handshakes.iter().flat_map(|handshake| &handshake.checks);
    checks.iter().chain(of_handshakes).flat_map(Check::carriers).collect()
}

/// Ids are kept, and made anew of what is kept: what is masked cannot be part of one.
fn refuse_secret_ids(checker: &mut Checker, conduct: &ConductSpec, secrecy: &Secrecy<'_>) {
    let of_delivery = conduct.dedupe.iter().map(|spec| ("/dedupe/id".to_owned(), &spec.id));
    let events = conduct.events.iter().flatten().enumerate();
    let of_events = events.filter_map(|(at, spec)| Some((format!("/events/{at}/id"), spec.id.as_ref()?)));
    for (at, source) in of_delivery.chain(of_events) {
        // A template that cannot be read is told where it is compiled.
        let secret = Template::parse(source).ok().and_then(|id| secrecy.read_by(&id));
        if let Some(secret) = secret {
            let detail =
                format!("`{secret}` is secret and is masked before a request is kept, so no id can be made of it");
            checker.report(&at, detail, "Make the id of something else that the pusher sends.");
        }
    }
}

fn zone(checker: &mut Checker, name: Option<String>) -> TimeZone {
    let Some(name) = name else { return TimeZone::UTC };
    TimeZone::get(&name).unwrap_or_else(|_| {
        let detail = format!("there is no time zone `{name}`");
        checker.report(
            "/settings/timeZone",
            detail,
            "Use a name of the IANA list, for example Asia/Shanghai.",
        );
        TimeZone::UTC
    })
}

/// What is made of items. The user's records come beside what the ready source makes.
fn rules(checker: &mut Checker, conduct: &ConductSpec, records: &[shape::RecordSpec]) -> Option<Vec<Rule>> {
    let events = conduct.events.as_deref();
    let own_id = conduct.dedupe.as_ref().map(|dedupe| dedupe.id.as_str());
    let mut rules = Vec::new();
    for (at, spec) in events.into_iter().flatten().enumerate() {
        rules.extend(Rule::compile(checker, &format!("/events/{at}"), spec, own_id));
    }
    let many = records.len() > 1;
    for (at, record) in records.iter().enumerate() {
        let spec = EventSpec {
            record: Some(record.clone()),
            ..EventSpec::default()
        };
        let mut below = Checker::default();
        rules.extend(Rule::compile(&mut below, "", &spec, own_id));
        // What the rule calls /record is the user's mapping.
        let place = if many {
            format!("/mapping/{at}")
        } else {
            "/mapping".to_owned()
        };
        checker.adopt(below, |pointer| pointer.replacen("/record", &place, 1));
    }
    (events.is_some() || !records.is_empty()).then_some(rules)
}

/// The type of the event that a source without a mapping makes.
fn plain_event() -> Option<EventType> {
    EventType::find(PLAIN_EVENT)
}

#[cfg(test)]
mod tests;
