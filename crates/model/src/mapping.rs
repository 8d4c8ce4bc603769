//! Mappings: JSON trees whose strings are templates.
//!
//! What is absent goes: a member whose template is absent is left out, and an object or list that held templates and
//! lost everything to absence is absent itself, so that `{"select": {"name": "{{platform}}"}}` disappears when there is
//! no platform. Literal content stays, empty literal containers too. Keys are literal.

pub mod check;
pub mod rules;

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use crate::template::{Path, RenderError, Scope, Template, TemplateError};

/// Trees nested more deeply are refused.
const DEEPEST: usize = 32;

/// A mistake in one string of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{pointer}: {error}")]
pub struct MappingError {
    /// JSON pointer (RFC 6901) of the string.
    pub pointer: String,
    /// What is wrong with it.
    pub error: MappingFault,
}

/// What can be wrong with a string of a mapping.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingFault {
    /// It is no template.
    #[error(transparent)]
    Syntax(#[from] TemplateError),
    /// It cannot be filled in.
    #[error(transparent)]
    Render(#[from] RenderError),
    /// The rule of a field is more than filters.
    #[error("the rule of a field is filters alone, such as `number | default: 0`")]
    NoFilters,
    /// The tree is too deep here.
    #[error("nested more than {DEEPEST} deep")]
    TooDeep,
}

#[derive(Debug)]
enum Node {
    Literal(Value),
    Template(Template),
    Object(Vec<(String, Node)>),
    Array(Vec<Node>),
}

/// A compiled mapping. Clones share it.
#[derive(Debug, Clone)]
pub struct Mapping {
    root: Arc<Node>,
}

impl Mapping {
    /// Compiles a tree.
    ///
    /// # Errors
    /// Every mistake in it.
    pub fn compile(tree: &Value) -> Result<Self, Vec<MappingError>> {
        let mut errors = Vec::new();
        let root = compile(tree, &Place::Root, &mut errors);
        if errors.is_empty() {
            Ok(Self { root: Arc::new(root) })
        } else {
            Err(errors)
        }
    }

    /// Fills it in; `None` when nothing is left of it. The scope's limit holds for each string and for all together.
    ///
    /// # Errors
    /// Every template that failed.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Option<Value>, Vec<MappingError>> {
        let mut rendering = Rendering {
            scope,
            bytes: 0,
            errors: Vec::new(),
        };
        let value = rendering.node(&self.root, &Place::Root);
        if rendering.errors.is_empty() {
            Ok(value)
        } else {
            Err(rendering.errors)
        }
    }

    /// The value of a tree that is one single expression and nothing else, not copied where that is possible; `None` for every other tree.
    ///
    /// # Errors
    /// See [`Mapping::render`].
    pub fn lone<'v>(&'v self, scope: &Scope<'v>) -> Option<Result<Option<Cow<'v, Value>>, Vec<MappingError>>> {
        let Node::Template(template) = &*self.root else {
            return None;
        };
        let value = template.lone(scope)?;
        let checked = value.and_then(|value| {
            scope.check_size(value.as_deref().map_or(0, weight))?;
            Ok(value)
        });
        Some(checked.map_err(|error| vec![Place::Root.error(error)]))
    }

    /// The members that its tree has at the top.
    pub fn members(&self) -> Vec<&str> {
        match &*self.root {
            Node::Object(members) => members.iter().map(|(key, _)| key.as_str()).collect(),
            Node::Literal(Value::Object(members)) => members.keys().map(String::as_str).collect(),
            Node::Literal(_) | Node::Template(_) | Node::Array(_) => Vec::new(),
        }
    }

    /// Every path that it reads.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        collect(&self.root, &mut paths);
        paths
    }
}

/// Where in the tree. Lives on the stack; only a mistake makes text of it.
enum Place<'p> {
    Root,
    Member(&'p Place<'p>, &'p str),
    Item(&'p Place<'p>, usize),
}

