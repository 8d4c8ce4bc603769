//! Trees of templates in manifests: bodies, with members whose names are not known beforehand and parts that are sent as text.

use std::borrow::Cow;

use serde_json::{Map, Value};
use switchboard_model::{
    mapping::Mapping,
    problem::Problem,
    template::{Scope, Template},
};

use crate::{
    compile::{Compiler, child},
    manifest::InsertSpec,
    operation::has_value,
    record::place_for,
    request::{failed, render, text, unrendered},
};

/// The member that makes JSON text of what stands in its object.
pub(crate) const JSON_TEXT: &str = "$json";
/// Its inserts, beside it.
const JSON_INSERT: &str = "$insert";

/// A tree of templates, with members whose names are not known beforehand.
#[derive(Debug)]
pub(crate) struct Tree {
    tree: Mapping,
    insert: Vec<Insert>,
    texts: Vec<JsonText>,
}

/// A part that is sent as JSON text.
#[derive(Debug)]
struct JsonText {
    at: String,
    tree: Tree,
}

#[derive(Debug)]
struct Insert {
    at: String,
    requires: Vec<Template>,
    what: What,
}

#[derive(Debug)]
enum What {
    Member { name: Template, value: Mapping },
    Item(Mapping),
}

impl Tree {
    /// Compiles the tree at `at`, and the members at `inserts_at`.
    pub fn compile(
        compiler: &mut Compiler<'_>,
        (at, tree): (&str, &Value),
        (inserts_at, inserts): (&str, &[InsertSpec]),
    ) -> Option<Self> {
        let insert = compiler.list(inserts_at, inserts, Insert::compile);
        let mut plain = tree.clone();
        let mut texts = Vec::new();
        take_texts(compiler, at, "", &mut plain, &mut texts);
        let tree = compiler.mapping(at, &plain)?;
        Some(Self { tree, insert, texts })
    }

    /// Fills it in; an empty object when nothing is left of it. A record that is sent as it is, is not copied.
    ///
    /// # Errors
    /// When a template fails.
    pub fn fill<'v>(&'v self, scope: &Scope<'v>) -> Result<Cow<'v, Value>, Problem> {
        let filled = self.filled(scope)?;
        Ok(filled.unwrap_or_else(|| Cow::Owned(Value::Object(Map::new()))))
    }

    /// The same; `None` when nothing is left of it.
    ///
    /// # Errors
    /// When a template fails.
    pub fn filled<'v>(&'v self, scope: &Scope<'v>) -> Result<Option<Cow<'v, Value>>, Problem> {
        let plain = self.insert.is_empty() && self.texts.is_empty();
        let lone = plain.then(|| self.tree.lone(scope)).flatten();
        match lone {
            Some(value) => value.map_err(|errors| unrendered(&errors)),
            None => Ok(self.render(scope)?.map(Cow::Owned)),
        }
    }

    /// Fills it in; `None` when nothing is left of it.
    ///
    /// # Errors
    /// When a template fails.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Option<Value>, Problem> {
        let mut body = render(&self.tree, scope)?;
        for text in &self.texts {
            if let Some(json) = text.tree.render(scope)? {
                let place = place_for(body.get_or_insert(Value::Null), &text.at);
                *place.ok_or_else(|| no_place(&text.at))? = json.to_string().into();
            }
        }
        for insert in &self.insert {
            insert.put(&mut body, scope)?;
        }
        Ok(body)
    }
}

