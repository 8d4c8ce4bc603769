//! `switchboard doctor`: looks at everything that a hub needs, and changes nothing that a start would not change.

use std::{path::Path, process::ExitCode};

use clap::Args;
use serde::Serialize;
use switchboard_hub::store::Database;
use switchboard_model::{connection::ConnectionState, problem::Problem};

use super::FINE;
use crate::{
    serve::{Opened, check_folder, open},
    settings::{MasterKey, Settings},
};

/// Below this many free bytes a database cannot work for long.
const LITTLE_DISK: u64 = 256 << 20;
/// Below this many it will soon not.
const SCARCE_DISK: u64 = 2 << 30;
/// The database's name in the data folder.
const DATABASE: &str = switchboard_hub::DATABASE;

/// How to answer.
#[derive(Debug, Args)]
pub struct DoctorArguments {
    /// Answer with JSON
    #[arg(long)]
    json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
enum Finding {
    Ok,
    Warning,
    Failed,
}

/// One check.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    result: Finding,
    detail: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl Check {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            result: Finding::Ok,
            detail: detail.into(),
            next: None,
        }
    }

    fn bad(name: &str, result: Finding, detail: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            result,
            detail: detail.into(),
            next: Some(next.into()),
        }
    }

    fn failed(name: &str, problem: &Problem) -> Self {
        Self::bad(name, Finding::Failed, problem.detail.clone(), problem.next.clone())
    }
}

/// Checks, prints, and answers 1 when any check failed. Warnings do not fail.
///
/// # Errors
/// Never; what is wrong is a check that failed.
pub async fn run(settings: Settings, arguments: DoctorArguments) -> Result<ExitCode, Problem> {
    let mut checks = vec![Check::ok("settings", format!("listen on {}", settings.listen))];
    checks.extend(settings.notes.iter().map(|note| {
        Check::bad(
            "settings",
            Finding::Warning,
            note.clone(),
            "Correct or remove the variable, if it is yours.",
        )
    }));
    let there = settings.data.is_dir();
    checks.push(folder(&settings.data));
    if there {
        checks.push(disk(&settings.data));
        checks.push(master_key(&settings.master_key));
    }
    match &settings.database {
        Database::Folder if settings.data.join(DATABASE).is_file() => {
            checks.push(integrity(&settings.data.join(DATABASE)));
            checks.extend(connections(&settings).await);
        }
        Database::Folder => checks.push(Check::ok(
            "database",
            "SQLite in the data folder; the first start makes it",
        )),
        Database::Postgres(_) => checks.extend(connections(&settings).await),
    }
    let worst = checks.iter().map(|check| check.result).max().unwrap_or(Finding::Ok);
    if arguments.json {
        let answer = serde_json::json!({ "ok": worst < Finding::Failed, "checks": checks });
        println!("{}", serde_json::to_string_pretty(&answer).unwrap_or_default());
    } else {
        checks.iter().for_each(print);
    }
    Ok(if worst < Finding::Failed {
        FINE
    } else {
        ExitCode::FAILURE
    })
}

fn print(check: &Check) {
    let mark = match check.result {
        Finding::Ok => "ok     ",
        Finding::Warning => "WARNING",
        Finding::Failed => "FAILED ",
    };
    println!("{mark}  {}: {}", check.name, check.detail);
    if let Some(next) = &check.next {
        println!("         what to do: {next}");
    }
}

fn folder(data: &Path) -> Check {
    if !data.exists() {
        return Check::ok(
            "data folder",
            format!("{} is not there yet; the first start makes it", data.display()),
        );
    }
    match check_folder(data) {
        Ok(()) => Check::ok("data folder", format!("{} can be written", data.display())),
        Err(problem) => Check::failed("data folder", &problem),
    }
}

