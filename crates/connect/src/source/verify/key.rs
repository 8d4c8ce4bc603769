//! Keys: from the texts that people enter to the bytes that are used.

use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use jsonwebtoken::DecodingKey;

use super::{Evidence, digest::not_set};
use crate::source::shape::SecretCode;

/// Secrets are written with and without padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const ED25519_BYTES: usize = 32;

/// Secrets of which any may have been used.
#[derive(Debug, Clone)]
pub(super) struct Secrets {
    pub names: Vec<String>,
    pub code: SecretCode,
    /// Is taken off first, where it is there.
    pub prefix: Option<String>,
}

impl Secrets {
    /// The keys of all that are given.
    ///
    /// # Errors
    /// When none is given, or one cannot be read.
    pub fn keys(&self, evidence: Evidence<'_>) -> Result<Vec<Vec<u8>>, String> {
        let given = self
            .names
            .iter()
            .filter_map(|name| Some((name, evidence.secret(name)?)));
        let keys = given
            .map(|(name, text)| {
                self.key(text)
                    .ok_or_else(|| format!("the secret `{name}` does not have the expected form"))
            })
            .collect::<Result<Vec<_>, _>>()?;
        match keys.is_empty() {
            true => Err(not_set(self.names.first().map_or("", String::as_str))),
            false => Ok(keys),
        }
    }

    fn key(&self, text: &str) -> Option<Vec<u8>> {
        let prefix = self.prefix.as_deref().unwrap_or_default();
        let text = text.strip_prefix(prefix).unwrap_or(text);
        let key = match self.code {
            SecretCode::Text => text.as_bytes().to_vec(),
            SecretCode::Base64 => LENIENT.decode(text).ok()?,
            SecretCode::Hex => hex::decode(text).ok()?,
        };
        // An empty key proves nothing.
        (!key.is_empty()).then_some(key)
    }
}

/// A public Ed25519 key: PEM, hexadecimal, base 64, `whpk_…`.
pub(super) fn ed25519(text: &str) -> Option<DecodingKey> {
    let text = text.trim();
    if text.starts_with("-----BEGIN") {
        return DecodingKey::from_ed_pem(unfold(text).as_bytes()).ok();
    }
    let text = text.strip_prefix("whpk_").unwrap_or(text);
    let bytes = hex::decode(text).ok().or_else(|| LENIENT.decode(text).ok())?;
    (bytes.len() == ED25519_BYTES).then(|| DecodingKey::from_ed_der(&bytes))
}

/// A public RSA key in PEM form.
pub(super) fn rsa(text: &str) -> Option<DecodingKey> {
    DecodingKey::from_rsa_pem(unfold(text.trim()).as_bytes()).ok()
}

/// Keys that are pasted into one-line fields lose their line ends.
fn unfold(text: &str) -> String {
    text.replace("\\n", "\n")
}
