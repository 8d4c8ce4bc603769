//! Rate limits: per credential and 10 seconds, per account and day, searches per account and second (fact sheet §8).

use std::collections::HashMap;

use super::settings::Settings;
use super::trouble::rate_limited;
use crate::message::Reply;
use crate::options::Setup;
use crate::rolling::Rolling;

const TEN_SECONDS_MS: i64 = 10_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The portal's day begins an hour before that of UTC.
pub const UTC_OFFSET_MS: i64 = 60 * 60 * 1000;

/// The limits of one portal.
#[derive(Debug)]
pub struct Limits {
    setup: Setup,
    by_credential: HashMap<String, Rolling>,
    searches: Rolling,
    daily_limit: u64,
    day: i64,
    today: u64,
}

/// Who calls, as far as limits go.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The static token, or the OAuth app.
    pub name: &'a str,
    /// Whether it is an OAuth app.
    pub oauth: bool,
}

impl Limits {
    /// Nothing was called yet.
    #[must_use]
    pub fn new(setup: &Setup, settings: &Settings) -> Self {
        Self {
            setup: *setup,
            by_credential: HashMap::new(),
            searches: Rolling::new(setup.limit(settings.searches_per_second), 1_000, 1),
            daily_limit: setup.limit(settings.calls_per_day),
            day: i64::MIN,
            today: 0,
        }
    }

    /// Counts one search. Searches count for nothing else and have no headers.
    ///
    /// # Errors
    /// The 429.
    pub fn search(&mut self, now_ms: i64, correlation_id: &str) -> Result<(), Reply> {
        self.searches
            .take(now_ms)
            .map_err(|_| rate_limited("SECONDLY", correlation_id))
    }

    /// Counts any other call.
    ///
    /// # Errors
    /// The 429.
    pub fn call(
        &mut self,
        settings: &Settings,
        caller: Caller<'_>,
        now_ms: i64,
        correlation_id: &str,
    ) -> Result<(), Reply> {
        let day = (now_ms + UTC_OFFSET_MS).div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        if self.today >= self.daily_limit {
            return Err(rate_limited("DAILY", correlation_id));
        }
        let taken = self.window(settings, caller).take(now_ms);
        taken.map_err(|_| rate_limited("TEN_SECONDLY_ROLLING", correlation_id))?;
        self.today += 1;
        Ok(())
    }

    /// The reply with the headers that say what is left. An OAuth app is not told about the day.
    #[must_use]
    pub fn tell(&mut self, settings: &Settings, caller: Caller<'_>, now_ms: i64, reply: Reply) -> Reply {
        let window = self.window(settings, caller);
        let reply = reply
            .with("x-hubspot-ratelimit-max", window.limit())
            .with("x-hubspot-ratelimit-remaining", window.remaining(now_ms))
            .with("x-hubspot-ratelimit-interval-milliseconds", TEN_SECONDS_MS);
        if caller.oauth {
            return reply;
        }
        reply.with("x-hubspot-ratelimit-daily", self.daily_limit).with(
            "x-hubspot-ratelimit-daily-remaining",
            self.daily_limit.saturating_sub(self.today),
        )
    }

    /// The most calls of a day, and those of today.
    #[must_use]
    pub fn daily(&self) -> (u64, u64) {
        (self.daily_limit, self.today)
    }

    fn window(&mut self, settings: &Settings, caller: Caller<'_>) -> &mut Rolling {
        let sheet = if caller.oauth {
            settings.oauth_calls_per_ten_seconds
        } else {
            settings.calls_per_ten_seconds
        };
        let limit = self.setup.limit(sheet);
        self.by_credential
            .entry(caller.name.to_owned())
            .or_insert_with(|| Rolling::new(limit, TEN_SECONDS_MS, 1))
    }
}

/// The next midnight of the portal, milliseconds since 1970.
#[must_use]
pub fn midnight_after(now_ms: i64) -> i64 {
    ((now_ms + UTC_OFFSET_MS).div_euclid(DAY_MS) + 1) * DAY_MS - UTC_OFFSET_MS
}
