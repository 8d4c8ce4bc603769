//! `switchboard migrate --from DATABASE --to DATABASE`: moves an installation, with every id, to another database. All or nothing.

use std::{
    fs::File,
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use switchboard_hub::{
    clock::SystemClock,
    lock_folder,
    store::{
        Database, StoreError,
        postgres::transfer::PostgresTransfer,
        sqlite::{
            SqliteStore,
            transfer::{SqliteSource, SqliteTarget},
        },
        transfer::{Source, Target, transfer},
    },
};
use switchboard_model::problem::{Code, Problem};

use super::FINE;
use crate::{serve::check_folder, settings::Settings};

/// From where to where.
#[derive(Debug, Args)]
pub struct MigrateArguments {
    /// What is moved: sqlite for the data folder, sqlite:FOLDER, or postgres://USER:PASSWORD@HOST:PORT/NAME
    #[arg(long, value_name = "DATABASE", value_parser = Place::read)]
    from: Place,
    /// Where it goes, in the same form; it must be empty
    #[arg(long, value_name = "DATABASE", value_parser = Place::read)]
    to: Place,
}

/// A database, and the folder where it is a file in one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    DataFolder,
    Folder(PathBuf),
    Postgres(String),
}

impl Place {
    fn read(text: &str) -> Result<Self, String> {
        if let Some(folder) = text.strip_prefix("sqlite:").filter(|folder| !folder.is_empty()) {
            return Ok(Self::Folder(folder.into()));
        }
        match text.parse::<Database>() {
            Ok(Database::Folder) => Ok(Self::DataFolder),
            Ok(Database::Postgres(url)) => Ok(Self::Postgres(url)),
            Err(error) => Err(error.to_string()),
        }
    }

    fn folder<'a>(&'a self, settings: &'a Settings) -> Option<&'a Path> {
        match self {
            Self::DataFolder => Some(&settings.data),
            Self::Folder(folder) => Some(folder),
            Self::Postgres(_) => None,
        }
    }
}

/// Moves everything. The old database is left as it is.
///
/// # Errors
/// When one of the two cannot be used, a hub is at work on it, or the target is not empty; then nothing was moved.
pub async fn run(settings: Settings, arguments: MigrateArguments) -> Result<ExitCode, Problem> {
    let (mut source, _kept_from_others) = source(&arguments.from, &settings).await?;
    let (mut target, _kept_from_others_too) = target(&arguments.to, &settings).await?;
    let terminal = std::io::stderr().is_terminal();
    let mut lines = Vec::<(String, u64)>::new();
    let progress = |part: &str, moved: u64| {
        if lines.last().is_none_or(|(last, _)| last != part) {
            lines.push((part.to_owned(), 0));
        }
        if let Some(line) = lines.last_mut() {
            line.1 = moved;
        }
        if terminal {
            eprint!("\r{part}: {moved} rows        ");
            // A terminal that is gone is no reason to stop.
            let _ = std::io::stderr().flush();
        }
    };
    transfer(&mut *source, &mut *target, progress).await?;
    if terminal {
        eprintln!();
    }
    for (part, moved) in lines {
        println!("{part}: {moved} rows");
    }
    println!("Moved. The old database was left as it is; the credentials in it need the same master key as before.");
    Ok(FINE)
}

async fn source(place: &Place, settings: &Settings) -> Result<(Box<dyn Source>, Option<File>), Problem> {
    match place.folder(settings) {
        Some(folder) => {
            let file = folder.join(switchboard_hub::DATABASE);
            if !file.is_file() {
                return Err(Problem::new(
                    Code::StoreFailed,
                    format!("there is no database in {}", folder.display()),
                    "Name the folder that has it: --from sqlite:FOLDER.",
                ));
            }
            let lock = prepare(folder, &file)?;
            Ok((Box::new(SqliteSource::open(&file)?), Some(lock)))
        }
        None => Ok((
            Box::new(PostgresTransfer::source(url(place)).await.map_err(unusable)?),
            None,
        )),
    }
}

async fn target(place: &Place, settings: &Settings) -> Result<(Box<dyn Target>, Option<File>), Problem> {
    match place.folder(settings) {
        Some(folder) => {
            check_folder(folder)?;
            let file = folder.join(switchboard_hub::DATABASE);
            let lock = prepare(folder, &file)?;
            Ok((Box::new(SqliteTarget::open(&file)?), Some(lock)))
        }
        None => Ok((
            Box::new(PostgresTransfer::target(url(place)).await.map_err(unusable)?),
            None,
        )),
    }
}

fn url(place: &Place) -> &str {
    match place {
        Place::Postgres(url) => url,
        Place::DataFolder | Place::Folder(_) => "",
    }
}

/// Keeps hubs away and brings the schema up to date.
fn prepare(folder: &Path, file: &Path) -> Result<File, Problem> {
    let lock = lock_folder(folder)?;
    SqliteStore::open(file, Arc::new(SystemClock))?.close();
    Ok(lock)
}

fn unusable(error: StoreError) -> Problem {
    Problem::new(
        Code::StoreFailed,
        error.to_string(),
        "Check the address, user and password, and that every hub on this database is stopped.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_as_in_the_settings_or_with_its_folder() {
        for (text, place) in [
            ("sqlite", Place::DataFolder),
            ("sqlite:/srv/old", Place::Folder("/srv/old".into())),
            (
                "postgres://db.example.org/s",
                Place::Postgres("postgres://db.example.org/s".into()),
            ),
        ] {
            assert_eq!(Place::read(text).as_ref(), Ok(&place));
        }
        assert!(Place::read("oracle").is_err());
    }
}
