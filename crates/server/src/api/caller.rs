//! Who asks: the bearer key of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::{HeaderMap, header, request::Parts};
use switchboard_model::{
    id::{KeyId, WorkspaceId},
    problem::{Code, Problem},
};

use super::{App, problem::Failure};

/// A caller with a valid API key. Handlers that take one need a key.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The tenant that the key belongs to.
    pub workspace: WorkspaceId,
    key: Arc<switchboard_hub::Caller>,
}

impl Caller {
    /// What the key is for: who does it, in the log.
    pub fn name(&self) -> &str {
        &self.key.name
    }

    /// The key.
    pub fn key(&self) -> KeyId {
        self.key.key
    }

    /// Makes sure that the caller may do what concerns every workspace: only keys of the first one, which is the operator's, may.
    ///
    /// # Errors
    /// [`Code::Forbidden`], in which `what` is named.
    pub async fn check_operator(&self, app: &App, what: &str) -> Result<(), Problem> {
        if self.workspace == app.hub.default_workspace().await? {
            return Ok(());
        }
        Err(Problem::new(
            Code::Forbidden,
            format!("{what} of the whole hub is for its operator."),
            "Use a key of the first workspace.",
        ))
    }

    /// Whose request it is, when it carries a good key.
    pub fn of(headers: &HeaderMap, app: &App) -> Result<Self, Problem> {
        match app.hub.authenticate(bearer(headers)?) {
            Some(key) => Ok(Self {
                workspace: key.workspace,
                key,
            }),
            None => Err(refuse("The API key is not known, or it was revoked.")),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Failure> {
        Ok(Self::of(&parts.headers, app)?)
    }
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(refuse("The request carries no API key."));
    };
    let (scheme, key) = value
        .to_str()
        .ok()
        .and_then(|text| text.trim().split_once(' '))
        .unwrap_or_default();
    if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() {
        Ok(key.trim())
    } else {
        Err(refuse("The header Authorization is not of the form `Bearer swb_…`."))
    }
}

fn refuse(detail: &str) -> Problem {
    Problem::new(
        Code::Unauthorised,
        detail,
        "Send the header `Authorization: Bearer swb_…`. The first key was printed at the first start; \
         `switchboard keys create NAME` makes another.",
    )
    .at("header Authorization")
}
