//! What pushers are answered.

use serde_json::Value;
use switchboard_model::{
    mapping::Mapping,
    template::{Scope, Template},
};

use super::{checker::Checker, shape::ReplySpec};

/// An answer to a pusher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Its headers, the content type among them where there is a body.
    pub headers: Vec<(String, String)>,
    /// The body, byte by byte.
    pub body: Vec<u8>,
}

/// A compiled answer.
#[derive(Debug)]
pub(super) struct Answer {
    status: u16,
    headers: Vec<(String, Template)>,
    body: Content,
}

#[derive(Debug)]
enum Content {
    Nothing,
    Json(Mapping),
    Text(Template),
}

impl Answer {
    /// Compiles an answer; without a status it has `usual`.
    pub fn compile(checker: &mut Checker, at: &str, spec: &ReplySpec, usual: u16) -> Option<Self> {
        let status = spec.status.unwrap_or(usual);
        if !(200..600).contains(&status) {
            checker.report(
                &format!("{at}/status"),
                format!("{status} is no status of an answer"),
                "Use 200 to 599.",
            );
        }
        let mut headers = Vec::with_capacity(spec.headers.len());
        for (name, source) in &spec.headers {
            let at = format!("{at}/headers/{}", name.replace('~', "~0").replace('/', "~1"));
            if http::HeaderName::from_bytes(name.as_bytes()).is_err() {
                checker.report(
                    &at,
                    format!("`{name}` is no name of a header"),
                    "See RFC 9110, section 5.1.",
                );
            }
            headers.extend(checker.template(&at, source).map(|template| (name.clone(), template)));
        }
        let body = match (&spec.json, &spec.text) {
            (Some(_), Some(_)) => {
                checker.report(at, "the answer has two bodies", "Keep one of `json` and `text`.");
                return None;
            }
            (Some(tree), None) => Content::Json(checker.mapping(&format!("{at}/json"), tree)?),
            (None, Some(text)) => Content::Text(checker.template(&format!("{at}/text"), text)?),
            (None, None) => Content::Nothing,
        };
        Some(Self { status, headers, body })
    }

    /// Fills it in. Where a template fails there is nothing in its place: the pusher gets an answer in any case.
    pub fn fill(&self, scope: &Scope<'_>) -> Reply {
        let (kind, body) = match &self.body {
            Content::Nothing => (None, Vec::new()),
            Content::Json(mapping) => {
                let value = mapping.render(scope).ok().flatten().unwrap_or(Value::Null);
                (Some("application/json"), serde_json::to_vec(&value).unwrap_or_default())
            }
            Content::Text(template) => {
                let text = template.render_text(scope).unwrap_or_default();
                (Some("text/plain; charset=utf-8"), text.into_bytes())
            }
        };
        let mut headers: Vec<(String, String)> = Vec::with_capacity(self.headers.len() + 1);
        for (name, template) in &self.headers {
            let value = template.render_text(scope).unwrap_or_default();
            // What a request holds must not begin a header of its own.
            let value: String = value.chars().filter(|letter| !letter.is_control()).collect();
            headers.push((name.clone(), value));
        }
        let typed = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if let Some(kind) = kind.filter(|_| !typed) {
            headers.push(("Content-Type".into(), kind.into()));
        }
        Reply {
            status: self.status,
            headers,
            body,
        }
    }
}
