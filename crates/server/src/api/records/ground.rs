//! What a request about records stands on: its key, the object or table that its address names, the record.

use std::{collections::HashMap, sync::Arc};

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, Path},
};
use http::request::Parts;
use serde_json::{Map, Value};
use switchboard_hub::{
    record,
    store::{How, RecordRow, RecordWrite, Written},
};
use switchboard_model::{
    id::{RecordId, WorkspaceId},
    problem::{Code, Problem},
    record::{ObjectType, Objects, standard},
};

use super::{
    super::{App, caller::Caller, problem::Failure},
    views::{Titles, WrittenView},
};

/// Who asks, about which records.
#[derive(Debug, Clone)]
pub struct Ground {
    app: App,
    pub workspace: WorkspaceId,
    pub objects: Arc<Objects>,
    pub object: Arc<ObjectType>,
    /// The record that the address names.
    id: Option<Result<RecordId, String>>,
    /// Who does it, as records and events tell it.
    source: Arc<str>,
}

impl FromRequestParts<App> for Ground {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        let caller = Caller::from_request_parts(parts, app).await?;
        let names = parts.extract::<Path<HashMap<String, String>>>().await;
        let names = names.map(|Path(names)| names).unwrap_or_default();
        let objects = app.hub.objects(caller.workspace);
        let object = match (names.get("object"), names.get("table")) {
            (Some(name), _) => match standard(name).filter(|object| object.name == *name) {
                Some(_) => Arc::clone(record::object(&objects, name)?),
                None => return Err(no_object(name).into()),
            },
            (None, table) => Arc::clone(record::object(&objects, table.map_or("", String::as_str))?),
        };
        Ok(Self {
            app: app.clone(),
            workspace: caller.workspace,
            id: names
                .get("id")
                .map(|text| text.parse().map_err(|_| text.chars().take(80).collect())),
            source: format!("api:{}", caller.name()).into(),
            objects,
            object,
        })
    }
}

fn no_object(name: &str) -> Problem {
    let shown: String = name.chars().take(80).collect();
    Problem::new(
        Code::NotFound,
        format!("There is nothing at /v1/{shown}."),
        "See /openapi.json for every address of the API; tables of your own are at /v1/tables/{table}/rows.",
    )
}

impl Ground {
    /// The record that the address names.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub fn id(&self) -> Result<RecordId, Problem> {
        match &self.id {
            Some(Ok(id)) => Ok(*id),
            Some(Err(text)) => Err(self.nothing(text)),
            None => Err(self.nothing("")),
        }
    }

    pub fn app(&self) -> &App {
        &self.app
    }

    /// The problem that there is no such record.
    pub fn nothing(&self, id: &str) -> Problem {
        Problem::new(
            Code::NotFound,
            format!("There is no {id} among {}.", self.object.name),
            "Check the id; the list of the records names them all.",
        )
    }

    /// The record that the address names, or the one that it was merged into.
    pub async fn row(&self) -> Result<RecordRow, Problem> {
        let id = self.id()?;
        let row = self.app.hub.record(self.workspace, id).await?;
        row.filter(|row| *row.object == *self.object.name)
            .ok_or_else(|| self.nothing(&id.to_string()))
    }

    /// The write that does this with these values.
    pub fn prepare(&self, how: How, values: &Map<String, Value>) -> Result<RecordWrite, Problem> {
        let said = record::Said {
            values,
            how,
            source: &self.source,
            system: "api",
        };
        record::prepare(&self.objects, &self.object, said)
    }

    /// Does one write, and shows what came of it.
    pub async fn write(&self, write: RecordWrite) -> Result<WrittenView, Problem> {
        let written = self.app.hub.write_records(self.workspace, vec![write]).await?;
        let written: Written = written.into_iter().next().ok_or_else(|| {
            Problem::new(
                Code::Internal,
                "The hub gave no answer for the record.",
                "Look whether it is there, and try again.",
            )
        })?;
        let row = written.record.iter();
        let titles = Titles::of(&self.app.hub, self.workspace, &self.object, row).await?;
        WrittenView::of(&self.object, written, &titles)
    }
}

/// The members of a body that must be an object.
pub fn members(value: Value) -> Result<Map<String, Value>, Problem> {
    match value {
        Value::Object(members) => Ok(members),
        _ => Err(Problem::new(
            Code::WrongShape,
            "The body is not an object of fields.",
            "Send for example {\"firstName\": \"Ana\", \"email\": \"ana@example.org\"}.",
        )),
    }
}
