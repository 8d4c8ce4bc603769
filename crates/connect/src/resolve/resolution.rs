//! The values of one record, looked up one after the other.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use switchboard_model::problem::{Code, Problem};

use super::{
    Asking, Resolver,
    asking::further,
    directory::{Directory, Question},
    forms::{Formed, Members},
};
use crate::{
    account::{Account, Call},
    connector::Connector,
    manifest::{MembersShape, Unresolved},
    paging::PageAt,
    reading::text_of,
    record::{remove, replace},
};

/// The values of one record, being looked up one after the other.
#[derive(Debug)]
pub struct Resolution<'c> {
    connector: &'c Connector,
    object: String,
    resolver: usize,
    value: Option<Values>,
}

/// What is looked up of a record: one text, the items of a list, or the keys of an object.
#[derive(Debug)]
struct Values {
    given: Vec<Value>,
    at: usize,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    One(Option<Value>),
    List(Vec<Value>),
    /// The values of the keys, and what has become of them.
    Members {
        values: Vec<Value>,
        got: Vec<(String, Value)>,
    },
}

/// More names than this are not listed in a message.
const MOST_NAMED: usize = 12;

/// Of a value a message shows no more characters than this.
const MOST_SHOWN: usize = 80;

impl Connector {
    /// Whether records of this object have values that may have to be looked up.
    pub fn resolves(&self, object: &str) -> bool {
        !self.resolvers.is_empty() && self.resolvers.iter().any(|resolver| resolver.is_for(object))
    }

    /// Begins to look up the values of a record.
    pub fn resolution(&self, object: &str) -> Resolution<'_> {
        Resolution {
            connector: self,
            object: object.to_owned(),
            resolver: 0,
            value: None,
        }
    }
}

impl<'c> Resolution<'c> {
    /// The next question; its answer goes to [`Resolution::take`]. `None`: everything is looked up and stands in `call`.
    ///
    /// # Errors
    /// When something that the request needs has no value.
    pub fn next(&mut self, account: &Account, call: &mut Call) -> Result<Option<Question>, Problem> {
        loop {
            let Some(resolver) = self.connector.resolvers.get(self.resolver) else {
                return Ok(None);
            };
            let Some(value) = &mut self.value else {
                match self.begin(resolver, account, call)? {
                    Some(value) => self.value = Some(value),
                    None => self.resolver += 1,
                }
                continue;
            };
            let Some(given) = value.given.get(value.at) else {
                if let Some(value) = self.value.take() {
                    resolver.put(value, call);
                }
                self.resolver += 1;
                continue;
            };
            let text = text_of(given).unwrap_or_default().into_owned();
            let is_ready = !resolver.is_about(given)
                || resolver
                    .id_pattern
                    .as_ref()
                    .is_some_and(|pattern| pattern.is_match(&text));
            if is_ready {
                let as_it_is = given.clone();
                value.take(as_it_is);
                continue;
            }
            return self.question(resolver, text, account, call).map(Some);
        }
    }

    fn begin(&self, resolver: &Resolver, account: &Account, call: &Call) -> Result<Option<Values>, Problem> {
        if !resolver.is_for(&self.object) {
            return Ok(None);
        }
        let scope = self.connector.scope(account, Some(&self.object), call);
        Ok(match resolver.wanted(&scope, call)? {
            Some(Value::Object(members)) if resolver.members.is_some() => {
                let filled = members.into_iter().filter(|(_, value)| !value.is_null());
                let (given, values) = filled.map(|(key, value)| (Value::from(key), value)).unzip();
                let got = Vec::new();
                Some(Values::of(given, Kind::Members { values, got }))
            }
            // What is an object is in the vendor's own form already.
            None | Some(Value::Null | Value::Object(_)) => None,
            Some(Value::Array(given)) if given.iter().all(|item| text_of(item).is_some()) => {
                Some(Values::of(given, Kind::List(Vec::new())))
            }
            Some(Value::Array(_)) => None,
            Some(scalar) => resolver
                .is_about(&scalar)
                .then(|| Values::of(vec![scalar], Kind::One(None))),
        })
    }

    fn question(
        &self,
        resolver: &Resolver,
        wanted: String,
        account: &Account,
        call: &Call,
    ) -> Result<Question, Problem> {
        let further = further(resolver, &wanted, &PageAt::default());
        let scope = self
            .connector
            .scope(account, Some(&self.object), call)
            .with_map(&further);
        let draft = resolver
            .listing
            .draft(&PageAt::default(), account.base_url.as_deref(), &scope)?;
        let mut digest = Sha256::new();
        for part in [self.resolver.to_string().as_bytes(), draft.url.as_bytes(), &draft.body] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Ok(Question {
            id: digest.finalize().into(),
            wanted,
            lifetime_ms: resolver.lifetime_ms,
            absent_ms: resolver.absent_ms,
            resolver: self.resolver,
        })
    }

