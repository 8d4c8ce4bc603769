//! Signatures over parts of a request.

use jsonwebtoken::{Algorithm, DecodingKey};
use subtle::ConstantTimeEq;

use super::{
    Evidence, Finding,
    digest::{Part, content, decode, digest, encode, hmac, not_set},
    key::{self, Secrets},
    place::Values,
};
use crate::source::shape::{Hash, TextForm, TimeUnit};

/// When a signature was made.
#[derive(Debug, Clone)]
pub(super) struct Timestamp {
    pub at: Values,
    pub unit: TimeUnit,
    pub tolerance: u32,
}

impl Timestamp {
    /// Its text, if it is neither too old nor of the future.
    pub fn read(&self, evidence: Evidence<'_>) -> Result<String, String> {
        let text = self.at.find(evidence)?.swap_remove(0);
        let ms = self
            .unit
            .read(&text)
            .ok_or("the time of the signature cannot be read")?;
        let off = evidence.now_ms.saturating_sub(ms);
        let allowed = i64::from(self.tolerance) * 1000;
        if off.saturating_abs() > allowed {
            let side = if off > 0 { "old" } else { "ahead" };
            let seconds = off.saturating_abs() / 1000;
            return Err(format!(
                "the signature is {seconds} s {side}; allowed are {} s",
                self.tolerance
            ));
        }
        Ok(text)
    }
}

impl TimeUnit {
    /// The text of a moment.
    pub(super) fn write(self, ms: i64) -> String {
        match self {
            Self::Seconds => ms.div_euclid(1000).to_string(),
            Self::Milliseconds => ms.to_string(),
            Self::Rfc3339 => jiff::Timestamp::from_millisecond(ms).unwrap_or_default().to_string(),
        }
    }

    /// Unix milliseconds.
    fn read(self, text: &str) -> Option<i64> {
        let digits = || {
            text.bytes()
                .all(|byte| byte.is_ascii_digit())
                .then(|| text.parse::<i64>().ok())?
        };
        match self {
            Self::Seconds => digits()?.checked_mul(1000),
            Self::Milliseconds => digits(),
            Self::Rfc3339 => text
                .parse::<jiff::Timestamp>()
                .ok()
                .map(|moment| moment.as_millisecond()),
        }
    }
}

/// What every kind of signature has.
#[derive(Debug, Clone)]
pub(super) struct Signed {
    pub over: Vec<Part>,
    pub signature: Values,
    pub form: TextForm,
    pub timestamp: Option<Timestamp>,
}

impl Signed {
    /// What is signed, and every signature that was sent.
    fn read(&self, evidence: Evidence<'_>) -> Result<(Vec<u8>, Vec<String>), String> {
        let given = self.signature.find(evidence)?;
        let time = self.timestamp.as_ref().map(|time| time.read(evidence)).transpose()?;
        Ok((content(&self.over, evidence, time.as_deref())?, given))
    }

    /// Whether one of the signatures that were sent is one of those that `expected` makes of the content.
    pub fn compare(
        &self,
        evidence: Evidence<'_>,
        expected: impl FnOnce(&[u8]) -> Result<Vec<Vec<u8>>, String>,
    ) -> Result<bool, String> {
        let (content, given) = self.read(evidence)?;
        let expected = expected(&content)?;
        let texts: Vec<String> = expected.iter().map(|bytes| encode(self.form, bytes)).collect();
        let fits = |given: &String| texts.iter().fold(false, |fits, text| fits | same(text, given));
        Ok(given.iter().fold(false, |any, given| any | fits(given)))
    }

    /// Whether one of the signatures that were sent was made with the private half of a key.
    pub fn prove(&self, evidence: Evidence<'_>, key: &DecodingKey, algorithm: Algorithm) -> Result<bool, String> {
        let (content, given) = self.read(evidence)?;
        let mut signatures = given.iter().filter_map(|text| decode(self.form, text));
        Ok(signatures.any(|signature| was_signed(&signature, &content, key, algorithm)))
    }
}

/// Whether two texts are the same; takes as long whichever letters differ.
pub(super) fn same(expected: &str, given: &str) -> bool {
    expected.as_bytes().ct_eq(given.as_bytes()).into()
}

pub(super) fn was_signed(signature: &[u8], content: &[u8], key: &DecodingKey, algorithm: Algorithm) -> bool {
    let signature = encode(TextForm::Base64url, signature);
    jsonwebtoken::crypto::verify(&signature, content, key, algorithm).unwrap_or(false)
}

pub(super) fn finding(result: Result<bool, String>) -> Finding {
    match result {
        Ok(true) => Finding::Holds,
        Ok(false) => Finding::Fails("the signature does not fit the request".into()),
        Err(why) => Finding::Fails(why),
    }
}

/// `hmac`
pub(super) fn by_hmac(signed: &Signed, hash: Hash, secrets: &Secrets, evidence: Evidence<'_>) -> Result<bool, String> {
    let keys = secrets.keys(evidence)?;
    signed.compare(evidence, |content| {
        Ok(keys.iter().map(|key| hmac(hash, key, content)).collect())
    })
}

/// `digest`
pub(super) fn by_digest(signed: &Signed, hash: Hash, evidence: Evidence<'_>) -> Result<bool, String> {
    signed.compare(evidence, |content| Ok(vec![digest(hash, content)]))
}

/// `ed25519` and `rsa`
pub(super) fn by_public_key(
    signed: &Signed,
    name: &str,
    algorithm: Algorithm,
    evidence: Evidence<'_>,
) -> Result<bool, String> {
    let text = evidence.secret(name).ok_or_else(|| not_set(name))?;
    let key = match algorithm {
        Algorithm::EdDSA => key::ed25519(text),
        _ => key::rsa(text),
    };
    let key = key.ok_or_else(|| format!("the public key `{name}` cannot be used"))?;
    signed.prove(evidence, &key, algorithm)
}
