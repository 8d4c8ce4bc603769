//! From a request to what becomes of it.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use switchboard_model::{
    problem::{Code, Problem},
    template::Lookups,
};

use super::{
    Source, body,
    fetch::FetchCall,
    make::{Made, MadeEvent, Rooms, holds},
    mask::{MASK, Masked, mask},
    plain_event,
    reply::Reply,
    request::Request,
    secrecy,
    verify::{Evidence, verify},
    view::View,
    walk::{Room, split},
};

/// Longest name of a delivery; a longer one is replaced by its digest.
const LONGEST_DELIVERY: usize = 200;

/// What pairs that are gathered stand in, for notes.
const LISTS: &str = "the lists of pairs in the callback have";

/// What becomes of a request at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// It is not the pusher's.
    Refused {
        /// Why, for the person who runs the source.
        reason: String,
        /// The answer.
        reply: Reply,
    },
    /// It asks something and is answered.
    Handshake(Reply),
    /// It is to be kept, and then answered.
    Callback {
        /// What the pusher calls the delivery.
        delivery: Option<String>,
        /// Whether it is the pusher's test.
        test: bool,
        /// What a person should know.
        notes: Vec<String>,
        /// The answer, once it is kept.
        reply: Reply,
    },
}

/// A callback that was read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Why it means nothing to us.
    pub ignored: Option<String>,
    /// Its items.
    pub items: Vec<Item>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What the pusher calls the delivery, as far as the request tells. Of a request that was kept, what was found before it was masked takes
    /// its place.
    pub delivery: Option<String>,
}

/// One item of a callback.
#[derive(Debug, Clone)]
pub struct Item {
    view: View,
    at: usize,
}

impl Item {
    /// What templates see as `payload`.
    pub fn payload(&self) -> Option<&Value> {
        self.view.get("payload")
    }

    #[cfg(test)]
    pub(super) fn variable(&self, name: &str) -> Option<&Value> {
        self.view.get(name)
    }

    /// Completes it with what was fetched.
    pub fn complete(&mut self, fetched: &Fetched) {
        self.view.lay(Arc::clone(&fetched.0));
    }
}

/// An answer that completes items. Those that name the same thing share it.
#[derive(Debug, Clone)]
pub struct Fetched(Arc<Map<String, Value>>);

impl From<Value> for Fetched {
    fn from(answer: Value) -> Self {
        Self(Arc::new(Map::from_iter([("fetched".to_owned(), answer)])))
    }
}

impl Source {
    /// What becomes of a request at once; `lists` are the workspace's tables.
    pub fn receive(&self, request: &Request, lists: &dyn Lookups, now_ms: i64) -> Received {
        let body = body::read(request, &self.body);
        let view = View::new(request, body.value, &self.settings, now_ms);
        let tables = self.tables_with(lists);
        let around = self.around(&tables);
        let scope = view.scope(around);
        let evidence = Evidence {
            request,
            body: view.get("body").unwrap_or(&Value::Null),
            secrets: &self.secrets,
            settings: &self.settings,
            now_ms,
        };
        let refused = |reason: String| Received::Refused {
            reason,
            reply: self.refused.fill(&scope),
        };
        if let Some(handshake) = self.handshakes.iter().find(|each| each.is_asked(&self.slug, &scope)) {
            if handshake.signed
                && let Err(reason) = verify(&self.checks, &self.slug, evidence, &scope)
            {
                return refused(reason);
            }
            return match handshake.answer(&self.slug, evidence, &view, around) {
                Ok(reply) => Received::Handshake(reply),
                Err(reason) => refused(reason),
            };
        }
        let findings = match verify(&self.checks, &self.slug, evidence, &scope) {
            Ok(findings) => findings,
            Err(reason) => return refused(reason),
        };
        let mut notes = findings.notes;
        let test = holds(self.test.as_ref(), &self.slug, &scope).unwrap_or_else(|problem| {
            notes.push(problem.detail);
            false
        });
        Received::Callback {
            delivery: self.delivery(request, &view, lists),
            test: test && self.test.is_some(),
            notes,
            reply: self.received.fill(&scope),
        }
    }

