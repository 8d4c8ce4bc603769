//! How many requests a key may make in a minute: counted for the API of records, tables and lists, told with each answer
//! (`RateLimit-Policy`, `RateLimit`), and refused with 429 and `Retry-After` beyond it.

use std::collections::HashMap;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderName, HeaderValue, header};
use parking_lot::Mutex;
use switchboard_model::{
    id::KeyId,
    problem::{Code, Problem},
};

use super::{App, caller::Caller, problem};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");
/// How long a window is.
const WINDOW_MS: i64 = 60_000;
/// Windows of more keys than this are looked through for those that are over.
const MANY: usize = 1_000;

/// What each key has used of its minute. A minute begins with the first request after the last one has ended.
#[derive(Debug)]
pub struct Quota {
    most: u64,
    windows: Mutex<HashMap<KeyId, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    began_ms: i64,
    used: u64,
}

/// How a key stands after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether the request may be made.
    granted: bool,
    /// How many are left.
    left: u64,
    /// Seconds until all are there again.
    seconds: i64,
}

impl Quota {
    /// So many requests a minute for each key; 0: any number.
    pub fn new(most: u64) -> Self {
        Self {
            most,
            windows: Mutex::default(),
        }
    }

    /// Counts a request; `None` where there is no limit.
    fn take(&self, key: KeyId, now_ms: i64) -> Option<Standing> {
        if self.most == 0 {
            return None;
        }
        let mut windows = self.windows.lock();
        if windows.len() > MANY {
            windows.retain(|_, window| !window.is_over(now_ms));
        }
        let fresh = Window {
            began_ms: now_ms,
            used: 0,
        };
        let window = windows.entry(key).or_insert(fresh);
        if window.is_over(now_ms) {
            *window = fresh;
        }
        let granted = window.used < self.most;
        if granted {
            window.used += 1;
        }
        let left_ms = window.began_ms + WINDOW_MS - now_ms;
        Some(Standing {
            granted,
            left: self.most - window.used,
            seconds: left_ms.div_euclid(1_000) + i64::from(left_ms.rem_euclid(1_000) > 0),
        })
    }
}

impl Window {
    /// Also where the clock was set back.
    fn is_over(&self, now_ms: i64) -> bool {
        !(0..WINDOW_MS).contains(&(now_ms - self.began_ms))
    }
}

/// Lets a request through while its key has some left. One without a good key is refused by its handler.
pub async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let Ok(caller) = Caller::of(request.headers(), &app) else {
        return next.run(request).await;
    };
    let Some(standing) = app.quota.take(caller.key(), app.hub.now_ms()) else {
        return next.run(request).await;
    };
    let mut response = match standing.granted {
        true => next.run(request).await,
        false => refuse(app.quota.most, standing),
    };
    let headers = response.headers_mut();
    let policy = format!("\"default\";q={};w=60", app.quota.most);
    let state = format!("\"default\";r={};t={}", standing.left, standing.seconds);
    for (name, text) in [(POLICY, policy), (STATE, state)] {
        if let Ok(value) = HeaderValue::from_str(&text) {
            headers.insert(name, value);
        }
    }
    response
}

fn refuse(most: u64, standing: Standing) -> Response {
    let mut response = problem::render(&Problem::new(
        Code::TooManyRequests,
        format!("This key has made {most} requests to records within a minute; nothing was done."),
        "Wait as long as the header Retry-After says. Write many records with one request to …/batch. The limit is the setting \
         limits.requests_per_minute.",
    ));
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(standing.seconds.max(1)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_requests_once_a_minute() {
        let quota = Quota::new(2);
        let take = |key, ms: i64| quota.take(KeyId(key), 1_000_000 + ms).unwrap();
        let stands = |granted, left, seconds| Standing { granted, left, seconds };
        assert_eq!(take(1, 0), stands(true, 1, 60));
        assert_eq!(take(1, 500), stands(true, 0, 60));
        assert_eq!(take(1, 1_000), stands(false, 0, 59));
        assert_eq!(take(2, 1_000), stands(true, 1, 60), "each key has its own");
        assert_eq!(take(1, 59_999), stands(false, 0, 1));
        assert_eq!(take(1, 60_000), stands(true, 1, 60));
        assert_eq!(take(1, -5), stands(true, 1, 60), "the clock was set back");
        assert_eq!(Quota::new(0).take(KeyId(1), 0), None);
    }
}
