//! What a simulation is started with.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use crate::clock::{Clock, MachineClock};
use crate::dial::Dial;
use crate::scripted::{Script, ScriptError, library};

/// What a simulation is started with. [`Options::default`] is strict: only registered credentials and known databases;
/// [`Options::demo`] takes the placeholders of example files.
#[derive(Clone)]
pub struct Options {
    /// Decides every chance: ids, tokens, whether a fault of the dial strikes. Same seed, same calls, same answers.
    pub seed: u64,
    /// The vendors' rate limits are multiplied by this; 1.0 is what the fact sheets say.
    pub limit_scale: f64,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// The dial that every vendor starts with.
    pub dial: Dial,
    /// Any credential that is not empty is taken. Otherwise only those registered through a vendor's settings.
    pub accept_any_credentials: bool,
    /// A place of the configuration (a Notion database, a board, a project) that is not known is created when it is asked for.
    pub accept_any_database: bool,
    /// How many calls, with their bodies, the log keeps; older ones are forgotten.
    pub calls_kept: usize,
    /// Scripts of vendors beside those that are compiled in; one with a known slug takes that vendor's place.
    pub scripts: Vec<Arc<Script>>,
    /// Only these vendors are there; empty for all.
    pub only: Vec<String>,
}

impl Options {
    /// What `switchboard demo` needs: files full of placeholders run unchanged.
    #[must_use]
    pub fn demo() -> Self {
        Self {
            accept_any_credentials: true,
            accept_any_database: true,
            ..Self::default()
        }
    }

    /// The same with the simulators of a folder of connectors, which come to the others or take their place. The folder may
    /// also be one connector.
    ///
    /// # Errors
    /// Everything that is wrong with the scripts, with file and line.
    pub fn with_connectors(mut self, folder: &Path) -> Result<Self, Vec<ScriptError>> {
        self.scripts.extend(library::of_folder(folder)?);
        Ok(self)
    }

    pub(crate) fn setup(&self) -> Setup {
        Setup {
            seed: self.seed,
            limit_scale: self.limit_scale,
            accept_any_credentials: self.accept_any_credentials,
            accept_any_database: self.accept_any_database,
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            limit_scale: 1.0,
            clock: Arc::new(MachineClock),
            dial: Dial::default(),
            accept_any_credentials: false,
            accept_any_database: false,
            calls_kept: 20_000,
            scripts: Vec::new(),
            only: Vec::new(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Options")
            .field("seed", &self.seed)
            .field("limit_scale", &self.limit_scale)
            .field("dial", &self.dial)
            .field("accept_any_credentials", &self.accept_any_credentials)
            .field("accept_any_database", &self.accept_any_database)
            .field("calls_kept", &self.calls_kept)
            .field("scripts", &self.scripts)
            .field("only", &self.only)
            .finish_non_exhaustive()
    }
}

/// The part of the options that a vendor is made from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// See [`Options::seed`].
    pub seed: u64,
    /// See [`Options::limit_scale`].
    pub limit_scale: f64,
    /// See [`Options::accept_any_credentials`].
    pub accept_any_credentials: bool,
    /// See [`Options::accept_any_database`].
    pub accept_any_database: bool,
}

impl Setup {
    /// A limit of the fact sheet, scaled; at least one.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "clamped to what a double and the vendors' JSON integers hold"
    )]
    pub fn limit(&self, sheet: u64) -> u64 {
        (sheet as f64 * self.limit_scale).clamp(1.0, 2_000_000_000.0) as u64
    }
}

impl Default for Setup {
    fn default() -> Self {
        Options::default().setup()
    }
}
