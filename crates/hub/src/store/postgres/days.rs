//! The days of the history: partitions are made before the first row of a day comes.

use std::collections::BTreeSet;

use deadpool_postgres::Client;
use jiff::{Timestamp, ToSpan, civil::Date, tz::Offset};
use parking_lot::RwLock;
use switchboard_model::id::{floor_of, time_of};
use tokio_postgres::GenericClient;

use super::Trouble;

/// The tables with a partition for each day.
pub(super) const TABLES: [&str; 3] = ["event", "delivery_history", "attempt"];
/// The advisory lock of those who make and drop partitions.
pub(super) const LOCK: i64 = 0x5377_6269_6461_7973;
/// Days made ahead.
const AHEAD: i64 = 3;

/// The days whose partitions this process knows to be there.
#[derive(Debug, Default)]
pub(super) struct Days(RwLock<BTreeSet<Date>>);

impl Days {
    /// Whether all of these ids have their partitions.
    pub fn covers(&self, ids: &[i64]) -> bool {
        let known = self.0.read();
        ids.iter().all(|id| known.contains(&day_of(*id)))
    }

    /// Makes sure that rows with these ids have their partitions.
    pub async fn cover(&self, client: &mut Client, ids: &[i64]) -> Result<(), Trouble> {
        let missing: BTreeSet<Date> = {
            let known = self.0.read();
            ids.iter()
                .map(|id| day_of(*id))
                .filter(|day| !known.contains(day))
                .collect()
        };
        match missing.is_empty() {
            true => Ok(()),
            false => self.make(client, missing).await,
        }
    }

    /// Makes the partitions of the day of this moment and of those that follow.
    pub async fn prepare(&self, client: &mut Client, now_ms: i64) -> Result<(), Trouble> {
        let missing = self.unprepared(now_ms);
        match missing.is_empty() {
            true => Ok(()),
            false => self.make(client, missing).await,
        }
    }

    /// Whether there is nothing to prepare.
    pub fn are_prepared(&self, now_ms: i64) -> bool {
        self.unprepared(now_ms).is_empty()
    }

    fn unprepared(&self, now_ms: i64) -> BTreeSet<Date> {
        let today = day_of(floor_of(now_ms));
        let days = (0..=AHEAD).filter_map(|ahead| today.checked_add(ahead.days()).ok());
        let known = self.0.read();
        days.filter(|day| !known.contains(day)).collect()
    }

    /// Another process may have dropped days: look again.
    pub fn forget(&self) {
        self.0.write().clear();
    }

    async fn make(&self, client: &mut Client, days: BTreeSet<Date>) -> Result<(), Trouble> {
        let tx = client.transaction().await?;
        tx.execute("SELECT pg_advisory_xact_lock($1)", &[&LOCK]).await?;
        for day in &days {
            make_day(&*tx, *day).await?;
        }
        tx.commit().await?;
        self.0.write().extend(days);
        Ok(())
    }
}

/// Makes the partitions of a day that are missing.
pub(super) async fn make_day(client: &impl GenericClient, day: Date) -> Result<(), Trouble> {
    let (from, to) = range(day);
    for table in TABLES {
        let name = partition(table, day);
        let there = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&name]).await?;
        if !there.get::<_, bool>(0) {
            client
                .batch_execute(&format!(
                    "CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ({from}) TO ({to})"
                ))
                .await?;
        }
    }
    Ok(())
}

/// The name of a partition.
pub(super) fn partition(table: &str, day: Date) -> String {
    format!("{table}_{}", day.strftime("%Y%m%d"))
}

/// The day (UTC) that an id belongs to.
pub(super) fn day_of(id: i64) -> Date {
    Offset::UTC
        .to_datetime(Timestamp::from_millisecond(time_of(id)).unwrap_or(Timestamp::MAX))
        .date()
}

/// The ids of a day: from the first to that of the next day.
pub(super) fn range(day: Date) -> (i64, i64) {
    let floor = |day: Date| {
        let start = Offset::UTC
            .to_timestamp(day.at(0, 0, 0, 0))
            .map(Timestamp::as_millisecond);
        floor_of(start.unwrap_or(i64::MAX / 2))
    };
    (floor(day), floor(day.tomorrow().unwrap_or(Date::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ids_of_a_day_belong_to_it_and_no_others() {
        let day = jiff::civil::date(2026, 11, 24);
        let (from, to) = range(day);
        assert_eq!((day_of(from), day_of(to - 1)), (day, day));
        assert_eq!(day_of(from - 1), jiff::civil::date(2026, 11, 23));
        assert_eq!(day_of(to), jiff::civil::date(2026, 11, 25));
        assert_eq!(partition("event", day), "event_20261124");
    }
}
