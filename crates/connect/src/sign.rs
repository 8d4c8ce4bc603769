//! Hooks that sign a request. The only Rust that a manifest can name; each is pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use sha2::Sha256;
use switchboard_model::{problem::Problem, template::Scope};

use crate::{draft::Draft, request::incomplete};

/// Signs a request that is otherwise complete.
pub(crate) type Signer = fn(&mut Draft, &Scope<'_>) -> Result<(), Problem>;

const SIGNERS: [(&str, Signer); 1] = [("standard-webhooks", standard_webhooks)];

/// The hook with this name.
pub(crate) fn find(name: &str) -> Option<Signer> {
    SIGNERS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, signer)| *signer)
}

/// The names of all hooks.
pub(crate) fn names() -> Vec<&'static str> {
    SIGNERS.iter().map(|(name, _)| *name).collect()
}

/// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, and `webhook-signature: v1,<base64 HMAC-SHA256>` over
/// `id.timestamp.body` with `secrets.secret` (fact sheet standard-webhooks). Without a secret nothing is signed, but id and
/// time are there all the same: the id is how a receiver recognises a repetition.
fn standard_webhooks(draft: &mut Draft, scope: &Scope<'_>) -> Result<(), Problem> {
    let text = |name: &str| {
        scope
            .variable(name)
            .and_then(|value| value.as_str())
            .unwrap_or_default()
    };
    let id = text("key");
    let seconds = scope
        .variable("now_seconds")
        .map(ToString::to_string)
        .unwrap_or_default();
    if id.is_empty() {
        return Ok(());
    }
    draft.add_header(HeaderName::from_static("webhook-id"), id, false)?;
    draft.add_header(HeaderName::from_static("webhook-timestamp"), &seconds, false)?;
    let secret = scope
        .variable("secrets")
        .and_then(|secrets| secrets["secret"].as_str())
        .unwrap_or_default();
    if secret.is_empty() {
        return Ok(());
    }
    let key = webhook_key(secret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| incomplete("the signing secret cannot be used"))?;
    for part in [id.as_bytes(), b".", seconds.as_bytes(), b".", &draft.body] {
        mac.update(part);
    }
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    draft.hide(secret);
    draft.add_header(HeaderName::from_static("webhook-signature"), &signature, false)
}

/// `whsec_` and base64, or any other text as it is.
fn webhook_key(secret: &str) -> Result<Vec<u8>, Problem> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD
            .decode(encoded)
            .map_err(|_| incomplete("the signing secret starts with `whsec_` and is no base64")),
        None => Ok(secret.as_bytes().to_vec()),
    }
}
