//! Several records → one request.

use std::{collections::HashSet, io};

use http::header::{CONTENT_TYPE, HeaderValue};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};
use sha2::{Digest, Sha256};
use switchboard_model::{problem::Problem, template::Scope};

use super::{
    BulkRequest,
    envelope::{self, Part},
    plan::{BulkPlan, Content, ItemPlan},
};
use crate::{
    account::{Account, Call},
    connector::{Connector, id_layer},
    draft::Draft,
    manifest::OperationKind,
    object::Object,
    operation::Operation,
    request::failed,
    rule::Circumstances,
};

/// What the calls of one request have in common.
pub(super) struct Group<'a> {
    pub connector: &'a Connector,
    pub account: &'a Account,
    pub object: &'a Object,
    pub kind: OperationKind,
    /// Which of the ways of the operation it is.
    pub way: usize,
    pub plan: &'a BulkPlan,
}

impl Group<'_> {
    /// Packs calls from the front.
    ///
    /// # Errors
    /// When the first call cannot be sent.
    pub fn pack(&self, calls: &[&Call]) -> Result<BulkRequest, Problem> {
        let first = calls.first().ok_or_else(|| failed("there are no records"))?;
        // Every key has the same length, so that any measures as well as that of those who get in.
        let around = first.around(key_of(&calls[..1]));
        let (draft, items, around) = match &self.plan.content {
            Content::Items(plan) => self.pack_items(plan, calls, around)?,
            Content::Requests => self.pack_requests(calls, around)?,
        };
        let request = self
            .connector
            .complete(draft, self.account, &self.scope_around(&around))?;
        Ok(BulkRequest { request, items })
    }

    /// The items of as many calls as fit, in the body of one request.
    fn pack_items(&self, plan: &ItemPlan, calls: &[&Call], mut around: Call) -> Result<Packed, Problem> {
        let ids = id_layers(calls);
        // What is put into the body by its place there is written once; templates that ask for the items want values.
        let wants_values = plan.at.is_none();
        let (items, values): (Vec<_>, Vec<_>) = {
            let scope = self.scope_around(&around);
            let body = self.plan.request.json_body(&scope)?;
            let room = self.plan.most_bytes.saturating_sub(body.as_ref().map_or(0, size));
            self.take((calls, &ids), self.plan.most_items(&scope), room, |_, scope| {
                let item = plan.item.filled(scope)?;
                let item = item.ok_or_else(|| failed("nothing is left of the record"))?;
                let text = written(&item)?;
                let bytes = text.get().len() + 1;
                Ok(((text, wants_values.then(|| item.into_owned())), bytes))
            })?
        }
        .into_iter()
        .unzip();
        around.set("key", key_of(&calls[..items.len()]).into());
        if wants_values {
            around.set("items", values.into_iter().flatten().collect());
        }
        let placed = plan.at.as_deref().map(|at| (at, &*items));
        let scope = self.scope_around(&around);
        let draft = self
            .plan
            .request
            .draft_around(self.account.base_url.as_deref(), &scope, placed)?;
        Ok((draft, items, around))
    }

    /// The same with the whole requests of the calls.
    fn pack_requests(&self, calls: &[&Call], mut around: Call) -> Result<Packed, Problem> {
        let base_url = self.account.base_url.as_deref();
        let ids = id_layers(calls);
        let parts = {
            let most = self.plan.most_items(&self.scope_around(&around));
            let room = self.plan.most_bytes.saturating_sub(envelope::CLOSING);
            self.take((calls, &ids), most, room, |way, scope| {
                // The envelope alone is signed in.
                let part = Part::new(way.request.draft(base_url, scope)?)?;
                let bytes = part.size();
                Ok((part, bytes))
            })?
        };
        let packed = &calls[..parts.len()];
        around.set("key", key_of(packed).into());
        let mut draft = self.plan.request.draft(base_url, &self.scope_around(&around))?;
        let (content_type, body) = envelope::seal(&parts);
        draft.body = body;
        for secret in parts.iter().flat_map(Part::secrets) {
            draft.hide(secret);
        }
        let content_type = HeaderValue::try_from(content_type).map_err(|error| failed(&error.to_string()))?;
        draft.headers.insert(CONTENT_TYPE, content_type);
        let items = packed.iter().map(|call| written(call.record()));
        let items = items.collect::<Result<_, Problem>>()?;
        Ok((draft, items, around))
    }

    /// What as many calls as fit have in the request, at least one; each stands beside its layer of ids. `make` gives it, and how many bytes of
    /// the `room` it takes.
    fn take<'s, T>(
        &'s self,
        (calls, ids): (&[&'s Call], &'s [Map<String, Value>]),
        most: usize,
        mut room: usize,
        make: impl Fn(&Operation, &Scope<'s>) -> Result<(T, usize), Problem>,
    ) -> Result<Vec<T>, Problem> {
        let mut taken = Vec::with_capacity(calls.len().min(most));
        let mut seen = HashSet::new();
        for (call, id) in calls.iter().zip(ids).take(most) {
            let scope = self.scope(call, id);
            let made = match self.joins(call, &scope, &mut seen) {
                Ok(Some(way)) => make(way, &scope),
                Ok(None) => break,
                Err(problem) => Err(problem),
            };
            let (made, bytes) = match made {
                Ok(made) => made,
                Err(problem) if taken.is_empty() => return Err(problem),
                // It is the first of the next request, and there it can be told what is wrong with it.
                Err(_) => break,
            };
            if bytes > room && !taken.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            taken.push(made);
        }
        Ok(taken)
    }

    /// The way of a call; `None`: this one cannot be together with those before it.
    fn joins(&self, call: &Call, scope: &Scope<'_>, seen: &mut HashSet<String>) -> Result<Option<&Operation>, Problem> {
        let way = self.connector.numbered_way(self.object, self.kind, call, scope);
        let Some((_, way)) = way.filter(|(way, _)| *way == self.way) else {
            return Ok(None);
        };
        if let Some(distinct) = &self.plan.distinct {
            let text = distinct
                .render_text(scope)
                .map_err(|error| failed(&error.to_string()))?;
            if !text.is_empty() && !seen.insert(text) {
                return Ok(None);
            }
        }
        Ok(Some(way))
    }

    /// What templates about one record see.
    pub fn scope<'s>(&'s self, call: &'s Call, id: &'s Map<String, Value>) -> Scope<'s> {
        self.connector
            .scope(self.account, Some(&self.object.name), call)
            .with_map(id)
    }

    /// What templates about the request as a whole see.
    fn scope_around<'s>(&'s self, around: &'s Call) -> Scope<'s> {
        self.connector.scope(self.account, Some(&self.object.name), around)
    }

    /// What rules need to know of a call that goes this way.
    pub fn around<'s>(&'s self, way: &Operation, scope: &'s Scope<'s>) -> Circumstances<'s> {
        Circumstances {
            scope,
            repeatable: way.repeatable,
            id_pattern: self.object.id_pattern.as_ref(),
        }
    }
}

/// A request, what it says about each of the calls in it, and what its templates saw.
type Packed = (Draft, Vec<Box<RawValue>>, Call);

/// What templates see beside each of the calls.
fn id_layers(calls: &[&Call]) -> Vec<Map<String, Value>> {
    calls.iter().map(|call| id_layer(call)).collect()
}

/// A text that is the same for the same calls in the same order.
fn key_of(calls: &[&Call]) -> String {
    let mut digest = Sha256::new();
    for call in calls {
        digest.update(call.key().as_bytes());
        digest.update([0]);
    }
    let digest = digest.finalize();
    let mut key = String::from("b-");
    for byte in &digest[..16] {
        key.push_str(&format!("{byte:02x}"));
    }
    key
}

/// A value as JSON text.
fn written(value: &Value) -> Result<Box<RawValue>, Problem> {
    to_raw_value(value).map_err(|error| failed(&error.to_string()))
}

/// The length of a value as JSON, in bytes.
fn size(value: &Value) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    // Counting cannot fail; what could not be written later fails there.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}
