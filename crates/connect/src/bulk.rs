//! STUB until the branch comes in.
use crate::{
    account::{Account, Call},
    call::{Answer, HttpRequest},
    connector::{Connector, Doubt, Known},
    manifest::OperationKind,
};
use switchboard_model::{outcome::Outcome, problem::Problem};
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    pub way: usize,
    pub most_items: usize,
    pub most_bytes: usize,
}
pub struct BulkRequest {
    pub request: HttpRequest,
    pub taken: usize,
}
pub enum BulkAnswer {
    Each(Vec<Outcome>),
    Whole(Outcome),
}
impl Connector {
    pub fn bulk(&self, _object: &str, _kind: OperationKind, _account: &Account, _call: &Call) -> Option<Bulk> {
        None
    }
    pub fn most_records(&self, _object: &str, _account: &Account) -> usize {
        1
    }
    pub fn build_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
    ) -> Result<BulkRequest, Problem> {
        Ok(BulkRequest {
            request: self.build(object, kind, account, calls[0])?,
            taken: 1,
        })
    }
    pub fn read_bulk(
        &self,
        object: &str,
        kind: OperationKind,
        account: &Account,
        calls: &[&Call],
        answer: &Answer,
    ) -> BulkAnswer {
        BulkAnswer::Whole(self.read(object, kind, account, calls[0], answer))
    }
}
impl Known {
    pub fn removal(link: Option<String>, doubt: Doubt) -> Self {
        Self::new(link, doubt)
    }
    pub fn is_removal(&self) -> bool {
        false
    }
}
