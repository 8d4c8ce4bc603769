//! Routes: entries of `routes` in Switchboard's own form, and the guides' strategy files, which are one route each.

use indexmap::IndexMap;
use switchboard_model::{
    event::EventType,
    problem::Code,
    route::{RouteSpec, Strategy},
};

use super::{
    cel,
    connection::read_key,
    reader::{Part, one_of, question},
    target,
};

/// What the guides' strategies are about.
const MESSAGE: &str = "message.received";
/// The field of an event that holds its category, as the guides name it.
const CATEGORY: &str = "category";

const PARALLEL: &str = "parallel_sync";
const BY_CATEGORY: &str = "category_routing";
const BACKUP: &str = "primary_backup";
const STRATEGIES: [&str; 3] = [PARALLEL, BY_CATEGORY, BACKUP];

/// Reads one entry of `routes`.
pub(super) fn read(part: &Part<'_, '_>) -> Option<RouteSpec> {
    part.object()?;
    let key = part.need("key", "\"sales-leads\"").and_then(|key| read_key(&key));
    read_named(part, key)
}

/// Reads a strategy file. Without `key` the route is called like its strategy, so that the file replaces what it said before.
pub(super) fn read_file(part: &Part<'_, '_>) -> Option<RouteSpec> {
    let key = match part.member("key") {
        Some(key) => read_key(&key),
        None => part.member("strategy")?.value().as_str().map(str::to_owned),
    };
    read_named(part, key)
}

fn read_named(part: &Part<'_, '_>, key: Option<String>) -> Option<RouteSpec> {
    let on = part
        .member("on")
        .map_or(Some(MESSAGE.to_owned()), |on| read_event_type(&on));
    let condition = part.member("when").and_then(|when| cel::read(&when));
    let enabled = part.member("enabled").and_then(|flag| flag.flag()).unwrap_or(true);
    let name = part.member("strategy").map_or(Some(PARALLEL), |name| name.text())?;
    let (strategy, own_keys) = match name {
        PARALLEL => (read_parallel(part), &["to", "targets"][..]),
        BY_CATEGORY => (read_by_category(part), &["field", "routes", "otherwise"][..]),
        BACKUP => (read_backup(part), &["to", "primary", "sync_back", "rules"][..]),
        other => {
            let detail = format!("There is no strategy `{other}`{}", question(other, STRATEGIES));
            part.member("strategy")?
                .report(Code::WrongValue, detail, one_of(&STRATEGIES));
            return None;
        }
    };
    part.only(&[&["key", "on", "when", "enabled", "strategy"], own_keys].concat());
    Some(RouteSpec {
        key: key?,
        on: on?,
        condition,
        strategy: strategy?,
        enabled,
    })
}

/// Whether this is an event type, a family of them (`call.*`), or all (`*`). What only the hub makes on its way to something else goes
/// nowhere, and is none.
pub fn is_event_pattern(name: &str) -> bool {
    match name.strip_suffix('*') {
        Some("") => true,
        Some(family) => family.ends_with('.') && known_types().any(|known| known.starts_with(family)),
        None => known_types().any(|known| known == name),
    }
}

fn known_types() -> impl Iterator<Item = &'static str> {
    EventType::all().filter(|kind| !kind.is_internal()).map(EventType::name)
}

/// An event type, a family of them, or all; or several of these with commas between them.
fn read_event_type(part: &Part<'_, '_>) -> Option<String> {
    let name = part.text()?;
    let unknown = name.split(',').map(str::trim).find(|name| !is_event_pattern(name));
    if let Some(name) = unknown {
        let known: Vec<&str> = known_types().collect();
        let detail = format!(
            "There is no event type `{name}`{}",
            question(name, known.iter().copied())
        );
        part.report(
            Code::UnknownEventType,
            detail,
            format!("{} Or a family like call.*, or *.", one_of(&known)),
        );
        return None;
    }
    Some(name.to_owned())
}

/// `to`, or as the guides write it, `targets`.
fn read_parallel(part: &Part<'_, '_>) -> Option<Strategy> {
    let list = part
        .member("targets")
        .or_else(|| part.need("to", "[\"salesforce\", \"hubspot\"]"))?;
    let targets = target::read_list(&list);
    if targets.is_empty() && list.value().as_array().is_some_and(Vec::is_empty) {
        list.report(
            Code::WrongValue,
            "The route goes nowhere",
            "Name at least one connection or connector.",
        );
    }
    Some(Strategy::ParallelSync { targets })
}

/// `field`, `routes` by its value, and `otherwise`.
fn read_by_category(part: &Part<'_, '_>) -> Option<Strategy> {
    let field = part
        .member("field")
        .map_or(Some(CATEGORY), |field| field.text())?
        .to_owned();
    let table = part.need("routes", "{\"sales\": [\"salesforce\"]}")?.members()?;
    let routes: IndexMap<_, _> = table
        .iter()
        .map(|(value, list)| ((*value).to_owned(), target::read_list(list)))
        .collect();
    let otherwise = part
        .member("otherwise")
        .map(|list| target::read_list(&list))
        .unwrap_or_default();
    Some(Strategy::CategoryRouting {
        field,
        routes,
        otherwise,
    })
}

/// `to: [primary, backup]` with `sync_back`; or as the guides write it, `primary: {type, fallback}` with
/// `rules: {if_primary_fails: "use_backup", sync_back}`.
fn read_backup(part: &Part<'_, '_>) -> Option<Strategy> {
    let (primary, backup) = match part.member("primary") {
        Some(primary) => target::read_with_fallback(&primary)?,
        None => {
            let list = part.need("to", "[\"salesforce\", \"hubspot\"]")?;
            let both = <[_; 2]>::try_from(target::read_list(&list));
            let Ok([primary, backup]) = both else {
                list.report_form("a list of two: the primary and its backup");
                return None;
            };
            (primary, backup)
        }
    };
    if primary == backup {
        let detail = format!("`{}` is its own backup", primary.system);
        part.report(
            Code::WrongValue,
            detail,
            "Name another connection or connector as backup.",
        );
    }
    let own = part.member("sync_back").and_then(|flag| flag.flag());
    let sync_back = own.or_else(|| part.member("rules").and_then(|rules| read_backup_rules(&rules)));
    Some(Strategy::PrimaryBackup {
        primary,
        backup,
        sync_back: sync_back.unwrap_or(false),
    })
}

fn read_backup_rules(part: &Part<'_, '_>) -> Option<bool> {
    const USE_BACKUP: &str = "use_backup";
    part.object()?;
    part.only(&["if_primary_fails", "sync_back"]);
    if let Some(reaction) = part.member("if_primary_fails")
        && let Some(text) = reaction.text().filter(|text| *text != USE_BACKUP)
    {
        let detail = format!("`{text}` is no known reaction{}", question(text, [USE_BACKUP]));
        reaction.report(Code::WrongValue, detail, one_of(&[USE_BACKUP]));
    }
    part.member("sync_back")?.flag()
}
