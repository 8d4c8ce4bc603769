//! `switchboard connector test [FOLDER]`: the conformance suite on one connector, or on all that are built in, against simulated vendors.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::{Map, Value, json};
use switchboard_model::problem::{Code, Problem};

use super::folder::Folder;
use crate::{
    cli::{FINE, runtime},
    conformance::{Report, Selection, Subject, catalogue, run as play, scores},
    nearest::did_you_mean,
};

/// What to test.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// The connector's folder, with scenario.yaml; its own simulator.rhai is used, else the built-in simulator of its name. Without a
    /// folder every built-in connector is tested
    #[arg(value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Only this case
    #[arg(long, value_name = "NAME")]
    case: Option<String>,
    /// Only the cases about this object
    #[arg(long, value_name = "NAME")]
    object: Option<String>,
    /// Decides every chance of the simulated vendor
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Answer with JSON
    #[arg(long)]
    json: bool,
    /// Show the headers of the calls, and the calls of waived cases
    #[arg(short, long)]
    verbose: bool,
    /// Write the scores of the built-in connectors into this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["folder", "case", "object"], hide = true)]
    scores: Option<PathBuf>,
}

/// Plays the cases and prints what came of them. The exit code is 0 when each was passed or rightly waived.
///
/// # Errors
/// Everything that is wrong with the folder, or that there is no such case.
pub fn run(arguments: TestArguments) -> Result<ExitCode, Problem> {
    let subjects = match &arguments.folder {
        Some(folder) => Folder::read(folder).and_then(|folder| Ok(vec![Arc::new(folder.subject()?)])),
        None => Subject::all_embedded(),
    };
    let subjects = subjects.map_err(all)?;
    let names: Vec<_> = catalogue().map(|case| case.name).collect();
    known("case", arguments.case.as_deref(), &names)?;
    let objects = subjects.iter().flat_map(|subject| subject.scenario.objects.keys());
    let objects: Vec<_> = objects.map(String::as_str).collect();
    known("object", arguments.object.as_deref(), &objects)?;
    let selection = Selection {
        case: arguments.case,
        object: arguments.object,
        seed: arguments.seed,
        ..Selection::default()
    };
    let report = runtime()?.block_on(play(&subjects, &selection));
    if report.endings.is_empty() {
        let detail = "No case applies: the manifest promises nothing of the kind.";
        return Err(Problem::new(
            Code::WrongSetting,
            detail,
            "Leave out --case or --object.",
        ));
    }
    match arguments.json {
        true => println!("{}", as_json(&report)),
        false => print!("{}", report.to_text(arguments.verbose)),
    }
    if let Some(file) = &arguments.scores {
        std::fs::write(file, scores::file(&report)).map_err(|error| {
            let detail = format!("{} cannot be written: {error}", file.display());
            Problem::new(Code::WrongSetting, detail, "Correct the path.").at("--scores")
        })?;
    }
    Ok(if report.is_perfect() { FINE } else { ExitCode::FAILURE })
}

fn as_json(report: &Report) -> String {
    let scores: Map<String, Value> = report
        .connectors()
        .into_iter()
        .map(|slug| (slug.to_owned(), json!(report.score(slug))))
        .collect();
    let answer = json!({ "conformance": scores, "cases": report.endings });
    serde_json::to_string_pretty(&answer).unwrap_or_default()
}

fn known(what: &str, name: Option<&str>, names: &[&str]) -> Result<(), Problem> {
    match name.filter(|name| !names.contains(name)) {
        None => Ok(()),
        Some(name) => {
            let hint = did_you_mean(name, names.iter().copied());
            let detail = format!("There is no {what} `{name}` here{hint}");
            let next = format!("Use one of {}.", names.join(", "));
            Err(Problem::new(Code::WrongSetting, detail, next).at(format!("--{what}")))
        }
    }
}

fn all(problems: Vec<Problem>) -> Problem {
    Problem::all(problems).unwrap_or_else(|| Problem::new(Code::Internal, "The folder cannot be read.", "Report this."))
}
