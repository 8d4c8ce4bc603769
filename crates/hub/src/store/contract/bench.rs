//! Where a store under test lives.

use std::sync::Arc;

use crate::{
    clock::ManualClock,
    store::{Store, postgres::PostgresStore, sqlite::SqliteStore},
};

/// 2026-11-24T09:30:00Z.
pub(super) const NOW: i64 = 1_795_512_600_000;
const ADDRESS: &str = "SWITCHBOARD_TEST_POSTGRES_URL";

/// Opens the same database as often as it is asked to.
pub(super) trait Bench {
    async fn open(&self) -> Arc<dyn Store>;
}

pub(super) struct SqliteBench(tempfile::TempDir);

impl SqliteBench {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn file(&self) -> std::path::PathBuf {
        self.0.path().join("t.db")
    }
}

impl Bench for SqliteBench {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(SqliteStore::open(&self.file(), Arc::new(ManualClock::at(NOW))).unwrap())
    }
}

pub(crate) struct PostgresBench {
    server: tokio_postgres::Client,
    name: String,
    pub url: String,
}

impl PostgresBench {
    /// A database of its own for a test, or nothing where there is no server.
    pub async fn new(test: &str) -> Option<Self> {
        let Some(address) = std::env::var_os(ADDRESS).filter(|address| !address.is_empty()) else {
            assert!(
                std::env::var_os("CI").is_none(),
                "{ADDRESS} is not set, and this is continuous integration"
            );
            eprintln!("skipped: {ADDRESS} is not set, PostgreSQL is not tested: {test}");
            return None;
        };
        let mut url = url::Url::parse(address.to_str().unwrap()).unwrap();
        let (server, connection) = tokio_postgres::connect(url.as_str(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        let random: u64 = rand::random();
        let name = format!("switchboard_test_{random:016x}");
        server.batch_execute(&format!("CREATE DATABASE {name}")).await.unwrap();
        url.set_path(&name);
        Some(Self {
            server,
            name,
            url: url.into(),
        })
    }

    /// A connection to the database under test, past the store.
    pub async fn connect(&self) -> tokio_postgres::Client {
        let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    /// A statement, past the store.
    pub async fn run(&self, sql: &str) {
        self.connect().await.batch_execute(sql).await.unwrap();
    }

    /// How many rows a table has.
    pub async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        let row = self.connect().await.query_one(&sql, &[]).await;
        row.unwrap().get(0)
    }

    /// Another node, whose clock stands at this moment.
    pub async fn open_at(&self, now_ms: i64) -> Arc<dyn Store> {
        let clock = Arc::new(ManualClock::at(now_ms));
        Arc::new(PostgresStore::open(&self.url, clock).await.unwrap())
    }

    /// What a restart of the server does to its clients.
    pub async fn cut(&self) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        self.server.execute(cut, &[&self.name]).await.unwrap();
    }

    /// The same for all but this one.
    pub async fn cut_others(&self, client: &tokio_postgres::Client) {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        client.execute(cut, &[]).await.unwrap();
    }

    /// Removes the database of a test that has passed, unless a delivery stands at another stage than its state's.
    pub async fn finish(self) {
        let strays = "delivery WHERE stage <> CASE WHEN state < 3 THEN 0 ELSE state END";
        assert_eq!(self.count(strays).await, 0, "whoever changes a state changes the stage");
        let drop = format!("DROP DATABASE {} WITH (FORCE)", self.name);
        self.server.batch_execute(&drop).await.unwrap();
    }
}

impl Bench for PostgresBench {
    async fn open(&self) -> Arc<dyn Store> {
        self.open_at(NOW).await
    }
}
