//! The simulated vendors of a run and the connections to them. They live in this process, so that what they hold survives the hub.

use serde_json::{Value, json};
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{Dial, Fault, Options, Rule, Running};

use super::{
    compare::Kind,
    plan::{Means, Plan},
};

/// Both sides' rate limits are multiplied by this: a run shows what is lost, not how slow vendors are.
const LIMIT_SCALE: f64 = 1000.0;
/// How long `HubSpot`'s searches lag, in milliseconds; less than [`crate::shortened::READ_LAG_SECONDS`].
const SEARCH_LAG_MS: u64 = 200;
/// An answer that is held back comes after this, in milliseconds. The hub is killed before.
const HELD_MS: u64 = 30_000;
/// The fault of [`hold_back`] as the simulator counts it.
const HELD: &str = "late";

/// Records that a run should leave at a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expectation {
    /// The key of the connection that makes them.
    pub connection: &'static str,
    /// The simulated vendor.
    pub vendor: &'static str,
    /// The vendor's name of the object.
    pub object: &'static str,
    /// What one of them stands for.
    pub kind: Kind,
}

const fn expect(connection: &'static str, vendor: &'static str, object: &'static str, kind: Kind) -> Expectation {
    Expectation {
        connection,
        vendor,
        object,
        kind,
    }
}

const SALESFORCE: [Expectation; 2] = [
    expect("salesforce", "salesforce", "Lead", Kind::Person),
    expect("salesforce", "salesforce", "Case", Kind::Event),
];
const HUBSPOT: [Expectation; 2] = [
    expect("hubspot", "hubspot", "contacts", Kind::Person),
    expect("hubspot", "hubspot", "tickets", Kind::Event),
];
const NOTION: [Expectation; 1] = [expect("notion", "notion", "pages", Kind::Event)];
const HOOK: [Expectation; 1] = [expect("hook", "webhook", "deliveries", Kind::Event)];
const HOOKS: [Expectation; 2] = [HOOK[0], expect("signed-hook", "webhook", "deliveries", Kind::Event)];

/// Everything that should be there after a run.
pub fn expectations(plan: &Plan) -> Vec<Expectation> {
    match (plan.means, plan.variant) {
        (Means::Upsert, _) => [SALESFORCE, HUBSPOT].concat(),
        (Means::IdempotencyKey, false) => HOOK.to_vec(),
        (Means::IdempotencyKey, true) => HOOKS.to_vec(),
        (Means::Probe, false) => [&NOTION[..], &SALESFORCE].concat(),
        (Means::Probe, true) => [&NOTION[..], &HUBSPOT].concat(),
    }
}

/// The keys of the connections of a run.
pub fn connections(plan: &Plan) -> Vec<&'static str> {
    let mut keys: Vec<_> = expectations(plan).into_iter().map(|e| e.connection).collect();
    keys.dedup();
    keys
}

/// The configuration that is applied, with the vendors at `base`.
pub fn configuration(plan: &Plan, base: &str) -> Value {
    let connections: Vec<Value> = connections(plan)
        .into_iter()
        .map(|key| match key {
            "salesforce" => salesforce(base),
            "hubspot" => hubspot(plan, base),
            "notion" => notion(base),
            _ => hook(key, base),
        })
        .collect();
    json!({ "connections": connections })
}

fn salesforce(base: &str) -> Value {
    json!({
        "key": "salesforce", "connector": "salesforce", "auth": "client_credentials",
        "settings": { "baseUrl": format!("{base}/salesforce"), "limitScale": LIMIT_SCALE },
        "secrets": { "clientId": "app", "clientSecret": "made-up" },
        "mappings": {
            "lead": {
                "LastName": "{{senderName}}", "Company": "{{tenantName}}", "Email": "{{senderEmail}}",
                "Phone": "{{senderPhone}}", "Description": "{{messageContent}}",
            },
            "case": { "Subject": "{{category}} - {{senderName}}", "Description": "{{messageContent}}", "Status": "New" },
        },
    })
}

/// For probes the property of our id is one that `HubSpot` has for everybody and that is not unique, so that it marks nothing.
fn hubspot(plan: &Plan, base: &str) -> Value {
    let key_property = match plan.means {
        Means::Probe => "hubspot_owner_id",
        Means::Upsert | Means::IdempotencyKey => "hub_external_id",
    };
    let (auth, secrets) = if plan.variant && plan.means == Means::Upsert {
        (
            "oauth",
            json!({ "clientId": "app", "clientSecret": "made-up", "refreshToken": "made-up" }),
        )
    } else {
        ("token", json!({ "token": "made-up" }))
    };
    json!({
        "key": "hubspot", "connector": "hubspot", "auth": auth, "secrets": secrets,
        "settings": {
            "baseUrl": format!("{base}/hubspot"), "keyProperty": key_property, "limitScale": LIMIT_SCALE,
        },
        "mappings": {
            "contact": {
                "firstname": "{{senderName}}", "email": "{{senderEmail}}", "phone": "{{senderPhone}}",
                "message": "{{messageContent}}",
            },
            "ticket": {
                "subject": "{{category}} - {{senderName}}", "content": "{{messageContent}}",
                "hs_pipeline": "0", "hs_pipeline_stage": "1",
            },
        },
    })
}

fn notion(base: &str) -> Value {
    json!({
        "key": "notion", "connector": "notion", "auth": "token", "secrets": { "token": "made-up" },
        "settings": { "baseUrl": format!("{base}/notion/v1"), "databaseId": "crashtest", "limitScale": LIMIT_SCALE },
        "mappings": { "page": { "properties": {
            "客户姓名": { "title": [{ "text": { "content": "{{senderName}}" } }] },
            "内容": { "rich_text": [{ "text": { "content": "{{messageContent}}" } }] },
        } } },
    })
}

