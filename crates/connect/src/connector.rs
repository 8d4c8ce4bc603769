//! A connector: everything that Switchboard knows of one external system, compiled and ready for use.
//!
//! Pure: it makes requests and reads answers, and sends nothing.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use switchboard_model::{
    nearest::nearest,
    outcome::Outcome,
    problem::{Code, Problem},
    template::{Scope, Template},
};

use crate::{
    account::Tables,
    auth::Auth,
    call::{Answer, HttpRequest},
    decision::{Abilities, decide},
    discover::ChoicePlan,
    draft::Draft,
    interpolation::Interpolation,
    limit::Bucket,
    manifest::{Category, GuideSpec, OperationKind},
    object::Object,
    operation::Operation,
    paging::Next,
    parameter::Header,
    prepare::PreparationPlan,
    request::Request,
    resolve::Resolver,
    rule::{Circumstances, Rule, judge},
    schema::Schema,
    shape::FieldFault,
    trial::TestCall,
};

pub use crate::{
    account::{Account, Call, Start},
    bulk::{Bulk, BulkAnswer, BulkRequest, answers_within},
    decision::{Decision, Doubt, Known},
    discover::{Choice, FieldView, Findings, FoundField, FoundObject, Misfit, Survey},
    identity::AccountId,
    means::{Means, Recovery},
    paging::PageAt,
    prepare::{Preparation, PrepareStep},
    resolve::{Asking, Directory, Question, QuestionId, Resolution},
    trial::{TestStep, Trial},
};

/// One connector.
#[derive(Debug)]
pub struct Connector {
    /// Its name in configuration files and the API.
    pub(crate) slug: String,
    /// Other names that configuration files use.
    pub(crate) aliases: Vec<String>,
    /// The vendor's own name of the product.
    pub(crate) name: String,
    /// One line for the list of connectors.
    pub(crate) summary: String,
    /// What kind of system it is.
    pub(crate) category: Category,
    /// The vendor's colour, `#rrggbb`.
    pub(crate) color: String,
    /// The vendor's documentation.
    pub(crate) docs: String,
    /// The icon, SVG.
    pub(crate) icon: String,
    /// The set-up guide, Markdown.
    pub(crate) guide_text: String,
    /// The vendor's objects by name.
    pub(crate) objects: IndexMap<String, Object>,
    /// What the vendor allows.
    pub(crate) limits: Vec<Bucket>,
    /// What names the vendor's account.
    pub(crate) account_names: Vec<Template>,
    /// The waits between tries.
    pub(crate) retry_seconds: Option<Template>,
    pub(crate) settings: Schema,
    pub(crate) guide: GuideSpec,
    pub(crate) auth: Vec<Auth>,
    pub(crate) lookups: Tables,
    pub(crate) values: IndexMap<String, Template>,
    pub(crate) base_url: Interpolation,
    pub(crate) headers: Vec<Header>,
    pub(crate) extra_headers: Option<Template>,
    pub(crate) test: Vec<TestCall>,
    pub(crate) preparations: Vec<PreparationPlan>,
    pub(crate) resolvers: Vec<Resolver>,
    pub(crate) choices: IndexMap<String, ChoicePlan>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) operations: BTreeMap<OperationKind, Vec<Operation>>,
}

