//! The statement of a group of settlements. It is put together from parts, because each costs its time although there is nothing for it to do.

use switchboard_model::delivery::DeliveryState;

use super::Settlements;
use crate::store::LinkChange;

/// What a group of settlements asks for beside the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    /// Something is settled in another way than by arriving.
    changes: bool,
    /// What is known of a record changes.
    links: bool,
    /// Some of the calls have been handed over before.
    again: bool,
}

const GIVEN: &str = "
WITH given AS (
    SELECT generate_subscripts($1::bigint[], 1) AS place, unnest($1::bigint[]) AS id, unnest($2::bigint[]) AS fence,
           unnest($3::smallint[]) AS state, unnest($4::integer[]) AS attempts, unnest($5::bigint[]) AS due_ms,
           unnest($6::bigint[]) AS doubt_ms, unnest($7::text[]) AS operation, unnest($8::bigint[]) AS settled_ms,
           unnest($9::text[]) AS external_id, unnest($10::text[]) AS problem, unnest($11::bigint[]) AS carrier,
           unnest($12::bigint[]) AS handed_over_ms, unnest($13::bigint[]) AS link_connection, unnest($14::text[]) AS link_object,
           unnest($15::text[]) AS link_key, unnest($16::text[]) AS link_id, unnest($28::text[]) AS means,
           unnest($29::boolean[]) AS link_forgotten, unnest($30::bigint[]) AS link_doubt_ms, unnest($31::text[]) AS link_operation,
           unnest($32::text[]) AS link_means
)";

/// What was delivered leaves the outbox for the history of its day at once.
const ARRIVED: &str = ", arrived AS (
    DELETE FROM delivery d USING given g
    WHERE d.id = g.id AND g.state = 10 AND d.state IN (0, 1, 2) AND d.fence <= g.fence
    RETURNING d.id, d.workspace, d.event, d.connection, d.object, d.record_key, d.options, d.fallback, g.state, g.attempts, g.due_ms,
              d.operation, d.means, d.fence, g.settled_ms, coalesce(g.external_id, d.external_id) AS external_id, g.problem, g.carrier,
              coalesce(g.handed_over_ms, d.handed_over_ms) AS handed_over_ms
), past AS (
    INSERT INTO delivery_history (id, workspace, event, connection, object, record_key, options, fallback, state, attempts, due_ms,
                                  operation, means, fence, settled_ms, external_id, problem, carrier, handed_over_ms)
    SELECT * FROM arrived
), counted AS (
    INSERT INTO tally (connection, delivered, last_delivered_ms)
    SELECT connection, count(*), max(settled_ms) FROM arrived GROUP BY connection ORDER BY connection
    ON CONFLICT (connection) DO UPDATE SET delivered = tally.delivered + excluded.delivered,
        last_delivered_ms = greatest(tally.last_delivered_ms, excluded.last_delivered_ms)
)";

const CHANGED: &str = ", changed AS (
    UPDATE delivery d
    SET state = g.state, stage = CASE WHEN g.state < 3 THEN 0 ELSE g.state END, attempts = g.attempts, due_ms = g.due_ms, doubt_ms = g.doubt_ms, operation = g.operation,
        settled_ms = g.settled_ms, external_id = coalesce(g.external_id, d.external_id), problem = g.problem, carrier = g.carrier,
        handed_over_ms = coalesce(g.handed_over_ms, d.handed_over_ms), means = g.means
    FROM given g
    WHERE d.id = g.id AND g.state <> 10 AND d.state IN (0, 1, 2) AND d.fence <= g.fence
    RETURNING d.id
), done AS (
    SELECT id FROM arrived UNION ALL SELECT id FROM changed
)";

const NOTHING_CHANGED: &str = ", done AS (SELECT id FROM arrived)";

/// Links change only with their delivery, so that a former holder changes none.
const LINKED: &str = ", wish AS (
    SELECT DISTINCT ON (link_connection, link_object, link_key) link_connection, link_object, link_key, link_id, link_forgotten,
        link_doubt_ms, link_operation, link_means
    FROM given WHERE link_connection IS NOT NULL AND id IN (SELECT id FROM done)
    ORDER BY link_connection, link_object, link_key, place DESC
), linked AS (
    INSERT INTO link (connection, object, record_key, external_id) SELECT link_connection, link_object, link_key, link_id
    FROM wish WHERE link_id IS NOT NULL
    ON CONFLICT (connection, object, record_key) DO UPDATE SET external_id = excluded.external_id
), forgotten AS (
    DELETE FROM link l USING wish w
    WHERE w.link_forgotten AND l.connection = w.link_connection AND l.object = w.link_object AND l.record_key = w.link_key
), doubted AS (
    INSERT INTO link_doubt (connection, object, record_key, doubt_ms, operation, means)
    SELECT link_connection, link_object, link_key, link_doubt_ms, link_operation, link_means FROM wish WHERE link_doubt_ms IS NOT NULL
    ON CONFLICT (connection, object, record_key) DO UPDATE SET doubt_ms = excluded.doubt_ms, operation = excluded.operation,
        means = excluded.means
), certain AS (
    DELETE FROM link_doubt l USING wish w
    WHERE w.link_doubt_ms IS NULL AND l.connection = w.link_connection AND l.object = w.link_object AND l.record_key = w.link_key
)";

/// Calls are written down in any case: they were made.
const CALLED: &str = ", called AS (
    INSERT INTO attempt (id, workspace, delivery, started_ms, duration_ms, operation, request, status, answer, outcome, records)
    SELECT unnest($17::bigint[]), unnest($18::bigint[]), unnest($19::bigint[]), unnest($20::bigint[]), unnest($21::bigint[]),
           unnest($22::text[]), unnest($23::text[]), unnest($24::integer[]), unnest($25::text[]), unnest($26::text[]),
           unnest($27::bigint[])";

/// They are there already when the answer to an earlier try was lost. Looking for each costs as much as writing it.
const UNLESS_THERE: &str = " ON CONFLICT DO NOTHING";

const DONE: &str = ")
SELECT id FROM done";

impl Parts {
    /// What these settlements need.
    pub fn of(group: &[Settlements]) -> Self {
        let all = || group.iter().flat_map(|job| &job.settlements);
        Self {
            changes: all().any(|settlement| settlement.state != DeliveryState::Delivered),
            links: all().any(|settlement| !matches!(settlement.link, LinkChange::Keep)),
            again: group.iter().any(|job| job.again),
        }
    }

    /// The statement, whose parameters are the same in any case.
    pub fn statement(self) -> String {
        let changed = if self.changes { CHANGED } else { NOTHING_CHANGED };
        let linked = if self.links { LINKED } else { "" };
        let unless_there = if self.again { UNLESS_THERE } else { "" };
        [GIVEN, ARRIVED, changed, linked, CALLED, unless_there, DONE].concat()
    }
}
