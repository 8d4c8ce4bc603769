//! STUB until the branch comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permit {
    Free,
    Probe,
    No { until_ms: i64 },
}
#[derive(Debug, Default)]
pub struct Circuit;
impl Circuit {
    pub fn may_start(&mut self, _now_ms: i64) -> Permit {
        Permit::Free
    }
    pub fn succeeded(&mut self) {}
    pub fn failed(&mut self, _now_ms: i64) {}
    pub fn throttled(&mut self, _now_ms: i64, _after_ms: i64) {}
    pub fn open_until(&self, _now_ms: i64) -> Option<i64> {
        None
    }
    pub fn is_open(&self) -> bool {
        false
    }
    pub fn is_outage(&self) -> bool {
        false
    }
}