impl Connector {
    /// Whether configuration files may call it that, regardless of case.
    pub fn is_called(&self, name: &str) -> bool {
        self.slug.eq_ignore_ascii_case(name) || self.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(name))
    }

    /// Its name in configuration files and the API.
    pub fn slug(&self) -> &str {
        &self.slug
    }

    /// Other names that configuration files use.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// The vendor's own name of the product.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// One line for the list of connectors.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// What kind of system it is.
    pub fn category(&self) -> Category {
        self.category
    }

    /// The vendor's colour, `#rrggbb`.
    pub fn color(&self) -> &str {
        &self.color
    }

    /// Address of the vendor's documentation.
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// The icon, SVG.
    pub fn icon(&self) -> &str {
        &self.icon
    }

    /// The set-up guide, Markdown.
    pub fn guide_text(&self) -> &str {
        &self.guide_text
    }

    /// The vendor's objects, in the order of the manifest.
    pub fn objects(&self) -> impl Iterator<Item = &Object> {
        self.objects.values()
    }

    /// The names of the objects.
    pub fn object_names(&self) -> Vec<&str> {
        self.objects.keys().map(String::as_str).collect()
    }

    /// The number of the object with this name, as limits know it.
    pub fn object_number(&self, name: &str) -> Option<u16> {
        self.objects.get_index_of(name).and_then(|at| u16::try_from(at).ok())
    }

    /// The object with this name, vendor's name or alias.
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.objects
            .get(name)
            .or_else(|| self.objects.values().find(|object| object.is_called(name)))
    }

    /// The JSON Schema of the settings.
    pub fn settings_schema(&self) -> &Value {
        self.settings.source()
    }

    /// The ways to authenticate: name, title, JSON Schema of the credentials.
    pub fn auth_kinds(&self) -> impl Iterator<Item = (&str, &str, &Value)> {
        self.auth
            .iter()
            .map(|auth| (auth.name.as_str(), auth.title.as_str(), auth.credentials.source()))
    }

    /// Brings a mapped record into the form that the vendor takes.
    ///
    /// # Errors
    /// Every field that the vendor would refuse.
    pub fn shape(&self, object: &str, mapped: Value) -> Result<Value, Vec<FieldFault>> {
        match self.object(object) {
            Some(object) => object.shape.apply(mapped),
            None => {
                let message = format!("{} has no object `{object}`", self.name);
                Err(vec![FieldFault {
                    field: String::new(),
                    message,
                    is_missing: false,
                }])
            }
        }
    }

    /// What can be done with this record on this account. What would resolve a doubt can be done only as far as it could when the doubt arose; see
    /// [`Recovery`].
    ///
    /// # Errors
    /// When there is no such object.
    pub fn abilities(&self, object: &str, account: &Account, call: &Call) -> Result<Abilities, Problem> {
        let object = self.known_object(object)?;
        let scope = self.scope(account, Some(&object.name), call);
        let way = |kind| self.way(object, kind, call, &scope);
        Ok(Abilities {
            record: object.record,
            create: way(OperationKind::Create).map(|way| way.is_repeatable(call)),
            update: way(OperationKind::Update).is_some(),
            upsert: way(OperationKind::Upsert).is_some(),
            find: way(OperationKind::Find).is_some(),
            probe: way(OperationKind::Probe).is_some(),
            delete: way(OperationKind::Delete).is_some(),
        })
    }

    /// Which call a delivery needs next; see [`decide`].
    pub fn next_call(&self, object: &str, account: &Account, call: &Call) -> Decision {
        match self.abilities(object, account, call) {
            Ok(can) => decide(&call.known, can),
            Err(problem) => Decision::Reject(problem),
        }
    }

    /// How long a written record may stay invisible to the object's probe, in milliseconds.
    pub fn read_lag_ms(&self, object: &str) -> i64 {
        let probes = self
            .object(object)
            .map(|object| self.ways(object, OperationKind::Probe))
            .unwrap_or_default();
        probes.iter().map(|probe| probe.read_lag_ms).max().unwrap_or(0)
    }

    /// Whether a record of this object that is there can be changed.
    pub fn changes(&self, object: &str) -> bool {
        let kinds = [OperationKind::Update, OperationKind::Upsert];
        let object = self.object(object);
        object.is_some_and(|object| kinds.iter().any(|kind| !self.ways(object, *kind).is_empty()))
    }

    /// The request of an operation, about the record that [`Known::target`] names where it needs one.
    ///
    /// # Errors
    /// When the object or operation does not exist, or something that the request needs has no value.
    pub fn build(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        call: &Call,
    ) -> Result<HttpRequest, Problem> {
        let object = self.known_object(object)?;
        let id = id_layer(call);
        let scope = self.scope(account, Some(&object.name), call).with_map(&id);
        let way = self.way(object, kind, call, &scope).ok_or_else(|| {
            let detail = format!("{} cannot {kind} a {} as it is", self.name, object.title);
            Problem::new(
                Code::ObjectUnsupported,
                detail,
                "Map the fields that the connector needs.",
            )
        })?;
        let Some(pages) = &way.pages else {
            return self.authorised(&way.request, account, &scope);
        };
        let variables = pages.variables(call.page());
        let scope = scope.with_map(&variables);
        let mut draft = way.request.draft(account.base_url.as_deref(), &scope)?;
        call.page().go_to(&mut draft)?;
        self.complete(draft, account, &scope)
    }

    /// The page that has to be read before it is known what a read found: this one does not hold it and is not the last.
    /// [`Call::turn_to`] makes it the next one that [`Connector::build`] asks for.
    pub fn next_page(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        call: &Call,
        answer: &Answer,
    ) -> Option<PageAt> {
        match self.meaning(object, kind, account, call, answer) {
            Meaning::NotHere(Next::Page(page)) => Some(page),
            _ => None,
        }
    }

    /// What the answer to an operation means. Without positive evidence of success it is never `Delivered`, and what is not on one of
    /// several pages is not `Missing`.
    pub fn read(&self, object: &str, kind: OperationKind, account: &Account, call: &Call, answer: &Answer) -> Outcome {
        let outcome = match self.meaning(object, kind, account, call, answer) {
            Meaning::Outcome(outcome) => outcome,
            Meaning::NotHere(Next::None) => Outcome::Missing,
            Meaning::NotHere(Next::Page(_)) => unknown("it is not on this page, and there are more"),
            Meaning::NotHere(Next::TooMany) => unknown("it is not on the pages that were read, and there are more"),
        };
        concerning(kind, self.without_refresh(outcome, account))
    }

    fn meaning(&self, object: &str, kind: OperationKind, account: &Account, call: &Call, answer: &Answer) -> Meaning {
        let Some(object) = self.object(object) else {
            return Meaning::Outcome(unknown(&format!("{} has no such object", self.name)));
        };
        let id = id_layer(call);
        let scope = self.scope(account, Some(&object.name), call).with_map(&id);
        let Some(way) = self.way(object, kind, call, &scope) else {
            return Meaning::Outcome(unknown(&format!("{} cannot {kind} this record any more", self.name)));
        };
        let around = Circumstances {
            scope: &scope,
            repeatable: way.repeatable,
            id_pattern: object.id_pattern.as_ref(),
        };
        if let Some(outcome) = way.rules.iter().find_map(|rule| rule.judge(answer, around)) {
            return Meaning::Outcome(outcome);
        }
        match way.succeeded(answer, call.record(), around) {
            Some(Outcome::Missing) => Meaning::NotHere(way.next_page(call.page(), answer, &scope)),
            Some(outcome) => Meaning::Outcome(outcome),
            None => Meaning::Outcome(judge(object.rules.iter().chain(&self.rules), answer, around)),
        }
    }

    /// Where there is no token to renew, a refused credential is a refused credential.
    pub(crate) fn without_refresh(&self, outcome: Outcome, account: &Account) -> Outcome {
        match outcome {
            Outcome::Reauthorise { message } if self.auth[account.auth].token.is_none() => Outcome::Denied { message },
            other => other,
        }
    }

    /// The ways of this kind.
    pub(crate) fn ways<'c>(&'c self, object: &'c Object, kind: OperationKind) -> &'c [Operation] {
        object
            .operations
            .get(&kind)
            .or_else(|| self.operations.get(&kind))
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// The first way of this kind for which everything is there.
    fn way<'c>(
        &'c self,
        object: &'c Object,
        kind: OperationKind,
        call: &Call,
        scope: &Scope<'_>,
    ) -> Option<&'c Operation> {
        self.numbered_way(object, kind, call, scope).map(|(_, way)| way)
    }

    /// The same with its position among the ways. What is in doubt leaves no choice; see [`Known::bound`].
    pub(crate) fn numbered_way<'c>(
        &'c self,
        object: &'c Object,
        kind: OperationKind,
        call: &Call,
        scope: &Scope<'_>,
    ) -> Option<(usize, &'c Operation)> {
        let bound = call.known.bound(kind);
        let allowed = |at: usize| bound.is_none_or(|only| only == u16::try_from(at).ok());
        let mut ways = self.ways(object, kind).iter().enumerate();
        ways.find(|(at, way)| allowed(*at) && way.is_available(scope))
    }

    pub(crate) fn known_object(&self, name: &str) -> Result<&Object, Problem> {
        self.object(name).ok_or_else(|| {
            let known: Vec<_> = self.objects.keys().map(String::as_str).collect();
            let near = nearest(name, known.iter().copied());
            let near = near.map(|near| format!(" Did you mean `{near}`?")).unwrap_or_default();
            let detail = format!("{} has no object `{name}`", self.name);
            Problem::new(
                Code::ObjectUnsupported,
                detail,
                format!("Use one of {}.{near}", known.join(", ")),
            )
        })
    }

    /// A request that reads what lies at `path` behind the address of the account. The path is whole and escaped already.
    ///
    /// # Errors
    /// When the account lacks its address or a credential.
    pub fn read_request(
        &self,
        account: &Account,
        token: Option<&crate::auth::Token>,
        path: &str,
    ) -> Result<HttpRequest, Problem> {
        let base = account.base_url.as_deref();
        let base = base.ok_or_else(|| crate::request::incomplete("the address of the account is not known yet"))?;
        let mut call = Call::plain();
        call.set_token(token);
        let mut draft = Draft::new(http::Method::GET, format!("{}{path}", base.trim_end_matches('/')));
        draft.add_header(http::header::ACCEPT, "application/json", false)?;
        self.complete(draft, account, &self.scope(account, None, &call))
    }

    /// A request of the manifest with the connector's headers and the account's authorisation.
    pub(crate) fn authorised(
        &self,
        request: &Request,
        account: &Account,
        scope: &Scope<'_>,
    ) -> Result<HttpRequest, Problem> {
        let draft = request.draft(account.base_url.as_deref(), scope)?;
        self.complete(draft, account, scope)
    }

    /// Adds the connector's headers and the account's authorisation.
    pub(crate) fn complete(
        &self,
        mut draft: Draft,
        account: &Account,
        scope: &Scope<'_>,
    ) -> Result<HttpRequest, Problem> {
        if let Some(extra) = &self.extra_headers {
            draft.add_user_headers(extra, scope)?;
        }
        draft.add_headers(&self.headers, scope)?;
        let auth = &self.auth[account.auth];
        if let Some(basic) = &auth.basic {
            basic.add_to(&mut draft, scope)?;
        }
        draft.add_headers(&auth.headers, scope)?;
        draft.add_query(&auth.query, scope)?;
        if let Some(sign) = auth.sign {
            sign(&mut draft, scope)?;
        }
        // Wherever a manifest puts a credential, into a path or a body too, nobody may see it.
        for secret in &auth.secrets {
            if let Some(secret) = account.secret(secret) {
                draft.hide(secret);
            }
        }
        if let Some(token) = scope.variable("token").and_then(Value::as_str) {
            draft.hide(token);
        }
        Ok(draft.finish())
    }
}

/// What an answer means, as long as nobody has looked at further pages.
enum Meaning {
    Outcome(Outcome),
    /// A read found nothing here; this comes after it.
    NotHere(Next),
}

/// What an outcome means to a call of this kind. That another record has the value already is no reason to change that other one instead.
pub(crate) fn concerning(kind: OperationKind, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Duplicate { existing } if kind == OperationKind::Update => {
            let which = existing.map(|id| format!(" ({id})")).unwrap_or_default();
            Outcome::Rejected {
                message: format!(
                    "another record{which} has one of these values already, and the vendor allows it once"
                ),
                fields: Vec::new(),
            }
        }
        other => other,
    }
}

fn unknown(message: &str) -> Outcome {
    Outcome::Unknown {
        message: message.to_owned(),
    }
}

pub(crate) fn id_layer(call: &Call) -> Map<String, Value> {
    call.known
        .target()
        .map(|id| ("id".to_owned(), id.into()))
        .into_iter()
        .collect()
}
