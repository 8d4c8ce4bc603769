//! `switchboard apply FILE…`, or `--preset NAME`: writes configuration files into the data folder, also while no hub runs. A running hub takes
//! the change within a second.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    registry::Registry,
};
use switchboard_hub::configuration::check_mappings;
use switchboard_model::problem::{Code, Problem};

use super::FINE;
use crate::{
    api::{AppliedView, ConfiguredView},
    connectors::Shelf,
    presets::{self, Preset},
    serve::{Opened, ended, open},
    settings::Settings,
    simulated::{self, Simulators},
};

/// What to apply.
#[derive(Debug, Args)]
pub struct ApplyArguments {
    /// Configuration files: integrations, single systems, strategies, or Switchboard's own form; JSON or YAML
    #[arg(required_unless_present_any = ["preset", "presets"], value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Begin with what suits a kind of company instead: connections without credentials, and routes
    #[arg(long, value_name = "NAME", conflicts_with_all = ["files", "check", "simulate"])]
    preset: Option<String>,
    /// List the presets and write nothing
    #[arg(long, conflicts_with_all = ["files", "preset", "check", "simulate"])]
    presets: bool,
    /// Check everything and say what it means, but write nothing
    #[arg(long)]
    check: bool,
    /// Let the connections call simulated vendors instead of the real ones: those at this address, or, without one, those that this
    /// command starts and keeps until it is stopped
    #[arg(long, value_name = "URL", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    simulate: Option<String>,
    /// Answer with JSON
    #[arg(long)]
    json: bool,
}

/// Applies the files: all of them, or nothing when anything is wrong.
///
/// # Errors
/// Everything that is wrong in any file, or that the data folder cannot be used.
pub async fn run(settings: Settings, arguments: ApplyArguments) -> Result<ExitCode, Problem> {
    if arguments.presets {
        print!("{}", list_presets());
        return Ok(FINE);
    }
    if let Some(name) = &arguments.preset {
        return begin(&settings, presets::find(name)?, arguments.json).await;
    }
    let registry = Shelf::open(&settings)?.registry();
    let mut items = read_files(&arguments.files, &registry)?;
    if arguments.check {
        return check(&items, &registry);
    }
    let simulators = match arguments.simulate.as_deref() {
        None => None,
        Some("") => Some(Simulators::start(simulated::Plan::default()).await?),
        Some(url) => Some(Simulators::elsewhere(url)),
    };
    if let Some(simulators) = &simulators {
        for key in simulated::redirect(&mut items, simulators)? {
            eprintln!("connection {key}: its system is not simulated; it calls the real one");
        }
    }
    let Opened { hub, .. } = open(&settings).await?;
    let workspace = hub.default_workspace().await?;
    let done = hub.configure(workspace, items).await;
    hub.stop(settings.stop).await;
    let done = ConfiguredView::from(done?);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&done).unwrap_or_default());
    } else {
        print!("{}", describe(&done));
    }
    if let Some(simulators) = simulators.filter(Simulators::are_ours) {
        eprintln!(
            "Simulated vendors run at {} until this command is stopped (ctrl-c).",
            simulators.base_url()
        );
        eprintln!("The hub calls them when it is started with --allow-private-addresses.");
        ended().await;
        simulators.stop().await;
    }
    Ok(FINE)
}

/// Says what the items mean without writing them. What an account has is not known here; the hub compares with it when they are applied.
fn check(items: &[Item], registry: &Registry) -> Result<ExitCode, Problem> {
    let (fatal, doubtful) = check_mappings(items, registry);
    for warning in &doubtful {
        let place = warning.place.as_deref().unwrap_or_default();
        println!("warning: {place}: {}. {}", warning.detail, warning.next);
    }
    if let Some(problem) = Problem::all(fatal) {
        return Err(problem);
    }
    println!(
        "{} parts of the configuration are right; nothing was written.",
        items.len()
    );
    Ok(FINE)
}

fn list_presets() -> String {
    let lines = presets::all()
        .iter()
        .map(|preset| format!("{:26}{}\n{:26}{}\n", preset.name, preset.title, "", preset.about));
    lines.collect()
}

