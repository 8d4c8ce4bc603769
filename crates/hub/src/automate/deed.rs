//! What a step does, decided without doing it.

use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use switchboard_connect::connector::Connector;
use switchboard_model::{
    automation::{
        Action, Assign, Automation, Find, Key, Notify, Owner, Record, Send, Step, Verb, Wait, Webhook, Where,
    },
    id::{RecordId, RunId},
    mapping::Mapping,
    moment::read_moment,
    problem::{Code, Problem},
    record::{ObjectType, Objects},
    template::{Lookups, Template},
};

use super::{
    facts::Facts,
    records::read_id,
    sending::{About, Sending, Sent, record_key},
};
use crate::{
    configuration::{Connection, Workspace},
    store::{StoreError, place},
};

/// The name under which connectors have the object that tells something to a channel, and the one that tells it to a person.
const NOTIFICATION: &str = "notification";
const DIRECT_MESSAGE: &str = "direct_message";
/// The connector of addresses of the user's own, and what it sends.
const WEBHOOK: &str = "webhook";
const PAYLOAD: &str = "event";

/// Why a step could not be taken.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    /// For a person.
    pub problem: Problem,
    /// Whether it may work later without anybody doing anything.
    pub passes: bool,
}

impl Fault {
    /// Nothing changes until somebody does something.
    pub fn lasting(problem: Problem) -> Self {
        Self { problem, passes: false }
    }

    /// It may work later.
    pub fn passing(problem: Problem) -> Self {
        Self { problem, passes: true }
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::passing(error.into())
    }
}

/// Which record is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Which {
    /// The one with this id; `None`: the step before brought none.
    Id(Option<RecordId>),
    /// The one that these keys of the values lead to; all keys of its kind when the list is empty.
    Keys(Vec<String>),
    /// The newest whose fields have these values.
    Fields(IndexMap<String, Value>),
}

impl Which {
    /// For people.
    pub fn shown(&self) -> Value {
        match self {
            Self::Id(id) => json!({ "id": id.map(|id| id.to_string()) }),
            Self::Keys(keys) if keys.is_empty() => json!({ "match": "keys of its kind" }),
            Self::Keys(keys) => json!({ "match": keys }),
            Self::Fields(fields) => json!({ "match": fields }),
        }
    }
}

/// What a step does.
#[derive(Debug)]
pub(super) enum Deed {
    /// Nothing, for this reason.
    Pass(String),
    /// Looks for a record.
    Find { object: Arc<ObjectType>, which: Which },
    /// Writes a record.
    Write {
        verb: Verb,
        object: Arc<ObjectType>,
        which: Which,
        values: Map<String, Value>,
    },
    /// Hands these to connections.
    Send(Vec<Sending>),
    /// Goes on then, Unix milliseconds.
    Wait(i64),
    /// Names who is in charge.
    Assign {
        object: Arc<ObjectType>,
        id: RecordId,
        field: String,
        owner: Chosen,
    },
    /// Ends the run, for this reason.
    Stop(Option<String>),
}

/// Who is in charge.
#[derive(Debug, PartialEq)]
pub(super) enum Chosen {
    /// This one.
    Known(Value),
    /// The one of these whose turn it is.
    Turn(Vec<String>),
}

/// What deciding takes.
pub(super) struct Decider<'a> {
    pub workspace: Option<&'a Workspace>,
    pub objects: &'a Objects,
    pub automation: &'a Automation,
    pub run: Option<RunId>,
    pub facts: &'a Facts,
    pub now_ms: i64,
}

