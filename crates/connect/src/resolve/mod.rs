//! Values that a vendor wants as its own ids: which are to be looked up, the call that does it, and what the answer puts in
//! their place. What was looked up is kept by the hub.
//!
//! [`directory`] is an answer, [`resolution`] looks up the values of one record, [`asking`] makes the calls of one question,
//! [`forms`] brings members into the form of their type.

mod asking;
mod directory;
mod forms;
mod resolution;

pub use asking::Asking;
pub use directory::{Directory, Question, QuestionId};
pub use resolution::Resolution;

use forms::Members;
use regex::Regex;
use serde_json::Value;
use switchboard_model::{
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    account::Call,
    compile::{Compiler, child},
    listing::{Listing, ListingParts},
    manifest::{ResolveSpec, Unresolved},
    operation::{has_value, optional},
    reading::{Source, text_of},
    record::member,
    request::failed,
};

/// A compiled look-up; see [`ResolveSpec`].
#[derive(Debug)]
pub(crate) struct Resolver {
    name: String,
    title: String,
    objects: Vec<String>,
    field: Option<String>,
    members: Option<Members>,
    wanted: Option<Template>,
    pattern: Option<Regex>,
    id_pattern: Option<Regex>,
    requires: Vec<Template>,
    unless: Vec<Template>,
    listing: Listing,
    names: Vec<Source>,
    value: Source,
    absent: Unresolved,
    lifetime_ms: i64,
    absent_ms: i64,
}

impl Resolver {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &ResolveSpec) -> Option<Self> {
        check(compiler, at, spec);
        let wanted = optional(&spec.wanted, |wanted| compiler.template(&child(at, "for"), wanted));
        let members = Members::compile(compiler, at, spec);
        let pattern = optional(&spec.pattern, |pattern| compiler.regex(&child(at, "pattern"), pattern));
        let id_pattern = optional(&spec.id_pattern, |pattern| {
            compiler.regex(&child(at, "id_pattern"), pattern)
        });
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let unless = compiler.paths(&child(at, "unless"), &spec.unless);
        let parts = ListingParts {
            request: &spec.request,
            when: &spec.when,
            items: spec.items.as_ref(),
            pages: spec.pages.as_ref(),
            classify: &spec.classify,
        };
        let listing = Listing::compile(compiler, at, &parts);
        let names = Source::compile_each(compiler, &child(at, "match"), &spec.names);
        let value = Source::compile(compiler, &child(at, "value"), &spec.value);
        Some(Self {
            name: spec.name.clone(),
            title: spec.title.clone(),
            objects: spec.objects.clone(),
            field: spec.field.clone(),
            members: members?,
            wanted: wanted?,
            pattern: pattern?,
            id_pattern: id_pattern?,
            requires,
            unless,
            listing: listing?,
            names,
            value: value?,
            absent: spec.absent,
            lifetime_ms: i64::from(spec.lifetime_seconds) * 1000,
            absent_ms: i64::from(spec.absent_seconds) * 1000,
        })
    }

    fn is_for(&self, object: &str) -> bool {
        self.objects.is_empty() || self.objects.iter().any(|name| name == object)
    }

    /// What this record wants to have looked up; `None`: nothing.
    fn wanted(&self, scope: &Scope<'_>, call: &Call) -> Result<Option<Value>, Problem> {
        let needed = self.requires.iter().all(|path| has_value(path, scope))
            && !self.unless.iter().any(|path| has_value(path, scope));
        if !needed {
            return Ok(None);
        }
        match (&self.wanted, &self.field) {
            (Some(template), _) => template.render(scope).map_err(|error| failed(&error.to_string())),
            (None, Some(field)) => Ok(member(call.record(), field).cloned()),
            (None, None) => {
                let members = self
                    .members
                    .as_ref()
                    .and_then(|members| member(call.record(), &members.at));
                Ok(members.filter(|members| members.is_object()).cloned())
            }
        }
    }

    /// Whether it looks this text up, or takes it for an id.
    fn is_about(&self, given: &Value) -> bool {
        let text = text_of(given).unwrap_or_default();
        !text.trim().is_empty() && self.pattern.as_ref().is_none_or(|pattern| pattern.is_match(&text))
    }
}

fn check(compiler: &mut Compiler<'_>, at: &str, spec: &ResolveSpec) {
    if spec.field.is_none() && spec.wanted.is_none() && spec.members.is_none() {
        let next = "Give `field`, `for` or both, or `members`.";
        compiler.report(at, "nothing says what is to be looked up", next);
    }
    let is_one_for_all = !compiler.mentions(&child(at, "request"), "wanted");
    if is_one_for_all && spec.names.each().next().is_none() {
        let detail = "neither the request nor `match` names the wanted text";
        compiler.report(
            at,
            detail,
            "Put `{{ wanted }}` into the request, or say in `match` what a candidate goes by.",
        );
    }
}
