//! `/v1/connections/{key}/schema` and `…/choices/{setting}`: what the account behind a connection has.

use axum::{
    Json,
    extract::{Path, RawQuery, State},
};
use serde::Serialize;
use switchboard_connect::{
    connector::{Choice, FieldView, Misfit},
    manifest::FieldType,
};
use switchboard_hub::{ObjectSchema, clock::moment};
use switchboard_model::problem::{Problem, ProblemBody};
use utoipa::ToSchema;

use super::{
    App,
    caller::Caller,
    page::Query,
    problem::{Answer, ProblemSchema},
};

/// What is known of the objects of a connection.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ConnectionSchema)]
pub struct SchemaView {
    /// The connection's key.
    connection: String,
    /// The connector's slug.
    #[schema(example = "hubspot")]
    connector: String,
    /// Its objects.
    objects: Vec<ObjectView>,
    /// Why the account could not be asked just now; what was known before is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
}

/// An object and its fields.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ObjectSchema)]
pub struct ObjectView {
    /// Its name.
    #[schema(example = "contact")]
    name: String,
    /// For people.
    title: String,
    /// When the account was last asked for its fields; absent: they are those that every account has.
    #[serde(skip_serializing_if = "Option::is_none")]
    found_at: Option<String>,
    /// Its fields.
    fields: Vec<SchemaField>,
}

/// A field of an object.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemaField {
    /// The vendor's name of it, as a mapping writes it.
    #[schema(example = "lifecyclestage")]
    name: String,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Other names that a mapping may write.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    /// What it holds: `text`, `number`, `date`, `choice` …
    #[serde(rename = "type")]
    #[schema(value_type = String)]
    kind: FieldType,
    /// Whether a new record needs it.
    required: bool,
    /// Most characters of its text.
    #[serde(skip_serializing_if = "Option::is_none")]
    max: Option<u64>,
    /// The values that it takes; absent: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    options: Vec<ChoiceView>,
    /// Whether it takes other values than its options.
    other_values: bool,
    /// The member of the mapping that it belongs into; absent: the mapping itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    inside: Option<String>,
    /// Whether the account has told of it; else it is known of every account.
    from_account: bool,
}

/// A value to choose.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Choice)]
pub struct ChoiceView {
    /// What is sent or set.
    value: String,
    /// What people read, where it is something else.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
}

/// What can be chosen for a setting.
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingChoices {
    /// The setting.
    #[schema(example = "boardId")]
    setting: String,
    /// When the account was last asked.
    found_at: String,
    /// What it offers.
    items: Vec<ChoiceView>,
    /// Why the account could not be asked just now; the choices are older then.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ProblemSchema>)]
    problem: Option<ProblemBody>,
}

/// Something in a mapping that does not fit the account.
#[derive(Debug, Serialize, ToSchema)]
pub struct MappingProblem {
    /// `error`: every record is refused because of it; `warning`: it is worth a look.
    level: &'static str,
    /// The object whose mapping it is.
    object: String,
    /// What is wrong.
    #[schema(value_type = ProblemSchema)]
    problem: ProblemBody,
}

impl From<Choice> for ChoiceView {
    fn from(choice: Choice) -> Self {
        Self {
            value: choice.value,
            title: choice.title,
        }
    }
}

impl From<FieldView> for SchemaField {
    fn from(field: FieldView) -> Self {
        Self {
            name: field.name,
            title: field.title,
            aliases: field.aliases,
            kind: field.field_type,
            required: field.required,
            max: field.max,
            options: field.options.into_iter().map(ChoiceView::from).collect(),
            other_values: field.open,
            inside: field.within,
            from_account: field.from_account,
        }
    }
}

impl From<ObjectSchema> for ObjectView {
    fn from(object: ObjectSchema) -> Self {
        Self {
            name: object.name,
            title: object.title,
            found_at: object.found_ms.map(moment),
            fields: object.fields.into_iter().map(SchemaField::from).collect(),
        }
    }
}

impl From<Misfit> for MappingProblem {
    fn from(misfit: Misfit) -> Self {
        Self {
            level: if misfit.is_fatal { "error" } else { "warning" },
            problem: ProblemBody::from(&misfit.problem),
            object: misfit.object,
        }
    }
}

/// The fields of a connection's objects: those that every account has, and those that were made in this one.
///
/// The account is asked when that was never done or is more than a day ago.
#[utoipa::path(
    get, path = "/v1/connections/{key}/schema", tag = "connections", operation_id = "connectionSchema",
    params(
        ("key" = String, Path, description = "The connection's key"),
        ("refresh" = Option<bool>, Query, description = "`true`: ask the account now"),
    ),
    responses(
        (status = 200, description = "Objects, fields, options", body = SchemaView),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn schema(
    State(app): State<App>,
    caller: Caller,
    Path(key): Path<String>,
    RawQuery(query): RawQuery,
) -> Answer<Json<SchemaView>> {
    let refresh = refresh(query.as_deref())?;
    let schema = app.hub.schema(caller.workspace, &key, refresh).await?;
    Ok(Json(SchemaView {
        connection: key,
        connector: schema.connector,
        objects: schema.objects.into_iter().map(ObjectView::from).collect(),
        problem: schema.problem.as_ref().map(ProblemBody::from),
    }))
}

/// What the account offers for a setting of a connection: boards, lists, projects.
///
/// The account is asked when that was never done or is more than a day ago.
#[utoipa::path(
    get, path = "/v1/connections/{key}/choices/{setting}", tag = "connections", operation_id = "settingChoices",
    params(
        ("key" = String, Path, description = "The connection's key"),
        ("setting" = String, Path, description = "The setting's name"),
        ("refresh" = Option<bool>, Query, description = "`true`: ask the account now"),
    ),
    responses(
        (status = 200, description = "Values with their titles", body = SettingChoices),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn choices(
    State(app): State<App>,
    caller: Caller,
    Path((key, setting)): Path<(String, String)>,
    RawQuery(query): RawQuery,
) -> Answer<Json<SettingChoices>> {
    let refresh = refresh(query.as_deref())?;
    let found = app.hub.choices(caller.workspace, &key, &setting, refresh).await?;
    Ok(Json(SettingChoices {
        setting,
        found_at: moment(found.found_ms),
        items: found.choices.into_iter().map(ChoiceView::from).collect(),
        problem: found.problem.as_ref().map(ProblemBody::from),
    }))
}

fn refresh(query: Option<&str>) -> Result<bool, Problem> {
    let query = Query::read(query, &["refresh"])?;
    let flag = query.parse("refresh", |text| {
        text.parse::<bool>()
            .map_err(|_| format!("`refresh` is `true` or `false`, not `{text}`"))
    })?;
    Ok(flag.unwrap_or(false))
}