impl Place<'_> {
    fn depth(&self) -> usize {
        match self {
            Self::Root => 0,
            Self::Member(parent, _) | Self::Item(parent, _) => parent.depth() + 1,
        }
    }

    fn pointer(&self) -> String {
        match self {
            Self::Root => String::new(),
            Self::Member(parent, key) => {
                format!("{}/{}", parent.pointer(), key.replace('~', "~0").replace('/', "~1"))
            }
            Self::Item(parent, at) => format!("{}/{at}", parent.pointer()),
        }
    }

    fn error(&self, error: impl Into<MappingFault>) -> MappingError {
        MappingError {
            pointer: self.pointer(),
            error: error.into(),
        }
    }
}

fn compile(tree: &Value, place: &Place<'_>, errors: &mut Vec<MappingError>) -> Node {
    if place.depth() > DEEPEST {
        errors.push(place.error(MappingFault::TooDeep));
        return Node::Literal(Value::Null);
    }
    match tree {
        Value::String(text) => match Template::parse(text) {
            Ok(template) if template.is_literal() => Node::Literal(tree.clone()),
            Ok(template) => Node::Template(template),
            Err(error) => {
                errors.push(place.error(error));
                Node::Literal(Value::Null)
            }
        },
        Value::Object(map) => {
            let nodes: Vec<(String, Node)> = map
                .iter()
                .map(|(key, value)| (key.clone(), compile(value, &Place::Member(place, key), errors)))
                .collect();
            match nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_))) {
                true => Node::Literal(tree.clone()),
                false => Node::Object(nodes),
            }
        }
        Value::Array(items) => {
            let nodes: Vec<Node> = items
                .iter()
                .enumerate()
                .map(|(at, value)| compile(value, &Place::Item(place, at), errors))
                .collect();
            match nodes.iter().all(|node| matches!(node, Node::Literal(_))) {
                true => Node::Literal(tree.clone()),
                false => Node::Array(nodes),
            }
        }
        other => Node::Literal(other.clone()),
    }
}

struct Rendering<'r, 's> {
    scope: &'r Scope<'s>,
    /// The size of what the templates gave so far.
    bytes: usize,
    errors: Vec<MappingError>,
}

impl Rendering<'_, '_> {
    fn node(&mut self, node: &Node, place: &Place<'_>) -> Option<Value> {
        match node {
            Node::Literal(value) => Some(value.clone()),
            Node::Template(template) => self.template(template, place),
            Node::Object(members) => {
                let mut map = Map::with_capacity(members.len());
                for (key, member) in members {
                    if let Some(value) = self.node(member, &Place::Member(place, key)) {
                        map.insert(key.clone(), value);
                    }
                }
                (!map.is_empty()).then_some(Value::Object(map))
            }
            Node::Array(items) => {
                let values: Vec<Value> = items
                    .iter()
                    .enumerate()
                    .filter_map(|(at, item)| self.node(item, &Place::Item(place, at)))
                    .collect();
                (!values.is_empty()).then_some(Value::Array(values))
            }
        }
    }

    fn template(&mut self, template: &Template, place: &Place<'_>) -> Option<Value> {
        let checked = template.render(self.scope).and_then(|value| {
            self.bytes = self.bytes.saturating_add(value.as_ref().map_or(0, weight));
            self.scope.check_size(self.bytes).map(|()| value)
        });
        checked.unwrap_or_else(|error| {
            self.errors.push(place.error(error));
            None
        })
    }
}

/// About how many bytes a value takes as JSON.
fn weight(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(|item| 1 + weight(item)).sum(),
        Value::Object(map) => map.iter().map(|(key, member)| 1 + key.len() + weight(member)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 8,
    }
}

fn collect<'n>(node: &'n Node, paths: &mut Vec<&'n Path>) {
    match node {
        Node::Literal(_) => {}
        Node::Template(template) => paths.extend(template.paths()),
        Node::Object(members) => members.iter().for_each(|(_, member)| collect(member, paths)),
        Node::Array(items) => items.iter().for_each(|item| collect(item, paths)),
    }
}