    /// The headers with which the pusher would sign a request at this moment. None where the source checks no HMAC, or where the signature stands
    /// elsewhere.
    pub fn sign(&self, request: &Request, now_ms: i64) -> Vec<(String, String)> {
        let body = body::read(request, &self.body);
        let evidence = Evidence {
            request,
            body: &body.value,
            secrets: &self.secrets,
            settings: &self.settings,
            now_ms,
        };
        let each = self.checks.iter().map(|check| check.sign(evidence));
        each.into_iter().find(|headers| !headers.is_empty()).unwrap_or_default()
    }

    /// The answer when a request could not be kept, or the source is switched off.
    pub fn failed(&self, request: &Request) -> Reply {
        let view = View::new(request, Value::Null, &self.settings, 0);
        let tables = self.tables_with(&super::NoLists);
        self.failed.fill(&view.scope(self.around(&tables)))
    }

    /// What a request says, parsed; its text where it cannot be. Secrets of the source that stand in it are masked.
    pub fn shown_body(&self, request: &Request) -> Value {
        let mut value = body::read(request, &self.body).value;
        let secrets: Vec<&str> = self
            .secrets
            .values()
            .filter_map(Value::as_str)
            .filter(|text| text.len() > 3)
            .collect();
        cover(&mut value, &secrets);
        value
    }

    /// What is secret in a request is masked before it is written down.
    pub fn mask(&self, request: &Request) -> Masked {
        mask(request, &secrecy(&self.checks, &self.handshakes))
    }

    /// What the pusher calls the delivery.
    fn delivery(&self, request: &Request, view: &View, lists: &dyn Lookups) -> Option<String> {
        let (template, content) = self.dedupe.as_ref()?;
        let tables = self.tables_with(lists);
        let id = template.render_text(&view.scope(self.around(&tables))).ok()?;
        let id = id.trim();
        if id.is_empty() {
            return None;
        }
        let digest = |bytes: &[u8]| hex::encode(&Sha256::digest(bytes)[..16]);
        let id = match id.len() > LONGEST_DELIVERY || id.contains('\0') {
            true => digest(id.as_bytes()),
            false => id.to_owned(),
        };
        if !content {
            return Some(id);
        }
        // What separates the parts of such a body is drawn anew each time; what is in them is what counts.
        let content = match view
            .get("body")
            .filter(|_| request.media_type() == "multipart/form-data")
        {
            Some(body) => digest(body.to_string().as_bytes()),
            None => digest(&request.body),
        };
        Some(format!("{id}#{content}"))
    }

    /// Reads a callback that was kept.
    ///
    /// # Errors
    /// When it is not what it claims to be, or a condition of the source cannot be decided.
    pub fn read(&self, request: &Request, lists: &dyn Lookups, received_ms: i64) -> Result<Reading, Problem> {
        let body = body::read(request, &self.body);
        let mut notes = body.notes;
        if let Some(fault) = &body.fault {
            let next = "Look at the raw body. If the pusher sends another format, set `body.format` of the source and process the callback anew.";
            let detail = format!("the body cannot be read: {fault}");
            return Err(Problem::new(Code::BrokenJson, detail, next));
        }
        let view = View::new(request, body.value, &self.settings, received_ms);
        let tables = self.tables_with(lists);
        let around = self.around(&tables);
        let mut items = Vec::new();
        let mut ignored: Vec<String> = Vec::new();
        let delivery = self.delivery(request, &view, lists);
        let mut pairs = Room::for_pairs();
        for (at, mut view) in split(&self.split, view, &mut notes).into_iter().enumerate() {
            for gather in &self.gather {
                gather.add(&mut view, around, &mut pairs);
            }
            match self.ignores(&view, lists)? {
                Some(reason) if ignored.contains(&reason) => {}
                Some(reason) => ignored.push(reason),
                None => items.push(Item { view, at }),
            }
        }
        if items.is_empty() && ignored.is_empty() {
            notes.push("the callback holds no item".into());
        }
        notes.extend(pairs.note(LISTS));
        let all_ignored = items.is_empty();
        let reason = (!ignored.is_empty()).then(|| ignored.join("; "));
        if let Some(reason) = reason.as_ref().filter(|_| !all_ignored) {
            notes.push(format!("some items were left out: {reason}"));
        }
        Ok(Reading {
            ignored: reason.filter(|_| all_ignored),
            items,
            notes,
            delivery,
        })
    }

