//! `cargo xtask ci`: everything that must pass, cheapest first, stopping at the first step that fails.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use crate::tidy;

/// The setting that names the folder of official interface descriptions.
const SPECS: &str = "SWITCHBOARD_SPECS";
/// Where that folder is taken from when nobody sets it, seen from the root of the repository.
const SPECS_BESIDE: &str = "../shared/specs";

/// The setting that names a PostgreSQL server for the tests.
const POSTGRES: &str = "SWITCHBOARD_TEST_POSTGRES_URL";

const FORMAT: &[&str] = &["fmt", "--all", "--check"];
const LINTS: &[&str] = &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
const TESTS: &[&str] = &["test", "--workspace"];

/// Runs all steps. What cargo's tests print last is the last thing printed, so that their verdict ends every log.
pub fn run(root: &Path) -> Result<ExitCode> {
    let specs = specs(root, std::env::var_os(SPECS))?;
    let begun = Instant::now();
    for arguments in [FORMAT, LINTS] {
        if !timed(arguments, || cargo(root, arguments, None))? {
            return Ok(ExitCode::FAILURE);
        }
    }
    let clean = timed(&["xtask", "tidy"], || {
        Ok(tidy::run(root, tidy::RULES)? == ExitCode::SUCCESS)
    })?;
    if !clean {
        return Ok(ExitCode::FAILURE);
    }
    println!(
        "==> so far {:.1} s; the tests end this run",
        begun.elapsed().as_secs_f64()
    );
    match &specs {
        Some(folder) => println!("==> {SPECS} is {}", folder.display()),
        None => println!(
            "==> {SPECS} is not set and there is no folder {SPECS_BESIDE}: requests are not compared with the official \
             interface descriptions"
        ),
    }
    if std::env::var_os(POSTGRES).is_none() {
        println!(
            "==> {POSTGRES} is not set: the store on PostgreSQL is not tested; `.ci/postgres cargo xtask ci` starts a server for it"
        );
    }
    println!("==> cargo {}", TESTS.join(" "));
    let passed = cargo(root, TESTS, specs.as_deref())?;
    Ok(if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints the command, does the step, prints how long it took; true when the step passed.
fn timed(arguments: &[&str], step: impl FnOnce() -> Result<bool>) -> Result<bool> {
    let command = arguments.join(" ");
    println!("==> cargo {command}");
    let begun = Instant::now();
    let passed = step()?;
    let verdict = if passed { "passed" } else { "FAILED" };
    println!(
        "==> cargo {command}: {verdict} after {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    Ok(passed)
}

/// Runs the cargo that runs us; true when it ends well.
fn cargo(root: &Path, arguments: &[&str], specs: Option<&Path>) -> Result<bool> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    if let Some(folder) = specs {
        command.env(SPECS, folder);
    }
    let status = command
        .status()
        .with_context(|| format!("cargo {} did not start", arguments.join(" ")))?;
    Ok(status.success())
}

/// The folder of interface descriptions as an absolute path: cargo starts each test in the folder of its own package, where
/// a relative path would point elsewhere. A folder that somebody named must be there; the one beside us may be missing.
fn specs(root: &Path, set: Option<OsString>) -> Result<Option<PathBuf>> {
    match set.filter(|value| !value.is_empty()) {
        Some(value) => {
            let folder = root.join(value);
            if !folder.is_dir() {
                bail!(
                    "{SPECS} names {}, which is no folder; unset it or correct it",
                    folder.display()
                );
            }
            Ok(Some(folder.canonicalize()?))
        }
        None => {
            let folder = root.join(SPECS_BESIDE);
            if folder.is_dir() {
                Ok(Some(folder.canonicalize()?))
            } else {
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR"))
    }

    #[test]
    fn a_relative_specs_folder_becomes_absolute_from_the_root() {
        let found = specs(&here(), Some("src/tidy".into())).unwrap().unwrap();
        assert!(found.is_absolute());
        assert!(found.ends_with("src/tidy"));
    }

    #[test]
    fn a_specs_folder_that_is_named_but_missing_is_an_error() {
        let problem = specs(&here(), Some("no-such-folder".into())).unwrap_err().to_string();
        assert!(problem.contains("no-such-folder"), "{problem}");
        assert!(problem.contains(SPECS), "{problem}");
    }

    #[test]
    fn an_empty_setting_counts_as_unset() {
        // Below `src` there is no folder beside the root, so nothing is found.
        assert_eq!(specs(&here().join("src"), Some(OsString::new())).unwrap(), None);
        assert_eq!(specs(&here().join("src"), None).unwrap(), None);
    }
}
