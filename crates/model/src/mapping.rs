//! Mappings: JSON trees whose strings are templates.
//!
//! What is absent goes: a member whose template is absent is left out, and an object or list that held templates and lost everything to absence
//! is absent itself, so that `{"select": {"name": "{{platform}}"}}` disappears when there is no platform. Literal content stays, empty
//! literal containers too.

use std::sync::Arc;

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
        let root = compile(tree, &mut Place::default(), &mut errors);
        if errors.is_empty() {
            Ok(Self { root: Arc::new(root) })
        } else {
            Err(errors)
        }
    }

    /// Fills it in; `None` when nothing is left of it.
    ///
    /// # Errors
    /// Every template that failed.
    pub fn render(&self, scope: &Scope<'_>) -> Result<Option<Value>, Vec<MappingError>> {
        let mut errors = Vec::new();
        let value = render(&self.root, scope, &mut Place::default(), &mut errors);
        if errors.is_empty() { Ok(value) } else { Err(errors) }
    }

    /// Every path that it reads.
    pub fn paths(&self) -> Vec<&Path> {
        let mut paths = Vec::new();
        collect(&self.root, &mut paths);
        paths
    }
}

/// Where in the tree.
#[derive(Default)]
struct Place(Vec<String>);

impl Place {
    fn inside<T>(&mut self, step: &str, work: impl FnOnce(&mut Self) -> T) -> T {
        self.0.push(step.replace('~', "~0").replace('/', "~1"));
        let result = work(self);
        self.0.pop();
        result
    }

    fn error(&self, error: impl Into<MappingFault>) -> MappingError {
        let pointer = self.0.iter().flat_map(|step| ["/", step]).collect();
        MappingError {
            pointer,
            error: error.into(),
        }
    }
}

fn compile(tree: &Value, place: &mut Place, errors: &mut Vec<MappingError>) -> Node {
    if place.0.len() > DEEPEST {
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
            let member = |(key, value): (&String, &Value)| {
                (key.clone(), place.inside(key, |place| compile(value, place, errors)))
            };
            let nodes: Vec<(String, Node)> = map.iter().map(member).collect();
            match nodes.iter().all(|(_, node)| matches!(node, Node::Literal(_))) {
                true => Node::Literal(tree.clone()),
                false => Node::Object(nodes),
            }
        }
        Value::Array(items) => {
            let item =
                |(at, value): (usize, &Value)| place.inside(&at.to_string(), |place| compile(value, place, errors));
            let nodes: Vec<Node> = items.iter().enumerate().map(item).collect();
            match nodes.iter().all(|node| matches!(node, Node::Literal(_))) {
                true => Node::Literal(tree.clone()),
                false => Node::Array(nodes),
            }
        }
        other => Node::Literal(other.clone()),
    }
}

fn render(node: &Node, scope: &Scope<'_>, place: &mut Place, errors: &mut Vec<MappingError>) -> Option<Value> {
    match node {
        Node::Literal(value) => Some(value.clone()),
        Node::Template(template) => template.render(scope).unwrap_or_else(|error| {
            errors.push(place.error(error));
            None
        }),
        Node::Object(members) => {
            let mut map = Map::with_capacity(members.len());
            for (key, member) in members {
                if let Some(value) = place.inside(key, |place| render(member, scope, place, errors)) {
                    map.insert(key.clone(), value);
                }
            }
            (!map.is_empty()).then_some(Value::Object(map))
        }
        Node::Array(items) => {
            let item =
                |(at, item): (usize, &Node)| place.inside(&at.to_string(), |place| render(item, scope, place, errors));
            let values: Vec<Value> = items.iter().enumerate().filter_map(item).collect();
            (!values.is_empty()).then_some(Value::Array(values))
        }
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
