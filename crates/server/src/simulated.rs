//! Simulated vendors in this process or elsewhere, and connections that are led to them.

use serde_json::{Value, json};
use switchboard_connect::{guide::Item, registry::Registry};
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Dial, Fault, Options, Rule, Running, url_at};

use crate::{
    conformance::scenario::{self, SCENARIO},
    connectors::unreadable,
};

/// Both sides' rate limits are multiplied by this: a run is to show what goes wrong, not how slow the vendors are.
const LIMIT_SCALE: f64 = 1000.0;

/// How the vendors behave.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plan {
    /// Decides what fails.
    pub seed: u64,
    /// Nothing fails.
    pub calm: bool,
}

/// Starts vendors on a free port of the loopback.
///
/// # Errors
/// When no port can be opened.
pub async fn listen(options: Options) -> Result<Running, Problem> {
    let running = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options).await;
    running.map_err(|error| {
        Problem::new(
            Code::Internal,
            format!("The simulated vendors cannot be started: {error}"),
            "Check the machine.",
        )
    })
}

/// Simulated vendors.
#[derive(Debug)]
pub struct Simulators {
    base: String,
    ours: Option<Running>,
}

impl Simulators {
    /// Starts them on a free port of the loopback.
    ///
    /// # Errors
    /// When no port can be opened.
    pub async fn start(plan: Plan) -> Result<Self, Problem> {
        let options = Options {
            seed: plan.seed,
            limit_scale: LIMIT_SCALE,
            dial: if plan.calm { Dial::default() } else { trouble() },
            // The log of calls is for tests.
            calls_kept: 0,
            ..Options::demo()
        };
        let running = listen(options).await?;
        Ok(Self {
            base: running.base_url(),
            ours: Some(running),
        })
    }

    /// Those that run at this address.
    pub fn elsewhere(url: &str) -> Self {
        Self {
            base: url.trim_end_matches('/').to_owned(),
            ours: None,
        }
    }

    /// Their address; each vendor is below it.
    pub fn base_url(&self) -> &str {
        &self.base
    }

    /// Where one vendor is, without a slash at the end.
    fn origin(&self, vendor: &str) -> String {
        match &self.ours {
            Some(running) => running.url(vendor),
            None => url_at(&self.base, vendor),
        }
    }

    /// Whether this process runs them.
    pub fn are_ours(&self) -> bool {
        self.ours.is_some()
    }

    /// What a vendor holds of an object; nothing when it runs elsewhere. A webhook that was sent again with the same key is
    /// recognised by its receiver and held once.
    pub fn records(&self, vendor: &str, object: &str) -> Vec<Value> {
        let records = self
            .ours
            .as_ref()
            .and_then(|running| running.records(vendor, object).ok());
        records
            .unwrap_or_default()
            .into_iter()
            .filter(|record| record.get("repeat") != Some(&Value::Bool(true)))
            .collect()
    }

    /// What went wrong on purpose, counted by vendor and kind.
    pub fn injected(&self) -> Value {
        let Some(running) = &self.ours else { return json!({}) };
        let vendors = running.summary().vendors;
        vendors
            .into_iter()
            .map(|(vendor, summary)| (vendor, json!(summary.faults)))
            .collect()
    }

    /// Ends those that are ours.
    pub async fn stop(self) {
        if let Some(running) = self.ours {
            running.shutdown().await;
        }
    }
}

/// What goes wrong in the demo, with every vendor: about one call in eight, in each way that loses or doubles records when it
/// is handled wrongly. Answers that make the whole connection wait are few, and the wait that they ask for is short: a run is
/// to end.
pub fn trouble() -> Dial {
    let sometimes = |fault, share| Rule::new(fault).probability(share);
    let status = |code, retry_after_s, applied| Fault::Status {
        code,
        retry_after_s,
        applied,
    };
    Dial {
        expire_tokens: 0.005,
        rules: vec![
            sometimes(status(429, Some(1), false), 0.02).times(4),
            sometimes(status(503, Some(1), false), 0.02).times(4),
            sometimes(status(500, None, false), 0.04),
            sometimes(status(502, None, true), 0.01),
            sometimes(Fault::CutBefore, 0.03),
            sometimes(Fault::CutAfter, 0.03),
        ],
        ..Dial::default()
    }
}

