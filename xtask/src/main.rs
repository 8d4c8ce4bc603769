//! `cargo xtask <command>`: the chores of this repository as a program, so that every machine does them the same way.

mod ci;
mod docs;
mod errors;
mod tidy;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

const USAGE: &str = "\
Usage: cargo xtask <command>

  ci      format, lints, tidy, tests: what must pass before a change goes in
  tidy    the rules of this repository that no other tool knows
  docs    writes the pages that are made from something else (docs/reference/manifest.md)
  errors  checks that docs/reference/errors has a true page for every problem code
  help    this text
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(code) => code,
        Err(problem) => {
            eprintln!("xtask: {problem:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<ExitCode> {
    let root = root()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["ci"] => ci::run(&root),
        ["tidy"] => tidy::run(&root, tidy::RULES),
        ["docs"] => docs::write(&root).map(|()| ExitCode::SUCCESS),
        ["errors"] => tidy::run(&root, &[("errors", errors::check)]),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        [] => bail!("a command is missing\n\n{USAGE}"),
        _ => bail!("there is no command `{}`\n\n{USAGE}", arguments.join(" ")),
    }
}

/// The folder of the workspace: the one above this package.
fn root() -> Result<PathBuf> {
    let parent = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
    Ok(parent
        .context("the package of xtask has no folder above it")?
        .to_path_buf())
}
