//! Which database keeps everything.

use std::{fmt, path::Path, str::FromStr, sync::Arc};

use url::Url;

use super::{Store, StoreError, postgres::PostgresStore, sqlite::SqliteStore};
use crate::clock::Clock;

/// Which database keeps everything. Shown without its password.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Database {
    /// An SQLite file in the data folder; one hub at a time.
    #[default]
    Folder,
    /// The PostgreSQL database at this address; any number of hubs.
    Postgres(String),
}

impl Database {
    /// The whole address of a PostgreSQL database, with its password.
    pub fn postgres(&self) -> Option<&str> {
        match self {
            Self::Folder => None,
            Self::Postgres(url) => Some(url),
        }
    }

    /// Opens it. `file` is the SQLite file, where it is one.
    ///
    /// # Errors
    /// See [`SqliteStore::open`] and [`PostgresStore::open`].
    pub async fn open(&self, file: &Path, clock: Arc<dyn Clock>) -> Result<Arc<dyn Store>, StoreError> {
        match self {
            Self::Folder => {
                let file = file.to_owned();
                let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&file, clock)).await;
                let store = opened.map_err(|error| StoreError::Failed(error.to_string()))??;
                Ok(Arc::new(store))
            }
            Self::Postgres(url) => Ok(Arc::new(PostgresStore::open(url, clock).await?)),
        }
    }
}

/// Why a text names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("write postgres://USER:PASSWORD@HOST:PORT/NAME, or sqlite for a file in the data folder")]
pub struct NoDatabase;

impl FromStr for Database {
    type Err = NoDatabase;

    /// Nothing or `sqlite` is the folder.
    fn from_str(text: &str) -> Result<Self, NoDatabase> {
        match text.trim() {
            "" | "sqlite" => Ok(Self::Folder),
            text if text.starts_with("postgres://") || text.starts_with("postgresql://") => {
                Url::parse(text).map_err(|_| NoDatabase)?;
                Ok(Self::Postgres(text.to_owned()))
            }
            _ => Err(NoDatabase),
        }
    }
}

impl fmt::Display for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder => f.write_str("sqlite"),
            Self::Postgres(url) => f.write_str(&masked(url)),
        }
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The address without its password, which can stand at two places.
fn masked(url: &str) -> String {
    let Ok(mut url) = Url::parse(url) else {
        return "postgres://…".to_owned();
    };
    if url.password().is_some() && url.set_password(Some("***")).is_err() {
        return "postgres://…".to_owned();
    }
    if url.query().is_some() {
        let shown = url.query_pairs().map(|(name, value)| {
            let secret = name.to_ascii_lowercase().contains("password");
            (
                name.into_owned(),
                if secret { "***".to_owned() } else { value.into_owned() },
            )
        });
        let shown: Vec<_> = shown.collect();
        url.query_pairs_mut().clear().extend_pairs(shown);
    }
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_its_address_and_shown_without_the_password() {
        for (text, shown) in [
            ("", "sqlite"),
            ("sqlite", "sqlite"),
            (
                "postgres://u:hunter2@db.example.org:5432/s",
                "postgres://u:***@db.example.org:5432/s",
            ),
            (
                "postgres://db.example.org/s?user=u&password=hunter2",
                "postgres://db.example.org/s?user=u&password=***",
            ),
            ("postgresql://u@db.example.org/s", "postgresql://u@db.example.org/s"),
        ] {
            let database: Database = text.parse().unwrap();
            assert_eq!(database.to_string(), shown);
            assert!(!format!("{database:?}").contains("hunter2"));
        }
        for text in ["mysql://h/d", "postgres", "./data"] {
            assert_eq!(text.parse::<Database>(), Err(NoDatabase), "{text}");
        }
    }
}
