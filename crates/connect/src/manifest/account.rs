//! Manifest: how a user connects an account.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

use super::{AuthorizeSpec, RequestSpec, RuleSpec, SourceSpec, WhenSpec};

/// How the users' guides write this connector's configuration, where it differs from ours.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct GuideSpec {
    /// Their name of a setting → ours.
    pub rename: IndexMap<String, String>,
    /// Keys that are accepted and not used, with the reason that the user is told.
    pub ignore: IndexMap<String, String>,
}

/// One way to authenticate.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSpec {
    /// Its name.
    pub name: String,
    /// For people.
    pub title: String,
    /// What the guides write as `authType`, each with a note for the user (empty: none). Where several kinds have the same
    /// name, the complete one that uses most of the given credentials is meant, else the first.
    #[serde(default)]
    pub guide: IndexMap<String, String>,
    /// JSON Schema of the credentials; those with `writeOnly: true` are secrets and never shown again.
    pub credentials: Value,
    /// The guides' name of a credential → ours.
    #[serde(default)]
    pub rename: IndexMap<String, String>,
    /// Credentials that are accepted and not kept, with the reason that the user is told.
    #[serde(default)]
    pub ignore: IndexMap<String, String>,
    /// Settings that this kind needs.
    #[serde(default)]
    pub needs: Vec<String>,
    /// How an access token is obtained; absent when the credentials themselves go with every call.
    #[serde(default)]
    pub token: Option<TokenSpec>,
    /// How a person signs in on the vendor's page, instead of entering what that gives.
    #[serde(default)]
    pub authorize: Option<AuthorizeSpec>,
    /// User and password of HTTP Basic (RFC 7617) that authorise a call.
    #[serde(default)]
    pub basic: Option<(String, String)>,
    /// Headers that authorise a call.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Query parameters that authorise a call.
    #[serde(default)]
    pub query: IndexMap<String, String>,
    /// Name of the hook that signs each call.
    #[serde(default)]
    pub sign: Option<String>,
}

/// How an access token is obtained.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSpec {
    /// A signed JWT that the request refers to as `assertion`.
    #[serde(default)]
    pub assertion: Option<AssertionSpec>,
    /// The request.
    pub request: RequestSpec,
    /// What is read from the answer.
    pub result: TokenResultSpec,
    /// What other answers mean; `denied` is a dead grant. The connector's own rules follow.
    #[serde(default)]
    pub classify: Vec<RuleSpec>,
}

/// A JWT of RFC 7523, signed with RS256. `exp` is added.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssertionSpec {
    /// Template of the private key in PEM.
    pub key: String,
    /// The claims.
    pub claims: Value,
    /// How long it is good.
    pub lifetime_seconds: i64,
}

/// What is read from a token answer.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenResultSpec {
    /// What must hold for it to be a token.
    pub when: WhenSpec,
    /// The access token.
    pub access: SourceSpec,
    /// Its life in seconds, where the vendor says it.
    #[serde(default)]
    pub expires_in: Option<SourceSpec>,
    /// Its life where the vendor does not say; absent: until it is refused.
    #[serde(default)]
    pub lifetime_seconds: Option<i64>,
    /// Facts of the connection that the answer tells.
    #[serde(default)]
    pub facts: IndexMap<String, SourceSpec>,
    /// Credentials that the answer replaces (a rotated refresh token).
    #[serde(default)]
    pub replaces: IndexMap<String, SourceSpec>,
}
