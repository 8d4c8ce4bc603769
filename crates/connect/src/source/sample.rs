//! Samples of ready sources: requests of the pusher, and what must become of them.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Request;

/// The published description of samples.
pub const SAMPLES_SCHEMA: &str = include_str!("../../../../sources/samples.schema.json");

/// `samples.yaml`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Samples {
    /// Each of them.
    pub samples: Vec<Sample>,
}

/// A request, and what must become of it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What it shows.
    pub name: String,
    /// Where it is from.
    #[serde(default)]
    pub origin: Option<String>,
    /// Our clock, Unix seconds.
    #[serde(default)]
    pub at: Option<i64>,
    /// The user's settings.
    #[serde(default)]
    pub settings: Map<String, Value>,
    /// The user's secrets.
    #[serde(default)]
    pub secrets: Map<String, Value>,
    /// What is sent.
    pub request: SampleRequest,
    /// Whether every bit of signature, time, body and secret counts.
    #[serde(default)]
    pub signed: bool,
    /// Whether the signature is made by the source's own scheme.
    #[serde(default)]
    pub sign: bool,
    /// What fetching brings.
    #[serde(default)]
    pub fetched: Option<Value>,
    /// What must become of it.
    pub expect: Expectation,
}

/// What is sent.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SampleRequest {
    /// `POST`
    pub method: Option<String>,
    /// What stands behind `/in/`.
    pub path: Option<String>,
    /// What of it stands behind the path of the source.
    pub tail: Option<String>,
    /// The public address.
    pub url: Option<String>,
    /// Parameters of the address.
    pub query: IndexMap<String, String>,
    /// Headers.
    pub headers: IndexMap<String, String>,
    /// The body as text.
    pub body: Option<String>,
    /// The body as JSON, sent compact.
    pub body_json: Option<Value>,
    /// The body as base 64.
    pub body_base64: Option<String>,
    /// Where it comes from.
    pub from: Option<String>,
}

/// What must become of a request.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expectation {
    /// The answer.
    pub answer: Option<ExpectedAnswer>,
    /// `accepted`, `refused`, `handshake`, `test`, `ignored` or `unreadable`.
    pub verdict: String,
    /// A part of the reason to refuse or ignore it.
    pub reason: Option<String>,
    /// What the pusher calls the delivery.
    #[serde(deserialize_with = "given")]
    pub delivery: Option<Option<String>>,
    /// The address that is fetched.
    #[serde(deserialize_with = "given")]
    pub fetch: Option<Option<String>>,
    /// Its events, all of them.
    pub events: Option<Vec<ExpectedEvent>>,
    /// Its records, all of them.
    pub records: Option<Vec<ExpectedRecord>>,
}

/// The answer.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedAnswer {
    /// Its status.
    pub status: Option<u16>,
    /// Its body, to the byte.
    pub body: Option<String>,
    /// Its body, as JSON.
    pub body_json: Option<Value>,
    /// Headers that it has.
    pub headers: IndexMap<String, String>,
}

/// An event.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExpectedEvent {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: String,
    /// What recognises it.
    #[serde(default)]
    pub id: Option<String>,
    /// These members, others may be there.
    #[serde(default)]
    pub data: Map<String, Value>,
}

/// A record.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ExpectedRecord {
    /// Its kind.
    pub object: Option<String>,
    /// Its table.
    pub table: Option<String>,
    /// What is done.
    pub mode: Option<String>,
    /// The fields by which it is found.
    #[serde(rename = "match")]
    pub keys: Option<Vec<String>>,
    /// These fields, others may be there.
    pub fields: Map<String, Value>,
}

/// Tells `null` from what is not written.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(from).map(Some)
}

impl SampleRequest {
    /// The request as the source gets it.
    ///
    /// # Errors
    /// When the body is no base 64, or the address is none.
    pub fn request(&self, slug: &str) -> Result<Request, String> {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let body = match (&self.body, &self.body_json, &self.body_base64) {
            (Some(text), ..) => text.clone().into_bytes(),
            (None, Some(value), _) => serde_json::to_vec(value).map_err(|error| error.to_string())?,
            (None, None, Some(text)) => STANDARD.decode(text).map_err(|error| error.to_string())?,
            (None, None, None) => Vec::new(),
        };
        let path = self.path.clone().unwrap_or_else(|| slug.to_owned());
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.query)
            .finish();
        let question = if query.is_empty() { "" } else { "?" };
        let url = format!("https://hub.example.com/in/{path}{question}{query}");
        let mut headers: Vec<(String, String)> = self.headers.clone().into_iter().collect();
        let typed = headers
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        if self.body_json.is_some() && !typed {
            headers.push(("Content-Type".into(), "application/json".into()));
        }
        let from = self
            .from
            .as_ref()
            .map(|from| from.parse().map_err(|_| format!("`{from}` is no address")));
        Ok(Request {
            method: self.method.clone().unwrap_or_else(|| "POST".into()),
            tail: self.tail.clone().unwrap_or_default(),
            url: self.url.clone().unwrap_or(url),
            path,
            query,
            headers,
            body,
            from: from.transpose()?,
        })
    }
}
