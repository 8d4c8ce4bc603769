//! `/v1/templates`: ready scenarios, and installing one.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::Serialize;
use serde_json::{Map, Value};
use switchboard_model::problem::{Code, Problem};
use utoipa::ToSchema;

use super::{
    App, ConfiguredView,
    body::JsonBody,
    caller::Caller,
    problem::{Answer, ProblemSchema},
};
use crate::{
    nearest::did_you_mean,
    templates::{self, Installed, Parameter, Template},
};

/// A ready scenario.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Template)]
pub struct TemplateView {
    /// Its name in addresses.
    #[schema(example = "website-lead")]
    name: &'static str,
    /// Its name for people.
    title: &'static str,
    /// What it does.
    about: &'static str,
    /// What can be chosen when it is installed.
    parameters: Vec<ParameterView>,
    /// The systems that its automations send to; they work when these are connected.
    connectors: &'static [String],
}

/// What can be chosen when a template is installed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateParameter)]
pub struct ParameterView {
    /// Its name.
    name: &'static str,
    /// What it is, for people.
    title: &'static str,
    /// What it is when nothing is said; absent: it has to be given.
    #[serde(skip_serializing_if = "Option::is_none")]
    default: Option<&'static Value>,
    /// Whether it is kept sealed and never shown.
    secret: bool,
}

impl From<&'static Parameter> for ParameterView {
    fn from(parameter: &'static Parameter) -> Self {
        Self {
            name: &parameter.name,
            title: &parameter.title,
            default: parameter.default.as_ref(),
            secret: parameter.secret,
        }
    }
}

impl From<&'static Template> for TemplateView {
    fn from(template: &'static Template) -> Self {
        Self {
            name: template.name,
            title: &template.title,
            about: &template.about,
            parameters: template.parameters.iter().map(ParameterView::from).collect(),
            connectors: &template.connectors,
        }
    }
}

/// Every template.
#[derive(Debug, Serialize, ToSchema)]
pub struct Templates {
    /// By name.
    items: Vec<TemplateView>,
}

/// What is chosen.
#[derive(Debug, Serialize, ToSchema)]
#[allow(dead_code, reason = "a description, not a value")]
#[schema(as = TemplateChoice)]
pub struct ChoiceSchema {
    /// Values of parameters by their names.
    #[schema(required = false, value_type = Object, example = json!({ "channel": "#sales" }))]
    set: Value,
}

/// What came of a template.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TemplateInstalled)]
pub struct InstalledView {
    /// What was written.
    #[serde(flatten)]
    done: ConfiguredView,
    /// What a person has to do now, in order.
    next_steps: Vec<String>,
}

impl From<Installed> for InstalledView {
    fn from(installed: Installed) -> Self {
        Self {
            done: installed.done.into(),
            next_steps: installed.next_steps,
        }
    }
}

/// List the ready scenarios.
#[utoipa::path(
    get, path = "/v1/templates", tag = "automations", operation_id = "listTemplates",
    responses(
        (status = 200, description = "All of them", body = Templates),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn list(_caller: Caller) -> Json<Templates> {
    Json(Templates {
        items: templates::all().iter().map(TemplateView::from).collect(),
    })
}

/// Install a ready scenario: its sources, tables, automations and routes.
///
/// The same template once more replaces what it wrote before, and nothing else.
#[utoipa::path(
    post, path = "/v1/templates/{name}/install", tag = "automations", operation_id = "installTemplate",
    params(("name" = String, Path, description = "The template's name")),
    request_body = ChoiceSchema,
    responses(
        (status = 200, description = "What was written, and what is to be done now", body = InstalledView),
        (status = 422, description = "A parameter is missing or wrong", body = ProblemSchema, content_type = "application/problem+json"),
        (status = "default", description = "A problem", body = ProblemSchema, content_type = "application/problem+json"),
    ),
)]
pub async fn install(
    State(app): State<App>,
    caller: Caller,
    Path(name): Path<String>,
    body: JsonBody,
) -> Answer<Json<InstalledView>> {
    let template = templates::find(&name)?;
    let set = read_choice(body.0)?;
    let installed = template.install(&app.hub, caller.workspace, &set).await?;
    tracing::info!(
        key = caller.name(),
        template = template.name,
        "a template was installed"
    );
    Ok(Json(installed.into()))
}

fn read_choice(body: Value) -> Result<Map<String, Value>, Problem> {
    let wrong = |place: &str, detail: String| {
        Problem::new(
            Code::WrongShape,
            detail,
            "Send {\"set\": {…}} with parameters by their names, or {}.",
        )
        .at(place)
    };
    let Value::Object(mut members) = body else {
        return Err(wrong("/", "The body is an object".into()));
    };
    let set = match members.shift_remove("set") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(set)) => set,
        Some(_) => return Err(wrong("/set", "`set` is an object".into())),
    };
    match members.keys().next() {
        None => Ok(set),
        Some(name) => {
            let shown: String = name.chars().take(80).collect();
            let detail = format!("`{shown}` is not known here{}", did_you_mean(name, ["set"]));
            Err(wrong(&format!("/{shown}"), detail))
        }
    }
}
