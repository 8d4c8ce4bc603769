//! The org's allowance of API calls (fact sheet §8).

use serde_json::{Value, json};

use super::trouble::Trouble;
use crate::message::Reply;
use crate::options::Setup;
use crate::rolling::Rolling;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// The day is counted in quarters of an hour.
const SLOT_MS: i64 = 15 * 60 * 1000;

/// The allowance of one org.
#[derive(Debug)]
pub struct Limits {
    daily: Rolling,
}

impl Limits {
    /// `daily` calls in any 24 hours, scaled.
    #[must_use]
    pub fn new(setup: &Setup, daily: u64) -> Self {
        Self {
            daily: Rolling::new(setup.limit(daily), DAY_MS, SLOT_MS),
        }
    }

    /// Counts one call.
    ///
    /// # Errors
    /// 403 `REQUEST_LIMIT_EXCEEDED` when the allowance is spent.
    pub fn take(&mut self, now_ms: i64) -> Result<(), Trouble> {
        self.daily.take(now_ms).map_err(|_| exceeded())
    }

    /// The reply with the header that says how much is spent.
    #[must_use]
    pub fn tell(&mut self, reply: Reply, now_ms: i64) -> Reply {
        let (used, most) = (self.daily.used(now_ms), self.daily.limit());
        reply.with("sforce-limit-info", format!("api-usage={used}/{most}"))
    }

    /// The answer of `/limits`.
    #[must_use]
    pub fn describe(&mut self, now_ms: i64) -> Value {
        json!({
            "DailyApiRequests": {"Max": self.daily.limit(), "Remaining": self.daily.remaining(now_ms)},
            "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
            "DataStorageMB": {"Max": 1024, "Remaining": 1020},
            "FileStorageMB": {"Max": 1024, "Remaining": 1024},
        })
    }
}

/// How Salesforce says "too many calls": not 429, and without `Retry-After`.
#[must_use]
pub fn exceeded() -> Trouble {
    Trouble::new(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
}
