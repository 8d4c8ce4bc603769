//! One call: the request as it goes out and the answer as it came back. Nothing here sends anything.

use std::{borrow::Cow, sync::OnceLock};

use bytes::Bytes;
use http::{HeaderMap, Method};
use jiff::fmt::rfc2822;
use serde_json::Value;

/// What stands in place of a secret wherever a call is shown or kept.
pub const MASK: &str = "•••";
/// Shorter texts are not searched for: they would blacken half of a protocol and are no secrets.
const SHORTEST_SECRET: usize = 4;

/// A request, ready to be sent.
#[derive(Clone)]
pub struct HttpRequest {
    /// The method.
    pub method: Method,
    /// The whole address with its query.
    pub url: String,
    /// The headers; those that carry secrets are marked sensitive.
    pub headers: HeaderMap,
    /// The body, empty when there is none.
    pub body: Bytes,
    /// True when request and answer are about credentials: neither body may be kept, not even masked.
    pub confidential: bool,
    /// Each in every form in which it may stand somewhere.
    secrets: Vec<String>,
}

impl HttpRequest {
    /// A request with the texts in it that nobody may see.
    pub fn new(method: Method, url: String, headers: HeaderMap, body: Bytes, secrets: Vec<String>) -> Self {
        let secrets = secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET);
        let secrets = secrets.flat_map(|secret| forms(secret)).collect();
        Self {
            method,
            url,
            headers,
            body,
            confidential: false,
            secrets,
        }
    }

    /// The same, with its bodies kept from every protocol.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.confidential = true;
        self
    }

    /// `text` (of this request or of its answer) with every secret of this request masked, also where it stands
    /// percent-encoded or as a JSON string.
    pub fn mask<'t>(&self, text: impl Into<Cow<'t, str>>) -> String {
        let mut masked = text.into().into_owned();
        for secret in &self.secrets {
            if masked.contains(secret) {
                masked = masked.replace(secret, MASK);
            }
        }
        masked
    }

    /// The address for people.
    pub fn masked_url(&self) -> String {
        self.mask(&self.url)
    }

    /// The headers for people, sensitive ones masked.
    pub fn masked_headers(&self) -> Vec<(String, String)> {
        let value = |value: &http::HeaderValue| match value.is_sensitive() {
            true => MASK.to_owned(),
            false => self.mask(String::from_utf8_lossy(value.as_bytes())),
        };
        self.headers
            .iter()
            .map(|(name, text)| (name.as_str().to_owned(), value(text)))
            .collect()
    }

    /// The body for people; [`MASK`] alone when it is confidential.
    pub fn masked_body(&self) -> String {
        if self.confidential && !self.body.is_empty() {
            return MASK.to_owned();
        }
        self.mask(String::from_utf8_lossy(&self.body))
    }
}

impl std::fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.method, self.masked_url(), self.masked_body())
    }
}

/// A text as it is, percent-encoded, as a form has it, and as JSON has it; each form once.
fn forms(text: &str) -> Vec<String> {
    let quoted = Value::from(text).to_string();
    let mut forms = vec![text.to_owned()];
    for form in [
        percent_encoding::utf8_percent_encode(text, crate::interpolation::STRICT).to_string(),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
        quoted[1..quoted.len() - 1].to_owned(),
    ] {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
    forms
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    json: OnceLock<Option<Value>>,
}

impl Answer {
    /// An answer; its body is looked into when somebody asks.
    pub fn new(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers,
            body: body.into(),
            json: OnceLock::new(),
        }
    }

    /// The body as JSON, parsed once; `None` when it is none.
    pub fn json(&self) -> Option<&Value> {
        self.json
            .get_or_init(|| serde_json::from_slice(&self.body).ok())
            .as_ref()
    }

    /// The body as text; broken UTF-8 shows as U+FFFD.
    pub fn text(&self) -> Cow<'_, str> {
        match self.json.get() {
            Some(Some(part)) if self.body.is_empty() => Cow::Owned(part.to_string()),
            _ => String::from_utf8_lossy(&self.body),
        }
    }

    /// The same answer without its body, to be turned to one part after the other.
    pub(crate) fn without_body(&self) -> Self {
        Self::new(self.status, self.headers.clone(), Bytes::new())
    }

    /// Has this as its body from now on.
    pub(crate) fn turn_to(&mut self, part: Value) {
        self.json = OnceLock::from(Some(part));
    }

    /// The first header of this name, when it is readable text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// When the answer was made by the server's clock (header `Date`), Unix milliseconds.
    pub(crate) fn date_ms(&self) -> Option<i64> {
        let date = rfc2822::parse(self.header("date")?).ok()?;
        Some(date.timestamp().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(body: &str, secrets: &[&str]) -> HttpRequest {
        let mut headers = HeaderMap::new();
        let mut value = http::HeaderValue::from_static("Bearer a/b+c==");
        value.set_sensitive(true);
        headers.insert("authorization", value);
        headers.insert("x-plain", http::HeaderValue::from_static("seen"));
        let secrets = secrets.iter().map(|secret| (*secret).to_owned()).collect();
        let url = "https://example.org/x?access_token=a%2Fb%2Bc%3D%3D".to_owned();
        HttpRequest::new(Method::POST, url, headers, Bytes::from(body.to_owned()), secrets)
    }

    #[test]
    fn a_secret_is_masked_however_it_is_written() {
        let request = request(
            "client_secret=a%2Fb%2Bc%3D%3D&x=1 {\"s\":\"q\\\"uo\"}",
            &["a/b+c==", "q\"uo"],
        );
        assert_eq!(request.masked_url(), "https://example.org/x?access_token=•••");
        assert_eq!(request.masked_body(), "client_secret=•••&x=1 {\"s\":\"•••\"}");
        let headers = request.masked_headers();
        assert!(headers.contains(&("authorization".into(), MASK.into())));
        assert!(headers.contains(&("x-plain".into(), "seen".into())));
        assert!(!format!("{request:?}").contains("a/b+c"));
    }

    #[test]
    fn a_confidential_body_is_not_shown_at_all() {
        assert_eq!(request("grant_type=password", &[]).confidential().masked_body(), MASK);
    }

    #[test]
    fn an_answer_that_is_no_json_has_no_json() {
        let answer = Answer::new(503, HeaderMap::new(), "<html>维护中</html>");
        assert_eq!(answer.json(), None);
        assert_eq!(answer.text(), "<html>维护中</html>");
    }
}
