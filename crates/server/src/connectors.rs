//! The connectors of an installation: those that are built in, those of the setting `connectors`, and those in the data folder, which
//! can be added and changed while the hub runs.

use std::{path::PathBuf, sync::Arc};

use switchboard_connect::registry::{Registry, Reread};
use switchboard_hub::Hub;
use switchboard_model::problem::{Code, Problem};

use crate::settings::Settings;

/// The folder in the data folder.
const FOLDER: &str = "connectors";

/// Where connectors come from.
#[derive(Debug, Clone)]
pub struct Shelf {
    /// What does not change while the program runs.
    fixed: Registry,
    folder: PathBuf,
}

impl Shelf {
    /// Reads what does not change while the program runs.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn open(settings: &Settings) -> Result<Self, Problem> {
        let fixed = match &settings.connectors {
            None => Registry::embedded(),
            Some(folder) => Registry::embedded().and_then(|registry| registry.with_folder(folder)),
        };
        Ok(Self {
            fixed: fixed.map_err(unreadable)?,
            folder: settings.data.join(FOLDER),
        })
    }

    /// All connectors at the start. One in the data folder that is broken is left out with a warning: it must not keep the others from
    /// their work.
    pub fn registry(&self) -> Registry {
        let reread = self.fixed.reread(&self.fixed, &self.folder);
        for problem in &reread.problems {
            tracing::warn!(%problem, "a connector of the data folder is left out");
        }
        reread.registry
    }

    /// Reads the data folder's connectors anew and lets a running hub go by them. What is broken stays as it was.
    ///
    /// # Errors
    /// When the hub cannot take them.
    pub async fn reload(&self, hub: &Hub) -> Result<Reread, Problem> {
        let reread = self.fixed.reread(&hub.registry(), &self.folder);
        if !(reread.loaded.is_empty() && reread.removed.is_empty()) {
            hub.adopt_connectors(Arc::new(reread.registry.clone())).await?;
        }
        for problem in &reread.problems {
            tracing::warn!(%problem, "a connector is refused; the former one stays");
        }
        tracing::info!(loaded = ?reread.loaded, removed = ?reread.removed, "the connectors were read again");
        Ok(reread)
    }
}

/// All problems of connectors as one.
pub fn unreadable(problems: Vec<Problem>) -> Problem {
    Problem::all(problems)
        .unwrap_or_else(|| Problem::new(Code::ManifestInvalid, "The connectors cannot be read.", "Report this."))
}
