//! Members of a record in the form that the vendor wants for their type.

use indexmap::IndexMap;
use serde_json::{Map, Value};
use serde_json_path::JsonPath;
use switchboard_model::{
    mapping::Mapping,
    problem::Problem,
    template::{Scope, Template},
};

use super::directory::normal;
use crate::{
    compile::{Compiler, child},
    manifest::{MembersShape, NamedSpec, ResolveSpec},
    operation::optional,
    reading::{Source, text_of},
    request::{render, text},
};

/// What becomes of the members of one object; see [`ResolveSpec::members`].
#[derive(Debug)]
pub(super) struct Members {
    /// Where the object is in the record.
    pub at: String,
    form_type: Option<Source>,
    forms: IndexMap<String, Mapping>,
    options: Option<Named>,
    key: Option<Template>,
    pub shape: MembersShape,
}

#[derive(Debug)]
struct Named {
    each: JsonPath,
    names: Vec<Source>,
    value: Source,
}

impl Members {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &ResolveSpec) -> Option<Option<Self>> {
        let Some(members) = &spec.members else {
            let parts =
                !spec.forms.is_empty() || spec.options.is_some() || spec.key.is_some() || spec.form_type.is_some();
            if parts {
                let next = "Name the object in `members`, or leave them out.";
                compiler.report(at, "`type`, `forms`, `options` and `key` belong to `members`", next);
            }
            return Some(None);
        };
        if spec.field.is_some() || spec.wanted.is_some() {
            let next = "Make two entries of it.";
            compiler.report(at, "`members` looks up keys, `field` and `for` look up values", next);
        }
        let form_type = optional(&spec.form_type, |source| {
            Source::compile(compiler, &child(at, "type"), source)
        });
        let forms = compiler.table(&child(at, "forms"), &spec.forms, |compiler, at, form| {
            compiler.mapping(at, form)
        });
        let options = optional(&spec.options, |options| {
            Named::compile(compiler, &child(at, "options"), options)
        });
        let key = optional(&spec.key, |key| compiler.template(&child(at, "key"), key));
        Some(Some(Self {
            at: members.clone(),
            form_type: form_type?,
            forms,
            options: options?,
            key: key?,
            shape: spec.shape,
        }))
    }

    /// A member in the vendor's form: its name and its value; `None` when nothing is left of it.
    pub fn form(
        &self,
        name: &str,
        value: &Value,
        field: &Value,
        scope: &Scope<'_>,
    ) -> Result<Option<(String, Value)>, Problem> {
        let word = self.form_type.as_ref().and_then(|source| source.first_in(field, scope));
        let word = word.as_ref().and_then(text_of).unwrap_or_default();
        let option = self
            .options
            .as_ref()
            .and_then(|options| options.find(field, value, scope));
        let seen = Map::from_iter([
            ("value".to_owned(), value.clone()),
            ("option".to_owned(), option.unwrap_or_else(|| value.clone())),
            ("field".to_owned(), field.clone()),
            ("type".to_owned(), word.as_ref().into()),
        ]);
        let scope = scope.clone().with_map(&seen);
        let name = match &self.key {
            Some(key) => text(key, &scope)?.unwrap_or_else(|| name.to_owned()),
            None => name.to_owned(),
        };
        let is_formed = value.is_object() || value.is_array();
        let formed = match self.forms.get(word.as_ref()).filter(|_| !is_formed) {
            Some(form) => render(form, &scope)?,
            None => Some(value.clone()),
        };
        Ok(formed.map(|formed| (name, formed)))
    }
}

impl Named {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &NamedSpec) -> Option<Self> {
        let each = compiler.json_path(&child(at, "each"), &spec.each);
        let names = Source::compile_each(compiler, &child(at, "match"), &spec.names);
        let value = Source::compile(compiler, &child(at, "value"), &spec.value);
        Some(Self {
            each: each?,
            names,
            value: value?,
        })
    }

    fn find(&self, field: &Value, wanted: &Value, scope: &Scope<'_>) -> Option<Value> {
        let wanted = normal(&text_of(wanted)?);
        let goes_by = |item: &&Value| {
            let mut names = self.names.iter().flat_map(|name| name.texts_in(item, scope));
            names.any(|name| normal(&name) == wanted)
        };
        let found = self.each.query(field).all().into_iter().find(goes_by)?;
        self.value.first_in(found, scope)
    }
}
