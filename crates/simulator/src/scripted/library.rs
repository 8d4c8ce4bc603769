//! Where scripts come from: the connectors that are compiled in, and folders.

use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::{fs, io};

use include_dir::{Dir, include_dir};

use super::error::ScriptError;
use super::script::{Part, Script};

static CONNECTORS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../connectors");

static EMBEDDED: LazyLock<Vec<Arc<Script>>> = LazyLock::new(|| {
    let script = |folder: &Dir<'static>| {
        let slug = folder.path().to_str()?;
        let parts: Vec<Part> = files_of(folder).collect();
        (!parts.is_empty()).then(|| Arc::new(Script::new(slug, parts)))
    };
    CONNECTORS.dirs().filter_map(script).collect()
});

/// The scripts of the connectors that are compiled in, by slug.
#[must_use]
pub fn embedded() -> &'static [Arc<Script>] {
    &EMBEDDED
}

fn files_of(folder: &Dir<'static>) -> impl Iterator<Item = Part> {
    let main = folder.get_file(folder.path().join("simulator.rhai"));
    let mut parts: Vec<_> = folder
        .get_dir(folder.path().join("simulator"))
        .into_iter()
        .flat_map(Dir::files)
        .collect();
    parts.retain(|file| file.path().extension().is_some_and(|kind| kind == "rhai"));
    parts.sort_by_key(|file| file.path());
    let part = |file: &include_dir::File<'static>| {
        let text = file.contents_utf8()?;
        Some(Part {
            file: file.path().to_str()?.to_owned(),
            text: text.to_owned(),
        })
    };
    main.into_iter()
        .chain(parts)
        .filter_map(part)
        .collect::<Vec<_>>()
        .into_iter()
}

/// The scripts of the connectors in a folder, by slug: the folder is one connector, or has one in each of its folders.
///
/// # Errors
/// Everything that cannot be read or compiled.
pub fn of_folder(folder: &Path) -> Result<Vec<Arc<Script>>, Vec<ScriptError>> {
    let unreadable = |error: io::Error| {
        let file = folder.display().to_string();
        vec![ScriptError {
            vendor: file.clone(),
            file,
            line: None,
            message: format!("it cannot be read: {error}"),
        }]
    };
    let folder = folder.canonicalize().map_err(unreadable)?;
    let mut folders = vec![folder.clone()];
    for entry in fs::read_dir(&folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        // A connector's own parts are no connector.
        if path.is_dir() && !folder.join("simulator.rhai").exists() {
            folders.push(path);
        }
    }
    folders.sort();
    let (mut scripts, mut problems) = (Vec::new(), Vec::new());
    for folder in folders {
        match read(&folder).map(|script| script.map(|script| (script.check(), script))) {
            Ok(None) => {}
            Ok(Some((Ok(()), script))) => scripts.push(Arc::new(script)),
            Ok(Some((Err(wrong), _))) => problems.extend(wrong),
            Err(error) => problems.push(error),
        }
    }
    if problems.is_empty() {
        Ok(scripts)
    } else {
        Err(problems)
    }
}

/// The script of one connector; `None` when it has none.
fn read(folder: &Path) -> Result<Option<Script>, ScriptError> {
    let slug = folder
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let problem = |path: &Path, error: io::Error| ScriptError {
        vendor: slug.clone(),
        file: path.display().to_string(),
        line: None,
        message: format!("it cannot be read: {error}"),
    };
    let main = folder.join("simulator.rhai");
    if !main.exists() {
        return Ok(None);
    }
    let mut paths = Vec::new();
    let beside = folder.join("simulator");
    if beside.is_dir() {
        for entry in fs::read_dir(&beside).map_err(|error| problem(&beside, error))? {
            paths.push(entry.map_err(|error| problem(&beside, error))?.path());
        }
    }
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "rhai"));
    paths.sort();
    paths.insert(0, main);
    let part = |path: &std::path::PathBuf| {
        let text = fs::read_to_string(path).map_err(|error| problem(path, error))?;
        let below = path.strip_prefix(folder).unwrap_or(path);
        Ok(Part {
            file: format!("{slug}/{}", below.display()),
            text,
        })
    };
    Ok(Some(Script::new(
        &slug,
        paths.iter().map(part).collect::<Result<_, ScriptError>>()?,
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_that_is_compiled_in_can_be_used() {
        let wrong = |script: &Arc<Script>| script.check().err();
        let problems: Vec<String> = embedded()
            .iter()
            .filter_map(wrong)
            .flatten()
            .map(|problem| problem.to_string())
            .collect();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }
}
