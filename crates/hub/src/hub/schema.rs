//! What the accounts behind connections have, and mappings that do not fit it.

use std::sync::Arc;

use switchboard_connect::{
    connector::{Choice, Connector, FieldView, FoundObject, Misfit},
    guide::Item,
};
use switchboard_model::{
    connection::ConnectionSpec,
    id::WorkspaceId,
    problem::{Code, Problem},
};

use super::Hub;
use crate::{
    configuration::{self, Connection},
    discovery::{self, Asker, Kept, Known, Part},
};

/// An object with its fields.
#[derive(Debug, Clone)]
pub struct ObjectSchema {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// When the account was last asked, Unix milliseconds; `None`: the fields are those of the manifest alone.
    pub found_ms: Option<i64>,
    /// Its fields.
    pub fields: Vec<FieldView>,
}

/// What is known of the objects of a connection.
#[derive(Debug, Clone)]
pub struct Schema {
    /// The connector's slug.
    pub connector: String,
    /// Its objects.
    pub objects: Vec<ObjectSchema>,
    /// Why the account could not be asked just now.
    pub problem: Option<Problem>,
}

/// What can be chosen for a setting.
#[derive(Debug, Clone)]
pub struct Choices {
    /// When the account was last asked, Unix milliseconds.
    pub found_ms: i64,
    /// What it offers.
    pub choices: Vec<Choice>,
    /// Why the account could not be asked just now; the choices are older then.
    pub problem: Option<Problem>,
}

impl Hub {
    /// The objects of a connection with the fields of the manifest and of the account. The account is asked when that was never done, more
    /// than a day ago, or with `refresh`; when it does not answer, what was known before is shown with the reason.
    ///
    /// # Errors
    /// When there is no such connection, or the store fails.
    pub async fn schema(&self, workspace: WorkspaceId, key: &str, refresh: bool) -> Result<Schema, Problem> {
        let connection = self.connection(workspace, key)?;
        let connector = Arc::clone(connection.connector()?);
        let desk = &self.inner.desk;
        let now_ms = desk.clock.now_ms();
        let known = discovery::known(desk, &connection).await?;
        let mut problem = None;
        let mut objects = Vec::new();
        for object in connector.objects() {
            let part = Part::Object(object.name().to_owned());
            let mut found = of_part(&known, &part).cloned();
            let is_due = refresh || found.as_ref().is_none_or(|found| found.is_old(now_ms));
            // Where one object could not be asked about, the others hardly can.
            if is_due && problem.is_none() && connector.discoverable().any(|name| name == object.name()) {
                match discovery::find_out(desk, &connection, &part, Asker::Person).await {
                    Ok(fresh) => found = Some(fresh),
                    Err(why) => problem = Some(why),
                }
            }
            objects.push(ObjectSchema {
                name: object.name().to_owned(),
                title: object.title().to_owned(),
                found_ms: found.as_ref().map(|found| found.found_ms),
                fields: connector.fields_of(object.name(), found.as_ref().and_then(fields)),
            });
        }
        Ok(Schema {
            connector: connector.slug().to_owned(),
            objects,
            problem,
        })
    }

    /// What the account offers for a setting.
    ///
    /// # Errors
    /// When there is no such connection or nothing to choose from, or the account does not answer and was never asked before.
    pub async fn choices(
        &self,
        workspace: WorkspaceId,
        key: &str,
        setting: &str,
        refresh: bool,
    ) -> Result<Choices, Problem> {
        let connection = self.connection(workspace, key)?;
        let desk = &self.inner.desk;
        let part = Part::Setting(setting.to_owned());
        let before = discovery::known(desk, &connection).await?;
        let before = of_part(&before, &part).filter(|_| !refresh);
        let now_ms = desk.clock.now_ms();
        let (known, problem) = match before.filter(|known| !known.is_old(now_ms)) {
            Some(known) => (known.clone(), None),
            None => match (
                discovery::find_out(desk, &connection, &part, Asker::Person).await,
                before,
            ) {
                (Ok(known), _) => (known, None),
                (Err(why), Some(before)) => (before.clone(), Some(why)),
                (Err(why), None) => return Err(why),
            },
        };
        Ok(Choices {
            found_ms: known.found_ms,
            choices: match known.kept {
                Kept::Choices(choices) => choices,
                Kept::Object(_) => Vec::new(),
            },
            problem,
        })
    }

