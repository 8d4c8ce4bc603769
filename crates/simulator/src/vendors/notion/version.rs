//! The versions of the API, chosen by the header `Notion-Version` (fact sheet, head and §3).

use super::trouble::Trouble;
use crate::message::Request;

/// A version that is still served, oldest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// Rows live in databases; there are no data sources.
    V2022,
    /// Databases contain data sources, and rows live in these.
    V2025,
    /// The same, and `archived` is gone in favour of `in_trash`.
    V2026,
}

impl Version {
    /// The version that a request asks for.
    ///
    /// # Errors
    /// `missing_version`, or `validation_error` for one that is not served.
    pub fn of(request: &Request) -> Result<Self, Trouble> {
        let failed = "Notion-Version header failed validation: Notion-Version header should be";
        match request.header("notion-version") {
            Some("2022-06-28") => Ok(Self::V2022),
            Some("2025-09-03") => Ok(Self::V2025),
            Some("2026-03-11") => Ok(Self::V2026),
            Some(other) => Err(Trouble::bad(format!(
                "{failed} `\"2022-06-28\"`, `\"2025-09-03\"`, or `\"2026-03-11\"`, instead was `\"{other}\"`."
            ))),
            None => Err(Trouble::new(
                400,
                "missing_version",
                format!("{failed} defined, instead was `undefined`."),
            )),
        }
    }

    /// Whether rows live in data sources.
    #[must_use]
    pub fn has_sources(self) -> bool {
        self > Self::V2022
    }

    /// Whether `archived` still exists beside `in_trash`.
    #[must_use]
    pub fn has_archived(self) -> bool {
        self < Self::V2026
    }
}
