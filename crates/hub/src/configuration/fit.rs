//! Mappings that do not fit: what is told when they are saved, and afterwards when the account has changed.

use switchboard_connect::{
    connector::{Connector, FoundObject, Misfit},
    guide::Item,
    registry::Registry,
};
use switchboard_model::{
    connection::ConnectionSpec,
    event::variables::variables_of,
    mapping::rules::FieldRules,
    problem::{Code, Problem},
};

/// What does not fit in the mappings of a connection, or in the connector's own where it has none. `found` is what its account was found to
/// have of an object; without it the manifest alone is known.
pub fn misfits<'f>(
    connector: &Connector,
    spec: &ConnectionSpec,
    found: impl Fn(&str) -> Option<&'f FoundObject>,
) -> Vec<Misfit> {
    if spec.mappings.is_empty() {
        let own = connector
            .objects()
            .filter_map(|object| Some((object.name(), object.default_mapping_source()?)));
        let misfits = own.flat_map(|(object, tree)| connector.misfits(object, tree, found(object)));
        return without_filled(spec, misfits.collect());
    }
    let known = variables_of([]);
    let given = spec
        .mappings
        .iter()
        .filter_map(|(name, tree)| Some((connector.object(name)?.name(), tree)));
    let misfits = given.flat_map(|(object, tree)| {
        let mut misfits = connector.misfits(object, tree, found(object));
        misfits.extend(Misfit::of_variables(object, tree, &known));
        misfits
    });
    without_filled(spec, misfits.collect())
}

/// A field that the mapping leaves out may get its value from a rule.
fn without_filled(spec: &ConnectionSpec, mut misfits: Vec<Misfit>) -> Vec<Misfit> {
    if spec.values.fields.is_empty() {
        return misfits;
    }
    misfits.retain(|misfit| {
        let rules = spec.values.fields.get(&misfit.object).map(FieldRules::compile);
        let (Some(Ok(rules)), Code::MappingIncomplete) = (rules, misfit.problem.code) else {
            return true;
        };
        let field = misfit
            .problem
            .place
            .as_deref()
            .and_then(|place| place.rsplit('/').next());
        !field.is_some_and(|field| rules.can_fill(&field.replace("~1", "/").replace("~0", "~")))
    });
    misfits
}

/// A misfit with its place in the configuration.
pub fn placed(key: &str, misfit: &Misfit) -> Problem {
    let inside = misfit.problem.place.as_deref().unwrap_or_default();
    misfit
        .problem
        .clone()
        .at(format!("connection {key}: /mappings/{}{inside}", misfit.object))
}

/// What is known of the mappings of these items without asking anybody: what makes them useless, and what is worth a look.
pub fn check_mappings(items: &[Item], registry: &Registry) -> (Vec<Problem>, Vec<Problem>) {
    let mut all = Vec::new();
    for item in items {
        let Item::Connection(spec) = item else { continue };
        let Some(connector) = registry.get(&spec.connector) else {
            continue;
        };
        let misfits = misfits(connector, spec, |_| None);
        all.extend(
            misfits
                .into_iter()
                .map(|misfit| (misfit.is_fatal, placed(&spec.key, &misfit))),
        );
    }
    let (fatal, doubtful): (Vec<_>, Vec<_>) = all.into_iter().partition(|(is_fatal, _)| *is_fatal);
    let problems = |found: Vec<(bool, Problem)>| found.into_iter().map(|(_, problem)| problem).collect();
    (problems(fatal), problems(doubtful))
}
