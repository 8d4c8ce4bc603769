//! Hooks that sign a request. The only Rust that a manifest can name; each is pure.

use base64::{Engine, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signer as _, SigningKey};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderName;
use sha2::Sha256;
use switchboard_model::{problem::Problem, template::Scope};

use crate::{draft::Draft, request::incomplete};

/// Signs a request that is otherwise complete.
pub(crate) type Signer = fn(&mut Draft, &Scope<'_>) -> Result<(), Problem>;

/// How the text form of a private key begins.
const PRIVATE_KEY: &str = "whsk_";
/// How the text form of a public key begins.
const PUBLIC_KEY: &str = "whpk_";

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

/// Standard Webhooks 1.0: `webhook-id`, `webhook-timestamp`, and `webhook-signature` over `id.timestamp.body` (fact sheet
/// standard-webhooks §3, §4) with `secrets.secret`. While the time has not come to `secrets.previousUntil` (Unix seconds), a second
/// signature with `secrets.previousSecret` stands behind the first, so that a receiver can change its secret without a gap. Without a
/// secret nothing is signed, but id and time are there all the same: the id is how a receiver recognises a repetition.
fn standard_webhooks(draft: &mut Draft, scope: &Scope<'_>) -> Result<(), Problem> {
    let id = scope
        .variable("key")
        .and_then(|value| value.as_str())
        .unwrap_or_default();
    let now_seconds = scope
        .variable("now_seconds")
        .and_then(serde_json::Value::as_i64)
        .unwrap_or_default();
    if id.is_empty() {
        return Ok(());
    }
    let seconds = now_seconds.to_string();
    draft.add_header(HeaderName::from_static("webhook-id"), id, false)?;
    draft.add_header(HeaderName::from_static("webhook-timestamp"), &seconds, false)?;
    let secrets = scope.variable("secrets");
    let secret = |name: &str| secrets.and_then(|secrets| secrets[name].as_str()).unwrap_or_default();
    let overlaps = secrets
        .and_then(|secrets| secrets["previousUntil"].as_i64())
        .is_some_and(|until| now_seconds < until);
    let present = [Some("secret"), overlaps.then_some("previousSecret")];
    let mut signatures = Vec::with_capacity(2);
    for secret in present
        .into_iter()
        .flatten()
        .map(secret)
        .filter(|secret| !secret.is_empty())
    {
        let parts = [id.as_bytes(), b".", seconds.as_bytes(), b".", &draft.body];
        signatures.push(signature(secret, parts)?);
        draft.hide(secret);
    }
    match signatures.is_empty() {
        true => Ok(()),
        false => draft.add_header(
            HeaderName::from_static("webhook-signature"),
            &signatures.join(" "),
            false,
        ),
    }
}

/// One item of `webhook-signature`: `v1a` with a private key (`whsk_…`), else `v1`.
fn signature(secret: &str, parts: [&[u8]; 5]) -> Result<String, Problem> {
    if let Some(encoded) = secret.strip_prefix(PRIVATE_KEY) {
        let key = private_key(encoded)?;
        return Ok(format!("v1a,{}", STANDARD.encode(key.sign(&parts.concat()).to_bytes())));
    }
    let key = shared_key(secret)?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| incomplete("the signing secret cannot be used"))?;
    parts.iter().for_each(|part| mac.update(part));
    Ok(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// `whsec_` and base64, or any other text as it is.
fn shared_key(secret: &str) -> Result<Vec<u8>, Problem> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD
            .decode(encoded)
            .map_err(|_| incomplete("the signing secret starts with `whsec_` and is no base64")),
        None => Ok(secret.as_bytes().to_vec()),
    }
}

/// base64 of the 32 bytes of the seed, with or without those of the public key behind them (fact sheet standard-webhooks §3).
fn private_key(encoded: &str) -> Result<SigningKey, Problem> {
    let wrong = || incomplete("the signing secret starts with `whsk_` and is no Ed25519 key");
    let bytes = STANDARD.decode(encoded).map_err(|_| wrong())?;
    let key = match bytes.len() {
        32 => SigningKey::from_bytes(bytes.first_chunk().ok_or_else(wrong)?),
        64 => SigningKey::from_keypair_bytes(bytes.first_chunk().ok_or_else(wrong)?).map_err(|_| wrong())?,
        _ => return Err(wrong()),
    };
    Ok(key)
}

/// The key that receivers check `v1a` signatures of this private key with, `whpk_…`; `None` for a shared secret.
///
/// # Errors
/// When it begins like a private key and is none.
pub fn public_key(secret: &str) -> Result<Option<String>, Problem> {
    let Some(encoded) = secret.strip_prefix(PRIVATE_KEY) else {
        return Ok(None);
    };
    let key = private_key(encoded)?.verifying_key();
    Ok(Some(format!("{PUBLIC_KEY}{}", STANDARD.encode(key.as_bytes()))))
}

/// A new secret of 32 random bytes: `whsec_…`, which the receiver has too, or a private key `whsk_…`.
pub fn new_secret(random: [u8; 32], is_private: bool) -> String {
    match is_private {
        false => format!("whsec_{}", STANDARD.encode(random)),
        true => {
            let pair = SigningKey::from_bytes(&random).to_keypair_bytes();
            format!("{PRIVATE_KEY}{}", STANDARD.encode(pair))
        }
    }
}
