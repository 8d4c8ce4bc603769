//! Intents: the right to send is checked in the transaction that writes them.

use std::collections::HashSet;

use switchboard_model::id::DeliveryId;

use super::{Core, Trouble, writer::Job};
use crate::store::{Fence, Intent, StoreError};

/// The lease is locked against a change of its holder until the intents are committed, so that the next holder reads them as doubts before
/// it sends anything. Renewals do not wait for this lock.
const INTEND: &str = "
WITH asked AS (
    SELECT unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS fence, unnest($3::text[]) AS operation, unnest($4::text[]) AS means,
           unnest($5::bytea[]) AS request_digest, unnest($6::bigint[]) AS since_ms
), held AS (
    SELECT l.connection, l.fence FROM lease l
    WHERE l.connection = ANY ($8) AND l.node = $7 AND l.until_ms > (extract(epoch FROM clock_timestamp()) * 1000)::bigint
    ORDER BY l.connection
    FOR KEY SHARE
)
UPDATE delivery d
SET state = 1, operation = a.operation, means = a.means, request_digest = a.request_digest,
    doubt_ms = a.since_ms, fence = a.fence
FROM asked a, held h
WHERE d.id = a.id AND d.state IN (0, 1, 2) AND h.connection = d.connection AND h.fence = a.fence AND d.fence <= a.fence
RETURNING d.id";

/// Intents under one right.
pub(super) struct Intents {
    slot: i16,
    fence: Fence,
    intents: Vec<Intent>,
}

impl Intents {
    pub fn new(core: &Core, fence: Fence, intents: Vec<Intent>) -> Result<Self, StoreError> {
        let slot = core.identity.lock().slot()?;
        Ok(Self { slot, fence, intents })
    }
}

impl Job for Intents {
    type Answer = Vec<DeliveryId>;

    fn weight(&self) -> usize {
        self.intents.len()
    }

    fn dated_ids(&self) -> Vec<i64> {
        Vec::new()
    }

    async fn commit(core: &Core, group: &[Self]) -> Result<Vec<Vec<DeliveryId>>, Trouble> {
        let all = || {
            group
                .iter()
                .flat_map(|job| job.intents.iter().map(move |intent| (job.fence, intent)))
        };
        let client = core.client().await?;
        let statement = client.prepare_cached(INTEND).await?;
        let slot = group.first().map_or(0, |job| job.slot);
        let connections: HashSet<i64> = all().map(|(_, intent)| intent.connection.0).collect();
        let rows = client
            .query(
                &statement,
                &[
                    &all().map(|(_, intent)| intent.delivery.0).collect::<Vec<_>>(),
                    &all().map(|(fence, _)| fence.0).collect::<Vec<_>>(),
                    &all().map(|(_, intent)| intent.operation.name()).collect::<Vec<_>>(),
                    &all()
                        .map(|(_, intent)| intent.recovery.map(|recovery| recovery.to_string()))
                        .collect::<Vec<_>>(),
                    &all().map(|(_, intent)| &intent.request_digest[..]).collect::<Vec<_>>(),
                    &all().map(|(_, intent)| intent.since_ms).collect::<Vec<_>>(),
                    &slot,
                    &connections.into_iter().collect::<Vec<_>>(),
                ],
            )
            .await?;
        let written: HashSet<i64> = rows.iter().map(|row| row.get(0)).collect();
        let refused = |job: &Self| {
            let ids = job.intents.iter().map(|intent| intent.delivery);
            ids.filter(|id| !written.contains(&id.0)).collect()
        };
        Ok(group.iter().map(refused).collect())
    }
}
