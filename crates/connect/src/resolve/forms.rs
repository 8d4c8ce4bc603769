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
    shape::is_blank,
};

/// What becomes of the members of one object; see [`ResolveSpec::members`].
#[derive(Debug)]
pub(super) struct Members {
    /// Where the object is in the record.
    pub at: String,
    form_type: Option<Source>,
    forms: IndexMap<String, Form>,
    options: Option<Named>,
    key: Option<Template>,
    pub shape: MembersShape,
}

/// What has become of a member.
#[derive(Debug)]
pub(super) enum Formed {
    /// Its name and its value as the vendor wants them.
    Member(String, Value),
    /// It had no value.
    Blank,
    /// Nothing of its value is left in the form of its type; `wants` are the templates that read the value.
    Unfit { type_word: String, wants: String },
}

/// The form of one type.
#[derive(Debug)]
struct Form {
    tree: Mapping,
    /// Those of its templates that read the value, each with its text.
    of_value: Vec<(String, Template)>,
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
        let forms = compiler.table(&child(at, "forms"), &spec.forms, Form::compile);
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

    /// A member in the vendor's form.
    ///
    /// # Errors
    /// When a template fails.
    pub fn form(&self, name: &str, value: &Value, field: &Value, scope: &Scope<'_>) -> Result<Formed, Problem> {
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
        let Some(form) = self.forms.get(word.as_ref()).filter(|_| !is_formed) else {
            return Ok(Formed::Member(name, value.clone()));
        };
        let formed = render(&form.tree, &scope)?;
        Ok(match formed.filter(|_| !form.loses_value(&scope)) {
            Some(formed) => Formed::Member(name, formed),
            None if is_blank(value) => Formed::Blank,
            None => Formed::Unfit {
                type_word: word.into_owned(),
                wants: form.wants(),
            },
        })
    }
}

impl Members {
    /// What messages call one of them.
    pub fn place(&self, object: &str, member: &str) -> String {
        let at = self.at.trim_start_matches('/').replace('/', ".");
        format!("{object}.{at}.{member}")
    }
}

impl Form {
    fn compile(compiler: &mut Compiler<'_>, at: &str, tree: &Value) -> Option<Self> {
        let mapping = compiler.mapping(at, tree)?;
        let mut of_value = Vec::new();
        templates_of_value(tree, &mut of_value);
        Some(Self {
            tree: mapping,
            of_value,
        })
    }

    /// Whether it reads the value and nothing comes of that: what stands around the value does not make up for it.
    fn loses_value(&self, scope: &Scope<'_>) -> bool {
        let comes_to_nothing = |(_, template): &(String, Template)| {
            let rendered = template.render(scope);
            rendered.is_ok_and(|rendered| rendered.as_ref().is_none_or(is_blank))
        };
        !self.of_value.is_empty() && self.of_value.iter().all(comes_to_nothing)
    }

    fn wants(&self) -> String {
        let mut texts: Vec<String> = self.of_value.iter().map(|(text, _)| format!("`{text}`")).collect();
        texts.dedup();
        texts.join(", ")
    }
}

/// The templates of a tree that read the member's value or the option that goes by it.
fn templates_of_value(tree: &Value, found: &mut Vec<(String, Template)>) {
    match tree {
        Value::String(text) => {
            let template = Template::parse(text).ok();
            let of_value = template.filter(|template| {
                template
                    .paths()
                    .iter()
                    .any(|path| matches!(path.root(), "value" | "option"))
            });
            found.extend(of_value.map(|template| (text.clone(), template)));
        }
        Value::Array(items) => items.iter().for_each(|item| templates_of_value(item, found)),
        Value::Object(members) => members.values().for_each(|member| templates_of_value(member, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
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