impl Decider<'_> {
    /// What the step does.
    pub fn decide(&self, step: &Step) -> Result<Deed, Fault> {
        if let Some(condition) = &step.condition {
            let kind = self.facts.event().kind.name();
            match condition.matches(kind, &self.facts.scope()) {
                Ok(true) => {}
                Ok(false) => return Ok(Deed::Pass(format!("`{}` does not hold", condition.source()))),
                Err(error) => {
                    return Err(Fault::lasting(Problem::new(
                        Code::ConditionSyntax,
                        format!("the condition of step `{}` could not be decided: {error}", step.name),
                        "Correct the condition and retry the run.",
                    )));
                }
            }
        }
        match &step.action {
            Action::Record(record) => self.write(record),
            Action::Find(find) => self.find(find),
            Action::Send(send) => self.send(step, send),
            Action::Notify(notify) => self.notify(step, notify),
            Action::Webhook(webhook) => self.webhook(step, webhook),
            Action::Wait(wait) => self.wait(wait),
            Action::Assign(assign) => self.assign(assign),
            Action::Stop(why) => {
                let why = why.as_ref().map(|why| self.text(why)).transpose()?;
                Ok(Deed::Stop(why.filter(|why| !why.is_empty())))
            }
        }
    }

    fn lists(&self) -> Option<&dyn Lookups> {
        self.workspace.map(|workspace| &*workspace.lists as &dyn Lookups)
    }

    fn value(&self, template: &Template) -> Result<Option<Value>, Fault> {
        let scope = self.facts.scope();
        let scope = match self.lists() {
            Some(lists) => scope.lookups(lists),
            None => scope,
        };
        template.render(&scope).map_err(|error| unfilled(&error.to_string()))
    }

    fn text(&self, template: &Template) -> Result<String, Fault> {
        Ok(self.value(template)?.as_ref().map(plain).unwrap_or_default())
    }

    fn tree(&self, mapping: &Mapping) -> Result<Map<String, Value>, Fault> {
        let scope = self.facts.scope();
        let whole;
        let scope = match mapping.paths().iter().any(|path| path.root() == "event") {
            false => scope,
            true => {
                whole = Map::from_iter([("event".to_owned(), Value::Object(self.facts.event().data.clone()))]);
                scope.with_map(&whole)
            }
        };
        let scope = match self.lists() {
            Some(lists) => scope.lookups(lists),
            None => scope,
        };
        let filled = mapping.render(&scope).map_err(|errors| {
            let all: Vec<String> = errors.iter().map(ToString::to_string).collect();
            unfilled(&all.join("; "))
        })?;
        match filled {
            Some(Value::Object(members)) => Ok(members),
            _ => Ok(Map::new()),
        }
    }

    fn object(&self, name: &str) -> Result<Arc<ObjectType>, Fault> {
        self.objects.find(name).cloned().ok_or_else(|| {
            Fault::lasting(Problem::new(
                Code::WrongValue,
                format!("there is no kind of record `{name}`"),
                "Define the table, or correct the step, and retry the run.",
            ))
        })
    }

    fn which(&self, which: &Where) -> Result<Which, Fault> {
        Ok(match which {
            Where::Keys(keys) => Which::Keys(keys.clone()),
            Where::Id(id) => Which::Id(match self.text(id)?.as_str() {
                "" => None,
                text => Some(read_id(text)?),
            }),
            Where::Fields(fields) => {
                let mut wanted = IndexMap::new();
                for (name, template) in fields {
                    // A record without a value is not looked for: that would be any.
                    match self.value(template)? {
                        Some(value) if value != "" => wanted.insert(name.clone(), value),
                        _ => return Ok(Which::Id(None)),
                    };
                }
                Which::Fields(wanted)
            }
        })
    }

    fn write(&self, record: &Record) -> Result<Deed, Fault> {
        Ok(Deed::Write {
            verb: record.verb,
            object: self.object(&record.object)?,
            which: self.which(&record.which)?,
            values: self.tree(&record.fields)?,
        })
    }

    fn find(&self, find: &Find) -> Result<Deed, Fault> {
        Ok(Deed::Find {
            object: self.object(&find.object)?,
            which: self.which(&find.which)?,
        })
    }

    fn connection(&self, name: &str) -> Result<Arc<Connection>, Fault> {
        let found = self.workspace.and_then(|workspace| workspace.find(name));
        usable(found, &format!("`{name}`"))
    }

    fn send(&self, step: &Step, send: &Send) -> Result<Deed, Fault> {
        let connection = self.connection(&send.to)?;
        let objects = connection.objects_named(std::slice::from_ref(&send.object));
        let object: Arc<str> = objects
            .into_iter()
            .next()
            .unwrap_or_else(|| send.object.as_str().into());
        let record = send
            .data
            .as_ref()
            .map(|data| self.tree(data))
            .transpose()?
            .map(Value::Object);
        let options = send.options.as_ref().map(|options| self.tree(options)).transpose()?;
        let key = match &send.key {
            Some(key) => Some(self.text(key)?).filter(|key| !key.is_empty()),
            None => record_key(&connection, &object, &self.facts.event().data, record.as_ref()),
        };
        let options = options.filter(|options| !options.is_empty());
        // What is made already says itself where it goes.
        let places = match &record {
            Some(_) => vec![None],
            None => connection.places(&object, options.as_ref()),
        };
        let sendings = places.into_iter().map(|place| Sending {
            sent: self.sent(step, &connection, &object, record.clone()),
            connection: Arc::clone(&connection),
            object: Arc::clone(&object),
            options: place::narrowed(options.as_ref(), place.as_ref()),
            place,
            record_key: key.clone(),
        });
        Ok(Deed::Send(sendings.collect()))
    }

    fn sent(&self, step: &Step, connection: &Connection, object: &str, record: Option<Value>) -> Sent {
        let event = self.facts.event();
        Sent {
            automation: self.automation.key.to_string(),
            run: self.run,
            step: step.name.to_string(),
            to: connection.key.clone(),
            object: object.to_owned(),
            about: record.is_none().then(|| About {
                id: event.id,
                kind: event.kind.name().to_owned(),
                received_ms: event.received_ms,
                data: self.facts.together(),
            }),
            record,
        }
    }

    fn webhook(&self, step: &Step, webhook: &Webhook) -> Result<Deed, Fault> {
        let connection = match &webhook.to {
            Key::Of(key) => self.connection(key)?,
            Key::Url(url) => {
                let connections = self.workspace.map(|workspace| workspace.connections.as_slice());
                let found = connections.unwrap_or_default().iter().find(|connection| {
                    connection.is_of(WEBHOOK)
                        && connection.spec.settings.get("url").and_then(Value::as_str) == Some(url)
                });
                usable(found, &format!("a webhook endpoint with the address {url}"))?
            }
        };
        let record = webhook
            .data
            .as_ref()
            .map(|data| self.tree(data))
            .transpose()?
            .map(Value::Object);
        let object: Arc<str> = PAYLOAD.into();
        Ok(Deed::Send(vec![Sending {
            sent: self.sent(step, &connection, &object, record),
            connection,
            object,
            options: None,
            place: None,
            record_key: None,
        }]))
    }

    fn notify(&self, step: &Step, notify: &Notify) -> Result<Deed, Fault> {
        let connection = self.connection(&notify.to)?;
        let connector = Arc::clone(connection.connector().map_err(Fault::passing)?);
        let to_channel = connector.object(NOTIFICATION);
        let to_person = connector.object(DIRECT_MESSAGE).or(to_channel);
        let cannot = || {
            Fault::lasting(Problem::new(
                Code::ObjectUnsupported,
                format!(
                    "{} has no messages by which people can be told something",
                    connector.name()
                ),
                "Name a chat or mail connection in the step.",
            ))
        };
        let message = self.text(&notify.message)?;
        if message.trim().is_empty() {
            return Ok(Deed::Pass("there is nothing to say: the message is empty".into()));
        }
        let subject = notify.subject.as_ref().map(|subject| self.text(subject)).transpose()?;
        let channels = self.targets(&notify.channels)?;
        let recipients = self.targets(&notify.recipients)?;
        let mut all: Vec<(&str, Option<Value>)> = Vec::new();
        let channel = to_channel.map(|object| object.name());
        if notify.channels.is_empty() && notify.recipients.is_empty() {
            all.push((channel.ok_or_else(cannot)?, None));
        }
        for target in channels {
            all.push((channel.ok_or_else(cannot)?, Some(target)));
        }
        if !recipients.is_empty() {
            let object = to_person.ok_or_else(cannot)?.name();
            match Some(object) == channel {
                // Mail: one letter to all of them.
                true => all.push((object, Some(Value::Array(recipients)))),
                false => all.extend(recipients.into_iter().map(|person| (object, Some(person)))),
            }
        }
        if all.is_empty() {
            return Ok(Deed::Pass(
                "there is nobody to tell: channels and recipients are empty".into(),
            ));
        }
        let sendings = all.into_iter().map(|(object, target)| Sending {
            sent: self.sent(
                step,
                &connection,
                object,
                Some(letter(&connector, object, target, subject.as_deref(), &message)),
            ),
            connection: Arc::clone(&connection),
            object: object.into(),
            options: None,
            place: None,
            record_key: None,
        });
        Ok(Deed::Send(sendings.collect()))
    }

    /// The values of the templates, lists taken apart, each once; those that are absent or empty are left out.
    fn targets(&self, templates: &[Template]) -> Result<Vec<Value>, Fault> {
        let mut targets: Vec<Value> = Vec::new();
        for template in templates {
            let found = match self.value(template)? {
                Some(Value::Array(items)) => items,
                Some(value) => vec![value],
                None => Vec::new(),
            };
            for value in found {
                let value = Value::String(plain(&value).trim().to_owned());
                if value != "" && !targets.contains(&value) {
                    targets.push(value);
                }
            }
        }
        Ok(targets)
    }

    fn wait(&self, wait: &Wait) -> Result<Deed, Fault> {
        let until_ms = match wait {
            Wait::For(ms) => self.now_ms.saturating_add(*ms),
            Wait::Until(template) => {
                let Some(value) = self.value(template)?.filter(|value| *value != "") else {
                    return Ok(Deed::Pass("there is no moment to wait for".into()));
                };
                let moment = read_moment(&value).ok_or_else(|| {
                    Fault::lasting(Problem::new(
                        Code::WrongValue,
                        format!("`{}` is no moment to wait for", plain(&value)),
                        "Correct the step's `until`: it must give a date with a time, and retry the run.",
                    ))
                })?;
                moment.as_millisecond()
            }
        };
        Ok(Deed::Wait(until_ms))
    }

    fn assign(&self, assign: &Assign) -> Result<Deed, Fault> {
        let object = self.object(&assign.object)?;
        let id = match self.text(&assign.id)?.as_str() {
            "" => return Ok(Deed::Pass("there is no record to assign".into())),
            text => read_id(text)?,
        };
        let owner = match &assign.owner {
            Owner::Fixed(owner) => self.value(owner)?,
            Owner::RoundRobin(people) => {
                return Ok(Deed::Assign {
                    object,
                    id,
                    field: assign.field.clone(),
                    owner: Chosen::Turn(people.clone()),
                });
            }
            Owner::Lookup { list, key, otherwise } => {
                let key = self.text(key)?;
                let known = self.lists().and_then(|lists| lists.find(list, &key));
                match (known, otherwise) {
                    (Some(known), _) => Some(known),
                    (None, Some(otherwise)) => self.value(otherwise)?,
                    (None, None) => None,
                }
            }
        };
        match owner.filter(|owner| *owner != "") {
            Some(owner) => Ok(Deed::Assign {
                object,
                id,
                field: assign.field.clone(),
                owner: Chosen::Known(owner),
            }),
            None => Ok(Deed::Pass("nobody is named who could be in charge".into())),
        }
    }
}

