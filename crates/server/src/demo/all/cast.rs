//! Who takes part: connectors, their connections, and which event becomes a record of which object.
//!
//! Each event goes to every connector, and there to one of its objects in turn. So each record's marker tells the object that it was meant
//! for, also where the vendor keeps several objects in one table.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use indexmap::IndexMap;
use serde_json::Map;
use switchboard_connect::{connector::Means, guide::Item, manifest::OperationKind, registry::Registry};
use switchboard_model::{
    connection::ConnectionSpec,
    problem::{Code, Problem},
    route::{RouteSpec, Strategy, Target},
};

use super::stage::Vendors;
use crate::{
    conformance::{Subject, scenario::SCENARIO, stage::FAST},
    connectors::unreadable,
};

/// One object of one connector.
#[derive(Debug)]
pub struct Part {
    /// Its connector.
    pub subject: Arc<Subject>,
    /// Its name in the manifest.
    pub object: String,
    /// The key of the connection that it is written through.
    pub connection: String,
    /// It is one of so many objects of its connector …
    pub objects: u32,
    /// … and takes the events whose number leaves this rest.
    pub share: u32,
    /// Only a person can find out what became of a write whose answer was lost. It is written to a vendor that leaves no such doubt.
    pub spared: bool,
}

impl Part {
    /// Whether the event with this number becomes a record of this object.
    pub fn takes(&self, number: u32) -> bool {
        number % self.objects == self.share
    }
}

/// Everybody who takes part.
#[derive(Debug)]
pub struct Cast {
    /// By connector, in the order of its scenario.
    pub parts: Vec<Part>,
    connections: Vec<ConnectionSpec>,
}

impl Cast {
    /// Of these connectors.
    pub fn new(subjects: &[Arc<Subject>], vendors: &Vendors) -> Self {
        let (mut parts, mut connections) = (Vec::new(), Vec::new());
        for subject in subjects {
            let own = parts_of(subject);
            for spared in [false, true] {
                let part_of = own.iter().filter(|part| part.spared == spared);
                let objects: Vec<&str> = part_of.map(|part| part.object.as_str()).collect();
                if !objects.is_empty() {
                    let origin = vendors.of(spared).url(subject.slug());
                    let key = key(subject, spared);
                    connections.push(subject.connection(&key, &origin, &objects, Some(FAST)));
                }
            }
            parts.extend(own);
        }
        Self { parts, connections }
    }

    /// The connections.
    pub fn connections(&self) -> &[ConnectionSpec] {
        &self.connections
    }

    /// Connections, and a route for each connector that sends each event to one of its objects.
    pub fn items(&self) -> Vec<Item> {
        let mut items: Vec<Item> = self.connections.iter().cloned().map(Item::Connection).collect();
        let mut by_connector: IndexMap<&str, Vec<&Part>> = IndexMap::new();
        for part in &self.parts {
            by_connector.entry(part.subject.slug()).or_default().push(part);
        }
        for (slug, parts) in by_connector {
            let target = |part: &&Part| Target {
                system: part.connection.clone(),
                objects: vec![part.object.clone()],
                options: Map::new(),
            };
            let routes = parts.iter().map(|part| (part.share.to_string(), vec![target(part)]));
            items.push(Item::Route(RouteSpec {
                key: format!("to-{slug}"),
                on: "message.received".to_owned(),
                condition: None,
                strategy: Strategy::CategoryRouting {
                    field: field(parts[0].objects),
                    routes: routes.collect(),
                    otherwise: Vec::new(),
                },
                enabled: true,
            }));
        }
        items
    }

    /// After so many events each object has had its turn.
    pub fn turns(&self) -> u32 {
        self.parts.iter().map(|part| part.objects).max().unwrap_or(0)
    }

    /// The members by which the routes know whose turn it is.
    pub fn shares(&self, number: u32) -> impl Iterator<Item = (String, String)> + use<> {
        let sizes: BTreeSet<u32> = self.parts.iter().map(|part| part.objects).collect();
        sizes
            .into_iter()
            .map(move |objects| (field(objects), (number % objects).to_string()))
    }