fn disk(data: &Path) -> Check {
    let free = match rustix::fs::statvfs(data) {
        Ok(stat) => stat.f_bavail.saturating_mul(stat.f_frsize),
        Err(error) => {
            return Check::bad(
                "free disk",
                Finding::Warning,
                format!("cannot be found out: {error}"),
                "Look with df.",
            );
        }
    };
    let detail = format!("{:.1} GiB free", free as f64 / f64::from(1 << 30));
    let next = "Make room on this disk, or move the data folder (--data).";
    match free {
        _ if free < LITTLE_DISK => Check::bad("free disk", Finding::Failed, detail, next),
        _ if free < SCARCE_DISK => Check::bad("free disk", Finding::Warning, detail, next),
        _ => Check::ok("free disk", detail),
    }
}

fn master_key(source: &MasterKey) -> Check {
    let path = match source {
        MasterKey::File(path) => path,
        MasterKey::Command(_) => return Check::ok("master key", "comes from a command"),
        MasterKey::Text(_) => return Check::ok("master key", "comes from the environment"),
    };
    match std::fs::metadata(path) {
        Ok(found) => permissions(path, &found),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Check::ok(
            "master key",
            format!("{} is not there yet; the first start makes it", path.display()),
        ),
        Err(error) => {
            let next = "Let the hub's user read it, and nobody else.";
            Check::bad(
                "master key",
                Finding::Failed,
                format!("{} cannot be read: {error}", path.display()),
                next,
            )
        }
    }
}

#[cfg(unix)]
fn permissions(path: &Path, found: &std::fs::Metadata) -> Check {
    use std::os::unix::fs::PermissionsExt;
    let mode = found.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Check::ok("master key", format!("only its owner can read {}", path.display()));
    }
    let detail = format!("others can read {} (mode {mode:o})", path.display());
    Check::bad(
        "master key",
        Finding::Failed,
        detail,
        format!("Run: chmod 600 {}", path.display()),
    )
}

#[cfg(not(unix))]
fn permissions(path: &Path, _found: &std::fs::Metadata) -> Check {
    Check::ok("master key", format!("{} is there", path.display()))
}

fn integrity(database: &Path) -> Check {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let checked = rusqlite::Connection::open_with_flags(database, flags)
        .and_then(|connection| connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)));
    let next = "Stop the hub, keep a copy of the data folder, and restore the last backup.";
    match checked {
        Ok(answer) if answer == "ok" => Check::ok("database", "sound"),
        Ok(answer) => Check::bad("database", Finding::Failed, answer, next),
        Err(error) => Check::bad("database", Finding::Failed, format!("cannot be read: {error}"), next),
    }
}

async fn connections(settings: &Settings) -> Vec<Check> {
    let opened = match open(settings).await {
        Ok(opened) => opened,
        Err(problem) => return vec![Check::failed("database", &problem)],
    };
    let Opened { hub, .. } = opened;
    let mut checks = vec![match hub.ready().await {
        Ok(()) => Check::ok("database", format!("{} answers", settings.database)),
        Err(problem) => Check::failed("database", &problem),
    }];
    match hub.default_workspace().await {
        Ok(workspace) => checks.extend(hub.connections(workspace).iter().map(connection)),
        Err(problem) => checks.push(Check::failed("hub", &problem)),
    }
    hub.stop(settings.stop).await;
    checks
}

fn connection(connection: &switchboard_hub::ConnectionView) -> Check {
    let name = format!("connection {}", connection.key);
    let reason = connection
        .reason
        .clone()
        .unwrap_or_else(|| connection.state.name().to_owned());
    match connection.state {
        _ if !connection.enabled => Check::ok(&name, "switched off"),
        ConnectionState::Active => Check::ok(&name, "active"),
        ConnectionState::Paused => Check::bad(&name, Finding::Warning, reason, "Let it go on when that is wanted."),
        ConnectionState::Draft => Check::bad(
            &name,
            Finding::Warning,
            reason,
            "What is for it waits until it is complete: add what is missing and apply it again.",
        ),
        ConnectionState::Error => {
            let next = "Correct its credentials and apply them; POST /api/crm/test-connection tells more. What is for it waits.";
            Check::bad(&name, Finding::Failed, reason, next)
        }
    }
}
