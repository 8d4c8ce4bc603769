//! The JWT bearer flow: an assertion signed with RS256 instead of a secret (RFC 7523; fact sheet §3).

use jsonwebtoken::dangerous::insecure_decode;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::auth::{Denied, client_of};
use super::settings::Settings;
use crate::message::Request;

/// An assertion may not live longer than this.
const MOST_SECONDS: i64 = 5 * 60;
/// Clocks differ a little.
const LEEWAY_SECONDS: i64 = 30;

#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    #[serde(default)]
    aud: String,
    #[serde(default)]
    exp: i64,
}

/// The user for whom the assertion asks. The signature is verified when the app has registered a key.
///
/// # Errors
/// As the token endpoint names them.
pub fn check(settings: &Settings, assertion: &str, request: &Request) -> Result<String, Denied> {
    let invalid = Denied("invalid_grant", "invalid assertion");
    let unread = insecure_decode::<Claims>(assertion).map_err(|_| invalid.clone())?;
    let client = client_of(settings, &unread.claims.iss)?;
    if unread.header.alg != Algorithm::RS256 {
        return Err(Denied("invalid_grant", "algorithm not supported"));
    }
    let claims = match &client.public_key {
        None => unread.claims,
        Some(pem) => {
            let key = DecodingKey::from_rsa_pem(pem.as_bytes()).map_err(|_| invalid.clone())?;
            // Time and audience are looked at below, by the simulation's clock.
            let mut validation = Validation::new(Algorithm::RS256);
            validation.validate_exp = false;
            validation.validate_aud = false;
            validation.required_spec_claims.clear();
            decode::<Claims>(assertion, &key, &validation)
                .map_err(|_| invalid.clone())?
                .claims
        }
    };
    let audiences = [
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        request.origin.as_str(),
    ];
    if !audiences.contains(&claims.aud.trim_end_matches('/')) {
        return Err(Denied("invalid_grant", "audience is invalid"));
    }
    let now = request.now_ms / 1000;
    if claims.exp <= now - LEEWAY_SECONDS || claims.exp > now + MOST_SECONDS + LEEWAY_SECONDS {
        return Err(Denied(
            "invalid_grant",
            "assertion is expired or its lifetime is too long",
        ));
    }
    let known = settings.users.iter().any(|user| user.username == claims.sub);
    if claims.sub.is_empty() || !(known || settings.accept_any_credentials || settings.users.is_empty()) {
        return Err(Denied("invalid_grant", "user hasn't approved this consumer"));
    }
    Ok(claims.sub)
}
