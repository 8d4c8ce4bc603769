//! For tests: what an expression of a script says.

use std::sync::Arc;

use http::Method;
use serde_json::Value;

use super::{Part, Script, Scripted};
use crate::message::{Reply, Request};
use crate::options::Setup;
use crate::vendor::Vendor;

const REST: &str = "
fn settings() { #{ speed: 7, tokens: [] } }
fn failure(status, req, db) { reply(status) }
fn throttle(retry_after_s, req, db) { reply(429) }
fn again(x) { again(x + 1) }
fn deep(x) { if x == 0 { 0 } else { 1 + deep(x - 1) } }
";

fn run(setup: Setup, request: Request, text: &str) -> Reply {
    let part = Part {
        file: "trial/simulator.rhai".into(),
        text: format!("{text}\n{REST}"),
    };
    let mut vendor = Scripted::new(Arc::new(Script::new("trial", vec![part])), &setup);
    vendor.handle(&Arc::new(request))
}

fn value_of(setup: Setup, request: Request, script: &str) -> Value {
    let reply = run(
        setup,
        request,
        &format!("fn handle(req, db) {{ reply(200, inner(req, db)) }}\nfn inner(req, db) {{ {script} }}"),
    );
    assert_eq!(reply.status, 200, "{script}: {}", reply.value());
    reply.value()
}

fn get() -> Request {
    Request::new(Method::GET, "/")
}

/// The value of a script whose arguments are `req` and `db`.
pub fn says(script: &str) -> Value {
    value_of(Setup::default(), get(), script)
}

/// The same for a request.
pub fn says_of(request: Request, script: &str) -> Value {
    value_of(Setup::default(), request, script)
}

/// The same with another seed.
pub fn says_seeded(seed: u64, script: &str) -> Value {
    value_of(
        Setup {
            seed,
            ..Setup::default()
        },
        get(),
        script,
    )
}

/// The same with other limits.
pub fn says_scaled(limit_scale: f64, script: &str) -> Value {
    value_of(
        Setup {
            limit_scale,
            ..Setup::default()
        },
        get(),
        script,
    )
}

/// The same where any credential is good.
pub fn says_in_demo(script: &str) -> Value {
    value_of(
        Setup {
            accept_any_credentials: true,
            accept_any_database: true,
            ..Setup::default()
        },
        get(),
        script,
    )
}

/// The reply that a script makes.
pub fn answers(script: &str) -> Reply {
    run(Setup::default(), get(), &format!("fn handle(req, db) {{ {script} }}"))
}

/// What is said about a script that fails.
pub fn fails(script: &str) -> String {
    let reply = answers(script);
    let message = reply.value()["script_error"]["message"].as_str().map(str::to_owned);
    message.unwrap_or_else(|| panic!("{script} does not fail: {} {}", reply.status, reply.value()))
}