/// What tells people something, in members that every connector of chats and mail takes by these names. A subject that it has no place for
/// stands above the message.
fn letter(connector: &Connector, object: &str, to: Option<Value>, subject: Option<&str>, message: &str) -> Value {
    let has_subject = connector.object(object).is_some_and(|object| {
        let mut fields = object.fields();
        fields.any(|field| field.name == "subject" || field.aliases.iter().any(|alias| alias == "subject"))
    });
    let mut letter = Map::new();
    letter.extend(to.map(|to| ("to".to_owned(), to)));
    let text = match subject {
        Some(subject) if !has_subject => format!("{subject}\n{message}"),
        _ => message.to_owned(),
    };
    letter.extend(
        subject
            .filter(|_| has_subject)
            .map(|subject| ("subject".to_owned(), json!(subject))),
    );
    letter.insert("text".to_owned(), json!(text));
    Value::Object(letter)
}

/// A connection that can be handed something. One that is paused or in error can: what it gets waits.
fn usable(found: Option<&Arc<Connection>>, what: &str) -> Result<Arc<Connection>, Fault> {
    let problem =
        |why: &str, next: &str| Fault::passing(Problem::new(Code::ConnectionIncomplete, format!("{what} {why}"), next));
    match found {
        None => Err(problem(
            "is not connected yet",
            "Connect it, and retry the run if it has failed meanwhile.",
        )),
        Some(connection) if !connection.enabled => Err(problem(
            "is switched off",
            "Switch the connection on, and retry the run if it has failed meanwhile.",
        )),
        Some(connection) => Ok(Arc::clone(connection)),
    }
}

fn unfilled(why: &str) -> Fault {
    Fault::lasting(Problem::new(
        Code::MappingFailed,
        format!("a template of the step could not be filled in: {why}"),
        "Mend the step and retry the run; it takes the automation as it is then.",
    ))
}

/// A value as text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
