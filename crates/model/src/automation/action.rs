//! What a step does.

use indexmap::IndexMap;

use crate::{mapping::Mapping, template::Template};

/// What a step does.
#[derive(Debug, Clone)]
pub enum Action {
    /// Makes or changes a record.
    Record(Record),
    /// Looks for a record.
    Find(Find),
    /// Hands something to a connection.
    Send(Send),
    /// Tells people.
    Notify(Notify),
    /// Calls an address of the user's own.
    Webhook(Webhook),
    /// Goes on later.
    Wait(Wait),
    /// Says who is in charge of a record.
    Assign(Assign),
    /// Ends the run; the template says why.
    Stop(Option<Template>),
}

impl Action {
    /// The word for it in configuration files.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Record(record) => record.verb.name(),
            Self::Find(_) => "find",
            Self::Send(_) => "send",
            Self::Notify(_) => "notify",
            Self::Webhook(_) => "webhook",
            Self::Wait(_) => "wait",
            Self::Assign(_) => "assign",
            Self::Stop(_) => "stop",
        }
    }
}

/// How a record is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Always a new one.
    Create,
    /// One that is there; where there is none, nothing happens.
    Update,
    /// One that is there, else a new one.
    Upsert,
}

impl Verb {
    /// The word for it in configuration files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Upsert => "upsert",
        }
    }
}

/// Makes or changes a record.
#[derive(Debug, Clone)]
pub struct Record {
    /// How.
    pub verb: Verb,
    /// Which kind: `people`, or the key of a table.
    pub object: String,
    /// Which one is meant.
    pub which: Where,
    /// What it gets.
    pub fields: Mapping,
}

/// Which record is meant.
#[derive(Debug, Clone)]
pub enum Where {
    /// The one whose match keys agree with the fields that are written: these keys in this order, or those of the kind when the list is empty.
    Keys(Vec<String>),
    /// The one with this id.
    Id(Template),
    /// The newest whose fields have these values.
    Fields(IndexMap<String, Template>),
}

/// Looks for a record.
#[derive(Debug, Clone)]
pub struct Find {
    /// Which kind: `people`, or the key of a table.
    pub object: String,
    /// By its id or by values of fields; never by keys.
    pub which: Where,
}

/// Hands something to a connection.
#[derive(Debug, Clone)]
pub struct Send {
    /// A connection's key or a connector's name.
    pub to: String,
    /// What is to be made there.
    pub object: String,
    /// The object itself. `None`: the connection's own mapping makes it of what set the automation going.
    pub data: Option<Mapping>,
    /// What a mapping of the connection reads beside the data (`channels`, `recipients`).
    pub options: Option<Mapping>,
    /// Which record it is about: one key is one record there. `None`: as for a route.
    pub key: Option<Template>,
}

/// Tells people.
#[derive(Debug, Clone)]
pub struct Notify {
    /// A connection's key or a connector's name.
    pub to: String,
    /// Channels that get it.
    pub channels: Vec<Template>,
    /// People who get it, by e-mail address.
    pub recipients: Vec<Template>,
    /// A line above the message, where the connection has one.
    pub subject: Option<Template>,
    /// The message.
    pub message: Template,
}

/// Calls an address of the user's own, through a connection of the connector `webhook`.
#[derive(Debug, Clone)]
pub struct Webhook {
    /// Which endpoint.
    pub to: Key,
    /// The body. `None`: what set the automation going, in the form of webhooks.
    pub data: Option<Mapping>,
}

/// Names an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By the key of its connection.
    Of(String),
    /// By its address.
    Url(String),
}

/// Goes on later.
#[derive(Debug, Clone)]
pub enum Wait {
    /// After this long, in milliseconds.
    For(i64),
    /// At this moment; one that is over is no wait.
    Until(Template),
}

/// Says who is in charge of a record.
#[derive(Debug, Clone)]
pub struct Assign {
    /// Which kind: `opportunities`, or the key of a table.
    pub object: String,
    /// The record's id.
    pub id: Template,
    /// The field that names who is in charge.
    pub field: String,
    /// Who.
    pub owner: Owner,
}

/// Who is in charge.
#[derive(Debug, Clone)]
pub enum Owner {
    /// This one.
    Fixed(Template),
    /// One after the other, across all runs of the automation.
    RoundRobin(Vec<String>),
    /// The one that a list of the workspace names.
    Lookup {
        /// The list.
        list: String,
        /// What is looked up in it.
        key: Template,
        /// Who, when the list does not name anybody.
        otherwise: Option<Template>,
    },
}
