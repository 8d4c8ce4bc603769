//! Every request that a connector makes, with its own code. The vendor's part is [`Recorded`], so that what is learned on the way
//! (tokens, facts, ids) is what the vendor tells.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use switchboard_connect::{
    auth::Token,
    call::{Answer, HttpRequest},
    connector::{Account, Call, Connector, Doubt, Known, PrepareStep, Start, TestStep},
    document::Document,
    manifest::OperationKind as Op,
    registry::Registry,
};
use switchboard_model::{connection::ConnectionSpec, mapping::Mapping, outcome::Outcome, template::Scope};

use super::{
    hub::{NOW_MS, connector, map},
    recorded::Recorded,
};

/// Where the vendor is.
const ORIGIN: &str = "https://vendor.example.org";

/// One request that the connector made.
pub struct Made {
    /// For whom: "task create".
    pub what: String,
    pub request: HttpRequest,
}

impl Made {
    /// The path below the vendor's address, percent-encoded.
    pub fn path(&self) -> String {
        let (path, _) = self.target();
        path.to_owned()
    }

    /// The query parameters.
    pub fn query(&self) -> Vec<(String, String)> {
        let (_, query) = self.target();
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The body, when it is JSON.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.request.body).ok()
    }

    /// The body's fields, when it is a form.
    pub fn form(&self) -> Option<Map<String, Value>> {
        let kind = self.request.headers.get("content-type")?.to_str().ok()?;
        let fields = url::form_urlencoded::parse(&self.request.body).into_owned();
        kind.starts_with("application/x-www-form-urlencoded")
            .then(|| fields.map(|(name, value)| (name, value.into())).collect())
    }

    fn target(&self) -> (&str, &str) {
        let (_, rest) = self.request.url.split_once("://").unwrap();
        let rest = rest.find('/').map_or("/", |at| &rest[at..]);
        rest.split_once('?').unwrap_or((rest, ""))
    }
}

#[derive(Deserialize)]
struct Scenario {
    connection: Connection,
    objects: Map<String, Value>,
}

#[derive(Deserialize)]
struct Connection {
    auth: String,
    #[serde(default)]
    settings: Map<String, Value>,
    #[serde(default)]
    credentials: Map<String, Value>,
}

/// A connection to the vendor.
struct Course {
    connector: &'static Connector,
    vendor: Recorded,
    connection: Connection,
    facts: Map<String, Value>,
    token: Option<Token>,
    made: Vec<Made>,
}

/// All requests of the connector's scenario, each once: tokens, test, preparations, choices, fields, look-ups, and every operation of
/// every object with people of whom more or less is known, with and without what the preparations learned, alone and in bulk.
pub fn of_scenario(slug: &'static str) -> Vec<Made> {
    let text = Registry::embedded_file(slug, "scenario.yaml")
        .unwrap()
        .replace("{origin}", ORIGIN);
    let document = Document::parse(&text, slug).unwrap();
    let scenario: Scenario = serde_json::from_value(document.into_value()).unwrap();
    let mappings = scenario
        .objects
        .iter()
        .map(|(object, written)| (object.clone(), written["mapping"].clone()));
    let mut course = Course::new(slug, scenario.connection, Recorded::of(slug, "scenario"));
    course.other_sign_ins();
    course.go(&mappings.collect())
}

/// The same of the connection of a user's example file.
pub fn of_connection(spec: &ConnectionSpec) -> Vec<Made> {
    let connection = Connection {
        auth: spec.auth_kind.clone(),
        settings: spec.settings.clone(),
        credentials: spec.secrets.clone(),
    };
    let slug = connector(&spec.connector).slug();
    let course = Course::new(slug, connection, Recorded::of(slug, "example"));
    course.go(&spec.mappings.clone().into_iter().collect())
}

