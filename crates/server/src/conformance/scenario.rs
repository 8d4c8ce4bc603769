//! `scenario.yaml`: what the suite has to know of a connector beside its manifest.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};
use switchboard_connect::{connector::Connector, document::Document, form};
use switchboard_model::{
    mapping::Mapping,
    nearest::nearest,
    problem::{Code, Problem},
};

use super::cases;

/// The published description of scenarios.
pub const SCENARIO_SCHEMA: &str = include_str!("../../../../connectors/scenario.schema.json");
/// The name of the file in a connector's folder.
pub const SCENARIO: &str = "scenario.yaml";
/// Stands for the address of the simulated vendor.
const ORIGIN: &str = "{origin}";
/// Stands for host and port in it, for vendors whose addresses do not begin with `http`.
const AUTHORITY: &str = "{authority}";
const SEE: &str = "See connectors/scenario.schema.json.";

/// A scenario that fits its connector.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// How to connect to the simulated vendor.
    pub connection: Account,
    /// For each way to authenticate that has a page to sign in on: the credentials of an app that the vendor knows.
    #[serde(default)]
    pub sign_in: IndexMap<String, Map<String, Value>>,
    /// Settings of the simulated vendor, a JSON object.
    #[serde(default)]
    pub simulator: Map<String, Value>,
    /// The objects that are written.
    pub objects: IndexMap<String, Written>,
    /// What the vendor makes impossible.
    #[serde(default)]
    pub waived: Vec<Waiver>,
}

/// A connection to the simulated vendor.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Name of a way to authenticate.
    pub auth: String,
    /// As the manifest names them; `{origin}` in texts is the vendor's address, `{authority}` host and port of it.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// As the manifest names them.
    #[serde(default)]
    pub credentials: Map<String, Value>,
}

/// An object that is written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// The simulator's table.
    pub stored: String,
    /// Used instead of the manifest's default mapping.
    pub mapping: Option<Value>,
    /// Members that make the vendor refuse a record.
    pub refused: Option<Map<String, Value>>,
}

/// A case that need not pass.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// Name of the case.
    pub case: String,
    /// The object; `None` for every one.
    pub object: Option<String>,
    /// Why.
    pub reason: String,
}

impl Waiver {
    /// Whether it is about this case of this object (`None`: of the connection as a whole).
    pub fn covers(&self, case: &str, object: Option<&str>) -> bool {
        self.case == case && (self.object.is_none() || self.object.as_deref() == object)
    }
}

impl Scenario {
    /// How the sign-in of this kind begins: the connection without what the sign-in brings. `None` when the scenario does not say.
    pub fn sign_in(&self, kind: &str, connector: &Connector) -> Option<Account> {
        let mut account = self.connection.clone();
        match self.sign_in.get(kind) {
            Some(credentials) => account.credentials = credentials.clone(),
            None if account.auth == kind => {
                for name in connector.sign_in_brings(kind) {
                    account.credentials.shift_remove(&name);
                }
            }
            None => return None,
        }
        account.auth = kind.to_owned();
        Some(account)
    }
}

impl Account {
    /// The settings that hold the vendor's address, with it put in.
    pub fn addresses(&self, origin: &str) -> Map<String, Value> {
        let names_it = |value: &Value| {
            let text = value.to_string();
            text.contains(ORIGIN) || text.contains(AUTHORITY)
        };
        let mut settings = put_in(&self.settings, origin);
        settings.retain(|name, _| self.settings.get(name).is_some_and(names_it));
        settings
    }

    /// Settings and credentials with the vendor's address put in, which has no slash at its end.
    pub fn at(&self, origin: &str) -> (Map<String, Value>, Map<String, Value>) {
        (put_in(&self.settings, origin), put_in(&self.credentials, origin))
    }
}

fn put_in(members: &Map<String, Value>, origin: &str) -> Map<String, Value> {
    let members = members.iter();
    members
        .map(|(name, value)| (name.clone(), replaced(value, origin)))
        .collect()
}

