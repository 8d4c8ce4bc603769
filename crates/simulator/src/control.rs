//! The control API below `/_control`: what is stored, what was called, and the dial.
//!
//! | call | what it does |
//! |---|---|
//! | `GET /_control/summary` | records, calls, answers by status and faults by kind, per vendor |
//! | `GET /_control/calls?after=0&limit=100&vendor=` | logged calls with bodies |
//! | `GET`, `PUT /_control/dial` | the dials of all vendors; one for all of them |
//! | `GET`, `PUT /_control/{vendor}/dial` | the dial of one vendor |
//! | `GET /_control/{vendor}/records?object=` | stored records |
//! | `GET`, `PUT /_control/{vendor}/settings` | the vendor's settings; a `PUT` changes the fields that it names |
//! | `POST /_control/{vendor}/tokens/expire` | all issued access tokens end now |
//! | `POST /_control/{vendor}/tokens/revoke` | all tokens become worthless, also static and refresh tokens |
//! | `GET /_control/script_errors` | what went wrong in the scripts of vendors; a test that finds one has failed |
//! | `POST /_control/reset` | everything as it was at the start |

use serde_json::{Map, Value, json};

use crate::dial::Dial;
use crate::message::{Reply, Request};
use crate::scripted::ScriptError;
use crate::simulation::{Refused, Simulation};

/// Answers a request whose path begins below `/_control`.
#[must_use]
pub fn answer(simulation: &Simulation, request: &Request) -> Reply {
    let segments = request.segments();
    let segments: Vec<&str> = segments.iter().map(AsRef::as_ref).collect();
    match route(simulation, request, &segments) {
        Ok(Some(value)) => Reply::json(200, &value),
        Ok(None) => problem(404, "there is no such call; GET /_control/summary is one"),
        Err(refused @ Refused::Value(_)) => problem(400, &refused.to_string()),
        Err(refused) => problem(404, &refused.to_string()),
    }
}

/// The answer to a path that begins with no vendor's slug.
#[must_use]
pub fn unknown_vendor(simulation: &Simulation) -> Reply {
    let slugs: Vec<&str> = simulation.slugs().collect();
    problem(404, &format!("paths begin with one of: {}, _control", slugs.join(", ")))
}

fn problem(status: u16, message: &str) -> Reply {
    Reply::json(status, &json!({ "error": message }))
}

fn route(simulation: &Simulation, request: &Request, segments: &[&str]) -> Result<Option<Value>, Refused> {
    let done = Some(json!({ "ok": true }));
    Ok(match (request.method.as_str(), segments) {
        ("GET", ["summary"]) => Some(json!(simulation.summary())),
        ("GET", ["calls"]) => Some(calls(simulation, request)?),
        ("GET", ["script_errors"]) => Some(script_errors(simulation)),
        ("POST", ["reset"]) => {
            simulation.reset();
            done
        }
        ("GET", ["dial"]) => {
            let dials = simulation
                .slugs()
                .map(|slug| Ok((slug.to_owned(), json!(simulation.dial(slug)?))));
            Some(Value::Object(dials.collect::<Result<Map<_, _>, Refused>>()?))
        }
        ("PUT", ["dial"]) => {
            simulation.set_dial(&dial(request)?)?;
            done
        }
        ("GET", [vendor, "dial"]) => Some(json!(simulation.dial(vendor)?)),
        ("PUT", [vendor, "dial"]) => {
            simulation.set_vendor_dial(vendor, dial(request)?)?;
            done
        }
        ("GET", [vendor, "records"]) => {
            let object = request.param("object").unwrap_or_default();
            Some(Value::Array(simulation.records(vendor, &object)?))
        }
        ("GET", [vendor, "settings"]) => Some(simulation.settings(vendor)?),
        ("PUT", [vendor, "settings"]) => {
            simulation.configure(vendor, &body(request)?)?;
            Some(simulation.settings(vendor)?)
        }
        ("POST", [vendor, "tokens", "expire"]) => {
            simulation.expire_tokens(vendor)?;
            done
        }
        ("POST", [vendor, "tokens", "revoke"]) => {
            simulation.revoke_tokens(vendor)?;
            done
        }
        _ => None,
    })
}

fn calls(simulation: &Simulation, request: &Request) -> Result<Value, Refused> {
    let number = |name: &str, otherwise: u64| match request.param(name) {
        None => Ok(otherwise),
        Some(text) => text
            .parse()
            .map_err(|_| Refused::Value(format!("{name} is a number, not `{text}`"))),
    };
    let most = usize::try_from(number("limit", 100)?).unwrap_or(usize::MAX);
    let vendor = request.param("vendor");
    let calls = simulation.calls(number("after", 0)?, usize::MAX);
    let wanted = calls
        .iter()
        .filter(|call| vendor.as_deref().is_none_or(|slug| slug == &*call.vendor));
    Ok(wanted.take(most).map(|call| call.to_json()).collect())
}

fn script_errors(simulation: &Simulation) -> Value {
    let shown = |error: ScriptError| json!({ "vendor": error.vendor, "script": error.file, "line": error.line, "message": error.message });
    simulation.script_errors().into_iter().map(shown).collect()
}

fn body(request: &Request) -> Result<Value, Refused> {
    request
        .json()
        .map_err(|error| Refused::Value(format!("the body is not JSON: {error}")))
}

fn dial(request: &Request) -> Result<Dial, Refused> {
    serde_json::from_slice(&request.body).map_err(|error| Refused::Value(format!("this is not a dial: {error}")))
}