fn hook(key: &str, base: &str) -> Value {
    let secrets = if key == "hook" {
        json!({})
    } else {
        json!({ "secret": "made-up" })
    };
    json!({
        "key": key, "connector": "webhook", "auth": "signature", "secrets": secrets,
        "settings": {
            "url": format!("{base}/webhook/{key}"), "callsPerSecond": 1000, "limitScale": LIMIT_SCALE,
        },
    })
}

/// Starts the vendors of a run on a port of their own.
///
/// # Errors
/// When no port can be opened.
pub async fn start(plan: &Plan) -> Result<Running, Problem> {
    let options = Options {
        seed: plan.seed,
        limit_scale: LIMIT_SCALE,
        dial: trouble(),
        ..Options::demo()
    };
    let running = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options)
        .await
        .map_err(|error| broken(&error.to_string()))?;
    let mut settings = vec![("hubspot", json!({ "search_lag_ms": SEARCH_LAG_MS }))];
    if plan.means == Means::Probe {
        settings.push(("salesforce", json!({ "external_id": "absent" })));
        // Without the column, rows are recognised by what stands in them.
        settings.push(("notion", json!({ "may_edit_schema": !plan.variant })));
    }
    for (vendor, settings) in settings {
        running
            .configure(vendor, &settings)
            .map_err(|refused| broken(&refused.to_string()))?;
    }
    Ok(running)
}

/// What goes wrong all the time: answers that are lost before and after the write, errors that hide a success, throttling.
fn trouble() -> Dial {
    let sometimes = |fault, share| Rule::new(fault).probability(share);
    let status = |code, retry_after_s, applied| Fault::Status {
        code,
        retry_after_s,
        applied,
    };
    Dial {
        latency_ms: Some((0, 6)),
        expire_tokens: 0.005,
        rules: vec![
            sometimes(Fault::Slow { ms: 40 }, 0.03),
            // In their own words some vendors ask for a wait of a minute.
            sometimes(status(429, Some(1), false), 0.02).times(1),
            sometimes(status(500, None, false), 0.03),
            sometimes(status(502, None, true), 0.03),
            sometimes(Fault::CutBefore, 0.02),
            sometimes(Fault::CutAfter, 0.04),
        ],
        ..Dial::default()
    }
}

/// The vendor whose answers are held back, and which writes that concerns: method, part of the path.
fn victim(plan: &Plan) -> (&'static str, &'static str, &'static str) {
    match (plan.means, plan.variant) {
        (Means::Upsert, false) => ("salesforce", "PATCH", "/sobjects/"),
        (Means::Upsert, true) => ("hubspot", "POST", "/batch/upsert"),
        (Means::IdempotencyKey, _) => ("webhook", "POST", "/hook"),
        (Means::Probe, false) => ("salesforce", "POST", "/sobjects/"),
        (Means::Probe, true) => ("notion", "POST", "/pages"),
    }
}

/// After `skip` more writes, one is carried out and its answer held back.
///
/// # Errors
/// Never, for a vendor that is there.
pub fn hold_back(plan: &Plan, running: &Running, skip: u64) -> Result<(), Problem> {
    let (vendor, method, path) = victim(plan);
    let mut dial = trouble();
    let rule = Rule::new(Fault::Late { ms: HELD_MS }).method(method).path(path);
    dial.rules.insert(0, rule.times(1).after(skip));
    let set = running.set_vendor_dial(vendor, dial);
    set.map_err(|refused| broken(&refused.to_string()))
}

/// Answers come as before.
///
/// # Errors
/// Never, for a vendor that is there.
pub fn let_go(plan: &Plan, running: &Running) -> Result<(), Problem> {
    let set = running.set_vendor_dial(victim(plan).0, trouble());
    set.map_err(|refused| broken(&refused.to_string()))
}

/// How many answers were held back so far.
pub fn held(plan: &Plan, running: &Running) -> u64 {
    let vendors = running.summary().vendors;
    let faults = vendors.get(victim(plan).0).map(|summary| &summary.faults);
    faults.and_then(|faults| faults.get(HELD)).copied().unwrap_or(0)
}

/// What a vendor holds for a connection. A webhook that came again with the same key is recognised by its receiver and held once.
///
/// # Errors
/// Never, for a vendor that is there.
pub fn records(running: &Running, expectation: Expectation) -> Result<Vec<Value>, Problem> {
    let mut records = running
        .records(expectation.vendor, expectation.object)
        .map_err(|refused| broken(&refused.to_string()))?;
    if expectation.vendor == "webhook" {
        let path = format!("/{}", expectation.connection);
        records.retain(|record| record["repeat"] == false && record["path"] == path.as_str());
    }
    Ok(records)
}

fn broken(why: &str) -> Problem {
    Problem::new(
        Code::Internal,
        format!("The simulated vendors cannot be used: {why}"),
        "Check the machine, or report this.",
    )
}

#[cfg(test)]
mod tests {
    use switchboard_connect::{document::Document, guide, registry::Registry};

    use super::*;
    use crate::crashtest::plan::plan;

    #[test]
    fn the_configuration_of_every_run_is_right_and_makes_what_is_expected() {
        let registry = Registry::embedded().unwrap();
        for run in 0..30 {
            let plan = plan(5, run);
            let text = configuration(&plan, "http://127.0.0.1:4000").to_string();
            let document = Document::parse(&text, "crashtest.json").unwrap();
            let items = guide::read(&document, &registry).unwrap();
            assert_eq!(items.len(), connections(&plan).len(), "{text}");
        }
    }

    #[test]
    fn the_dial_makes_sense() {
        trouble().check().unwrap();
    }
}
