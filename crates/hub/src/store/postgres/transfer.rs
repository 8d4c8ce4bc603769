//! Export and import of the whole database, for a move from or to another one.

use std::collections::BTreeSet;

use tokio_postgres::{Client, types::ToSql};

use super::{Trouble, connect::Address, days, migrate, record, session::live_nodes};
use crate::store::{
    Answer, StoreError,
    transfer::{Cell, Kind, Part, Row, Source, Target},
};

/// A connection with one transaction.
pub struct PostgresTransfer(Client);

impl std::fmt::Debug for PostgresTransfer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresTransfer").finish_non_exhaustive()
    }
}

impl PostgresTransfer {
    /// Begins to read one consistent state.
    ///
    /// # Errors
    /// When the database cannot be reached, or a hub is at work on it.
    pub async fn source(url: &str) -> Result<Self, StoreError> {
        Ok(Self::begin(url, &[ALL_SEEN, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"]).await?)
    }

    /// Begins to write, after the schema was made.
    ///
    /// # Errors
    /// When the database cannot be reached, or a hub is at work on it.
    pub async fn target(url: &str) -> Result<Self, StoreError> {
        Ok(Self::begin(url, &["BEGIN; SET LOCAL synchronous_commit = on"]).await?)
    }

    async fn begin(url: &str, statements: &[&str]) -> Result<Self, Trouble> {
        let address = Address::read(url)?;
        let (mut client, connection) = address.config.connect(address.tls.clone()).await?;
        tokio::spawn(connection);
        migrate::run(&mut client).await?;
        if !live_nodes(&client).await?.is_empty() {
            return Err(Trouble::Other(StoreError::Failed(
                "a hub is at work on this database; stop it first".into(),
            )));
        }
        client
            .batch_execute("SET idle_in_transaction_session_timeout = 0")
            .await?;
        for sql in statements {
            client.batch_execute(sql).await?;
        }
        Ok(Self(client))
    }

    async fn read(&self, part: &Part, after: Option<&Row>, limit: usize) -> Result<Vec<Row>, Trouble> {
        let after: Vec<&(dyn ToSql + Sync)> = after.into_iter().flatten().map(value).collect();
        let key = part.key_list();
        let places: Vec<String> = (1..=after.len()).map(|place| format!("${place}")).collect();
        let border = match after.is_empty() {
            true => String::new(),
            false => format!("WHERE ({key}) > ({})", places.join(", ")),
        };
        let ranges = tables(part).into_iter().map(|(table, lacks)| {
            let columns: Vec<String> = part
                .columns
                .iter()
                .map(|(name, kind)| column(name, *kind, lacks))
                .collect();
            format!(
                "(SELECT {} FROM {table} {border} ORDER BY {key} LIMIT {limit})",
                columns.join(", ")
            )
        });
        let ranges: Vec<String> = ranges.collect();
        let sql = format!(
            "SELECT * FROM ({}) everywhere ORDER BY {key} LIMIT {limit}",
            ranges.join(" UNION ALL ")
        );
        let rows = self.0.query(&sql, &after).await?;
        Ok(rows.iter().map(|row| cells(part, row)).collect())
    }

    async fn write(&self, part: &Part, rows: Vec<Row>) -> Result<(), Trouble> {
        if matches!(part.name, "event" | "attempt" | "delivery") {
            let days: BTreeSet<_> = rows
                .iter()
                .filter_map(|row| number(&row[0]).map(days::day_of))
                .collect();
            for day in days {
                days::make_day(&self.0, day).await?;
            }
        }
        if part.name != "delivery" {
            return self.insert(part, part.name, &[], &rows).await;
        }
        let state = part
            .columns
            .iter()
            .position(|(name, _)| *name == "state")
            .unwrap_or_default();
        let (over, open): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| number(&row[state]) == Some(10));
        self.insert(part, "delivery", &[], &open).await?;
        self.insert(part, "delivery_history", HISTORY_LACKS, &over).await
    }

    async fn insert(&self, part: &Part, table: &str, lacks: &[&str], rows: &[Row]) -> Result<(), Trouble> {
        if rows.is_empty() {
            return Ok(());
        }
        let there = part
            .columns
            .iter()
            .enumerate()
            .filter(|(_, (name, _))| !lacks.contains(name));
        let (mut names, mut arrays) = (Vec::new(), Vec::new());
        let mut values: Vec<Box<dyn ToSql + Sync + Send>> = Vec::new();
        for (at, (name, kind)) in there {
            let cells = rows.iter().map(|row| &row[at]);
            let (kind, value): (_, Box<dyn ToSql + Sync + Send>) = match kind {
                Kind::Number => ("bigint", Box::new(cells.map(number).collect::<Vec<_>>())),
                Kind::Text => ("text", Box::new(cells.map(text).collect::<Vec<_>>())),
                Kind::Bytes => ("bytea", Box::new(cells.map(bytes).collect::<Vec<_>>())),
            };
            values.push(value);
            names.push(*name);
            arrays.push(format!("${}::{kind}[]", values.len()));
        }
        let fence = if table == "delivery_history" {
            (", fence", ", 0")
        } else {
            ("", "")
        };
        // A key can come again after the window of repeats of the other store; what came last counts.
        let newest = if table == "seen" {
            (
                "DISTINCT ON (workspace, key) ",
                "ORDER BY workspace, key, event DESC
                 ON CONFLICT (workspace, key) DO UPDATE SET content = excluded.content, event = excluded.event
                 WHERE seen.event < excluded.event",
            )
        } else {
            ("", "")
        };
        let names = names.join(", ");
        let sql = format!(
            "INSERT INTO {table} ({names}{}) SELECT {}*{} FROM unnest({}) AS new ({names}) {}",
            fence.0,
            newest.0,
            fence.1,
            arrays.join(", "),
            newest.1
        );
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect();
        self.0.execute(&sql, &values).await?;
        Ok(())
    }

    async fn end(&self) -> Result<(), Trouble> {
        for table in ["workspace", "connection", "route", "definition"] {
            let sql = format!(
                "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT greatest(max(id), 1) FROM {table}),
                               (SELECT count(*) > 0 FROM {table}))"
            );
            self.0.query(&sql, &[]).await?;
        }
        Ok(self
            .0
            .batch_execute(
                "UPDATE delivery SET stage = state WHERE state >= 3; UPDATE revision SET number = number + 1; COMMIT",
            )
            .await?)
    }
}

/// Nobody is at work who would mind that fingerprints move before their day is over.
const ALL_SEEN: &str = "WITH moved AS (DELETE FROM recent RETURNING workspace, key, content, event)
                        INSERT INTO seen (workspace, key, content, event) SELECT workspace, key, content, event FROM moved
                        ON CONFLICT DO NOTHING";

/// Columns that the history of deliveries does not have: what has arrived is not in doubt.
const HISTORY_LACKS: &[&str] = &["doubt_ms", "request_digest"];

/// The tables of a part, each with the columns that it does not have.
fn tables(part: &Part) -> Vec<(&'static str, &'static [&'static str])> {
    match part.name {
        "event" => vec![("event", &[]), ("event_kept", &[])],
        "delivery" => vec![("delivery", &[]), ("delivery_history", HISTORY_LACKS)],
        table => vec![(table, &[])],
    }
}

fn column(name: &str, kind: Kind, lacks: &[&str]) -> String {
    let kind = match kind {
        Kind::Number => "bigint",
        Kind::Text => "text",
        Kind::Bytes => "bytea",
    };
    match lacks.contains(&name) {
        true => format!("NULL::{kind} AS {name}"),
        false => format!("{name}::{kind} AS {name}"),
    }
}

fn cells(part: &Part, row: &tokio_postgres::Row) -> Row {
    let cell = |(at, (_, kind)): (usize, &(&str, Kind))| match kind {
        Kind::Number => row.get::<_, Option<i64>>(at).map_or(Cell::Null, Cell::Number),
        Kind::Text => row.get::<_, Option<String>>(at).map_or(Cell::Null, Cell::Text),
        Kind::Bytes => row.get::<_, Option<Vec<u8>>>(at).map_or(Cell::Null, Cell::Bytes),
    };
    part.columns.iter().enumerate().map(cell).collect()
}

fn value(cell: &Cell) -> &(dyn ToSql + Sync) {
    match cell {
        Cell::Null => &None::<i64>,
        Cell::Number(number) => number,
        Cell::Text(text) => text,
        Cell::Bytes(bytes) => bytes,
    }
}

fn number(cell: &Cell) -> Option<i64> {
    match cell {
        Cell::Number(number) => Some(*number),
        _ => None,
    }
}

fn text(cell: &Cell) -> Option<String> {
    match cell {
        Cell::Text(text) => Some(record::storable(text.clone())),
        _ => None,
    }
}

fn bytes(cell: &Cell) -> Option<&[u8]> {
    match cell {
        Cell::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

impl Source for PostgresTransfer {
    fn page(&mut self, part: &'static Part, after: Option<Row>, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(async move { Ok(self.read(part, after.as_ref(), limit).await?) })
    }
}

impl Target for PostgresTransfer {
    fn is_empty(&mut self) -> Answer<'_, bool> {
        Box::pin(async move {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM workspace) AND NOT EXISTS (SELECT 1 FROM event)";
            Ok(self.0.query_one(sql, &[]).await.map_err(Trouble::from)?.get(0))
        })
    }

    fn put(&mut self, part: &'static Part, rows: Vec<Row>) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write(part, rows).await?) })
    }

    fn finish(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.end().await?) })
    }
}