    /// The connectors whose tokens are not made to end, since a renewal whose answer is lost is lost for whoever calls.
    pub fn kept_tokens(&self) -> Vec<String> {
        let rotating = self.parts.iter().filter(|part| part.subject.rotates());
        let slugs: BTreeSet<&str> = rotating.map(|part| part.subject.slug()).collect();
        slugs.into_iter().map(str::to_owned).collect()
    }
}

fn field(objects: u32) -> String {
    format!("turnOf{objects}")
}

fn key(subject: &Subject, spared: bool) -> String {
    let end = if spared { "-spared" } else { "" };
    format!("{}{end}", subject.slug())
}

fn parts_of(subject: &Arc<Subject>) -> Vec<Part> {
    let objects: Vec<&String> = subject.scenario.objects.keys().collect();
    let count = u32::try_from(objects.len()).unwrap_or(u32::MAX);
    let part = |(share, object): (u32, &String)| {
        let spared = needs_a_person(subject, object);
        Part {
            subject: Arc::clone(subject),
            object: object.clone(),
            connection: key(subject, spared),
            objects: count,
            share,
            spared,
        }
    };
    (0..).zip(objects).map(part).collect()
}

/// Whether only a person can find out what became of a write whose answer was lost: the manifest has no other means, or the scenario says
/// so.
fn needs_a_person(subject: &Subject, object: &str) -> bool {
    let waived = &subject.scenario.waived;
    let excused = waived.iter().any(|waiver| waiver.covers("answer-lost", Some(object)));
    let offers = |kind| subject.connector().offers(object, kind);
    let means = subject.connector().means(object, OperationKind::Create);
    excused || (offers(OperationKind::Create) && !offers(OperationKind::Upsert) && means == Means::Person)
}

/// Every connector that has a scenario: those that are built in, and those of a folder, which take the place of built-in ones.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn subjects(folder: Option<&Path>) -> Result<Vec<Arc<Subject>>, Problem> {
    let mut subjects = Vec::new();
    let mut problems = Vec::new();
    let mut take = |subject: Result<Subject, Vec<Problem>>| match subject {
        Ok(subject) => subjects.push(Arc::new(subject)),
        Err(found) => problems.extend(found),
    };
    let own = folder.map(folders).transpose()?.unwrap_or_default();
    for slug in Registry::embedded().map_err(unreadable)?.names() {
        let replaced = own.iter().any(|path| path.file_name().is_some_and(|name| name == slug));
        if !replaced && Registry::embedded_file(slug, SCENARIO).is_some() {
            take(Subject::embedded(slug));
        }
    }
    for path in own.iter().filter(|path| path.join(SCENARIO).is_file()) {
        take(Subject::of_folder(path));
    }
    match Problem::all(problems) {
        Some(problem) => Err(problem),
        None => Ok(subjects),
    }
}

/// The connectors of a folder, by name.
///
/// # Errors
/// When it cannot be read.
pub fn folders(folder: &Path) -> Result<Vec<PathBuf>, Problem> {
    let entries = fs::read_dir(folder).map_err(|error| {
        let detail = format!("{} cannot be read: {error}", folder.display());
        Problem::new(Code::ManifestInvalid, detail, "Check the path and its permissions.")
    })?;
    let mut folders: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.join("connector.yaml").is_file())
        .collect();
    folders.sort();
    Ok(folders)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_event_goes_to_one_object_of_each_connector_and_doubtful_ones_are_spared() {
        let subjects = subjects(None).unwrap();
        let vendors = Vendors::start(&subjects, 1).await.unwrap();
        let cast = Cast::new(&subjects, &vendors);
        for number in 0..60 {
            for subject in &subjects {
                let own = cast.parts.iter().filter(|part| part.subject.slug() == subject.slug());
                assert_eq!(own.filter(|part| part.takes(number)).count(), 1, "{}", subject.slug());
            }
        }
        let spared = |slug: &str, object: &str| {
            let mut parts = cast.parts.iter();
            parts
                .find(|part| part.subject.slug() == slug && part.object == object)
                .unwrap()
                .spared
        };
        assert!(spared("wecom", "group_robot") && spared("retailcrm", "note"));
        assert!(!spared("hubspot", "contact") && !spared("notion", "page") && !spared("wecom", "row"));
        vendors.stop().await;
    }
}