    /// What in the mappings of a connection does not fit what is known of its account.
    ///
    /// # Errors
    /// When there is no such connection, or the store fails.
    pub async fn misfits(&self, workspace: WorkspaceId, key: &str) -> Result<Vec<Misfit>, Problem> {
        let connection = self.connection(workspace, key)?;
        let known = discovery::known(&self.inner.desk, &connection).await?;
        let connector = connection.connector.as_deref();
        Ok(connector
            .map(|connector| misfits(connector, &connection.spec, &known))
            .unwrap_or_default())
    }

    /// Compares the mappings of what is to be written with what is known of the accounts. Where something would be refused, the account is
    /// asked once more before that is believed.
    pub(super) async fn misfits_of(
        &self,
        workspace: WorkspaceId,
        items: &[Item],
    ) -> Result<Vec<(String, Misfit)>, Problem> {
        let registry = self.registry();
        let desk = &self.inner.desk;
        let mut all = Vec::new();
        for item in items {
            let Item::Connection(spec) = item else { continue };
            let Some(connector) = registry.get(&spec.connector) else {
                continue;
            };
            let present = self.connection(workspace, &spec.key).ok();
            let found = match present.filter(|present| is_same_account(present, spec)) {
                // What the account has is asked for when it is at work.
                None => misfits(connector, spec, &[]),
                Some(present) => {
                    let mut found = misfits(connector, spec, &discovery::known(desk, &present).await?);
                    if found.iter().any(|misfit| misfit.is_fatal) {
                        self.ask_again(&present, &found).await;
                        found = misfits(connector, spec, &discovery::known(desk, &present).await?);
                    }
                    found
                }
            };
            all.extend(found.into_iter().map(|misfit| (spec.key.clone(), misfit)));
        }
        Ok(all)
    }

    async fn ask_again(&self, connection: &Connection, misfits: &[Misfit]) {
        let mut objects: Vec<&str> = misfits.iter().map(|misfit| misfit.object.as_str()).collect();
        objects.dedup();
        for object in objects {
            let part = Part::Object(object.to_owned());
            if let Err(problem) = discovery::find_out(&self.inner.desk, connection, &part, Asker::Person).await {
                tracing::debug!(connection = %connection.key, %problem, "the fields could not be read anew");
            }
        }
    }

    fn connection(&self, workspace: WorkspaceId, key: &str) -> Result<Arc<Connection>, Problem> {
        let configuration = self.configuration();
        let connection = configuration
            .workspace(workspace)
            .and_then(|workspace| workspace.connection(key))
            .cloned();
        connection.ok_or_else(|| {
            Problem::new(
                Code::NotFound,
                format!("there is no connection `{key}`"),
                "See GET /v1/connections for those that exist.",
            )
        })
    }
}

fn of_part<'k>(known: &'k [(String, Known)], part: &Part) -> Option<&'k Known> {
    let name = part.name();
    known.iter().find(|(part, _)| *part == name).map(|(_, known)| known)
}

fn fields(known: &Known) -> Option<&FoundObject> {
    match &known.kept {
        Kept::Object(found) => Some(found),
        Kept::Choices(_) => None,
    }
}

/// Whether a description is about the account that a connection has now.
fn is_same_account(present: &Connection, spec: &ConnectionSpec) -> bool {
    present.spec.connector == spec.connector
        && present.spec.auth_kind == spec.auth_kind
        && present.spec.settings == spec.settings
        && (spec.secrets == present.secrets() || spec.secrets.is_empty())
}

/// The misfits of a connection as `spec` describes it, by what is known of its account.
fn misfits(connector: &Connector, spec: &ConnectionSpec, known: &[(String, Known)]) -> Vec<Misfit> {
    let found = |object: &str| of_part(known, &Part::Object(object.to_owned())).and_then(fields);
    configuration::misfits(connector, spec, found)
}
