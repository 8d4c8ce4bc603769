//! Lists of the account, compiled: where an item tells what a field is.

use indexmap::IndexMap;
use serde_json::Value;
use serde_json_path::JsonPath;
use switchboard_model::template::{Scope, Template};

use super::{Choice, FoundField};
use crate::{
    call::Answer,
    compile::{Compiler, child},
    listing::{Listing, ListingParts},
    manifest::{ChoicesSpec, DiscoverSpec, FieldType, Openness, OptionsSpec, Unlisted},
    operation::{has_value, optional},
    reading::{Source, When, text_of},
};

/// A compiled list; see [`DiscoverSpec`].
#[derive(Debug)]
pub(crate) struct DiscoveryPlan {
    pub requires: Vec<Template>,
    pub unless: Vec<Template>,
    pub listing: Listing,
    pub optional: bool,
    skip: Option<When>,
    pub kind: PlanKind,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a manifest has a handful of them")]
pub(crate) enum PlanKind {
    Fields(FieldPlan),
    Options { field: String, choice: ChoicePlaces },
}

/// Where an item tells what a field is.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    name: Source,
    title: Option<Source>,
    field_type: Option<Source>,
    types: IndexMap<String, FieldType>,
    required: Option<Source>,
    max: Option<Source>,
    pub options: Option<OptionsPlan>,
    pub within: Option<String>,
    pub unknown: Unlisted,
}

/// Where an item tells what can be chosen.
#[derive(Debug)]
pub(crate) struct OptionsPlan {
    each: JsonPath,
    skip: Option<When>,
    choice: ChoicePlaces,
    open: Open,
    pub sent: Vec<JsonPath>,
}

#[derive(Debug)]
enum Open {
    Flag(bool),
    Told(Box<Source>),
}

/// Where a choice has its value and its title.
#[derive(Debug)]
pub(crate) struct ChoicePlaces {
    value: Source,
    title: Option<Source>,
}

/// A compiled list of the values of a setting; see [`ChoicesSpec`].
#[derive(Debug)]
pub(crate) struct ChoicePlan {
    pub requires: Vec<Template>,
    pub listing: Listing,
    skip: Option<When>,
    choice: ChoicePlaces,
}

impl DiscoveryPlan {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &DiscoverSpec) -> Option<Self> {
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let unless = compiler.paths(&child(at, "unless"), &spec.unless);
        let parts = ListingParts {
            request: &spec.request,
            when: &spec.when,
            items: Some(&spec.items),
            pages: spec.pages.as_ref(),
            classify: &spec.classify,
        };
        let listing = Listing::compile(compiler, at, &parts);
        let skip = optional(&spec.skip, |skip| When::compile(compiler, &child(at, "skip"), skip));
        let kind = PlanKind::compile(compiler, at, spec);
        Some(Self {
            requires,
            unless,
            listing: listing?,
            optional: spec.optional,
            skip: skip?,
            kind: kind?,
        })
    }

    pub fn is_needed(&self, scope: &Scope<'_>) -> bool {
        self.requires.iter().all(|path| has_value(path, scope))
            && !self.unless.iter().any(|path| has_value(path, scope))
    }

    /// The items that count.
    pub fn counting<'i>(&'i self, items: &'i [Value], scope: &'i Scope<'_>) -> impl Iterator<Item = &'i Value> {
        counting(self.skip.as_ref(), items, scope)
    }
}

impl PlanKind {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &DiscoverSpec) -> Option<Self> {
        match (&spec.name, &spec.field, &spec.value) {
            (Some(name), None, None) => FieldPlan::compile(compiler, at, spec, name).map(Self::Fields),
            (None, Some(field), Some(value)) => {
                let choice = ChoicePlaces::compile(compiler, at, value, spec.title.as_ref())?;
                let field = field.clone();
                Some(Self::Options { field, choice })
            }
            _ => {
                let next = "Give `name` (each item is a field), or `field` and `value` (each item is an option of that field).";
                compiler.report(at, "it is not said what an item is", next);
                None
            }
        }
    }
}

impl FieldPlan {
    fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        spec: &DiscoverSpec,
        name: &crate::manifest::SourceSpec,
    ) -> Option<Self> {
        let mut source = |part: &str, spec: &Option<crate::manifest::SourceSpec>| {
            optional(spec, |spec| Source::compile(compiler, &child(at, part), spec))
        };
        let title = source("title", &spec.title);
        let field_type = source("type", &spec.field_type);
        let required = source("required", &spec.required);
        let max = source("max", &spec.max);
        let name = Source::compile(compiler, &child(at, "name"), name);
        let options = optional(&spec.options, |options| {
            OptionsPlan::compile(compiler, &child(at, "options"), options)
        });
        Some(Self {
            name: name?,
            title: title?,
            field_type: field_type?,
            types: spec.types.clone(),
            required: required?,
            max: max?,
            options: options?,
            within: spec.within.clone(),
            unknown: spec.unknown,
        })
    }

    /// The field that an item tells of.
    pub fn read(&self, item: &Value, scope: &Scope<'_>) -> Option<FoundField> {
        let name = text_at(&self.name, item, scope)?;
        let title = self.title.as_ref().and_then(|title| text_at(title, item, scope));
        let vendor_type = self.field_type.as_ref().and_then(|source| text_at(source, item, scope));
        let field_type = vendor_type.and_then(|word| self.types.get(&word).copied());
        let required = self
            .required
            .as_ref()
            .is_some_and(|source| source.first_in(item, scope).is_some());
        let max = self
            .max
            .as_ref()
            .and_then(|source| text_at(source, item, scope)?.parse().ok());
        let options = self.options.as_ref();
        Some(FoundField {
            title: title.filter(|title| *title != name),
            name,
            field_type: field_type.unwrap_or(FieldType::Any),
            required,
            max: max.filter(|max| *max > 0),
            options: options.map(|options| options.read(item, scope)).unwrap_or_default(),
            open: options.is_none_or(|options| options.open.holds(item, scope)),
        })
    }
}

