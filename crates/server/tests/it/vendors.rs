//! Simulated vendors and the connections to them.

use serde_json::{Value, json};
use switchboard_simulator::{Dial, Options, Rule, Running};

/// Simulated vendors that take any credentials and do nothing wrong until they are told to.
pub async fn start() -> Running {
    let options = Options {
        limit_scale: 1000.0,
        ..Options::demo()
    };
    switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options)
        .await
        .unwrap()
}

/// The connection of one system as the guides write it, led to the simulator. The mapping is the users'.
pub fn integration(vendors: &Running, system: &str) -> Value {
    let text = match system {
        "salesforce" => include_str!("examples/salesforce.json"),
        "hubspot" => include_str!("examples/hubspot.json"),
        "notion" => include_str!("examples/notion.json"),
        _ => panic!("no example for {system}"),
    };
    let mut integration: Value = serde_json::from_str(text).unwrap();
    let below = if system == "notion" { "/v1" } else { "" };
    integration["config"]["endpoints"]["baseUrl"] = format!("{}{below}", vendors.url(system)).into();
    integration["config"]["limitScale"] = 1000.into();
    integration
}

/// A webhook to the simulator that needs no event member.
pub fn webhook(vendors: &Running) -> Value {
    json!({"connections": [{
        "key": "hook", "connector": "webhook", "settings": {"url": format!("{}/in", vendors.url("webhook"))},
    }]})
}

/// The records that the vendor holds.
pub fn records(vendors: &Running, vendor: &str, object: &str) -> Vec<Value> {
    let records = vendors.records(vendor, object).unwrap();
    records
        .into_iter()
        .filter(|record| record.get("repeat") != Some(&Value::Bool(true)))
        .collect()
}

/// These rules and no others.
pub fn fail(vendors: &Running, vendor: &str, rules: impl IntoIterator<Item = Rule>) {
    vendors.set_vendor_dial(vendor, Dial::of(rules)).unwrap();
}

/// The vendor is away, or back.
pub fn down(vendors: &Running, vendor: &str, down: bool) {
    vendors
        .set_vendor_dial(
            vendor,
            Dial {
                down,
                ..Dial::default()
            },
        )
        .unwrap();
}

/// How many calls of this method with this in their path the vendor got.
pub fn calls(vendors: &Running, vendor: &str, method: &str, part: &str) -> usize {
    let calls = vendors.calls(0, usize::MAX);
    let fits = |call: &&std::sync::Arc<switchboard_simulator::Call>| {
        *call.vendor == *vendor && call.request.method == method && call.request.path.contains(part)
    };
    calls.iter().filter(fits).count()
}
