//! From the text of a manifest to a connector. Everything that is wrong is reported at once, each with its line.

use switchboard_model::problem::{Code, Problem};

use crate::{
    account::Tables,
    auth::Auth,
    compile::{Compiler, child},
    connector::Connector,
    discover::ChoicePlan,
    document::Document,
    form,
    interpolation::Escape,
    limit::Bucket,
    manifest::Manifest,
    object::Object,
    operation::Operation,
    parameter::compile_headers,
    place::check_places,
    prepare::PreparationPlan,
    resolve::Resolver,
    rule::Rule,
    schema::{Schema, common_settings},
    trial::TestCall,
};

/// The published description of manifests.
pub const MANIFEST_SCHEMA: &str = include_str!("../../../connectors/manifest.schema.json");

const SEE: &str = "See connectors/manifest.schema.json.";

/// The files of one connector.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// Text of `connector.yaml`.
    pub manifest: String,
    /// Text of `icon.svg`.
    pub icon: String,
    /// Text of `guide.md`.
    pub guide: String,
    /// What messages call the manifest.
    pub name: String,
}

/// How a connector is called: what the beginning of its manifest, up to the first empty line, says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// Its slug.
    pub slug: String,
    /// Other names by which it is meant.
    pub aliases: Vec<String>,
}

impl Heading {
    /// Reads the heading and nothing else of a manifest, which takes a hundredth of the time.
    ///
    /// # Errors
    /// When it is no YAML, or does not say the slug.
    pub fn read(manifest: &str, name: &str) -> Result<Self, Problem> {
        let heading = manifest.split("\n\n").next().unwrap_or_default();
        let document = Document::parse(heading, name)?;
        let value = document.value();
        let Some(slug) = value["slug"].as_str() else {
            let detail = "a manifest begins with `slug`, before the first empty line";
            return Err(document.problem(Code::ManifestInvalid, "", detail, SEE));
        };
        let aliases = value["aliases"].as_array().into_iter().flatten();
        Ok(Self {
            slug: slug.to_owned(),
            aliases: aliases.filter_map(|alias| alias.as_str().map(str::to_owned)).collect(),
        })
    }
}

/// Reads, checks and compiles a connector.
///
/// # Errors
/// Everything that is wrong with the manifest.
pub fn load(files: &Files) -> Result<Connector, Vec<Problem>> {
    let document = Document::parse(&files.manifest, &files.name).map_err(|problem| vec![problem])?;
    let problems = form::faults(&document, MANIFEST_SCHEMA, SEE);
    if !problems.is_empty() {
        return Err(problems);
    }
    let manifest: Manifest = serde_json::from_value(document.value().clone())
        .map_err(|error| vec![document.problem(Code::ManifestInvalid, "", error.to_string(), SEE)])?;
    let mut compiler = Compiler::new(&document);
    let connector = compile(&mut compiler, &manifest, files);
    let problems = compiler.into_problems();
    match connector {
        Some(connector) if problems.is_empty() => Ok(connector),
        _ => Err(problems),
    }
}

fn compile(compiler: &mut Compiler<'_>, manifest: &Manifest, files: &Files) -> Option<Connector> {
    let settings = compile_settings(compiler, manifest);
    let values = compiler.table("/values", &manifest.values, |compiler, at, source| {
        compiler.template(at, source)
    });
    let auth = compiler.list("/auth", &manifest.auth, Auth::compile);
    let base_url = compiler.interpolation("/base_url", &manifest.base_url, Escape::Nothing);
    let headers = compile_headers(compiler, "/headers", &manifest.headers);
    let extra_headers = compiler.optional_template("/extra_headers", manifest.extra_headers.as_ref());
    let test = compiler.list("/test", &manifest.test, TestCall::compile);
    let preparations = compiler.list("/prepare", &manifest.prepare, PreparationPlan::compile);
    let resolvers = compiler.list("/resolve", &manifest.resolve, Resolver::compile);
    let choices = compiler.table("/choices", &manifest.choices, ChoicePlan::compile);
    check_names(compiler, manifest);
    check_places(compiler, manifest);
    let limits = compiler.list("/limits", &manifest.limits, Bucket::compile);
    let account_names = manifest
        .account
        .each()
        .filter_map(|(end, source)| compiler.template(&format!("/account{end}"), source))
        .collect();
    let retry_seconds = compiler.optional_template("/retry_seconds", manifest.retry_seconds.as_ref());
    let rules = compiler.list("/classify", &manifest.classify, Rule::compile);
    let operations = manifest.operations.iter().map(|(kind, specs)| {
        (
            *kind,
            Operation::compile_each(compiler, &child("/operations", kind.name()), *kind, specs),
        )
    });
    let operations = operations.collect();
    let mut objects = indexmap::IndexMap::with_capacity(manifest.objects.len());
    for (name, spec) in &manifest.objects {
        if let Some(object) = Object::compile(compiler, &child("/objects", name), name, spec) {
            objects.insert(name.clone(), object);
        }
    }
    Some(Connector {
        slug: manifest.slug.clone(),
        aliases: manifest.aliases.clone(),
        name: manifest.name.clone(),
        summary: manifest.summary.clone(),
        category: manifest.category,
        color: manifest.color.clone(),
        docs: manifest.docs.clone(),
        icon: files.icon.clone(),
        guide_text: files.guide.clone(),
        objects,
        limits,
        account_names,
        retry_seconds,
        settings: settings?,
        guide: manifest.guide.clone(),
        auth,
        lookups: Tables(manifest.lookups.clone()),
        values,
        base_url: base_url?,
        headers,
        extra_headers,
        test,
        preparations,
        resolvers,
        choices,
        rules,
        operations,
    })
}

/// The settings of the manifest, and those that every connector has.
fn compile_settings(compiler: &mut Compiler<'_>, manifest: &Manifest) -> Option<Schema> {
    let mut settings = manifest.settings.clone();
    if let Some(properties) = settings["properties"].as_object_mut() {
        for (name, property) in common_settings() {
            properties.entry(name).or_insert(property);
        }
    }
    Schema::compile(compiler, "/settings", &settings)
}

/// Reports names of settings and objects that the manifest does not have.
fn check_names(compiler: &mut Compiler<'_>, manifest: &Manifest) {
    let is_setting = |name: &&String| manifest.settings["properties"].get(name.as_str()).is_some();
    for name in manifest.choices.keys().filter(|name| !is_setting(name)) {
        let detail = format!("there is no setting `{name}`");
        compiler.report(&child("/choices", name), detail, "Name one of the settings.");
    }
    let limits = manifest.limits.iter().map(|limit| &limit.objects).enumerate();
    let resolvers = manifest.resolve.iter().map(|resolver| &resolver.objects).enumerate();
    let limits = limits.map(|(at, objects)| (format!("/limits/{at}/objects"), objects));
    let resolvers = resolvers.map(|(at, objects)| (format!("/resolve/{at}/objects"), objects));
    for (at, objects) in limits.chain(resolvers) {
        for object in objects.iter().filter(|name| !manifest.objects.contains_key(*name)) {
            let detail = format!("there is no object `{object}`");
            compiler.report(&at, detail, "Name one of `objects`.");
        }
    }
}
