//! What is over.

use jiff::civil::Date;

use super::SqliteStore;
use crate::store::{Answer, DayRow, History};

impl History for SqliteStore {
    fn archive(&self, _most: usize) -> Answer<'_, usize> {
        Box::pin(async { Ok(0) })
    }

    fn days(&self) -> Answer<'_, Vec<DayRow>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn drop_day(&self, _day: Date) -> Answer<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}
