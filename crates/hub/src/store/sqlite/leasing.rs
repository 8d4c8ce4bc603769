//! The right to send. The data folder belongs to one process at a time (`hub::Hub::start` locks it), which holds every right.

use std::collections::HashMap;

use switchboard_model::id::ConnectionId;

use super::SqliteStore;
use crate::store::{Answer, Claim, Fence, Leasing};

impl Leasing for SqliteStore {
    fn lease(&self, claims: Vec<Claim>, _ttl_ms: i64) -> Answer<'_, HashMap<ConnectionId, Fence>> {
        let all = claims.into_iter().map(|claim| (claim.connection, Fence::default()));
        let all = all.collect();
        Box::pin(async move { Ok(all) })
    }
}
