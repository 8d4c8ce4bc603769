//! What was called and how it ended.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::message::Request;

/// One call that has ended.
#[derive(Debug, Clone)]
pub struct Call {
    /// Counts all calls in the order in which they ended, from 1.
    pub number: u64,
    /// The vendor's slug.
    pub vendor: Arc<str>,
    /// The request, with its time of arrival.
    pub request: Arc<Request>,
    /// The status of the answer; `None` when the connection was cut instead.
    pub status: Option<u16>,
    /// The body of the answer, also of one that was never sent.
    pub answer: Bytes,
    /// What the dial did to the call.
    pub faults: Vec<String>,
}

impl Call {
    /// The call as JSON. Bodies are text; bytes that are not are replaced.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let request = &self.request;
        json!({
            "number": self.number,
            "vendor": &*self.vendor,
            "at_ms": request.now_ms,
            "method": request.method.as_str(),
            "path": request.target(),
            "headers": headers(request),
            "body": String::from_utf8_lossy(&request.body),
            "status": self.status,
            "answer": String::from_utf8_lossy(&self.answer),
            "faults": self.faults,
        })
    }
}

/// The headers of a request as a JSON object; several of one name are joined with commas.
#[must_use]
pub fn headers(request: &Request) -> Value {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in &request.headers {
        let value = String::from_utf8_lossy(value.as_bytes());
        let text = all.entry(name.as_str()).or_default();
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.push_str(&value);
    }
    json!(all)
}

/// The last calls, as many as are kept.
#[derive(Debug)]
pub struct Journal {
    calls: VecDeque<Arc<Call>>,
    kept: usize,
    next: u64,
}

impl Journal {
    /// An empty log that keeps the last `kept` calls.
    #[must_use]
    pub fn new(kept: usize) -> Self {
        Self {
            calls: VecDeque::new(),
            kept,
            next: 1,
        }
    }

    /// Adds a call and gives it its number.
    pub fn add(&mut self, mut call: Call) {
        call.number = self.next;
        self.next += 1;
        if self.kept == 0 {
            return;
        }
        if self.calls.len() == self.kept {
            self.calls.pop_front();
        }
        self.calls.push_back(Arc::new(call));
    }

    /// At most `most` calls with a number greater than `after`, in order.
    #[must_use]
    pub fn after(&self, after: u64, most: usize) -> Vec<Arc<Call>> {
        let first = self.calls.front().map_or(1, |call| call.number);
        let skip = usize::try_from((after + 1).saturating_sub(first)).unwrap_or(usize::MAX);
        self.calls.iter().skip(skip).take(most).cloned().collect()
    }
}

/// What a simulation did since its start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// By the vendor's slug.
    pub vendors: BTreeMap<String, VendorSummary>,
}

/// What one vendor did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VendorSummary {
    /// Stored records by object.
    pub records: BTreeMap<String, u64>,
    /// All calls, also cut ones.
    pub calls: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// What the dial did, by kind: `cut_after`, `status_503`, `throttle` …
    pub faults: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    fn call() -> Call {
        Call {
            number: 0,
            vendor: "webhook".into(),
            request: Arc::new(Request::new(Method::GET, "/")),
            status: Some(200),
            answer: Bytes::new(),
            faults: Vec::new(),
        }
    }

    #[test]
    fn the_log_keeps_the_last_calls_and_their_numbers() {
        let mut journal = Journal::new(3);
        for _ in 0..5 {
            journal.add(call());
        }
        let numbers = |after, most| {
            journal
                .after(after, most)
                .iter()
                .map(|call| call.number)
                .collect::<Vec<_>>()
        };
        assert_eq!(numbers(0, 10), [3, 4, 5]);
        assert_eq!(numbers(3, 1), [4]);
        assert_eq!(numbers(4, 10), [5]);
        assert!(numbers(5, 10).is_empty() && numbers(99, 10).is_empty());
    }
}
