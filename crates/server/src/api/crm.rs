//! The addresses of the messenger's guide: `/api/crm/…`. Names of members are the guide's (`integrationId`).

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::Value;
use switchboard_connect::{
    document::Document,
    guide::{self, Item},
    manifest::Category,
};
use switchboard_hub::{TestReport, clock::moment, configuration::Configured};
use switchboard_model::problem::{Code, Problem, ProblemBody};
use utoipa::ToSchema;

use super::{
    App,
    body::TextBody,
    caller::Caller,
    oauth,
    problem::{Answer, ProblemSchema},
    schema::MappingProblem,
    views::CallView,
};
use crate::{
    conformance::{Score, scores::published},
    nearest::did_you_mean,
};

/// What places in a posted configuration begin with.
const BODY: &str = "body";

/// The systems that can be connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct Supported {
    /// One for each connector.
    supported: Vec<SupportedSystem>,
}

/// One system that can be connected.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SupportedSystem {
    /// What `type` says in a configuration.
    #[serde(rename = "type")]
    kind: String,
    /// Other words for it.
    aliases: Vec<String>,
    /// Its name.
    name: String,
    /// What kind of system it is: `crm`, `chat`, `knowledge` …
    #[schema(value_type = String)]
    category: Category,
    /// The objects that can be made there.
    objects: Vec<String>,
    /// The ways to sign in; a configuration names one of them as `authType`.
    auth: Vec<AuthKindView>,
    /// Its icon, an SVG document.
    icon: String,
    /// How it stands the conformance suite; absent for connectors that are not built in.
    #[serde(skip_serializing_if = "Option::is_none")]
    conformance: Option<Conformance>,
}

/// A way to sign in.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthKind)]
pub struct AuthKindView {
    /// Its name in configurations.
    #[serde(rename = "type")]
    kind: String,
    /// Its name for people.
    title: String,
}

/// How a connector stands the conformance suite.
#[derive(Debug, Serialize, ToSchema)]
pub struct Conformance {
    /// Percent of the cases that apply and are not waived.
    score: u32,
    /// How many cases it passes.
    passed: u32,
    /// What the system makes impossible.
    waived: Vec<WaivedView>,
}

/// A case of the conformance suite that a system makes impossible.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WaivedCase)]
pub struct WaivedView {
    /// The case.
    case: &'static str,
    /// The object that it is about; absent: the connection as a whole, or every object.
    #[serde(skip_serializing_if = "Option::is_none")]
    object: Option<&'static str>,
    /// What about the system makes it impossible.
    reason: &'static str,
}

impl From<&'static Score> for Conformance {
    fn from(score: &'static Score) -> Self {
        let waived = score.waived.iter().map(|waived| WaivedView {
            case: &waived.case,
            object: waived.object.as_deref(),
            reason: &waived.reason,
        });
        Self {
            score: score.score,
            passed: score.passed,
            waived: waived.collect(),
        }
    }
}

impl AuthKindView {
    fn of((kind, title, _): (&str, &str, &serde_json::Value)) -> Self {
        Self {
            kind: kind.to_owned(),
            title: title.to_owned(),
        }
    }
}

/// List the systems that can be connected.
#[utoipa::path(
    get, path = "/api/crm/supported", tag = "crm", operation_id = "supportedSystems",
    responses(
        (status = 200, description = "All of them", body = Supported),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn supported(State(app): State<App>, _caller: Caller) -> Json<Supported> {
    let registry = app.hub.registry();
    let supported = registry.iter().map(|connector| SupportedSystem {
        kind: connector.slug().to_owned(),
        aliases: connector.aliases().to_vec(),
        name: connector.name().to_owned(),
        category: connector.category(),
        objects: connector.objects().map(|object| object.name().to_owned()).collect(),
        auth: connector.auth_kinds().map(AuthKindView::of).collect(),
        icon: connector.icon().to_owned(),
        conformance: registry
            .is_built_in(connector.slug())
            .then(|| published(connector.slug()).map(Conformance::from))
            .flatten(),
    });
    Json(Supported {
        supported: supported.collect(),
    })
}

/// What a configuration did.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfiguredView {
    /// The connections that were written.
    pub connections: Vec<ConfiguredConnectionView>,
    /// The routes that were written.
    pub routes: Vec<ConfiguredRouteView>,
    /// The sources that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub sources: Vec<ConfiguredSourceView>,
    /// Whether the classifier was written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub classifier: bool,
    /// Whether the defaults were written.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pub defaults: bool,
    /// The objects and tables whose definitions were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub objects: Vec<String>,
    /// The lists that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub lists: Vec<String>,
    /// The keys of the automations that were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub automations: Vec<String>,
}

