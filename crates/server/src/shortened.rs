//! Connectors whose read lags are short, so that a run takes seconds. Everything else in them is as it is built in.

use std::path::Path;

use switchboard_connect::registry::Registry;
use switchboard_model::problem::{Code, Problem};

/// The lag that is declared instead of the vendors' 10 to 30 seconds. The simulators lag less than this.
pub const READ_LAG_SECONDS: u64 = 1;
const LAG: &str = "read_lag_seconds:";

/// Writes the manifests of all built-in connectors that declare a lag into `folder`, one folder each.
///
/// # Errors
/// When that folder cannot be written.
pub fn write(registry: &Registry, folder: &Path) -> Result<(), Problem> {
    for slug in registry.names() {
        let Some(manifest) = Registry::embedded_manifest(slug) else {
            continue;
        };
        if !manifest.contains(LAG) {
            continue;
        }
        write_one(slug, manifest, folder)?;
    }
    Ok(())
}

/// Writes a connector's manifest into `folder`, in a folder of its own and with short lags.
///
/// # Errors
/// When that folder cannot be written.
pub fn write_one(slug: &str, manifest: &str, folder: &Path) -> Result<(), Problem> {
    let own = folder.join(slug);
    std::fs::create_dir_all(&own)
        .and_then(|()| std::fs::write(own.join("connector.yaml"), shorten(manifest)))
        .map_err(|error| {
            let detail = format!("{} cannot be written: {error}", own.display());
            Problem::new(
                Code::StoreFailed,
                detail,
                "Check the disk, or name another place with TMPDIR.",
            )
        })
}

/// The same manifest with short lags.
pub fn shorten(manifest: &str) -> String {
    let mut text = String::with_capacity(manifest.len());
    for line in manifest.lines() {
        match line.find(LAG) {
            Some(at) => text.push_str(&format!("{}{LAG} {READ_LAG_SECONDS}", &line[..at])),
            None => text.push_str(line),
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lags_are_short_and_nothing_else_is_changed() {
        let folder = tempfile::tempdir().unwrap();
        let embedded = Registry::embedded().unwrap();
        write(&embedded, folder.path()).unwrap();
        let short = Registry::embedded().unwrap().with_folder(folder.path()).unwrap();
        for (slug, object) in [("notion", "page"), ("hubspot", "ticket"), ("salesforce", "case")] {
            let lag = |registry: &Registry| registry.get(slug).unwrap().read_lag_ms(object);
            assert!(lag(&embedded) > 1000, "{slug}");
            assert_eq!(lag(&short), 1000, "{slug}");
            let written = std::fs::read_to_string(folder.path().join(slug).join("connector.yaml")).unwrap();
            let others = |text: &str| {
                text.lines()
                    .filter(|line| !line.contains(LAG))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(
                others(&written),
                others(Registry::embedded_manifest(slug).unwrap()),
                "{slug}"
            );
        }
    }
}