/// Takes the parts that are sent as text out of a tree.
fn take_texts(compiler: &mut Compiler<'_>, root: &str, at: &str, tree: &mut Value, texts: &mut Vec<JsonText>) {
    match tree {
        Value::Object(members) => {
            let is_text = |member: &Value| member.get(JSON_TEXT).is_some();
            let names: Vec<String> = members.keys().cloned().collect();
            for name in names {
                let inside = child(at, &name);
                if members.get(&name).is_some_and(is_text) {
                    let part = members.shift_remove(&name).unwrap_or_default();
                    texts.extend(JsonText::compile(compiler, root, inside, &part));
                } else if let Some(member) = members.get_mut(&name) {
                    take_texts(compiler, root, &inside, member, texts);
                }
            }
        }
        Value::Array(items) if items.iter().any(|item| item.get(JSON_TEXT).is_some()) => {
            let next = "Put it into a member of an object.";
            compiler.report(&format!("{root}{at}"), "an item of a list cannot be JSON text", next);
        }
        _ => {}
    }
}

impl JsonText {
    fn compile(compiler: &mut Compiler<'_>, root: &str, at: String, part: &Value) -> Option<Self> {
        let place = format!("{root}{at}");
        let inserts = part
            .get(JSON_INSERT)
            .cloned()
            .unwrap_or_else(|| Value::Array(Vec::new()));
        let inserts: Vec<InsertSpec> = match serde_json::from_value(inserts) {
            Ok(inserts) => inserts,
            Err(error) => {
                let next = "Write it like `insert`.";
                compiler.report(&child(&place, JSON_INSERT), error.to_string(), next);
                return None;
            }
        };
        let others = part.as_object().into_iter().flatten().map(|(name, _)| name);
        for other in others.filter(|name| ![JSON_TEXT, JSON_INSERT].contains(&name.as_str())) {
            let next = "Put it inside of `$json`.";
            compiler.report(&child(&place, other), format!("`{other}` stands beside `$json`"), next);
        }
        let (tree_at, insert_at) = (child(&place, JSON_TEXT), child(&place, JSON_INSERT));
        let tree = Tree::compile(compiler, (&tree_at, &part[JSON_TEXT]), (&insert_at, &inserts))?;
        Some(Self { at, tree })
    }
}

impl Insert {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &InsertSpec) -> Option<Self> {
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let what = match (&spec.name, &spec.value, &spec.append) {
            (Some(name), Some(value), None) => {
                let name = compiler.template(&child(at, "name"), name);
                let value = compiler.mapping(&child(at, "value"), value);
                name.zip(value).map(|(name, value)| What::Member { name, value })
            }
            (None, None, Some(item)) => compiler.mapping(&child(at, "append"), item).map(What::Item),
            _ => {
                let next = "Give `name` and `value` (a member), or `append` (an item of a list).";
                compiler.report(at, "it is not said what is inserted", next);
                None
            }
        };
        Some(Self {
            at: spec.at.clone(),
            requires,
            what: what?,
        })
    }

    /// An object or list that is not there is made.
    fn put(&self, body: &mut Option<Value>, scope: &Scope<'_>) -> Result<(), Problem> {
        if !self.requires.iter().all(|path| has_value(path, scope)) {
            return Ok(());
        }
        match &self.what {
            What::Member { name, value } => {
                let Some(name) = text(name, scope)?.filter(|name| !name.is_empty()) else {
                    return Ok(());
                };
                let Some(value) = render(value, scope)? else {
                    return Ok(());
                };
                let place = place_of(body.get_or_insert(Value::Null), &self.at)?;
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                let members = place.as_object_mut().ok_or_else(|| no_place(&self.at))?;
                members.insert(name, value);
            }
            What::Item(item) => {
                let Some(item) = render(item, scope)? else {
                    return Ok(());
                };
                let place = place_of(body.get_or_insert(Value::Null), &self.at)?;
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let items = place.as_array_mut().ok_or_else(|| no_place(&self.at))?;
                items.push(item);
            }
        }
        Ok(())
    }
}

fn place_of<'b>(body: &'b mut Value, at: &str) -> Result<&'b mut Value, Problem> {
    place_for(body, at).ok_or_else(|| no_place(at))
}

fn no_place(at: &str) -> Problem {
    failed(&format!("the body has something else at `{at}`"))
}