/// A source that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfiguredSourceView {
    /// The user's own id.
    pub key: String,
    /// The ready source that it is.
    pub source: String,
    /// What stands behind `/in/`.
    pub path: String,
    /// Secrets that have to be given before any request can be known to be the pusher's.
    pub missing: Vec<String>,
}

/// A connection that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfiguredConnectionView {
    /// The user's own id.
    pub key: String,
    /// The connector's slug.
    pub connector: String,
    /// `draft`, `active`, `paused` or `error`.
    pub state: &'static str,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was translated or explained.
    pub notes: Vec<String>,
    /// What in its mappings does not fit the account, as far as that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<ProblemSchema>)]
    pub warnings: Vec<ProblemBody>,
}

/// A route that was written.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConfiguredRouteView {
    /// Its name.
    pub key: String,
    /// Its strategy.
    pub strategy: &'static str,
    /// The systems that it names and that are not connected.
    pub waiting_for: Vec<String>,
}

impl From<Configured> for ConfiguredView {
    fn from(done: Configured) -> Self {
        let connections = done.connections.into_iter().map(|connection| ConfiguredConnectionView {
            key: connection.key,
            connector: connection.connector,
            state: connection.state.name(),
            reason: connection.reason,
            notes: connection.notes,
            warnings: connection.warnings.iter().map(ProblemBody::from).collect(),
        });
        let routes = done.routes.into_iter().map(|route| ConfiguredRouteView {
            key: route.key,
            strategy: route.strategy,
            waiting_for: route.waiting_for,
        });
        let sources = done.sources.into_iter().map(|source| ConfiguredSourceView {
            key: source.key,
            source: source.source,
            path: source.path,
            missing: source.missing,
        });
        Self {
            connections: connections.collect(),
            routes: routes.collect(),
            sources: sources.collect(),
            classifier: done.classifier,
            defaults: done.defaults,
            objects: done.objects,
            lists: done.lists,
            automations: done.automations,
        }
    }
}