fn replaced(value: &Value, origin: &str) -> Value {
    match value {
        Value::String(text) => {
            let (_, rest) = origin.split_once("://").unwrap_or(("", origin));
            let authority = rest.split('/').next().unwrap_or_default();
            Value::String(text.replace(ORIGIN, origin).replace(AUTHORITY, authority))
        }
        Value::Array(items) => items.iter().map(|item| replaced(item, origin)).collect(),
        Value::Object(members) => Value::Object(put_in(members, origin)),
        other => other.clone(),
    }
}

/// Reads a scenario and compares it with the connector that it is about. `name` is the file's name for messages.
///
/// # Errors
/// Everything that is wrong, each with its line.
pub fn read(text: &str, name: &str, connector: &Connector) -> Result<Scenario, Vec<Problem>> {
    let document = Document::parse(text, name).map_err(|problem| vec![problem])?;
    let problems = form::faults(&document, SCENARIO_SCHEMA, SEE);
    if !problems.is_empty() {
        return Err(problems);
    }
    let scenario: Scenario = serde_json::from_value(document.value().clone())
        .map_err(|error| vec![document.problem(Code::ManifestInvalid, "", error.to_string(), SEE)])?;
    let mut check = Check {
        document: &document,
        connector,
        problems: Vec::new(),
    };
    check.connection(&scenario.connection);
    check.sign_ins(&scenario);
    for (object, written) in &scenario.objects {
        check.object(object, written);
    }
    for (at, waiver) in scenario.waived.iter().enumerate() {
        check.waiver(at, waiver, &scenario);
    }
    if check.problems.is_empty() {
        Ok(scenario)
    } else {
        Err(check.problems)
    }
}

