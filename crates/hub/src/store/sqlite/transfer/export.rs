//! Reads everything, from the database and from every day.

use std::{collections::BTreeMap, path::Path};

use rusqlite::{Connection, ToSql, params_from_iter};

use super::{
    super::{
        connect,
        days::{Day, Days, open_reader},
    },
    DAYS_LACK, Lies, cell, lies, number,
};
use crate::store::{
    Answer, StoreError,
    transfer::{Part, Row, Source},
};

/// A database with its days that nobody writes to.
pub struct SqliteSource {
    hot: Connection,
    days: Days,
    /// The part that is read at present, and where rows of it lie beside the database, by their first key.
    part: &'static str,
    places: Vec<Place>,
    /// One day at a time is open, however many there are.
    open: Option<(Day, Connection)>,
    /// The run that was read last, by event.
    run: Option<(Place, Vec<Row>)>,
}

/// A day, or a run in it, and the range of the keys there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    first: i64,
    last: i64,
    day: Day,
    run: Option<i64>,
}

impl std::fmt::Debug for SqliteSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqliteSource").finish_non_exhaustive()
    }
}

impl SqliteSource {
    /// Opens a file whose schema is up to date (see [`SqliteStore::open`](crate::store::sqlite::SqliteStore::open)) and the days beside it.
    /// The caller sees to it that nobody writes to them.
    ///
    /// # Errors
    /// When they cannot be opened.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let hot = connect(file)?;
        hot.execute_batch("BEGIN")?;
        Ok(Self {
            hot,
            days: Days::find(file)?,
            part: "",
            places: Vec::new(),
            open: None,
            run: None,
        })
    }

    fn read(&mut self, part: &'static Part, after: Option<&Row>, limit: usize) -> rusqlite::Result<Vec<Row>> {
        let table = if lies(part) == Lies::Runs { "recent" } else { part.name };
        let hot = select(&self.hot, table, &[], part, after, limit)?;
        if lies(part) == Lies::Hot {
            return Ok(hot);
        }
        if self.part != part.name {
            self.places = self.survey(part)?;
            self.part = part.name;
        }
        // Where a row is in both, that of the database counts.
        let keyed = |row: Row| (number(row.first()), row);
        let mut page: BTreeMap<i64, Row> = hot.into_iter().map(keyed).collect();
        let above = after.map_or(i64::MIN, |after| number(after.first()));
        for at in 0..self.places.len() {
            let place = self.places[at];
            if place.last <= above {
                continue;
            }
            let full = page.keys().nth(limit.saturating_sub(1));
            if full.is_some_and(|greatest| place.first > *greatest) {
                break;
            }
            for (key, row) in self.read_place(place, part, after, limit)?.into_iter().map(keyed) {
                page.entry(key).or_insert(row);
            }
        }
        Ok(page.into_values().take(limit).collect())
    }

    /// Where rows of the part lie.
    fn survey(&mut self, part: &Part) -> rusqlite::Result<Vec<Place>> {
        let sql = match lies(part) {
            // A run that has no filter was not finished: its fingerprints are somewhere else.
            Lies::Runs => "SELECT min(s.event), max(s.event), r.number FROM run r JOIN seen s ON s.run = r.number GROUP BY r.number".into(),
            // Two ends of a tree; asked for together they would be looked for in all of it.
            _ => format!("SELECT (SELECT min(id) FROM {0}), (SELECT max(id) FROM {0}), NULL", part.name),
        };
        let mut places = Vec::new();
        for day in self.days.all() {
            let mut select = self.day(day)?.prepare(&sql)?;
            let mut rows = select.query([])?;
            while let Some(row) = rows.next()? {
                if let (Some(first), Some(last)) = (row.get(0)?, row.get(1)?) {
                    let run = row.get(2)?;
                    places.push(Place { first, last, day, run });
                }
            }
        }
        places.sort_by_key(|place| place.first);
        Ok(places)
    }

    fn read_place(
        &mut self,
        place: Place,
        part: &Part,
        after: Option<&Row>,
        limit: usize,
    ) -> rusqlite::Result<Vec<Row>> {
        let Some(run) = place.run else {
            let lacks = if part.name == "delivery" { DAYS_LACK } else { &[] };
            return select(self.day(place.day)?, part.name, lacks, part, after, limit);
        };
        if self.run.as_ref().is_none_or(|(known, _)| *known != place) {
            let sql = format!("SELECT {} FROM seen WHERE run = ? ORDER BY event", part.column_list());
            let rows = rows_of(self.day(place.day)?, &sql, &[&run], part)?;
            self.run = Some((place, rows));
        }
        let above = after.map_or(i64::MIN, |after| number(after.first()));
        let all = self.run.as_ref().map_or(&[][..], |(_, rows)| rows);
        let from = all.partition_point(|row| number(row.first()) <= above);
        Ok(all[from..].iter().take(limit).cloned().collect())
    }

    fn day(&mut self, day: Day) -> rusqlite::Result<&Connection> {
        let open = match self.open.take() {
            Some(open) if open.0 == day => open,
            _ => (day, open_reader(&self.days.path(day))?),
        };
        Ok(&self.open.insert(open).1)
    }
}

/// Rows of a table above a key, in the order of keys; columns that it lacks are empty.
fn select(
    db: &Connection,
    table: &str,
    lacks: &[&str],
    part: &Part,
    after: Option<&Row>,
    limit: usize,
) -> rusqlite::Result<Vec<Row>> {
    let columns = part.columns.iter().map(|(name, _)| match lacks.contains(name) {
        true => format!("NULL AS {name}"),
        false => (*name).to_owned(),
    });
    let columns = columns.collect::<Vec<_>>().join(", ");
    let key = part.key_list();
    let mut values: Vec<&dyn ToSql> = after.into_iter().flatten().map(|cell| cell as &dyn ToSql).collect();
    let border = match values.len() {
        0 => String::new(),
        places => format!("WHERE ({key}) > ({})", vec!["?"; places].join(", ")),
    };
    values.push(&limit);
    let sql = format!("SELECT {columns} FROM {table} {border} ORDER BY {key} LIMIT ?");
    rows_of(db, &sql, &values, part)
}

fn rows_of(db: &Connection, sql: &str, values: &[&dyn ToSql], part: &Part) -> rusqlite::Result<Vec<Row>> {
    let mut select = db.prepare_cached(sql)?;
    let rows = select.query_map(params_from_iter(values), |row| {
        (0..part.columns.len())
            .map(|column| Ok(cell(row.get(column)?)))
            .collect()
    })?;
    rows.collect()
}

impl Source for SqliteSource {
    fn page(&mut self, part: &'static Part, after: Option<Row>, limit: usize) -> Answer<'_, Vec<Row>> {
        Box::pin(async move { Ok(self.read(part, after.as_ref(), limit)?) })
    }
}