    /// Takes in what was found for the question.
    ///
    /// # Errors
    /// The record is refused: there is no such thing at the vendor, or it cannot be brought into the vendor's form.
    pub fn take(
        &mut self,
        account: &Account,
        call: &Call,
        question: &Question,
        directory: &Directory,
    ) -> Result<(), Problem> {
        let Some(resolver) = self.connector.resolvers.get(question.resolver) else {
            return Ok(());
        };
        let Some(value) = &mut self.value else { return Ok(()) };
        match (directory.find(&question.wanted), resolver.absent) {
            (Some(found), _) => match (&resolver.members, &mut value.kind) {
                (Some(members), Kind::Members { values, got }) => {
                    let scope = self.connector.scope(account, Some(&self.object), call);
                    let given = values.get(value.at).unwrap_or(&Value::Null);
                    match members.form(&question.wanted, given, found, &scope)? {
                        Formed::Member(name, formed) => got.push((name, formed)),
                        Formed::Blank => {}
                        Formed::Unfit { type_word, wants } => {
                            let given = text_of(given).unwrap_or_default();
                            let unfit = (&*given, &*type_word, &*wants);
                            return Err(resolver.refuse_form(members, &self.object, &question.wanted, unfit));
                        }
                    }
                    value.at += 1;
                }
                _ => value.take(found.clone()),
            },
            (None, Unresolved::Keep) => value.keep(&question.wanted),
            (None, Unresolved::Omit) => value.at += 1,
            (None, Unresolved::Reject) => return Err(resolver.refuse(&self.object, &question.wanted, directory)),
        }
        Ok(())
    }

    /// Begins to ask the vendor.
    pub fn asking(&self, question: &Question) -> Asking<'c> {
        Asking::new(self.connector, &self.object, question)
    }
}

impl Values {
    fn of(given: Vec<Value>, kind: Kind) -> Self {
        Self { given, at: 0, kind }
    }

    /// This stands in the place of the present text.
    fn take(&mut self, found: Value) {
        match &mut self.kind {
            Kind::One(got) => *got = Some(found),
            Kind::List(got) => got.push(found),
            Kind::Members { .. } => return self.keep_member(),
        }
        self.at += 1;
    }

    /// The present text stays.
    fn keep(&mut self, text: &str) {
        self.take(text.into());
    }

    fn keep_member(&mut self) {
        let key = self.given.get(self.at).and_then(Value::as_str).map(str::to_owned);
        if let Kind::Members { values, got } = &mut self.kind {
            got.extend(key.zip(values.get(self.at).cloned()));
        }
        self.at += 1;
    }
}

impl Resolver {
    /// Puts the ids where the calls see them.
    fn put(&self, value: Values, call: &mut Call) {
        let (found, place) = match value.kind {
            Kind::One(got) => (got, self.field.as_ref()),
            Kind::List(got) => ((!got.is_empty()).then_some(Value::Array(got)), self.field.as_ref()),
            Kind::Members { got, .. } => {
                let formed = match self.members.as_ref().map(|members| members.shape) {
                    Some(MembersShape::List) => Value::Array(got.into_iter().map(|(_, value)| value).collect()),
                    _ => Value::Object(Map::from_iter(got)),
                };
                let is_empty = formed == Value::Array(Vec::new()) || formed == Value::Object(Map::new());
                (
                    (!is_empty).then_some(formed),
                    self.members.as_ref().map(|members| &members.at),
                )
            }
        };
        if let Some(place) = place {
            let record = call.record_mut();
            match &found {
                Some(found) => replace(record, place, found.clone()),
                None => remove(record, place),
            }
        }
        if let Some(found) = found {
            call.add_resolved(&self.name, found);
        }
    }

    fn refuse(&self, object: &str, text: &str, directory: &Directory) -> Problem {
        let detail = format!("there is no {} `{text}`", self.title);
        let next = "Correct the value, or add it in the other system, then replay the delivery.";
        if let Some(members) = &self.members {
            let mut known: Vec<&str> = directory.names().take(MOST_NAMED).collect();
            if directory.names().nth(MOST_NAMED).is_some() {
                known.push("…");
            }
            let next = format!(
                "Use one of {}, or add it in the other system, then replay the delivery.",
                known.join(", ")
            );
            return Problem::new(Code::FieldInvalid, detail, next).at(members.place(object, text));
        }
        match &self.field {
            Some(field) => {
                let field = field.trim_start_matches('/').replace('/', ".");
                Problem::new(Code::FieldInvalid, format!("{field}: {detail}"), next).at(format!("{object}.{field}"))
            }
            None => Problem::new(Code::FieldInvalid, detail, next).at(format!("{object}: {}", self.name)),
        }
    }

    /// The value of a member is nothing that its type can hold; `given`, the type, and the templates that make its form of the value.
    fn refuse_form(
        &self,
        members: &Members,
        object: &str,
        member: &str,
        (given, type_word, wants): (&str, &str, &str),
    ) -> Problem {
        let shown: String = given.chars().take(MOST_SHOWN).collect();
        let title = &self.title;
        let detail = format!("`{shown}` does not fit the {title} `{member}`: its type `{type_word}` wants {wants}");
        let next = "Correct the value, or convert it in the mapping, then replay the delivery.";
        Problem::new(Code::FieldInvalid, detail, next).at(members.place(object, member))
    }
}
