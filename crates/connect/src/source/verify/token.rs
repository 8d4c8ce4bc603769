//! JSON Web Tokens (RFC 7519).

use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::{Map, Value};
use switchboard_model::{condition::Condition, template::Scope};

use super::{
    Evidence,
    digest::{digest, encode, not_set},
    key::{self, Secrets},
    place::Values,
    sign::same,
};
use crate::source::shape::{Hash, TextForm};

/// How a token is checked.
#[derive(Debug)]
pub(super) struct Token {
    pub algorithm: Algorithm,
    pub secrets: Option<Secrets>,
    pub public_key: Option<String>,
    pub at: Values,
    pub tolerance: i64,
    pub without_expiry: bool,
    pub claims: Option<Condition>,
    pub body: Option<(String, Hash, TextForm)>,
}

impl Token {
    /// Whether the request has a token that is good now.
    pub fn look(&self, evidence: Evidence<'_>) -> Result<bool, String> {
        let tokens = self.at.find(evidence)?;
        let keys = self.keys(evidence)?;
        let mut found = None;
        for token in &tokens {
            found = found.or_else(|| keys.iter().find_map(|key| self.read(token, key)));
        }
        match found {
            Some(claims) => self.check(&claims, evidence),
            None => Ok(false),
        }
    }

    fn keys(&self, evidence: Evidence<'_>) -> Result<Vec<DecodingKey>, String> {
        if let Some(secrets) = &self.secrets {
            let keys = secrets.keys(evidence)?;
            return Ok(keys.iter().map(|key| DecodingKey::from_secret(key)).collect());
        }
        let name = self.public_key.as_deref().unwrap_or_default();
        let text = evidence.secret(name).ok_or_else(|| not_set(name))?;
        let key = match self.algorithm {
            Algorithm::EdDSA => key::ed25519(text),
            _ => key::rsa(text),
        };
        Ok(vec![
            key.ok_or_else(|| format!("the public key `{name}` cannot be used"))?,
        ])
    }

    /// The claims, if the signature is right. Times are looked at by the clock that is given, not by that of the library.
    fn read(&self, token: &str, key: &DecodingKey) -> Option<Map<String, Value>> {
        let mut validation = Validation::new(self.algorithm);
        validation.validate_exp = false;
        validation.validate_nbf = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode(token, key, &validation)
            .ok()
            .map(|data| data.claims)
    }

    fn check(&self, claims: &Map<String, Value>, evidence: Evidence<'_>) -> Result<bool, String> {
        let now = evidence.now_ms.div_euclid(1000);
        let moment = |name: &str| match claims.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_f64() {
                Some(seconds) => Ok(Some(seconds as i64)),
                None => Err(format!("the claim `{name}` of the token is no time")),
            },
        };
        match moment("exp")? {
            None if !self.without_expiry => return Err("the token has no end (`exp`)".into()),
            Some(end) if now > end.saturating_add(self.tolerance) => return Err("the token has expired".into()),
            _ => {}
        }
        for name in ["nbf", "iat"] {
            if moment(name)?.is_some_and(|begin| begin > now.saturating_add(self.tolerance)) {
                return Err(format!("the token is not good yet (`{name}`)"));
            }
        }
        if let Some(condition) = &self.claims
            && !condition
                .matches("token", &Scope::of(claims))
                .map_err(|error| error.to_string())?
        {
            return Err("the claims of the token are others than expected".into());
        }
        let Some((name, hash, form)) = &self.body else {
            return Ok(true);
        };
        let claimed = claims.get(name).and_then(Value::as_str).unwrap_or_default();
        match same(&encode(*form, &digest(*hash, &evidence.request.body)), claimed) {
            true => Ok(true),
            false => Err(format!("the body is another one than the token's claim `{name}` says")),
        }
    }
}