/// Events about a person of whom everything is known, or only one way to reach them.
fn samples() -> [Map<String, Value>; 3] {
    let whole = map(json!({
        "senderName": "Ana Ivanova", "senderFirstName": "Ana", "senderLastName": "Ivanova",
        "senderEmail": "ana@example.org", "senderPhone": "+12025550123",
        "messageContent": "The router is offline.", "subject": "Router offline", "tenantName": "Example",
        "companyName": "Example", "companyWebsite": "https://example.org", "category": "sales", "priority": "high",
        "assigneeUserId": "manager01", "systemUserId": "manager01", "managerUserId": "manager01",
        "platform": "website", "receivedAt": "2026-11-20T10:15:00Z", "eventId": "e-1", "eventType": "message.received",
    }));
    let without = |name: &str| {
        let mut less = whole.clone();
        less.shift_remove(name);
        less
    };
    [whole.clone(), without("senderEmail"), without("senderPhone")]
}

/// The same id but for its last letter.
fn other_id(id: &str) -> String {
    let last = if id.ends_with('7') { "8" } else { "7" };
    format!(
        "{}{last}",
        &id[..id.len() - id.chars().last().map_or(0, char::len_utf8)]
    )
}

impl Course {
    fn new(slug: &'static str, connection: Connection, vendor: Recorded) -> Self {
        Self {
            connector: connector(slug),
            vendor,
            connection,
            facts: Map::new(),
            token: None,
            made: Vec::new(),
        }
    }

    /// Everything about these objects; where the mapping is `null`, the manifest's own is taken.
    fn go(mut self, mappings: &Map<String, Value>) -> Vec<Made> {
        self.sign_in();
        self.test();
        self.prepare(mappings);
        self.surveys();
        for (object, mapping) in mappings {
            for sample in samples() {
                self.write(object, mapping, &sample);
            }
        }
        let mut seen = HashSet::new();
        let parts = |made: &Made| {
            let HttpRequest { method, url, body, .. } = &made.request;
            (method.clone(), url.clone(), body.clone())
        };
        self.made.retain(|made| seen.insert(parts(made)));
        self.made
    }

    fn account_of(&self, facts: &Map<String, Value>) -> Account {
        let Connection {
            auth,
            settings,
            credentials,
        } = &self.connection;
        self.connector.account(auth, settings, credentials, facts).unwrap()
    }

    fn account(&self) -> Account {
        self.account_of(&self.facts)
    }

    fn note(&mut self, what: &str, request: HttpRequest) {
        self.made.push(Made {
            what: what.to_owned(),
            request,
        });
    }

    /// Notes the request and has the vendor answer it.
    fn send(&mut self, what: &str, request: HttpRequest) -> Answer {
        let made = Made {
            what: what.to_owned(),
            request,
        };
        let answer = self.vendor.answer(&made);
        self.made.push(made);
        answer
    }

    /// Token requests of the ways to sign in that the scenario does not take, with made-up credentials.
    fn other_sign_ins(&mut self) {
        let connector = self.connector;
        for (name, _, schema) in connector
            .auth_kinds()
            .filter(|(name, ..)| *name != self.connection.auth)
            .collect::<Vec<_>>()
        {
            let members = schema["properties"].as_object().cloned().unwrap_or_default();
            let secrets = members.keys().map(|name| (name.clone(), "example".into())).collect();
            let account = connector.account(name, &self.connection.settings, &secrets, &Map::new());
            // A private key cannot be made up; what it signs is a form like that of the other sign-ins.
            if let Ok(Some(request)) = connector.token_request(&account.unwrap(), NOW_MS) {
                self.note(&format!("token of {name}"), request);
            }
        }
    }

    fn sign_in(&mut self) {
        let account = self.account();
        let Some(request) = self.connector.token_request(&account, NOW_MS).unwrap() else {
            return;
        };
        let answer = self.send("token", request);
        let token = self.connector.read_token(&account, &answer, NOW_MS).unwrap();
        self.facts.extend(token.facts.clone());
        self.connection.credentials.extend(token.replaced_secrets.clone());
        self.token = Some(token);
    }

    fn test(&mut self) {
        let account = self.account();
        let mut trial = self.connector.test().at(NOW_MS);
        while let TestStep::Call(request) = trial.next(&account, self.token.as_ref()).unwrap() {
            let answer = self.send("test", request);
            trial.read(&account, &answer).unwrap();
        }
    }

    fn prepare(&mut self, objects: &Map<String, Value>) {
        let objects: Vec<_> = objects.keys().cloned().collect();
        let mut preparation = self.connector.preparation(&objects);
        let mut facts = self.facts.clone();
        while let PrepareStep::Call(request) = preparation.next(&self.account_of(&facts), self.token.as_ref()).unwrap()
        {
            let answer = self.send("prepare", request);
            let account = self.account_of(&facts);
            preparation.read(&account, &answer, &mut facts).unwrap();
        }
        self.facts = facts;
    }

