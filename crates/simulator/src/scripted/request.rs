//! A request as a script holds it: `req`.

use std::fmt;
use std::sync::{Arc, OnceLock};

use rhai::{Dynamic, Engine, INT, Map};

use super::digests::unbase64;
use super::json::to_script;
use super::route::registered as register_route;
use super::texts::{all_of_each, first_of_each};
use crate::message::Request;

/// The request that is being answered. Its parsed body is made once, when it is first asked for.
#[derive(Clone)]
pub struct Req(Arc<Parts>);

struct Parts {
    request: Arc<Request>,
    json: OnceLock<Result<Dynamic, String>>,
}

impl fmt::Debug for Req {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.0.request.method, self.0.request.target())
    }
}

impl Req {
    /// This request for a script.
    #[must_use]
    pub fn new(request: Arc<Request>) -> Self {
        Self(Arc::new(Parts {
            request,
            json: OnceLock::new(),
        }))
    }

    /// The request itself.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.0.request
    }

    /// `()` when the body is empty.
    fn json(&self) -> &Result<Dynamic, String> {
        let read = || {
            let body = &self.request().body;
            if body.is_empty() {
                return Ok(Dynamic::UNIT);
            }
            let value: Result<serde_json::Value, _> = serde_json::from_slice(body);
            value.map(|value| to_script(&value)).map_err(|error| error.to_string())
        };
        self.0.json.get_or_init(read)
    }

    fn content_type(&self) -> String {
        let whole = self.request().header("content-type").unwrap_or_default();
        whole.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// User and password of `Authorization: Basic …`.
    fn basic(&self) -> Option<(String, String)> {
        let (scheme, encoded) = self.request().header("authorization")?.split_once(' ')?;
        let text = unbase64(encoded).filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }

    fn headers(&self) -> Map {
        let headers = crate::journal::headers(self.request());
        to_script(&headers).try_cast::<Map>().unwrap_or_default()
    }
}

/// The members of `req`, and `route`.
pub fn register(engine: &mut Engine) {
    engine.register_type_with_name::<Req>("Request");
    engine.register_get("method", |req: &mut Req| req.request().method.as_str().to_owned());
    engine.register_get("path", |req: &mut Req| req.request().path.clone());
    engine.register_get("target", |req: &mut Req| req.request().target());
    engine.register_get("parts", |req: &mut Req| -> rhai::Array {
        let parts = req.request().segments();
        parts.into_iter().map(|part| Dynamic::from(part.into_owned())).collect()
    });
    engine.register_get("query", |req: &mut Req| {
        first_of_each(url::form_urlencoded::parse(req.request().query.as_bytes()))
    });
    engine.register_get("queries", |req: &mut Req| {
        all_of_each(url::form_urlencoded::parse(req.request().query.as_bytes()))
    });
    engine.register_get("headers", |req: &mut Req| req.headers());
    engine.register_get("bearer", |req: &mut Req| {
        text_or_unit(req.request().bearer().map(str::to_owned))
    });
    engine.register_get("basic", |req: &mut Req| match req.basic() {
        None => Dynamic::UNIT,
        Some((user, password)) => Dynamic::from_array(vec![user.into(), password.into()]),
    });
    engine.register_get("now_ms", |req: &mut Req| -> INT { req.request().now_ms });
    engine.register_get("origin", |req: &mut Req| req.request().origin.clone());
    register_body(engine);
    register_route(engine);
}

fn register_body(engine: &mut Engine) {
    engine.register_get("content_type", |req: &mut Req| req.content_type());
    engine.register_get("text", |req: &mut Req| {
        String::from_utf8_lossy(&req.request().body).into_owned()
    });
    engine.register_get("size", |req: &mut Req| {
        INT::try_from(req.request().body.len()).unwrap_or(INT::MAX)
    });
    engine.register_get("json", |req: &mut Req| req.json().clone().unwrap_or(Dynamic::UNIT));
    engine.register_get("json_error", |req: &mut Req| text_or_unit(req.json().clone().err()));
    engine.register_get("form", |req: &mut Req| first_of_each(req.request().form().into_iter()));
    engine.register_get("forms", |req: &mut Req| all_of_each(req.request().form().into_iter()));
}

fn text_or_unit(text: Option<String>) -> Dynamic {
    text.map_or(Dynamic::UNIT, Dynamic::from)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::message::Request;
    use crate::scripted::trial::says_of;

    fn request() -> Request {
        Request::new(Method::POST, "/v0/b%C3%A4se/Table%201?a=1&a=2&b=x+y")
            .with_bearer("pat-1")
            .with_header("x-account", "7")
            .with_body("application/json; charset=utf-8", r#"{"fields": {"n": 1}}"#)
            .at(5)
    }

    #[test]
    fn a_request_has_the_members_that_scripts_ask_for() {
        for (script, expected) in [
            ("req.method", json!("POST")),
            ("req.path", json!("/v0/b%C3%A4se/Table%201")),
            ("req.target", json!("/v0/b%C3%A4se/Table%201?a=1&a=2&b=x+y")),
            ("req.parts", json!(["v0", "bäse", "Table 1"])),
            ("req.query", json!({"a": "1", "b": "x y"})),
            ("req.query.none", json!(null)),
            ("req.queries", json!({"a": ["1", "2"], "b": ["x y"]})),
            (r#"req.headers["x-account"]"#, json!("7")),
            (
                r#"[req.headers["none"], "x-account" in req.headers]"#,
                json!([null, true]),
            ),
            ("[req.bearer, req.basic]", json!(["pat-1", null])),
            ("req.content_type", json!("application/json")),
            ("req.text", json!(r#"{"fields": {"n": 1}}"#)),
            ("req.size", json!(20)),
            ("req.json.fields.n", json!(1)),
            ("let body = req.json; body.fields.n = 2; req.json.fields.n", json!(1)),
            ("req.json_error", json!(null)),
            ("[req.now_ms, req.origin]", json!([5, "http://simulator.example.org"])),
        ] {
            assert_eq!(says_of(request(), script), expected, "{script}");
        }
    }

    #[test]
    fn other_bodies_and_credentials() {
        let post = || Request::new(Method::POST, "/");
        let basic = |value: &str| post().with_header("authorization", value);
        for (request, script, expected) in [
            (
                post(),
                "[req.json, req.json_error, req.text, req.content_type]",
                json!([null, null, "", ""]),
            ),
            (
                post().with_body("application/json", "{"),
                "[req.json, is_text(req.json_error)]",
                json!([null, true]),
            ),
            (
                post().with_form(&[("a", "ä b"), ("a", "2"), ("c[d]", "1")]),
                "req.form",
                json!({"a": "ä b", "c[d]": "1"}),
            ),
            (
                post().with_form(&[("a", "1"), ("a", "2")]),
                "req.forms",
                json!({"a": ["1", "2"]}),
            ),
            (basic("Basic dXNlcjpwOnc="), "req.basic", json!(["user", "p:w"])),
            (basic("Basic dXNlcg=="), "req.basic", json!(null)),
            (basic("Bearer "), "[req.basic, req.bearer]", json!([null, null])),
        ] {
            assert_eq!(says_of(request, script), expected, "{script}");
        }
    }
}