struct Check<'c> {
    document: &'c Document,
    connector: &'c Connector,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, at: &str, detail: impl Into<String>, next: impl Into<String>) {
        self.problems
            .push(self.document.problem(Code::ManifestInvalid, at, detail, next));
    }

    fn connection(&mut self, account: &Account) {
        // Some port of this machine: whether somebody listens there does not matter here.
        let (settings, secrets) = account.at("http://127.0.0.1:9");
        let check = self.connector.check(&account.auth, &settings, &secrets);
        for problem in check.problems {
            let within = problem
                .place
                .as_deref()
                .unwrap_or_default()
                .replace("/secrets", "/credentials");
            self.report(&format!("/connection{within}"), problem.detail, problem.next);
        }
        if !check.missing.is_empty() {
            let detail = format!("the connection lacks {}", check.missing.join(", "));
            self.report("/connection", detail, "Make up a value for each.");
        }
        let reaches = settings
            .values()
            .chain(secrets.values())
            .any(|value| value.to_string().contains("127.0.0.1:9"));
        if !reaches {
            let detail = "nothing of the connection names `{origin}`, so the calls would go to the real vendor";
            self.report(
                "/connection",
                detail,
                "Put {origin} into the setting that holds the address.",
            );
        }
    }

    fn sign_ins(&mut self, scenario: &Scenario) {
        let kinds: Vec<&str> = self.connector.auth_kinds().map(|(name, ..)| name).collect();
        for kind in kinds.iter().filter(|kind| self.connector.has_sign_in(kind)) {
            let Some(account) = scenario.sign_in(kind, self.connector) else {
                let detail = format!("nothing says how the sign-in `{kind}` is tried");
                let next = format!("Write `{kind}` there, with the credentials of an app that the simulator knows.");
                self.report("/sign_in", detail, next);
                continue;
            };
            let (settings, secrets) = account.at("http://127.0.0.1:9");
            let brought = self.connector.sign_in_brings(kind);
            let mut check = self.connector.check(kind, &settings, &secrets);
            check.missing.retain(|name| !brought.contains(name));
            let missing = check.missing.into_iter().map(|name| format!("{name} is missing"));
            for detail in check.problems.into_iter().map(|problem| problem.detail).chain(missing) {
                self.report(
                    &format!("/sign_in/{kind}"),
                    detail,
                    "Correct it; what the sign-in brings stays away.",
                );
            }
        }
        for kind in scenario.sign_in.keys().filter(|kind| !self.connector.has_sign_in(kind)) {
            let detail = format!("the manifest has no page to sign in on for `{kind}`");
            self.report(
                &format!("/sign_in/{kind}"),
                detail,
                "Remove it, or write `authorize` into the manifest.",
            );
        }
    }

    fn object(&mut self, name: &str, written: &Written) {
        let at = format!("/objects/{name}");
        let Some(object) = self.connector.objects().find(|object| object.name() == name) else {
            let known = self.connector.object_names().join(", ");
            self.report(
                &at,
                format!("the manifest has no object `{name}`"),
                format!("Use one of {known}."),
            );
            return;
        };
        match &written.mapping {
            None if object.default_mapping().is_none() => {
                let detail = format!("the manifest has no default mapping of `{name}`");
                self.report(&at, detail, "Write `mapping` here.");
            }
            None => {}
            Some(mapping) => {
                for error in Mapping::compile(mapping).err().into_iter().flatten() {
                    let at = format!("{at}/mapping{}", error.pointer);
                    self.report(&at, error.error.to_string(), "Mend the template.");
                }
            }
        }
    }

    fn waiver(&mut self, at: usize, waiver: &Waiver, scenario: &Scenario) {
        if cases::find(&waiver.case).is_none() {
            let names: Vec<_> = cases::catalogue().map(|case| case.name).collect();
            let next = match nearest(&waiver.case, names.iter().copied()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Cases are {}.", names.join(", ")),
            };
            self.report(
                &format!("/waived/{at}/case"),
                format!("there is no case `{}`", waiver.case),
                next,
            );
        }
        if let Some(object) = waiver
            .object
            .as_deref()
            .filter(|object| !scenario.objects.contains_key(*object))
        {
            let detail = format!("`{object}` is none of the objects of this scenario");
            self.report(
                &format!("/waived/{at}/object"),
                detail,
                "Correct the name, or leave it out.",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use switchboard_connect::registry::Registry;

    use super::*;

    const GOOD: &str = include_str!("../../../../connectors/webhook/scenario.yaml");

    fn problems(text: &str) -> String {
        let registry = Registry::embedded().unwrap();
        let found = read(text, "scenario.yaml", registry.get("webhook").unwrap())
            .err()
            .unwrap_or_default();
        let lines: Vec<String> = found
            .iter()
            .map(|problem| {
                format!(
                    "{}: {}; {}",
                    problem.place.as_deref().unwrap_or_default(),
                    problem.detail,
                    problem.next
                )
            })
            .collect();
        lines.join("\n")
    }

    #[test]
    fn each_mistake_is_told_with_its_line() {
        assert_eq!(problems(GOOD), "");
        for (from, to, line, words) in [
            ("  auth: signature", "  auth: hmac", 3, "no sign-in called `hmac`"),
            (
                "{origin}/in",
                "https://example.org/in",
                3,
                "nothing of the connection names `{origin}`",
            ),
            (
                "callsPerSecond: 20",
                "callsPerSecund: 20",
                4,
                "Did you mean `callsPerSecond`?",
            ),
            ("  event:", "  events:", 8, "the manifest has no object `events`"),
            ("stored: deliveries", "store: deliveries", 8, "Did you mean `stored`?"),
            (
                "case: wrong-credentials",
                "case: wrong-credential",
                12,
                "Did you mean `wrong-credentials`?",
            ),
            (
                "case: revoked-credentials",
                "case: revoked-credentials, object: lead",
                13,
                "none of the objects of this scenario",
            ),
        ] {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD, "{from}");
            let found = problems(&text);
            assert!(found.contains(words), "{words} in {found}");
            assert!(
                found.contains(&format!("scenario.yaml:{line}:")),
                "line {line} in {found}"
            );
        }
    }

    #[test]
    fn the_address_is_put_into_every_text() {
        let account = Account {
            auth: "token".into(),
            settings: serde_json::from_str(
                r#"{"a": "{origin}/v1", "b": {"c": ["{origin}", 7]}, "d": "smtp://{authority}"}"#,
            )
            .unwrap(),
            credentials: Map::new(),
        };
        let (settings, _) = account.at("http://127.0.0.1:1/x");
        let expected = serde_json::json!({"a": "http://127.0.0.1:1/x/v1", "b": {"c": ["http://127.0.0.1:1/x", 7]}, "d": "smtp://127.0.0.1:1"});
        assert_eq!(Value::Object(settings), expected);
    }

    #[test]
    fn the_published_schema_is_json() {
        serde_json::from_str::<Value>(SCENARIO_SCHEMA).unwrap();
    }
}
