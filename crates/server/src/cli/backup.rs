//! `switchboard backup` and `switchboard restore`: copies of the data folder, made beside a running hub.

use std::{path::PathBuf, process::ExitCode};

use clap::Args;
use switchboard_hub::{
    DATABASE,
    store::{
        Database,
        sqlite::backup::{self, Copied},
    },
};
use switchboard_model::problem::{Code, Problem};

use super::FINE;
use crate::settings::{MasterKey, Settings};

/// Where to copy to.
#[derive(Debug, Args)]
pub struct BackupArguments {
    /// Folder for the backup; must be new or empty
    folder: PathBuf,
}

/// Where to copy from.
#[derive(Debug, Args)]
pub struct RestoreArguments {
    /// Folder that `switchboard backup` made
    backup: PathBuf,
}

/// Copies database and history of the data folder.
///
/// # Errors
/// When there is nothing to copy, or the folder cannot be written or holds something.
pub async fn back_up(settings: Settings, arguments: BackupArguments) -> Result<ExitCode, Problem> {
    if settings.database != Database::Folder {
        return Err(Problem::new(
            Code::WrongSetting,
            format!("{} is copied by PostgreSQL's own tools.", settings.database),
            "Use pg_dump or a continuous archive, and keep the master key apart.",
        )
        .at("database"));
    }
    let database = settings.data.join(DATABASE);
    let folder = arguments.folder.clone();
    let copied = apart(move || backup::back_up(&database, &folder)).await?;
    let copied = copied.map_err(|error| {
        Problem::new(
            Code::StoreFailed,
            format!("the backup was not made: {error}"),
            "Name a folder that is new or empty, on a disk with enough space, and the data folder with --data.",
        )
    })?;
    println!("Backup:  {} ({})", arguments.folder.display(), size(&copied));
    println!("{}", about_key(&settings.master_key));
    println!(
        "Restore: switchboard restore {} --data FOLDER",
        arguments.folder.display()
    );
    Ok(FINE)
}

/// Checks a backup and makes a data folder of it.
///
/// # Errors
/// When the backup is incomplete or damaged, or the data folder is not empty.
pub async fn restore(settings: Settings, arguments: RestoreArguments) -> Result<ExitCode, Problem> {
    let (from, data) = (arguments.backup, settings.data.clone());
    let copied = apart(move || backup::restore(&from, &data, DATABASE)).await?;
    let copied = copied.map_err(|error| {
        Problem::new(
            Code::StoreFailed,
            format!("nothing was restored: {error}"),
            "Name a folder that `switchboard backup` made, and with --data a folder that is new or empty.",
        )
    })?;
    println!("Restored: {} ({})", settings.data.display(), size(&copied));
    match &settings.master_key {
        MasterKey::File(path) if !path.exists() => println!(
            "Next:     put the master key that belongs to this backup at {} (only its owner may read it), then start \
             `switchboard --data {}`. Without it the hub makes a new key, and every connection's credentials have to be \
             entered again.",
            path.display(),
            settings.data.display()
        ),
        _ => println!(
            "Next:     make sure that the master key is the one that belongs to this backup, then start `switchboard --data {}`.",
            settings.data.display()
        ),
    }
    Ok(FINE)
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| Problem::new(Code::Internal, error.to_string(), "Report this."))
}

fn size(copied: &Copied) -> String {
    let days = match copied.days {
        1 => "1 day of history".to_owned(),
        days => format!("{days} days of history"),
    };
    format!("database and {days}, {} KiB", copied.bytes.div_ceil(1024))
}

fn about_key(key: &MasterKey) -> String {
    let place = match key {
        MasterKey::File(path) => format!("the file {}", path.display()),
        MasterKey::Command(_) => "what the command of `master_key_command` prints".to_owned(),
        MasterKey::Text(_) => "the variable SWITCHBOARD_MASTER_KEY".to_owned(),
    };
    format!(
        "Key:     the master key ({place}) is NOT in the backup. Keep a copy of it in another place: without it the credentials \
         in the backup cannot be opened, and with it whoever has the backup can."
    )
}