    /// The fields of objects, and the choices of settings; one that depends on a setting that is not given has none.
    fn surveys(&mut self) {
        let connector = self.connector;
        let account = self.account();
        let objects = connector
            .discoverable()
            .map(|object| ("fields", connector.survey(object)));
        let settings = connector
            .choosable()
            .map(|setting| ("choices", connector.survey_setting(setting)));
        for (what, survey) in objects.chain(settings).collect::<Vec<_>>() {
            let mut survey = survey.unwrap();
            while let Ok(Some(request)) = survey.next(&account, self.token.as_ref()) {
                let answer = self.send(what, request);
                survey.read(&account, &answer).unwrap();
            }
        }
    }

    /// All operations on the record that the sample makes; none when it makes none.
    fn write(&mut self, object: &str, mapping: &Value, sample: &Map<String, Value>) {
        let written = Mapping::compile(mapping).unwrap();
        let mapping = match mapping {
            Value::Null => self.connector.object(object).unwrap().default_mapping().unwrap(),
            _ => &written,
        };
        let mapped = mapping.render(&Scope::of(sample)).unwrap().unwrap_or_else(|| json!({}));
        let Ok(record) = self.connector.shape(object, mapped) else {
            return;
        };
        let mut call = self.call("p-3f9a", &record, None);
        self.resolve(object, &mut call);
        let mut further = self.call("p-4b2c", &record, None);
        self.resolve(object, &mut further);
        let id = self.make(object, &call);
        for facts in [
            self.facts.clone(),
            self.token.iter().flat_map(|token| token.facts.clone()).collect(),
        ] {
            let account = self.account_of(&facts);
            for kind in Op::ALL {
                let link = |id: &str| matches!(kind, Op::Update | Op::Delete).then(|| id.to_owned());
                call.known = Known::new(link(&id), Doubt::No);
                further.known = Known::new(link(&other_id(&id)), Doubt::No);
                self.build(object, kind, &account, [&call, &further]);
            }
        }
    }

    fn call(&self, key: &str, record: &Value, link: Option<String>) -> Call {
        let mut call = Call::new(key, record.clone(), Known::new(link, Doubt::No));
        call.begin(&Start::new(NOW_MS, self.token.as_ref()), Some(NOW_MS - 60_000));
        call
    }

    fn resolve(&mut self, object: &str, call: &mut Call) {
        let account = self.account();
        let mut resolution = self.connector.resolution(object);
        while let Some(question) = resolution.next(&account, call).unwrap() {
            let mut asking = resolution.asking(&question);
            while let Some(request) = asking.next(&account, call).unwrap() {
                let answer = self.send(&format!("{object} look-up"), request);
                asking.read(&account, call, &answer).unwrap();
            }
            resolution.take(&account, call, &question, &asking.finish()).unwrap();
        }
    }

    /// Makes the record at the vendor; its id, or some other where the vendor tells none.
    fn make(&mut self, object: &str, call: &Call) -> String {
        let account = self.account();
        for kind in [Op::Upsert, Op::Create] {
            let Ok(request) = self.connector.build(object, kind, &account, call) else {
                continue;
            };
            let answer = self.send(&format!("{object} {kind}"), request);
            let outcome = self.connector.read(object, kind, &account, call, &answer);
            match outcome {
                Outcome::Delivered {
                    external_id: Some(id), ..
                }
                | Outcome::Duplicate { existing: Some(id) } => return id,
                _ => {}
            }
        }
        "251".to_owned()
    }

    fn build(&mut self, object: &str, kind: Op, account: &Account, calls: [&Call; 2]) {
        if let Ok(request) = self.connector.build(object, kind, account, calls[0]) {
            self.note(&format!("{object} {kind}"), request);
        }
        if self.connector.bulk(object, kind, account, calls[0]).is_some()
            && let Ok(bulk) = self.connector.build_bulk(object, kind, account, &calls)
        {
            self.note(&format!("{object} {kind} in bulk"), bulk.request);
        }
    }
}
