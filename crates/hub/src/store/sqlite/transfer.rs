//! Export and import of the whole file, for a move to or from another database.

use std::path::Path;

use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{ToSqlOutput, Value, ValueRef},
};

use crate::store::{
    Answer, StoreError,
    transfer::{Cell, Part, Row, Source, Target},
};

/// A file that nobody else writes to.
#[derive(Debug)]
pub struct SqliteTransfer(Connection);

impl SqliteTransfer {
    /// Opens a file whose schema is up to date (see [`super::SqliteStore::open`]) for reading.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn source(file: &Path) -> Result<Self, StoreError> {
        let db = super::connect(file)?;
        db.execute_batch("BEGIN")?;
        Ok(Self(db))
    }

    /// The same for writing.
    ///
    /// # Errors
    /// When it cannot be opened, or somebody else writes to it.
    pub fn target(file: &Path) -> Result<Self, StoreError> {
        let db = super::connect(file)?;
        db.execute_batch("BEGIN IMMEDIATE")?;
        Ok(Self(db))
    }

    fn read(&self, part: &Part, after: Option<&Row>, limit: usize) -> rusqlite::Result<Vec<Row>> {
        let (columns, key) = (part.column_list(), part.key_list());
        let mut values: Vec<&dyn ToSql> = after.into_iter().flatten().map(|cell| cell as &dyn ToSql).collect();
        let places = vec!["?"; values.len()].join(", ");
        let border = match after {
            Some(_) => format!("WHERE ({key}) > ({places})"),
            None => String::new(),
        };
        values.push(&limit);
        let sql = format!("SELECT {columns} FROM {} {border} ORDER BY {key} LIMIT ?", part.name);
        let mut select = self.0.prepare_cached(&sql)?;
        let rows = select.query_map(params_from_iter(values), |row| {
            (0..part.columns.len())
                .map(|column| Ok(cell(row.get(column)?)))
                .collect()
        })?;
        rows.collect()
    }

    fn write(&self, part: &Part, rows: &[Row]) -> rusqlite::Result<()> {
        let places = vec!["?"; part.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} ({}) VALUES ({places})", part.name, part.column_list());
        let mut insert = self.0.prepare_cached(&sql)?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
        Ok(())
    }
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Number(number),
        // No column holds fractions.
        Value::Real(number) => Cell::Number(number as i64),
        Value::Text(text) => Cell::Text(text),
        Value::Blob(bytes) => Cell::Bytes(bytes),
    }
}

impl ToSql for Cell {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Number(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Source for SqliteTransfer {
    fn page(&mut self, part: &'static Part, after: Option<Row>, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(async move { Ok(self.read(part, after.as_ref(), limit)?) })
    }
}

impl Target for SqliteTransfer {
    fn is_empty(&mut self) -> Answer<'_, bool> {
        Box::pin(async move {
            let sql = "SELECT NOT EXISTS (SELECT 1 FROM workspace) AND NOT EXISTS (SELECT 1 FROM event)";
            Ok(self.0.query_row(sql, [], |row| row.get(0))?)
        })
    }

    fn put(&mut self, part: &'static Part, rows: Vec<Row>) -> Answer<'_, ()> {
        Box::pin(async move { Ok(self.write(part, &rows)?) })
    }

    fn finish(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            Ok(self
                .0
                .execute_batch("UPDATE revision SET number = number + 1; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")?)
        })
    }
}
