//! The vendor's objects, compiled.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};
use switchboard_model::mapping::Mapping;

use crate::{
    compile::{Compiler, child},
    discover::DiscoveryPlan,
    manifest::{ObjectSpec, OperationKind, RecordKind},
    operation::Operation,
    place::Places,
    rule::Rule,
    shape::{Field, Shape},
};

/// One object of a vendor.
#[derive(Debug)]
pub struct Object {
    /// Its name in configuration files and the API.
    pub(crate) name: String,
    /// For people.
    pub(crate) title: String,
    /// The vendor's name of it.
    pub(crate) vendor_type: String,
    /// Other names that configuration files use.
    pub(crate) aliases: Vec<String>,
    /// What the hub takes as identity.
    pub(crate) record: RecordKind,
    /// The mapping that is used when a connection has none.
    pub(crate) mapping: Option<Mapping>,
    pub(crate) mapping_source: Option<Value>,
    pub(crate) on_request: bool,
    pub(crate) tells_removals: bool,
    pub(crate) places: Option<Places>,
    pub(crate) id_pattern: Option<Regex>,
    pub(crate) vars: Map<String, Value>,
    pub(crate) shape: Shape,
    pub(crate) discoveries: Vec<DiscoveryPlan>,
    pub(crate) operations: BTreeMap<OperationKind, Vec<Operation>>,
    pub(crate) rules: Vec<Rule>,
}

impl Object {
    pub(crate) fn compile(compiler: &mut Compiler<'_>, at: &str, name: &str, spec: &ObjectSpec) -> Option<Self> {
        let id_pattern = match &spec.id_pattern {
            None => None,
            Some(pattern) => Some(compiler.regex(&child(at, "id_pattern"), pattern)?),
        };
        let mapping = spec
            .mapping
            .as_ref()
            .and_then(|mapping| compiler.mapping(&child(at, "mapping"), mapping));
        let shape = Shape::compile(compiler, at, spec);
        let of_kinds = child(at, "operations");
        let operations = spec.operations.iter().map(|(kind, specs)| {
            (
                *kind,
                Operation::compile_each(compiler, &child(&of_kinds, kind.name()), *kind, specs),
            )
        });
        let operations = operations.collect();
        let discover = child(at, "discover");
        let discoveries = spec
            .discover
            .each()
            .filter_map(|(end, plan)| DiscoveryPlan::compile(compiler, &format!("{discover}{end}"), plan));
        let discoveries = discoveries.collect();
        let rules = compiler.list(&child(at, "classify"), &spec.classify, Rule::compile);
        Some(Self {
            name: name.to_owned(),
            title: spec.title.clone(),
            vendor_type: spec.vendor_type.clone(),
            aliases: spec.aliases.clone(),
            record: spec.record,
            mapping,
            mapping_source: spec.mapping.clone(),
            on_request: spec.on_request,
            tells_removals: spec.tells_removals,
            places: spec.places.as_ref().map(Places::of),
            id_pattern,
            vars: spec.vars.clone(),
            shape: shape?,
            discoveries,
            operations,
            rules,
        })
    }

    /// Its name in configuration files and the API.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For people.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The vendor's name of it.
    pub fn vendor_type(&self) -> &str {
        &self.vendor_type
    }

    /// What the hub takes as identity.
    pub fn record(&self) -> RecordKind {
        self.record
    }

    /// Whether it is made only where a route or the connection names it, although it has a mapping.
    pub fn is_on_request(&self) -> bool {
        self.on_request
    }

    /// Whether that something is deleted is told like anything else, and removes nothing.
    pub fn tells_removals(&self) -> bool {
        self.tells_removals
    }

    /// The places that routes may name for its records, where each gets a record of its own.
    pub fn places(&self) -> Option<&Places> {
        self.places.as_ref()
    }

    /// The mapping that is used when a connection has none.
    pub fn default_mapping(&self) -> Option<&Mapping> {
        self.mapping.as_ref()
    }

    /// The same as the tree that the manifest gives, for people to start from.
    pub fn default_mapping_source(&self) -> Option<&Value> {
        self.mapping_source.as_ref()
    }

    /// Whether it goes by this name, regardless of case.
    pub fn is_called(&self, name: &str) -> bool {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        same(&self.name) || same(&self.vendor_type) || self.aliases.iter().any(|alias| same(alias))
    }

    /// The fields that the manifest lists, with what the forms need to know of them.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.shape.fields()
    }

    /// Whether fields that are not listed pass.
    pub(crate) fn is_open(&self) -> bool {
        self.shape.is_open()
    }

    /// What joins several values of one field.
    pub(crate) fn joint(&self) -> Option<&str> {
        self.shape.joint()
    }

    /// Whether a field of the manifest has this word for one of its values.
    pub(crate) fn translates(&self, field: &str, word: &str) -> bool {
        self.fields().any(|known| known.name == field && known.translates(word))
    }
}