/// Writes what a preset adds.
async fn begin(settings: &Settings, preset: &Preset, as_json: bool) -> Result<ExitCode, Problem> {
    let Opened { hub, .. } = open(settings).await?;
    let workspace = hub.default_workspace().await?;
    let applied = preset.apply(&hub, workspace).await;
    hub.stop(settings.stop).await;
    let applied = applied?;
    if as_json {
        let view = AppliedView::from(applied);
        println!("{}", serde_json::to_string_pretty(&view).unwrap_or_default());
        return Ok(FINE);
    }
    for key in &applied.kept {
        println!("connection {key}: was there already and stays as it is");
    }
    for step in &applied.next_steps {
        println!("next: {step}");
    }
    print!("{}", describe(&ConfiguredView::from(applied.done)));
    Ok(FINE)
}

fn read_files(files: &[PathBuf], registry: &Registry) -> Result<Vec<Item>, Problem> {
    let mut items = Vec::new();
    let mut problems = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let document = match std::fs::read_to_string(file) {
            Ok(text) => Document::parse(&text, &name),
            Err(error) => {
                let next = "Correct the path, or the permissions of the file.";
                Err(Problem::new(
                    Code::UnknownFile,
                    format!("{name} cannot be read: {error}"),
                    next,
                ))
            }
        };
        match document {
            Ok(document) => match guide::read(&document, registry) {
                Ok(found) => items.extend(found),
                Err(found) => problems.extend(found),
            },
            Err(problem) => problems.push(problem),
        }
    }
    match Problem::all(problems) {
        Some(problem) => Err(problem),
        None => Ok(items),
    }
}

/// What was written, for a person.
pub(super) fn describe(done: &ConfiguredView) -> String {
    let mut lines = Vec::new();
    for connection in &done.connections {
        let reason = connection
            .reason
            .as_ref()
            .map(|reason| format!(" ({reason})"))
            .unwrap_or_default();
        lines.push(format!(
            "connection {} [{}]: {}{reason}",
            connection.key, connection.connector, connection.state
        ));
        lines.extend(connection.notes.iter().map(|note| format!("  note: {note}")));
        let warnings = connection.warnings.iter();
        lines.extend(warnings.map(|warning| format!("  warning: {}. {}", warning.detail, warning.next)));
    }
    for route in &done.routes {
        let waiting = match route.waiting_for.is_empty() {
            true => String::new(),
            false => format!(" (waits for {}, not connected yet)", route.waiting_for.join(", ")),
        };
        lines.push(format!("route {} [{}]: kept{waiting}", route.key, route.strategy));
    }
    for source in &done.sources {
        let missing = match source.missing.is_empty() {
            true => String::new(),
            false => format!(" (refuses everything until it has {})", source.missing.join(", ")),
        };
        lines.push(format!(
            "source {} [{}]: at /in/{}{missing}",
            source.key, source.source, source.path
        ));
    }
    lines.extend(done.objects.iter().map(|name| format!("table {name}: kept")));
    lines.extend(done.lists.iter().map(|name| format!("list {name}: kept")));
    lines.extend(done.automations.iter().map(|key| format!("automation {key}: kept")));
    for (is_there, name) in [(done.classifier, "classifier"), (done.defaults, "defaults")] {
        if is_there {
            lines.push(format!("{name}: kept"));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use crate::api::{ConfiguredConnectionView, ConfiguredRouteView, ConfiguredSourceView};

    use super::*;

    #[test]
    fn what_was_written_is_told_with_what_is_missing_and_waited_for() {
        let done = ConfiguredView {
            connections: vec![ConfiguredConnectionView {
                key: "primary-crm".into(),
                connector: "salesforce".into(),
                state: "draft",
                reason: Some("missing: clientId".into()),
                notes: vec!["v58.0 was read as 58.0".into()],
                warnings: Vec::new(),
            }],
            routes: vec![ConfiguredRouteView {
                key: "category".into(),
                strategy: "category_routing",
                waiting_for: vec!["jira".into(), "linear".into()],
            }],
            sources: vec![ConfiguredSourceView {
                key: "feiyu".into(),
                source: "feiyu".into(),
                path: "callback".into(),
                missing: Vec::new(),
            }],
            objects: vec!["customers".into()],
            lists: vec!["channels".into()],
            automations: vec!["hot-leads".into()],
            classifier: true,
            defaults: false,
        };
        assert_eq!(
            describe(&done),
            "connection primary-crm [salesforce]: draft (missing: clientId)\n  note: v58.0 was read as 58.0\n\
             route category [category_routing]: kept (waits for jira, linear, not connected yet)\n\
             source feiyu [feiyu]: at /in/callback\ntable customers: kept\nlist channels: kept\nautomation hot-leads: kept\nclassifier: kept\n"
        );
    }
}
