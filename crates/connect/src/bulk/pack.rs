//! Several records → one request.

use std::{collections::HashSet, io};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_model::{problem::Problem, template::Scope};

use super::{BulkRequest, plan::BulkPlan};
use crate::{
    account::{Account, Call},
    call::HttpRequest,
    connector::{Connector, id_layer},
    manifest::OperationKind,
    object::Object,
    request::failed,
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
        let mut around = first.around(key_of(&calls[..1]));
        let items = {
            let scope = self.connector.scope(self.account, Some(&self.object.name), &around);
            let body = self.plan.request.json_body(&scope)?;
            let room = self.plan.most_bytes.saturating_sub(body.as_ref().map_or(0, size));
            self.items(calls, self.plan.most_items(&scope), room)?
        };
        let taken = items.len();
        around.set("key", key_of(&calls[..taken]).into());
        let request = match &self.plan.items_at {
            Some(at) => {
                let scope = self.connector.scope(self.account, Some(&self.object.name), &around);
                self.request(&scope, Some((at, items)))
            }
            None => {
                around.set("items", Value::Array(items));
                self.request(
                    &self.connector.scope(self.account, Some(&self.object.name), &around),
                    None,
                )
            }
        };
        Ok(BulkRequest {
            request: request?,
            taken,
        })
    }

    fn request(&self, scope: &Scope<'_>, items: Option<(&str, Vec<Value>)>) -> Result<HttpRequest, Problem> {
        let draft = self
            .plan
            .request
            .draft_around(self.account.base_url.as_deref(), scope, items)?;
        self.connector.complete(draft, self.account, scope)
    }

    /// The items of as many calls as fit, at least of one.
    fn items(&self, calls: &[&Call], most: usize, mut room: usize) -> Result<Vec<Value>, Problem> {
        let mut items = Vec::with_capacity(calls.len().min(most));
        let mut seen = HashSet::new();
        for call in calls.iter().take(most) {
            let id = id_layer(call);
            let scope = self.scope(call, &id);
            let item = match self.item(call, &scope, &mut seen) {
                Ok(Some(item)) => item,
                Err(problem) if items.is_empty() => return Err(problem),
                // It is the first of the next request, and there it can be told what is wrong with it.
                Ok(None) | Err(_) => break,
            };
            let bytes = size(&item) + 1;
            if bytes > room && !items.is_empty() {
                break;
            }
            room = room.saturating_sub(bytes);
            items.push(item);
        }
        Ok(items)
    }

    /// `None`: this one cannot be together with those before it.
    fn item(&self, call: &Call, scope: &Scope<'_>, seen: &mut HashSet<String>) -> Result<Option<Value>, Problem> {
        let way = self.connector.numbered_way(self.object, self.kind, call, scope);
        if way.is_none_or(|(way, _)| way != self.way) {
            return Ok(None);
        }
        if let Some(distinct) = &self.plan.distinct {
            let text = distinct
                .render_text(scope)
                .map_err(|error| failed(&error.to_string()))?;
            if !text.is_empty() && !seen.insert(text) {
                return Ok(None);
            }
        }
        let item = self.plan.item.render(scope)?;
        item.map(Some).ok_or_else(|| failed("nothing is left of the record"))
    }

    /// What templates about one record see.
    pub fn scope<'s>(&'s self, call: &'s Call, id: &'s Map<String, Value>) -> Scope<'s> {
        self.connector
            .scope(self.account, Some(&self.object.name), call)
            .with_map(id)
    }
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
