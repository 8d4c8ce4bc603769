//! `switchboard template list|show|install`: ready scenarios.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};
use switchboard_model::problem::{Code, Problem};

use super::{FINE, apply::describe};
use crate::{
    api::{ConfiguredView, InstalledView},
    serve::{Opened, open},
    settings::Settings,
    templates::{self, Template},
};

/// Ready scenarios.
#[derive(Debug, Subcommand)]
pub enum TemplateCommand {
    /// List the ready scenarios
    List,
    /// Show what a scenario does and what can be chosen
    Show {
        /// Its name
        name: String,
    },
    /// Write a scenario's sources, tables, automations and routes; a running hub takes them within a second
    Install(InstallArguments),
}

/// What to install.
#[derive(Debug, Args)]
pub struct InstallArguments {
    /// Its name
    name: String,
    /// The value of a parameter
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Answer with JSON
    #[arg(long)]
    json: bool,
}

/// Does what is said.
///
/// # Errors
/// When there is no such template, a parameter is wrong, or the data folder cannot be used.
pub async fn run(settings: Settings, command: TemplateCommand) -> Result<ExitCode, Problem> {
    match command {
        TemplateCommand::List => print!("{}", list()),
        TemplateCommand::Show { name } => print!("{}", show(templates::find(&name)?)),
        TemplateCommand::Install(arguments) => return install(&settings, &arguments).await,
    }
    Ok(FINE)
}

fn list() -> String {
    let lines = templates::all()
        .iter()
        .map(|template| format!("{:18}{}\n", template.name, template.title));
    lines.collect()
}

fn show(template: &Template) -> String {
    let mut text = format!("{}\n\n{}\n", template.title, template.about.trim_end());
    if !template.connectors.is_empty() {
        text.push_str(&format!("\nsends to: {}\n", template.connectors.join(", ")));
    }
    text.push_str("\nparameters (--set NAME=VALUE):\n");
    for parameter in &template.parameters {
        let default = match &parameter.default {
            None => "needed".to_owned(),
            Some(Value::String(text)) if text.is_empty() => "not set".to_owned(),
            Some(Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
        };
        text.push_str(&format!("  {:16}{} [{default}]\n", parameter.name, parameter.title));
    }
    text
}

async fn install(settings: &Settings, arguments: &InstallArguments) -> Result<ExitCode, Problem> {
    let template = templates::find(&arguments.name)?;
    let set = read_set(&arguments.set)?;
    let Opened { hub, .. } = open(settings).await?;
    let workspace = hub.default_workspace().await?;
    let installed = template.install(&hub, workspace, &set).await;
    hub.stop(settings.stop).await;
    let installed = installed?;
    if arguments.json {
        let view = InstalledView::from(installed);
        println!("{}", serde_json::to_string_pretty(&view).unwrap_or_default());
        return Ok(FINE);
    }
    print!("{}", describe(&ConfiguredView::from(installed.done)));
    for step in &installed.next_steps {
        println!("next: {step}");
    }
    Ok(FINE)
}

/// A value is a number or a flag where it is written like one.
fn read_set(given: &[String]) -> Result<Map<String, Value>, Problem> {
    let mut set = Map::new();
    for pair in given {
        let Some((name, value)) = pair.split_once('=') else {
            let detail = format!("`{pair}` is not of the form NAME=VALUE");
            return Err(
                Problem::new(Code::WrongSetting, detail, "Write for example --set channel='#sales'.").at("--set"),
            );
        };
        let read = match serde_json::from_str::<Value>(value) {
            Ok(read @ (Value::Number(_) | Value::Bool(_))) => read,
            _ => Value::String(value.to_owned()),
        };
        set.insert(name.trim().to_owned(), read);
    }
    Ok(set)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_read_as_they_are_written() {
        let given = ["score=8", "channel=#sales", "on = true", "empty=", "id=007"].map(str::to_owned);
        let set = read_set(&given).unwrap();
        assert_eq!(
            Value::Object(set),
            json!({ "score": 8, "channel": "#sales", "on": true, "empty": "", "id": "007" })
        );
        assert_eq!(read_set(&["score".to_owned()]).unwrap_err().code, Code::WrongSetting);
    }

    #[test]
    fn every_template_is_listed_and_shown() {
        for template in templates::all() {
            assert!(list().contains(template.name));
            let shown = show(template);
            assert!(
                template
                    .parameters
                    .iter()
                    .all(|parameter| shown.contains(&parameter.name)),
                "{shown}"
            );
        }
    }
}
