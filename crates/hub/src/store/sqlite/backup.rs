//! Copies of a store: made while it is at work, and brought back into an empty folder.
//!
//! The database is copied first and the days after it. What is over is written to its day before it is deleted from the database, so
//! whatever had been acknowledged when the copy began is in the one, in the other, or in both, which a store tolerates.

use std::{
    fs,
    path::{Path, PathBuf},
};

use rusqlite::{
    Connection,
    backup::{Backup, StepResult},
};
use switchboard_model::id::time_of;

use super::{
    BUSY,
    days::{FOLDER, day_named, failed, open_reader},
    migrate,
};
use crate::store::StoreError;

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// How many days of history.
    pub days: usize,
    /// What the copy takes, in bytes.
    pub bytes: u64,
}

/// Copies the database `file` and its history into `folder`, which must not be there or be empty. The store may be at work. A copy that is
/// not finished has a name that ends in `.partial`.
///
/// # Errors
/// When there is no database, when `folder` holds something, when something cannot be read or written.
pub fn back_up(file: &Path, folder: &Path) -> Result<Copied, StoreError> {
    if !file.is_file() {
        return Err(StoreError::Failed(format!("{} is not there", file.display())));
    }
    refuse_full(folder)?;
    let name = file.file_name().unwrap_or_default();
    let mut partial = folder.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|error| failed(&partial, &error))?;
    }
    make_private(&partial.join(FOLDER))?;
    let mut copied = Copied {
        days: 0,
        bytes: copy(file, &partial.join(name))?,
    };
    for day in day_files(&file.with_file_name(FOLDER))? {
        let to = partial.join(FOLDER).join(day.file_name().unwrap_or_default());
        match copy(&day, &to) {
            Ok(bytes) => {
                copied.days += 1;
                copied.bytes += bytes;
            }
            // It was dropped meanwhile.
            Err(_) if !day.exists() => {
                let _ = fs::remove_file(&to);
            }
            Err(error) => return Err(error),
        }
    }
    if folder.exists() {
        fs::remove_dir(folder).map_err(|error| failed(folder, &error))?;
    }
    fs::rename(&partial, folder).map_err(|error| failed(folder, &error))?;
    Ok(copied)
}

/// Brings a copy back into `folder`, which must not be there or be empty, under the name `name`. Every file is checked first; when one is
/// damaged, nothing is left behind.
///
/// # Errors
/// When `backup` holds no copy, when a file is damaged or comes from a newer version, when `folder` holds something.
pub fn restore(backup: &Path, folder: &Path, name: &str) -> Result<Copied, StoreError> {
    let from = backup.join(name);
    if !from.is_file() {
        return Err(StoreError::Failed(format!(
            "{} holds no backup: {name} is not there",
            backup.display()
        )));
    }
    refuse_full(folder)?;
    let existed = folder.exists();
    let restored = bring_back(backup, folder, name);
    if restored.is_err() {
        let _ = fs::remove_dir_all(folder.join(FOLDER));
        let _ = fs::remove_file(folder.join(restoring(name)));
        if !existed {
            let _ = fs::remove_dir(folder);
        }
    }
    restored
}

fn bring_back(backup: &Path, folder: &Path, name: &str) -> Result<Copied, StoreError> {
    make_private(&folder.join(FOLDER))?;
    let mut copied = Copied { days: 0, bytes: 0 };
    for day in day_files(&backup.join(FOLDER))? {
        let to = folder.join(FOLDER).join(day.file_name().unwrap_or_default());
        copied.bytes += copy_checked(&day, &to)?;
        copied.days += 1;
    }
    // The database gets its name last: without it the folder is no store.
    let to = folder.join(restoring(name));
    copied.bytes += copy_checked(&backup.join(name), &to)?;
    let db = Connection::open(&to)?;
    migrate::refuse_newer(&db, &backup.join(name))?;
    doubt_all(&db)?;
    drop(db);
    fs::rename(&to, folder.join(name)).map_err(|error| failed(folder, &error))?;
    Ok(copied)
}

/// What was not settled when the copy was made may have been sent since: nothing is sent for it before it is known what the vendor has. Which call it
/// was, nobody knows; that it was made after the delivery was accepted is certain.
fn doubt_all(db: &Connection) -> Result<(), StoreError> {
    let mut open = db.prepare("SELECT id FROM delivery WHERE state < 10")?;
    let ids: Vec<i64> = open.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let tx = db.unchecked_transaction()?;
    for id in ids {
        tx.prepare_cached("UPDATE delivery SET doubt_ms = coalesce(doubt_ms, ?2), operation = NULL WHERE id = ?1")?
            .execute([id, time_of(id)])?;
    }
    tx.commit()?;
    Ok(())
}

fn restoring(name: &str) -> String {
    format!("{name}.restoring")
}

/// Copies a database that may be at work, in the state that it has at one moment; answers the size.
fn copy(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let source = open_reader(from)?;
    let mut target = Connection::open(to)?;
    target.busy_timeout(BUSY)?;
    // In one step: it reads one state, while the writer goes on in its log.
    let step = Backup::new(&source, &mut target)?.step(-1)?;
    if step != StepResult::Done {
        let why = format!("{} was not copied to its end: {step:?}", from.display());
        return Err(StoreError::Failed(why));
    }
    drop(target);
    Ok(fs::metadata(to).map_err(|error| failed(to, &error))?.len())
}

/// Copies a database that nobody uses, and checks the copy.
fn copy_checked(from: &Path, to: &Path) -> Result<u64, StoreError> {
    let bytes = fs::copy(from, to).map_err(|error| failed(from, &error))?;
    let damaged = |what: &str| StoreError::Failed(format!("{} is damaged: {what}", from.display()));
    let db = Connection::open(to)?;
    let verdict: Result<String, _> = db.query_row("PRAGMA quick_check(1)", [], |row| row.get(0));
    match verdict {
        Ok(verdict) if verdict == "ok" => {}
        Ok(verdict) => return Err(damaged(&verdict)),
        Err(error) => return Err(damaged(&error.to_string())),
    }
    drop(db);
    let file = fs::File::open(to).and_then(|file| file.sync_all());
    file.map_err(|error| failed(to, &error))?;
    Ok(bytes)
}

fn day_files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, &error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, &error))?.path();
        if day_named(&path).is_some() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn refuse_full(folder: &Path) -> Result<(), StoreError> {
    let holds = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(failed(folder, &error)),
    };
    if holds {
        return Err(StoreError::Failed(format!("{} is not empty", folder.display())));
    }
    Ok(())
}

/// It holds what customers wrote: nobody else on this machine needs to see it.
fn make_private(folder: &Path) -> Result<(), StoreError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| failed(folder, &error))
}