/// Leads connections to the simulated vendors: the settings that hold an address according to the connector's scenario, and every other
/// address that somebody has entered, with its path. Answers the keys of those whose system is not simulated; they stay as they are.
///
/// # Errors
/// When a built-in connector cannot be read.
pub fn redirect(items: &mut [Item], simulators: &Simulators) -> Result<Vec<String>, Problem> {
    let registry = Registry::embedded().map_err(unreadable)?;
    let mut left = Vec::new();
    for item in items {
        let Item::Connection(spec) = item else { continue };
        let connector = registry.get(&spec.connector);
        let simulated =
            connector.and_then(|connector| Some((connector, Registry::embedded_file(connector.slug(), SCENARIO)?)));
        let Some((connector, text)) = simulated else {
            left.push(spec.key.clone());
            continue;
        };
        let scenario = scenario::read(text, SCENARIO, connector).map_err(unreadable)?;
        let origin = simulators.origin(connector.slug());
        let is_there = |value: &Value| value.as_str().is_some_and(|text| text.starts_with(&origin));
        for (name, value) in scenario.connection.addresses(&origin) {
            if !spec.settings.get(&name).is_some_and(is_there) {
                spec.settings.insert(name, value);
            }
        }
        for value in spec.settings.values_mut().chain(spec.secrets.values_mut()) {
            if let Some(there) = below(value, &origin) {
                *value = there.into();
            }
        }
        spec.settings.insert("limitScale".into(), LIMIT_SCALE.into());
    }
    Ok(left)
}

/// Path and query of an address of the web below another one; `None` when it is no address, or is there already.
fn below(value: &Value, origin: &str) -> Option<String> {
    let text = value.as_str().filter(|text| !text.starts_with(origin))?;
    let address = url::Url::parse(text)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let path = address.path().trim_end_matches('/');
    Some(match address.query() {
        Some(query) => format!("{origin}{path}?{query}"),
        None => format!("{origin}{path}"),
    })
}

#[cfg(test)]
mod tests {
    use indexmap::IndexMap;
    use serde_json::Map;
    use switchboard_model::connection::ConnectionSpec;

    use super::*;

    fn connection(connector: &str, settings: Value, secrets: Value) -> Item {
        let map = |value: Value| value.as_object().cloned().unwrap_or_else(Map::new);
        Item::Connection(ConnectionSpec {
            key: connector.into(),
            connector: connector.into(),
            name: connector.into(),
            enabled: true,
            priority: 1,
            auth_kind: "token".into(),
            settings: map(settings),
            secrets: map(secrets),
            mappings: IndexMap::new(),
            condition: None,
            objects: Vec::new(),
            notes: Vec::new(),
            values: Default::default(),
        })
    }

    #[test]
    fn whatever_address_is_entered_nothing_goes_to_the_real_vendor() {
        let mut items = vec![
            connection(
                "jira",
                json!({"baseUrl": "https://acme.atlassian.net/", "projectKey": "SUP"}),
                json!({}),
            ),
            connection(
                "teams",
                json!({"baseUrl": "https://graph.microsoft.com/v1.0"}),
                json!({}),
            ),
            connection(
                "slack",
                json!({}),
                json!({"webhookUrl": "https://hooks.slack.com/services/T1/B1/x?y=1"}),
            ),
            connection("zendesk", json!({"subdomain": "acme"}), json!({})),
            connection(
                "webhook",
                json!({"url": "http://127.0.0.1:4000/webhook/demo"}),
                json!({}),
            ),
            connection("email", json!({"host": "mail.example.org"}), json!({})),
            connection("my-own", json!({"baseUrl": "https://crm.example.org"}), json!({})),
        ];
        let left = redirect(&mut items, &Simulators::elsewhere("http://127.0.0.1:4000/")).unwrap();
        assert_eq!(left, ["my-own"]);
        let of = |at: usize| match &items[at] {
            Item::Connection(spec) => (
                Value::Object(spec.settings.clone()),
                Value::Object(spec.secrets.clone()),
            ),
            other => panic!("{other:?}"),
        };
        let base = "http://127.0.0.1:4000";
        assert_eq!(
            of(0).0,
            json!({"baseUrl": format!("{base}/jira"), "projectKey": "SUP", "apiUrl": format!("{base}/jira"),
                   "authUrl": format!("{base}/jira"), "limitScale": LIMIT_SCALE})
        );
        assert_eq!(of(1).0["baseUrl"], format!("{base}/teams/graph/v1.0"));
        assert_eq!(of(2).1["webhookUrl"], format!("{base}/slack/services/T1/B1/x?y=1"));
        assert_eq!(of(3).0["baseUrl"], format!("{base}/zendesk"));
        assert_eq!(of(4).0["url"], format!("{base}/webhook/demo"));
        assert_eq!(of(5).0["address"], "smtp+plain://127.0.0.1:4025");
        assert_eq!(of(6).0, json!({"baseUrl": "https://crm.example.org"}));
    }
}
