//! Keeps the hot tables small: what is over moves into the history of its day, and days that are old enough are dropped.

use std::{sync::Weak, time::Duration};

use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use switchboard_model::problem::{Code, Problem};
use tokio::time::{Instant, sleep};

use super::{Hub, Inner};
use crate::store::{DayRow, StoreError};

/// How many events are moved in one transaction.
const SLICE: usize = 500;
/// So many events that are over may wait in the hot tables: what comes in is taken first, and put into its place when there is time.
const EASY: usize = 100_000;
/// What moving takes of the time while few wait: one part of so many. With [`EASY`] and more it takes half.
const PARTS: u32 = 20;
/// The pause when there was nothing more to move.
const IDLE: Duration = Duration::from_millis(500);
/// The pause after the store failed.
const FAILED: Duration = Duration::from_secs(10);
/// How often old days are looked for, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// Works until the hub is gone.
pub(super) async fn run(hub: Weak<Inner>) {
    let mut next_drop_ms = i64::MIN;
    let mut pause = IDLE;
    loop {
        sleep(pause).await;
        let Some(inner) = hub.upgrade() else { return };
        let hub = Hub { inner };
        let begun = Instant::now();
        pause = match hub.inner.store.archive(SLICE).await {
            Ok(moved) if moved == SLICE => {
                let took = begun.elapsed();
                let waiting = hub.inner.store.archivable().await.unwrap_or(EASY);
                breath(took, waiting)
            }
            Ok(_) => IDLE,
            Err(StoreError::Closed) => return,
            Err(error) => {
                tracing::error!(%error, "what is over could not be moved into the history");
                FAILED
            }
        };
        let now_ms = hub.now_ms();
        if now_ms >= next_drop_ms {
            next_drop_ms = now_ms + HOUR_MS;
            if let Err(problem) = hub.drop_old_days().await {
                tracing::error!(%problem, "old days of the history could not be dropped");
            }
            match hub.inner.store.end_orphans(now_ms).await {
                Ok(0) => {}
                Ok(connections) => tracing::info!(connections, "deliveries of removed connections were ended"),
                Err(error) => tracing::error!(%error, "deliveries of removed connections could not be ended"),
            }
        }
    }
}

impl Hub {
    /// The days of the history, oldest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn history(&self) -> Result<Vec<DayRow>, Problem> {
        Ok(self.inner.store.days().await?)
    }

    /// Days of the history that are older than this many days are dropped; 0: none is.
    pub fn keep_days(&self) -> u32 {
        self.inner.options.tuning.keep_days
    }

    /// Drops one day of the history.
    ///
    /// # Errors
    /// [`Code::WrongState`] for today and what is still to come, [`Code::NotFound`] for a day that has no history.
    pub async fn drop_day(&self, day: Date) -> Result<(), Problem> {
        let today = day_of(self.now_ms());
        if day >= today {
            return Err(Problem::new(
                Code::WrongState,
                format!("{day} is not over yet (it is {today} in UTC)"),
                "Drop a day that is over; GET /v1/history lists the days.",
            ));
        }
        if !self.history().await?.iter().any(|row| row.day == day) {
            return Err(Problem::new(
                Code::NotFound,
                format!("there is no history of {day}"),
                "GET /v1/history lists the days.",
            ));
        }
        Ok(self.inner.store.drop_day(day).await?)
    }

    async fn drop_old_days(&self) -> Result<(), Problem> {
        if self.keep_days() == 0 {
            return Ok(());
        }
        self.drop_old_callbacks().await?;
        let days = self.history().await?;
        for day in outdated(&days, day_of(self.now_ms()), self.keep_days()) {
            self.inner.store.drop_day(day).await?;
            tracing::info!(%day, keep_days = self.keep_days(), "a day of the history was dropped");
        }
        Ok(())
    }
}

impl Hub {
    /// In small bites, so that whoever is kept meanwhile is never behind them for long.
    async fn drop_old_callbacks(&self) -> Result<(), Problem> {
        let before_ms = self.now_ms() - 24 * HOUR_MS * i64::from(self.keep_days());
        while self.inner.store.drop_callbacks(before_ms, SLICE).await? == SLICE {
            sleep(IDLE / 10).await;
        }
        Ok(())
    }
}

/// The pause after a slice that took so long, while so many events wait.
fn breath(took: Duration, waiting: usize) -> Duration {
    let ease = EASY.saturating_sub(waiting) as f64 / EASY as f64;
    let times = 1.0 + ease * f64::from(PARTS - 2);
    took.mul_f64(times).min(IDLE)
}

/// The days that are more than `keep_days` before today.
fn outdated(days: &[DayRow], today: Date, keep_days: u32) -> Vec<Date> {
    let Ok(border) = today.checked_sub(SignedDuration::from_hours(24 * i64::from(keep_days))) else {
        return Vec::new();
    };
    let old = days.iter().map(|row| row.day).filter(|day| *day < border);
    old.collect()
}

/// The day in UTC.
fn day_of(now_ms: i64) -> Date {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    TimeZone::UTC.to_datetime(now).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_takes_the_more_of_the_time_the_more_waits() {
        let took = Duration::from_millis(10);
        let share = |waiting| took.as_secs_f64() / (took + breath(took, waiting)).as_secs_f64();
        assert!((share(0) - 1.0 / f64::from(PARTS)).abs() < 0.001);
        assert!((share(EASY) - 0.5).abs() < 0.001);
        assert!((share(EASY * 9) - 0.5).abs() < 0.001);
        assert!(share(EASY / 2) < share(EASY * 3 / 4));
        assert_eq!(breath(Duration::from_secs(9), 0), IDLE);
    }

    #[test]
    fn a_day_is_dropped_when_it_is_older_than_what_is_kept() {
        let days: Vec<DayRow> = ["2026-08-25", "2026-08-26", "2026-08-27", "2026-11-24"]
            .map(|day| DayRow {
                day: day.parse().unwrap(),
                bytes: 1,
            })
            .into();
        let today = day_of(1_795_512_600_000);
        assert_eq!(today.to_string(), "2026-11-24");
        let dropped = |keep| {
            let days = outdated(&days, today, keep);
            days.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(dropped(90), ["2026-08-25"]);
        assert_eq!(dropped(89), ["2026-08-25", "2026-08-26"]);
        assert_eq!(dropped(1).len(), 3, "today stays");
        assert!(dropped(u32::MAX).is_empty());
    }
}
