//! `/v1/connections`: what is connected.

use axum::{Json, extract::State};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_hub::{
    ConnectionView as Row,
    clock::moment,
    lane::forecast::{self, LaneStatus},
};
use switchboard_model::problem::ProblemBody;
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    oauth::{self, SignInView},
    problem::{Answer, ProblemSchema},
};

/// A connection: one configured account of a connector.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Connection)]
pub struct ConnectionView {
    /// The user's own id.
    #[schema(example = "primary-crm")]
    key: String,
    /// The name that people see.
    name: String,
    /// The connector's slug.
    #[schema(example = "salesforce")]
    connector: String,
    /// `draft` (something is missing), `active`, `paused` or `error`.
    state: &'static str,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `false`: kept, but nothing is sent.
    enabled: bool,
    /// Among connections of one connector the smallest is meant when only the system is named.
    priority: i64,
    /// The objects that it makes.
    objects: Vec<String>,
    /// Its settings, which hold no secrets.
    settings: Map<String, Value>,
    /// What was translated or explained when it was configured.
    notes: Vec<String>,
    /// Signing in on the vendor's page, where the connection has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in: Option<SignInView>,
    /// What a person has to do, when it stands still until they have.
    #[schema(value_type = Option<ProblemSchema>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemBody>,
    /// What waits for it and how that moves; absent when this hub does not send.
    #[serde(skip_serializing_if = "Option::is_none")]
    lane: Option<LaneView>,
}

/// What waits for a connection and how that moves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Lane)]
pub struct LaneView {
    /// `sending`, `limited` (the vendor's limits are used up), `open` (the vendor is away), `probing` (it is being tried whether the
    /// vendor is back), `refused` (credentials) or `paused`.
    state: &'static str,
    /// When the vendor is tried again, while it is away.
    #[serde(skip_serializing_if = "Option::is_none")]
    open_until: Option<String>,
    /// How many deliveries wait.
    waiting: u64,
    /// How many are being sent.
    in_flight: usize,
    /// How many records one call carries on average.
    records_per_call: f64,
    /// When nothing will probably be left to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_empty_at: Option<String>,
}

impl LaneView {
    fn of(status: &LaneStatus, now_ms: i64) -> Self {
        Self {
            state: status.state.name(),
            open_until: status.open_until_ms.map(moment),
            waiting: status.waiting,
            in_flight: status.in_flight,
            records_per_call: (status.records_per_call * 100.0).round() / 100.0,
            expected_empty_at: forecast::empty_ms(status, now_ms).map(moment),
        }
    }
}

impl ConnectionView {
    fn of(row: Row, ends_ms: Option<i64>, now_ms: i64, lane: Option<LaneView>) -> Self {
        Self {
            problem: oauth::reconnect(&row).as_ref().map(ProblemBody::from),
            sign_in: SignInView::of(&row, ends_ms),
            notes: oauth::notes(&row, ends_ms, now_ms),
            key: row.key,
            name: row.name,
            connector: row.connector,
            state: row.state.name(),
            reason: row.reason,
            enabled: row.enabled,
            priority: row.priority,
            objects: row.objects,
            settings: row.settings,
            lane,
        }
    }
}

/// Every connection.
#[derive(Debug, Serialize, ToSchema)]
pub struct Connections {
    /// By priority, then key.
    items: Vec<ConnectionView>,
}

/// List the connections.
#[utoipa::path(
    get, path = "/v1/connections", tag = "connections", operation_id = "listConnections",
    responses(
        (status = 200, description = "All of them", body = Connections),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(State(app): State<App>, caller: Caller) -> Answer<Json<Connections>> {
    let now_ms = app.hub.now_ms();
    let rows = app.hub.connections(caller.workspace).into_iter();
    let ends = app.hub.grant_ends(caller.workspace).await?;
    let views = rows.map(|row| {
        let status = app.hub.lane_status(row.id);
        let lane = status.map(|status| LaneView::of(&status, now_ms));
        let ends_ms = ends.get(&row.id).copied();
        ConnectionView::of(row, ends_ms, now_ms, lane)
    });
    Ok(Json(Connections { items: views.collect() }))
}