    fn ignores(&self, view: &View, lists: &dyn Lookups) -> Result<Option<String>, Problem> {
        let tables = self.tables_with(lists);
        let scope = view.scope(self.around(&tables));
        for (condition, reason) in &self.ignore {
            if holds(Some(condition), &self.slug, &scope)? {
                return Ok(Some(reason.clone()));
            }
        }
        Ok(None)
    }

    /// The call that completes an item, when it needs one.
    ///
    /// # Errors
    /// When the call cannot be made.
    pub fn fetch(&self, item: &Item, lists: &dyn Lookups) -> Result<Option<FetchCall>, Problem> {
        let tables = self.tables_with(lists);
        let around = self.around(&tables);
        for fetch in &self.fetch {
            if fetch.applies(&self.slug, &item.view, around)? {
                return fetch.call(&item.view, around, &self.settings, &self.secrets).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether what it is sent may have to be completed first.
    pub fn completes(&self) -> bool {
        !self.fetch.is_empty()
    }

    /// What is made of a callback whose items are complete.
    ///
    /// # Errors
    /// When a condition of the source cannot be decided, or too much would be made.
    pub fn make(&self, reading: &Reading, lists: &dyn Lookups) -> Result<Made, Problem> {
        let tables = self.tables_with(lists);
        let around = self.around(&tables);
        let mut made = Made {
            notes: reading.notes.clone(),
            ..Made::default()
        };
        let mut rooms = Rooms::default();
        for item in &reading.items {
            let id = |rule: usize| {
                let delivery = reading.delivery.as_ref()?;
                Some(format!("{delivery}/{}/{rule}", item.at))
            };
            rooms.check(&made)?;
            let Some(rules) = &self.rules else {
                made.events.extend(self.plain(item, id(0)));
                continue;
            };
            let mut view = item.view.clone();
            for gather in self.gather.iter().filter(|gather| gather.is_late()) {
                gather.add(&mut view, around, &mut rooms.pairs);
            }
            for (at, rule) in rules.iter().enumerate() {
                rule.make(&self.slug, &view, around, id(at).as_deref(), (&mut rooms, &mut made))?;
            }
        }
        rooms.check(&made)?;
        made.notes
            .extend(rooms.items.note("the lists in the callback's items have"));
        made.notes.extend(rooms.pairs.note(LISTS));
        Ok(made)
    }

    /// The event of a source that says nothing about events.
    fn plain(&self, item: &Item, id: Option<String>) -> Option<MadeEvent> {
        let mut data = Map::new();
        data.insert("source".into(), json!(self.slug));
        for name in ["payload", "fetched"] {
            if let Some(value) = item.view.get(name).filter(|value| !value.is_null()) {
                data.insert(name.into(), value.clone());
            }
        }
        Some(MadeEvent {
            kind: plain_event()?,
            id,
            data,
        })
    }
}

/// Puts the mask in place of secrets.
fn cover(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::String(text) => {
            for secret in secrets {
                if text.contains(secret) {
                    *text = text.replace(secret, MASK);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| cover(item, secrets)),
        Value::Object(members) => members.values_mut().for_each(|member| cover(member, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
