//! Manifest: how a person signs in on the vendor's own page (OAuth 2.0 authorisation code, RFC 6749 §4.1, with PKCE, RFC 7636).

use indexmap::IndexMap;
use serde::Deserialize;

use super::{RequestSpec, RuleSpec, SourceSpec, TokenResultSpec};

/// How a person signs in on the vendor's page. `response_type`, `client_id` (the credential `clientId`), `redirect_uri`, `scope`, `state`,
/// `code_challenge` and `code_challenge_method` are put into the address by themselves.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthorizeSpec {
    /// The address of the page.
    pub url: String,
    /// What is asked for, each a template; blank ones are left out.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// What stands between two scopes; a space when it is not said.
    #[serde(default = "space")]
    pub separator: String,
    /// Further parameters of the address (`prompt`, `access_type`, `audience`), and others than the usual ones: those of the same name are
    /// replaced, and left out where the value is blank.
    #[serde(default)]
    pub parameters: IndexMap<String, String>,
    /// Whether the vendor knows PKCE. `false` where it refuses parameters that it does not know.
    #[serde(default = "yes")]
    pub pkce: bool,
    /// The parameter that brings the code back; `code` when it is not said.
    #[serde(default = "code")]
    pub code_parameter: String,
    /// Facts of the connection that come back with the code, as parameters of the address.
    #[serde(default)]
    pub callback: IndexMap<String, CallbackSpec>,
    /// The request that gives tokens for the code. Its templates see `code`, `redirect_uri` and `code_verifier`.
    pub request: RequestSpec,
    /// What is read from the answer; like that of `token` when it is not said. What it `replaces` are the credentials that a sign-in brings.
    #[serde(default)]
    pub result: Option<TokenResultSpec>,
    /// What other answers mean. The rules of `token` and the connector's own follow.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
    /// When the sign-in ends, where that is known beforehand.
    #[serde(default)]
    pub ends: Option<GrantEndSpec>,
}

/// A parameter that comes back with the code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallbackSpec {
    /// Its name.
    pub parameter: String,
    /// What all of its value must look like, a regular expression. It comes from outside, and calls may go where it says.
    pub pattern: String,
}

/// The known end of a sign-in. It counts from each answer that brings a refresh token.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrantEndSpec {
    /// Where answers say how many seconds the refresh token is good.
    #[serde(default)]
    pub after: Option<SourceSpec>,
    /// How many days it is good where the answer does not say.
    #[serde(default)]
    pub days: Option<u32>,
}

fn space() -> String {
    " ".into()
}

fn code() -> String {
    "code".into()
}

fn yes() -> bool {
    true
}