/// Write connections, routes, sources, tables, lists and automations: the body is any configuration file that `switchboard apply` takes, as JSON.
///
/// All of it is written or, when anything is wrong, nothing. A route may name systems that are not connected yet.
#[utoipa::path(
    post, path = "/api/crm/configure", tag = "crm", operation_id = "configure",
    request_body(content = serde_json::Value, content_type = "application/json", description = "`crmIntegrations`, a single integration, a strategy, a receiver, or `connections`, `routes`, `sources`, `tables`, `lists`, `automations`, `classifier` and `defaults`"),
    responses(
        (status = 200, description = "What was written", body = ConfiguredView),
        (status = 422, description = "What is wrong, all of it", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn configure(State(app): State<App>, caller: Caller, body: TextBody) -> Answer<Json<ConfiguredView>> {
    let items = read_items(&app, &body.0)?;
    Ok(Json(app.hub.configure(caller.workspace, items).await?.into()))
}

fn read_items(app: &App, text: &str) -> Result<Vec<Item>, Problem> {
    let document = Document::parse(text, BODY)?;
    guide::read(&document, &app.hub.registry()).map_err(all)
}

fn all(problems: Vec<Problem>) -> Problem {
    Problem::all(problems)
        .unwrap_or_else(|| Problem::new(Code::WrongValue, "The configuration cannot be read.", "Check the body."))
}

/// What a connection test found.
#[derive(Debug, Serialize, ToSchema)]
pub struct TestAnswer {
    /// Whether the connection works.
    ok: bool,
    /// What a person is told.
    message: String,
    /// What is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
    /// The calls that were made, secrets masked.
    calls: Vec<CallView>,
}

impl From<TestReport> for TestAnswer {
    fn from(report: TestReport) -> Self {
        Self {
            ok: report.ok,
            message: report.message,
            problem: report.problem.as_ref().map(ProblemBody::from),
            calls: report.calls.into_iter().map(CallView::from).collect(),
        }
    }
}

/// Try a connection: one that is kept (`{"integrationId": "…"}`), or the integration that the body describes.
///
/// A test that fails is an answer with `ok: false`, not an error.
#[utoipa::path(
    post, path = "/api/crm/test-connection", tag = "crm", operation_id = "testConnection",
    request_body(content = serde_json::Value, content_type = "application/json", description = "`{\"integrationId\": \"primary-crm\"}` or an integration"),
    responses(
        (status = 200, description = "What the test found", body = TestAnswer),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn test_connection(State(app): State<App>, caller: Caller, body: TextBody) -> Answer<Json<TestAnswer>> {
    let document = Document::parse(&body.0, BODY)?;
    let report = match named(&document)? {
        Some(key) => app.hub.test_connection(caller.workspace, &key).await?,
        None => {
            let items = guide::read(&document, &app.hub.registry()).map_err(all)?;
            let mut items = items.into_iter();
            match (items.next(), items.next()) {
                (Some(Item::Connection(spec)), None) => app.hub.test_spec(caller.workspace, spec).await?,
                _ => {
                    let detail = "The body describes something else than one integration.";
                    let next = "Send {\"integrationId\": \"…\"} or one integration with its config.";
                    return Err(Problem::new(Code::WrongShape, detail, next).into());
                }
            }
        }
    };
    Ok(Json(report.into()))
}

/// The key of a connection that is kept, when the body names one and nothing else.
fn named(document: &Document) -> Result<Option<String>, Problem> {
    let Some(members) = document.value().as_object() else {
        return Ok(None);
    };
    let Some(key) = members.get("integrationId") else {
        return Ok(None);
    };
    let wrong = |pointer: &str, detail: String| {
        Err(document.problem(
            Code::WrongShape,
            pointer,
            detail,
            "Send {\"integrationId\": \"…\"} with the integration's id.",
        ))
    };
    match (key, members.keys().find(|name| *name != "integrationId")) {
        (Value::String(key), None) => Ok(Some(key.clone())),
        (_, Some(other)) => wrong(
            &format!("/{other}"),
            format!("There is no member `{other}` beside integrationId"),
        ),
        (_, None) => wrong("/integrationId", "`integrationId` is text".into()),
    }
}

/// How the deliveries of an integration stand.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SyncStatus {
    /// The integration's id.
    integration_id: String,
    /// Its name.
    name: String,
    /// Its connector.
    #[serde(rename = "type")]
    kind: String,
    /// `draft`, `active`, `paused` or `error`.
    state: &'static str,
    /// Why it does not work.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// `false`: kept, but nothing is sent.
    enabled: bool,
    /// Deliveries that are not settled.
    pending: u64,
    /// Deliveries that the vendor holds.
    delivered: u64,
    /// Deliveries that were given up.
    dead: u64,
    /// When the last one was delivered.
    last_delivered_at: Option<String>,
    /// The newest problem.
    #[schema(value_type = Option<ProblemSchema>)]
    last_problem: Option<ProblemBody>,
    /// What was explained when it was configured, and what a person has to do soon.
    notes: Vec<String>,
    /// What in its mappings does not fit the account, as far as that is known.
    mapping_problems: Vec<MappingProblem>,
}

/// How the deliveries of an integration stand.
#[utoipa::path(
    get, path = "/api/crm/sync-status/{integrationId}", tag = "crm", operation_id = "syncStatus",
    params(("integrationId" = String, Path, description = "The integration's id")),
    responses(
        (status = 200, description = "Counts and the newest problem", body = SyncStatus),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn sync_status(State(app): State<App>, caller: Caller, Path(id): Path<String>) -> Answer<Json<SyncStatus>> {
    let connections = app.hub.connections(caller.workspace);
    let Some(connection) = connections.iter().find(|connection| connection.key == id) else {
        let hint = did_you_mean(&id, connections.iter().map(|connection| connection.key.as_str()));
        let shown: String = id.chars().take(80).collect();
        let detail = format!("There is no integration `{shown}`{hint}");
        return Err(Problem::new(Code::NotFound, detail, "GET /v1/connections lists them.").into());
    };
    let misfits = app.hub.misfits(caller.workspace, &connection.key).await?;
    let tally = app.hub.tally(caller.workspace, connection.id).await?;
    let ends_ms = app.hub.grant_ends(caller.workspace).await?.get(&connection.id).copied();
    Ok(Json(SyncStatus {
        integration_id: connection.key.clone(),
        name: connection.name.clone(),
        kind: connection.connector.clone(),
        state: connection.state.name(),
        reason: connection.reason.clone(),
        enabled: connection.enabled,
        pending: tally.pending,
        delivered: tally.delivered,
        dead: tally.dead,
        last_delivered_at: tally.last_delivered_ms.map(moment),
        last_problem: tally.last_problem,
        notes: oauth::notes(connection, ends_ms, app.hub.now_ms()),
        mapping_problems: misfits.into_iter().map(MappingProblem::from).collect(),
    }))
}
