//! Requests and replies as the vendors' cores see them: no sockets, no waiting.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::percent_decode_str;
use serde_json::Value;

/// One request to one vendor.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path below the vendor's prefix, still percent-encoded, with its leading slash.
    pub path: String,
    /// What stands behind the question mark, still percent-encoded; empty when there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, as received.
    pub body: Bytes,
    /// When the request arrived, milliseconds since 1970.
    pub now_ms: i64,
    /// How the caller reaches this vendor, without a slash at the end: `http://127.0.0.1:4000/salesforce`.
    pub origin: String,
}

impl Request {
    /// A request without headers and body; `target` is path and query. The time is 1970.
    #[must_use]
    pub fn new(method: Method, target: &str) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            now_ms: 0,
            origin: "http://simulator.example.org".to_owned(),
        }
    }

    /// The same with a header; one that is not valid in HTTP is left out.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.append(HeaderName::from_static(name), value);
        }
        self
    }

    /// The same with `Authorization: Bearer …`.
    #[must_use]
    pub fn with_bearer(self, token: &str) -> Self {
        self.with_header("authorization", &format!("Bearer {token}"))
    }

    /// The same with a JSON body and its content type.
    #[must_use]
    pub fn with_json(self, body: &Value) -> Self {
        let body = body.to_string();
        self.with_body("application/json", body)
    }

    /// The same with a form body and its content type.
    #[must_use]
    pub fn with_form(self, fields: &[(&str, &str)]) -> Self {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        self.with_body("application/x-www-form-urlencoded", body)
    }

    /// The same with a body of a content type.
    #[must_use]
    pub fn with_body(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self.headers.remove(header::CONTENT_TYPE);
        self.with_header("content-type", content_type)
    }

    /// The same at another time, milliseconds since 1970.
    #[must_use]
    pub fn at(mut self, now_ms: i64) -> Self {
        self.now_ms = now_ms;
        self
    }

    /// The parts of the path between slashes, decoded. A slash at the end adds nothing.
    #[must_use]
    pub fn segments(&self) -> Vec<Cow<'_, str>> {
        let path = self.path.trim_matches('/');
        path.split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy())
            .collect()
    }

    /// The first query parameter of this name, decoded.
    #[must_use]
    pub fn param(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The comma-separated parts of all query parameters of this name; `None` when there is none.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<Vec<String>> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        let values: Vec<_> = pairs.filter(|(key, _)| key == name).map(|(_, value)| value).collect();
        let parts = values.iter().flat_map(|value| value.split(',')).map(str::trim);
        (!values.is_empty()).then(|| parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
    }

    /// A header, if it is there and is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The token of `Authorization: Bearer …`; `None` also when it is empty.
    #[must_use]
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        let token = token.trim();
        (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
    }

    /// Whether the content type is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        let kind = self.header("content-type").unwrap_or_default();
        kind.split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    }

    /// The fields of a form body.
    #[must_use]
    pub fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// The parser's when the body is not JSON.
    pub fn json(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }

    /// Path and query as received, below the vendor's prefix.
    #[must_use]
    pub fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query)
        }
    }
}

/// What a vendor answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status, 100 to 999.
    pub status: u16,
    /// Headers beside those of the transport.
    pub headers: Vec<(Cow<'static, str>, String)>,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// An answer without a body.
    #[must_use]
    pub fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    /// An answer with a JSON body.
    #[must_use]
    pub fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".into(), "application/json;charset=utf-8".to_owned())],
            body: Bytes::from(body.to_string()),
        }
    }

    /// The same with one more header.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.headers.push((name.into(), value.to_string()));
        self
    }

    /// The value of a header that a vendor set.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The body as JSON; `null` when it is empty or is not JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_and_parameters_are_decoded() {
        let request = Request::new(Method::GET, "/a/%C3%A4%2Fb/c/?q=x+%26%20y&f=a,b&f=c");
        assert_eq!(request.segments(), ["a", "ä/b", "c"]);
        assert_eq!(request.param("q").as_deref(), Some("x & y"));
        assert_eq!(request.list("f"), Some(vec!["a".into(), "b".into(), "c".into()]));
        assert_eq!(request.list("none"), None);
        assert_eq!(request.target(), "/a/%C3%A4%2Fb/c/?q=x+%26%20y&f=a,b&f=c");
    }

    #[test]
    fn a_bearer_token_is_read_in_any_spelling_of_the_scheme_and_never_empty() {
        for (value, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("Bearer ", None),
            ("Basic abc", None),
            ("abc", None),
        ] {
            let request = Request::new(Method::GET, "/").with_header("authorization", value);
            assert_eq!(request.bearer(), token, "{value}");
        }
    }

    #[test]
    fn a_form_survives_its_own_encoding() {
        let request = Request::new(Method::POST, "/").with_form(&[("имя", "a&b=ц"), ("x", "1+1")]);
        assert_eq!(
            request.form(),
            [("имя".to_owned(), "a&b=ц".to_owned()), ("x".into(), "1+1".into())]
        );
    }
}
