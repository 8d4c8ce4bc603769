//! The shape of a source as it is written: in `sources/<slug>/source.yaml`, and by users who change or write one.
//!
//! The published description of this shape is `sources/source.schema.json`; a test compares the two.

mod check;
mod mapping;

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

pub use check::{
    AddressesSpec, AlternativesSpec, BasicSpec, BodyDigestSpec, CheckSpec, DigestSpec, Hash, HmacSpec, JwtSpec,
    KeySpec, KeyedSpec, ListForm, OneCheckSpec, PartSpec, PartWord, PlacedPart, SecretCode, SecretForm, SharedSpec,
    SignatureSpec, StandardSpec, TextForm, TimeUnit, TimestampSpec, WhereSpec,
};
pub use mapping::{EventSpec, FetchSpec, GatherSpec, IdSpec, Missing, Mode, RecordSpec, WalkSpec};

use crate::manifest::{Category, OneOrMany};

/// A whole ready source.
#[derive(Debug, Clone, Deserialize)]
pub struct ReadySpec {
    /// Its name in configuration files and the API; also the name of its folder.
    pub slug: String,
    /// Other names that configuration files use for it.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The pusher's own name.
    pub name: String,
    /// One line for the list of sources.
    pub summary: String,
    /// What kind of system it is.
    pub category: Category,
    /// The pusher's colour, `#rrggbb`, for the monogram.
    pub color: String,
    /// The pusher's documentation.
    pub docs: String,
    /// The connector for the same system.
    #[serde(default)]
    pub connector: Option<String>,
    /// What it does.
    #[serde(flatten)]
    pub conduct: IndexMap<String, Value>,
}

/// What a source does. A user's source takes over the members that it does not write itself from a ready one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConductSpec {
    /// JSON Schema of the settings that are no secrets.
    pub settings: Option<Value>,
    /// JSON Schema of the secrets.
    pub secrets: Option<Value>,
    /// The time zone that `date` uses when it names none.
    pub time_zone: Option<String>,
    /// The country that `phone_e164` uses when it names none.
    pub country: Option<String>,
    /// Tables for the filter `lookup`.
    pub lookups: IndexMap<String, IndexMap<String, Value>>,
    /// How bodies are read.
    pub body: BodySpec,
    /// How a request is known to be the pusher's: all of these must hold.
    pub verify: Vec<CheckSpec>,
    /// What is answered at once, without being a callback.
    pub handshake: Vec<HandshakeSpec>,
    /// When a callback is the pusher's test. CEL.
    pub test: Option<String>,
    /// What the pusher calls a delivery.
    pub dedupe: Option<DedupeSpec>,
    /// What pushers are answered.
    pub acknowledge: AcknowledgeSpec,
    /// Seconds that the pusher waits for the answer.
    pub deadline: Option<u32>,
    /// Lists inside of the body, the inner ones inside of the items of the outer ones.
    pub split: Vec<WalkSpec>,
    /// Lists of pairs in each item, by the names under which templates see them as objects.
    pub gather: IndexMap<String, GatherSpec>,
    /// Callbacks that mean nothing to us.
    pub ignore: Vec<IgnoreSpec>,
    /// What a thin callback is completed with.
    pub fetch: OneOrMany<FetchSpec>,
    /// What is made of each item. Without any, one `webhook.received`.
    pub events: Option<Vec<EventSpec>>,
}

/// How bodies are read.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BodySpec {
    /// What they are.
    pub format: Format,
    /// A form field whose text is JSON and becomes the payload.
    pub json_field: Option<String>,
    /// The character set of bodies that name none.
    pub charset: Option<String>,
}

/// What a body is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// What its content type says, else what it looks like.
    #[default]
    Auto,
    /// JSON.
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// `multipart/form-data`.
    Multipart,
    /// Text.
    Text,
}

/// A handshake.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HandshakeSpec {
    /// For which requests. CEL.
    pub when: String,
    /// What must hold.
    #[serde(default)]
    pub verify: Vec<CheckSpec>,
    /// Whether the source's own `verify` must hold.
    #[serde(default)]
    pub signed: bool,
    /// Values that are worked out from secrets; templates of the answer see them as `computed.…`.
    #[serde(default)]
    pub compute: IndexMap<String, ComputeSpec>,
    /// The answer.
    pub answer: ReplySpec,
}

/// A value that proves that we know a secret.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ComputeSpec {
    /// How.
    pub hmac: KeyedSpec,
}

/// What is sent back.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ReplySpec {
    /// The status.
    pub status: Option<u16>,
    /// Headers beside the content type.
    pub headers: IndexMap<String, String>,
    /// A JSON body; its keys keep their order.
    pub json: Option<Value>,
    /// A body of text.
    pub text: Option<String>,
}

/// What pushers are answered.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AcknowledgeSpec {
    /// A callback that is on the disk.
    pub received: ReplySpec,
    /// A request that is not the pusher's.
    pub refused: ReplySpec,
    /// A callback that could not be kept.
    pub failed: ReplySpec,
}

/// What the pusher calls a delivery.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DedupeSpec {
    /// A template; absent: the delivery is not recognised.
    pub id: String,
    /// Whether the same id with other bytes is another delivery.
    #[serde(default)]
    pub content: bool,
}

/// Callbacks that mean nothing to us.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IgnoreSpec {
    /// Which. CEL.
    pub when: String,
    /// Why, for a person.
    pub reason: String,
}
