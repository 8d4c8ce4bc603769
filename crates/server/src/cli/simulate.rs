//! `switchboard simulate`: the simulated vendors alone, on a port of this machine.

use std::{fs, net::SocketAddr, path::Path, process::ExitCode};

use clap::Args;
use switchboard_model::problem::{Code, Problem};
use switchboard_simulator::{
    Dial, Options, Running, ScriptError,
    vendors::{self, Make},
};

use super::FINE;
use crate::{nearest::did_you_mean, serve::ended, settings::Settings, simulated::trouble};

/// Which simulators run, and how.
#[derive(Debug, Args)]
pub struct SimulateArguments {
    /// Vendors to simulate; all when none is named
    #[arg(value_name = "VENDOR")]
    vendors: Vec<String>,
    /// Port to listen on; 0 takes any free one
    #[arg(long, default_value_t = 4000)]
    port: u16,
    /// Decides ids, tokens and what fails; the same seed and the same calls get the same answers
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// What fails: `calm` for nothing, `trouble` for about one call in eight, or a file with a dial as JSON
    #[arg(long, value_name = "FILE|calm|trouble", default_value = "calm")]
    dial: String,
    /// Take only the credentials and places of the simulators' settings, instead of any
    #[arg(long)]
    strict: bool,
}

/// Runs them until the process is told to end.
///
/// # Errors
/// When a vendor or the dial is unknown, a script is wrong, or the port is taken.
pub async fn run(settings: &Settings, arguments: SimulateArguments) -> Result<ExitCode, Problem> {
    let options = options(settings.connectors.as_deref(), &arguments)?;
    let address = SocketAddr::from(([127, 0, 0, 1], arguments.port));
    let running = switchboard_simulator::start(address, options).await.map_err(|error| {
        let detail = format!("The simulators cannot listen on {address}: {error}");
        Problem::new(Code::WrongSetting, detail, "Name another port with --port.")
    })?;
    print!("{}", told(&running, &arguments));
    ended().await;
    running.shutdown().await;
    Ok(FINE)
}

fn options(connectors: Option<&Path>, arguments: &SimulateArguments) -> Result<Options, Problem> {
    let base = if arguments.strict {
        Options::default()
    } else {
        Options::demo()
    };
    let options = Options {
        seed: arguments.seed,
        dial: dial(&arguments.dial)?,
        ..base
    };
    let options = match connectors {
        None => options,
        Some(folder) => options
            .with_connectors(folder)
            .map_err(|errors| wrong_scripts(&errors))?,
    };
    let known = vendors::all(&options);
    for wanted in &arguments.vendors {
        if !known.iter().any(|(slug, _)| **slug == **wanted) {
            let meant = did_you_mean(wanted, known.iter().map(|(slug, _)| &**slug));
            let detail = format!("There is no simulator of `{wanted}`{meant}");
            let slugs: Vec<&str> = known.iter().map(|(slug, _)| &**slug).collect();
            return Err(Problem::new(
                Code::WrongSetting,
                detail,
                format!("Name some of: {}.", slugs.join(", ")),
            ));
        }
    }
    let options = Options {
        only: arguments.vendors.clone(),
        ..options
    };
    let checked = vendors::all(&options).into_iter().filter_map(|(_, make)| match make {
        Make::Native(_) => None,
        Make::Scripted(script) => script.check().err(),
    });
    let errors: Vec<ScriptError> = checked.flatten().collect();
    if errors.is_empty() {
        Ok(options)
    } else {
        Err(wrong_scripts(&errors))
    }
}

fn wrong_scripts(errors: &[ScriptError]) -> Problem {
    let lines: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let detail = format!("A simulator's script cannot be used:\n{}", lines.join("\n"));
    Problem::new(Code::WrongSetting, detail, "Correct the script.")
}

fn dial(text: &str) -> Result<Dial, Problem> {
    match text {
        "calm" => return Ok(Dial::default()),
        "trouble" => return Ok(trouble()),
        _ => {}
    }
    let refuse = |why: String| {
        let detail = format!("The dial `{text}` cannot be used: {why}");
        let next = "Name a file with a dial as JSON, as {\"rules\": [{\"fault\": \"cut_after\", \"times\": 1}]}, or calm, or trouble.";
        Problem::new(Code::WrongSetting, detail, next)
    };
    let read = fs::read(text).map_err(|error| refuse(error.to_string()))?;
    let dial: Dial = serde_json::from_slice(&read).map_err(|error| refuse(error.to_string()))?;
    dial.check().map_err(refuse)?;
    Ok(dial)
}

/// One line for each vendor: slug and address.
fn told(running: &Running, arguments: &SimulateArguments) -> String {
    let width = running
        .slugs()
        .map(str::len)
        .max()
        .unwrap_or(0)
        .max("control API".len());
    let mut text = String::new();
    for slug in running.slugs() {
        text.push_str(&format!("{slug:width$}  {}\n", running.url(slug)));
    }
    text.push_str(&format!(
        "{:width$}  {}\n",
        "control API",
        running.url("_control/summary")
    ));
    let taken = if arguments.strict {
        "only registered credentials are taken"
    } else {
        "any credentials are taken"
    };
    text.push_str(&format!("Seed {}; {taken}. Ctrl-C ends it.\n", arguments.seed));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(vendors: &[&str], dial: &str) -> SimulateArguments {
        SimulateArguments {
            vendors: vendors.iter().map(|vendor| (*vendor).to_owned()).collect(),
            port: 0,
            seed: 7,
            dial: dial.to_owned(),
            strict: true,
        }
    }

    #[tokio::test]
    async fn wanted_vendors_are_told_with_their_addresses() {
        let arguments = arguments(&["notion", "webhook"], "calm");
        let options = options(None, &arguments).unwrap();
        let running = switchboard_simulator::start(([127, 0, 0, 1], 0).into(), options)
            .await
            .unwrap();
        let base = running.base_url();
        let expected = format!(
            "notion       {base}/notion\nwebhook      {base}/webhook\ncontrol API  {base}/_control/summary\n\
             Seed 7; only registered credentials are taken. Ctrl-C ends it.\n"
        );
        assert_eq!(told(&running, &arguments), expected);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_the_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path.to_str().unwrap().to_owned()
        };
        let refused = |connectors: Option<&Path>, vendors: &[&str], dial: &str| {
            options(connectors, &arguments(vendors, dial))
                .map(|_| ())
                .unwrap_err()
                .detail
        };
        assert!(refused(None, &["notoin"], "calm").contains("did you mean `notion`?"));
        assert!(refused(None, &[], "nowhere.json").contains("nowhere.json"));
        assert!(refused(None, &[], &file("a.json", "{\"dwon\": true}")).contains("dwon"));
        assert!(refused(None, &[], &file("b.json", "{\"expire_tokens\": 2}")).contains("from 0 to 1"));
        file("connectors/made/simulator.rhai", "fn settings() {\n  #{ }\n");
        let said = refused(Some(&folder.path().join("connectors")), &[], "calm");
        assert!(said.contains("made/simulator.rhai:"), "{said}");
    }
}
