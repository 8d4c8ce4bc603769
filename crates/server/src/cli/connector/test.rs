//! `switchboard connector test FOLDER`: the conformance suite on one connector, against its simulated vendor.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use clap::Args;
use serde_json::json;
use switchboard_model::problem::{Code, Problem};

use super::folder::Folder;
use crate::{
    cli::{FINE, runtime},
    conformance::{Report, Selection, catalogue, run as play},
    nearest::did_you_mean,
};

/// What to test.
#[derive(Debug, Args)]
pub struct TestArguments {
    /// The connector's folder, with scenario.yaml; its own simulator.rhai is used, else the built-in simulator of its name
    #[arg(value_name = "FOLDER")]
    folder: PathBuf,
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
}

/// Plays the cases and prints what came of them. The exit code is 0 when each was passed or rightly waived.
///
/// # Errors
/// Everything that is wrong with the folder, or that there is no such case.
pub fn run(arguments: TestArguments) -> Result<ExitCode, Problem> {
    let folder = Folder::read(&arguments.folder).map_err(all)?;
    let subject = Arc::new(folder.subject().map_err(all)?);
    let names: Vec<_> = catalogue().map(|case| case.name).collect();
    known("case", arguments.case.as_deref(), &names)?;
    let objects: Vec<_> = subject.scenario.objects.keys().map(String::as_str).collect();
    known("object", arguments.object.as_deref(), &objects)?;
    let selection = Selection {
        case: arguments.case,
        object: arguments.object,
        seed: arguments.seed,
        ..Selection::default()
    };
    let report = runtime()?.block_on(play(&[Arc::clone(&subject)], &selection));
    if report.endings.is_empty() {
        let detail = "No case applies: the manifest promises nothing of the kind.";
        return Err(Problem::new(Code::WrongSetting, detail, "Leave out --case or --object."));
    }
    match arguments.json {
        true => println!("{}", as_json(subject.slug(), &report)),
        false => print!("{}", report.to_text(arguments.verbose)),
    }
    Ok(if report.is_perfect() { FINE } else { ExitCode::FAILURE })
}

fn as_json(slug: &str, report: &Report) -> String {
    let answer = json!({ "connector": slug, "conformance": report.score(slug), "cases": report.endings });
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
