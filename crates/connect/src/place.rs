//! Objects whose records go to several places: a message to each of the channels that a route names.

use std::sync::Arc;

use crate::{
    compile::{Compiler, child},
    manifest::{Manifest, ObjectSpec, OperationKind, PlacesSpec, RecordKind},
};

/// How the places of an object are named.
#[derive(Debug, Clone)]
pub struct Places {
    option: Arc<str>,
    setting: Option<String>,
    sign: Option<Arc<str>>,
    fixed: Vec<String>,
}

impl Places {
    pub(crate) fn of(spec: &PlacesSpec) -> Self {
        Self {
            option: spec.option.as_str().into(),
            setting: spec.setting.clone(),
            sign: spec.sign.as_deref().map(Arc::from),
            fixed: spec.fixed.clone(),
        }
    }

    /// The option of routes that lists them.
    pub fn option(&self) -> &Arc<str> {
        &self.option
    }

    /// The setting that names where a record goes whose route names no place.
    pub fn setting(&self) -> Option<&str> {
        self.setting.as_deref()
    }

    /// What may stand in front of a name without being part of it.
    pub fn sign(&self) -> Option<&Arc<str>> {
        self.sign.as_ref()
    }

    /// Whether a connection with this way to sign in reaches one place only, whatever a route names.
    pub fn is_fixed(&self, auth_kind: &str) -> bool {
        self.fixed.iter().any(|fixed| fixed == auth_kind)
    }
}

/// Reports what of the places of objects does not fit the rest of the manifest.
pub(crate) fn check_places(compiler: &mut Compiler<'_>, manifest: &Manifest) {
    for (name, object) in &manifest.objects {
        let Some(places) = &object.places else { continue };
        let at = child(&child("/objects", name), "places");
        check_record(compiler, &at, manifest, object);
        let mapping = child(&child("/objects", name), "mapping");
        if object.mapping.is_some() && !compiler.mentions(&mapping, &format!("{}[0]", places.option)) {
            let detail = format!(
                "the mapping does not say where a record goes: it reads no `{}[0]`",
                places.option
            );
            compiler.report(&at, detail, "Read the place in the mapping.");
        }
        let settings = &manifest.settings["properties"];
        if let Some(setting) = places
            .setting
            .as_ref()
            .filter(|name| settings.get(name.as_str()).is_none())
        {
            let detail = format!("there is no setting `{setting}`");
            compiler.report(&child(&at, "setting"), detail, "Name one of the settings.");
        }
        for (index, fixed) in places.fixed.iter().enumerate() {
            if manifest.auth.iter().all(|auth| auth.name != *fixed) {
                let detail = format!("there is no way to sign in `{fixed}`");
                compiler.report(&format!("{at}/fixed/{index}"), detail, "Name one of `auth`.");
            }
        }
    }
}

/// A record that lies in several places is none that is known by a person or a company, or that a later event changes: there is one link
/// between it and its vendor's id, and it would have several.
fn check_record(compiler: &mut Compiler<'_>, at: &str, manifest: &Manifest, object: &ObjectSpec) {
    let changes = [OperationKind::Update, OperationKind::Upsert].into_iter().any(|kind| {
        let own = object.operations.get(&kind);
        own.or_else(|| manifest.operations.get(&kind))
            .is_some_and(|specs| specs.each().next().is_some())
    });
    if object.record != RecordKind::Event || changes {
        let detail = "only a record that stands for an event and is not changed later can go to several places";
        compiler.report(
            at,
            detail,
            "Leave `places` out, or write `record: event` and take `update` and `upsert` away.",
        );
    }
}
