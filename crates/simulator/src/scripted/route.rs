//! `route(req, "POST /v0/{base}/{table}")`: whether a request goes there, and what stands at the names.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;
use regex::Regex;
use rhai::{Dynamic, Engine, Map};

use super::Wrong;
use super::patterns;
use super::request::Req;

/// More are never kept; scripts have some hundreds.
const KEPT: usize = 10_000;

static READY: LazyLock<Mutex<HashMap<String, Arc<Route>>>> = LazyLock::new(Mutex::default);

/// A pattern that was read.
#[derive(Debug)]
struct Route {
    /// Empty: any.
    methods: Vec<String>,
    steps: Vec<Step>,
    /// The name for everything behind the steps.
    rest: Option<String>,
}

#[derive(Debug)]
enum Step {
    /// Exactly this.
    Literal(String),
    /// Names within a part: `{id}`, `{id}.json`, `{range}:append`.
    Names(Vec<String>, Regex),
}

/// Registers `route`.
pub fn registered(engine: &mut Engine) {
    engine.register_fn("route", |req: Req, pattern: &str| -> Result<Dynamic, Wrong> {
        let route = ready(pattern)?;
        let request = req.request();
        if !route.methods.is_empty() && !route.methods.iter().any(|method| method == request.method.as_str()) {
            return Ok(Dynamic::UNIT);
        }
        let parts = request.segments();
        let parts: Vec<&str> = parts
            .iter()
            .map(AsRef::as_ref)
            .filter(|part| !part.is_empty())
            .collect();
        Ok(route.names(&parts).map_or(Dynamic::UNIT, Dynamic::from_map))
    });
}

fn ready(pattern: &str) -> Result<Arc<Route>, Wrong> {
    if let Some(route) = READY.lock().get(pattern) {
        return Ok(Arc::clone(route));
    }
    let route = Arc::new(Route::read(pattern)?);
    let mut all = READY.lock();
    if all.len() >= KEPT {
        all.clear();
    }
    all.insert(pattern.to_owned(), Arc::clone(&route));
    Ok(route)
}

impl Route {
    fn read(pattern: &str) -> Result<Self, Wrong> {
        let wrong = |why: &str| Wrong::from(format!("`{pattern}` is no route: {why}"));
        let (methods, path) = pattern
            .trim()
            .split_once(' ')
            .ok_or_else(|| wrong("it is a method and a path, as `GET /users/{id}`"))?;
        let path = path.trim();
        if !path.starts_with('/') || path.contains('?') {
            return Err(wrong("its path begins with a slash and has no query"));
        }
        let methods = methods
            .split('|')
            .filter(|method| *method != "*")
            .map(str::to_owned)
            .collect();
        let mut route = Self {
            methods,
            steps: Vec::new(),
            rest: None,
        };
        for part in path.split('/').filter(|part| !part.is_empty()) {
            if route.rest.is_some() {
                return Err(wrong("nothing can follow what takes the rest"));
            }
            match part.strip_prefix('{').and_then(|name| name.strip_suffix("*}")) {
                Some(name) => route.rest = Some(name.to_owned()),
                None => route
                    .steps
                    .push(Step::read(part).ok_or_else(|| wrong("a brace has no partner"))??),
            }
        }
        Ok(route)
    }

    fn names(&self, parts: &[&str]) -> Option<Map> {
        let enough = match self.rest {
            None => parts.len() == self.steps.len(),
            Some(_) => parts.len() >= self.steps.len(),
        };
        if !enough {
            return None;
        }
        let mut names = Map::new();
        for (step, part) in self.steps.iter().zip(parts) {
            step.take(part, &mut names)?;
        }
        if let Some(rest) = &self.rest {
            names.insert(rest.into(), parts[self.steps.len()..].join("/").into());
        }
        Some(names)
    }
}

impl Step {
    /// `None` when a brace has no partner.
    fn read(part: &str) -> Option<Result<Self, Wrong>> {
        if !part.contains(['{', '}']) {
            return Some(Ok(Self::Literal(part.to_owned())));
        }
        let (mut names, mut pattern, mut left) = (Vec::new(), "^".to_owned(), part);
        while let Some((before, behind)) = left.split_once('{') {
            let (name, behind) = behind.split_once('}')?;
            pattern.push_str(&regex::escape(before));
            pattern.push_str("(.+)");
            names.push(name.to_owned());
            left = behind;
        }
        if left.contains('}') {
            return None;
        }
        pattern.push_str(&regex::escape(left));
        pattern.push('$');
        Some(patterns::ready(&pattern).map(|regex| Self::Names(names, regex)))
    }

    fn take(&self, part: &str, into: &mut Map) -> Option<()> {
        match self {
            Self::Literal(text) => (text == part).then_some(()),
            Self::Names(names, regex) => {
                let found = regex.captures(part)?;
                for (position, name) in names.iter().enumerate() {
                    into.insert(name.into(), found.get(position + 1)?.as_str().to_owned().into());
                }
                Some(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::message::Request;
    use crate::scripted::trial::{fails, says_of};

    #[test]
    fn a_route_fits_method_and_path_and_names_what_stands_there() {
        for (target, pattern, expected) in [
            (
                "/v0/app1/T%C3%A4b%201?x=1",
                "POST /v0/{base}/{table}",
                json!({"base": "app1", "table": "Täb 1"}),
            ),
            (
                "/v0/app1/a%2Fb",
                "POST /v0/{base}/{table}",
                json!({"base": "app1", "table": "a/b"}),
            ),
            ("/v0/app1", "POST /v0/{base}/{table}", json!(null)),
            ("/v0/app1/t/r", "POST /v0/{base}/{table}", json!(null)),
            ("/v0/app1/t", "GET /v0/{base}/{table}", json!(null)),
            ("/v0/app1/t", "GET|POST /v0/{base}/t", json!({"base": "app1"})),
            ("/v0/app1/t/", "* /v0/{base}/t", json!({"base": "app1"})),
            ("/", "POST /", json!({})),
            ("/x", "POST /", json!(null)),
            (
                "/rest/1/key/crm.lead.add.json",
                "POST /rest/{user}/{key}/{method}.json",
                json!({"user": "1", "key": "key", "method": "crm.lead.add"}),
            ),
            (
                "/v4/s/values/A1:B2:append",
                "POST /v4/{id}/values/{range}:append",
                json!({"id": "s", "range": "A1:B2"}),
            ),
            ("/v4/s/values/A1", "POST /v4/{id}/values/{range}:append", json!(null)),
            ("/files/a/b/c", "POST /files/{path*}", json!({"path": "a/b/c"})),
            ("/files", "POST /files/{path*}", json!({"path": ""})),
        ] {
            let request = Request::new(Method::POST, target);
            let script = format!("route(req, \"{pattern}\")");
            assert_eq!(says_of(request, &script), expected, "{target} {pattern}");
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error_of_the_script() {
        for pattern in ["/v0", "GET v0", "GET /{a", "GET /a}", "GET /{r*}/x", "GET /a?b=c"] {
            assert!(
                fails(&format!("route(req, \"{pattern}\")")).contains("is no route"),
                "{pattern}"
            );
        }
    }
}