impl OptionsPlan {
    fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &OptionsSpec) -> Option<Self> {
        let each = compiler.json_path(&child(at, "each"), &spec.each);
        let skip = optional(&spec.skip, |skip| When::compile(compiler, &child(at, "skip"), skip));
        let choice = ChoicePlaces::compile(compiler, at, &spec.value, spec.title.as_ref());
        let open = match &spec.open {
            Openness::Flag(flag) => Some(Open::Flag(*flag)),
            Openness::Told(source) => Source::compile(compiler, &child(at, "open"), source)
                .map(Box::new)
                .map(Open::Told),
        };
        let sent = child(at, "sent");
        let sent = spec
            .sent
            .each()
            .filter_map(|(end, path)| compiler.json_path(&format!("{sent}{end}"), path));
        let sent = sent.collect();
        Some(Self {
            each: each?,
            skip: skip?,
            choice: choice?,
            open: open?,
            sent,
        })
    }

    fn read(&self, item: &Value, scope: &Scope<'_>) -> Vec<Choice> {
        let options: Vec<Value> = self.each.query(item).all().into_iter().cloned().collect();
        counting(self.skip.as_ref(), &options, scope)
            .filter_map(|option| self.choice.read(option, scope))
            .collect()
    }
}

impl Open {
    fn holds(&self, item: &Value, scope: &Scope<'_>) -> bool {
        match self {
            Self::Flag(flag) => *flag,
            Self::Told(source) => source.first_in(item, scope).is_some(),
        }
    }
}

impl ChoicePlaces {
    fn compile(
        compiler: &mut Compiler<'_>,
        at: &str,
        value: &crate::manifest::SourceSpec,
        title: Option<&crate::manifest::SourceSpec>,
    ) -> Option<Self> {
        let value = Source::compile(compiler, &child(at, "value"), value);
        let title = match title {
            Some(title) => Some(Source::compile(compiler, &child(at, "title"), title)?),
            None => None,
        };
        Some(Self { value: value?, title })
    }

    pub fn read(&self, item: &Value, scope: &Scope<'_>) -> Option<Choice> {
        let value = text_at(&self.value, item, scope)?;
        let title = self.title.as_ref().and_then(|title| text_at(title, item, scope));
        Some(Choice {
            title: title.filter(|title| *title != value),
            value,
        })
    }
}

impl ChoicePlan {
    pub fn compile(compiler: &mut Compiler<'_>, at: &str, spec: &ChoicesSpec) -> Option<Self> {
        let requires = compiler.paths(&child(at, "requires"), &spec.requires);
        let parts = ListingParts {
            request: &spec.request,
            when: &spec.when,
            items: Some(&spec.items),
            pages: spec.pages.as_ref(),
            classify: &spec.classify,
        };
        let listing = Listing::compile(compiler, at, &parts);
        let skip = optional(&spec.skip, |skip| When::compile(compiler, &child(at, "skip"), skip));
        let choice = ChoicePlaces::compile(compiler, at, &spec.value, spec.title.as_ref());
        Some(Self {
            requires,
            listing: listing?,
            skip: skip?,
            choice: choice?,
        })
    }

    /// The choices among the items.
    pub fn read(&self, items: &[Value], scope: &Scope<'_>) -> Vec<Choice> {
        counting(self.skip.as_ref(), items, scope)
            .filter_map(|item| self.choice.read(item, scope))
            .collect()
    }
}

fn counting<'i>(skip: Option<&'i When>, items: &'i [Value], scope: &'i Scope<'_>) -> impl Iterator<Item = &'i Value> {
    items.iter().filter(move |item| {
        skip.is_none_or(|skip| {
            let mut part = Answer::new(200, http::HeaderMap::new(), "");
            part.turn_to((*item).clone());
            !skip.holds(&part, scope)
        })
    })
}

fn text_at(source: &Source, item: &Value, scope: &Scope<'_>) -> Option<String> {
    let value = source.first_in(item, scope)?;
    text_of(&value)
        .map(|text| text.into_owned())
        .filter(|text| !text.is_empty())
}
