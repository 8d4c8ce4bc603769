//! Digests over parts of a request.

use std::borrow::Cow;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::percent_decode_str;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::{
    Evidence,
    key::Secrets,
    place::{Place, as_text},
};
use crate::source::shape::{Hash, PartWord, TextForm};

/// The escapes that HubSpot undoes before it signs an address (fact sheet hubspot §11).
const DECODED: [&str; 12] = [
    "%3A", "%2F", "%3F", "%40", "%21", "%24", "%27", "%28", "%29", "%2A", "%2C", "%3B",
];

/// A part of what is signed.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Word(PartWord),
    Text(String),
    Secret(String),
    At(Place),
}

impl Part {
    fn bytes<'p>(&'p self, evidence: Evidence<'p>, timestamp: Option<&'p str>) -> Result<Cow<'p, [u8]>, String> {
        let request = evidence.request;
        Ok(match self {
            Self::Word(PartWord::Body) => Cow::Borrowed(&request.body),
            Self::Word(PartWord::Method) => Cow::Borrowed(request.method.as_bytes()),
            Self::Word(PartWord::Url) => Cow::Borrowed(request.url.as_bytes()),
            Self::Word(PartWord::DecodedUrl) => Cow::Owned(undo_escapes(&request.url).into_bytes()),
            Self::Word(PartWord::Path) => Cow::Borrowed(request.path.as_bytes()),
            Self::Word(PartWord::Timestamp) => {
                Cow::Borrowed(timestamp.ok_or("the time of the signature is missing")?.as_bytes())
            }
            Self::Text(text) => Cow::Borrowed(text.as_bytes()),
            Self::Secret(name) => Cow::Borrowed(evidence.secret(name).ok_or_else(|| not_set(name))?.as_bytes()),
            Self::At(Place::Pointer(pointer)) => {
                let found = evidence.body.pointer(pointer).and_then(as_text);
                Cow::Owned(
                    found
                        .ok_or_else(|| format!("{pointer} of the body is missing"))?
                        .into_bytes(),
                )
            }
            Self::At(place) => {
                let found = place.texts(evidence).into_iter().next();
                Cow::Owned(found.ok_or_else(|| format!("{place} is missing"))?.into_bytes())
            }
        })
    }
}

pub(super) fn not_set(name: &str) -> String {
    format!("the secret `{name}` of this source is not set")
}

fn undo_escapes(url: &str) -> String {
    let mut out = String::with_capacity(url.len());
    let mut rest = url;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let escape = rest
            .get(at..at + 3)
            .filter(|escape| DECODED.contains(&escape.to_ascii_uppercase().as_str()));
        match escape {
            Some(escape) => out.extend(percent_decode_str(escape).map(char::from)),
            None => out.push('%'),
        }
        rest = &rest[at + escape.map_or(1, str::len)..];
    }
    out.push_str(rest);
    out
}

/// What is signed, put together.
pub(super) fn content(parts: &[Part], evidence: Evidence<'_>, timestamp: Option<&str>) -> Result<Vec<u8>, String> {
    let mut all = Vec::new();
    for part in parts {
        all.extend_from_slice(&part.bytes(evidence, timestamp)?);
    }
    Ok(all)
}

/// HMAC. Keys of every length can be used.
pub(super) fn hmac(hash: Hash, key: &[u8], content: &[u8]) -> Vec<u8> {
    fn of<M: Mac + KeyInit>(key: &[u8], content: &[u8]) -> Vec<u8> {
        let mac =
            <M as KeyInit>::new_from_slice(key).map(|mac| mac.chain_update(content).finalize().into_bytes().to_vec());
        mac.unwrap_or_default()
    }
    match hash {
        Hash::Sha1 => of::<Hmac<Sha1>>(key, content),
        Hash::Sha256 => of::<Hmac<Sha256>>(key, content),
        Hash::Sha512 => of::<Hmac<Sha512>>(key, content),
    }
}

pub(super) fn digest(hash: Hash, content: &[u8]) -> Vec<u8> {
    match hash {
        Hash::Sha1 => Sha1::digest(content).to_vec(),
        Hash::Sha256 => Sha256::digest(content).to_vec(),
        Hash::Sha512 => Sha512::digest(content).to_vec(),
    }
}

pub(super) fn encode(form: TextForm, bytes: &[u8]) -> String {
    match form {
        TextForm::Hex => hex::encode(bytes),
        TextForm::HexUpper => hex::encode_upper(bytes),
        TextForm::Base64 => STANDARD.encode(bytes),
        TextForm::Base64url => URL_SAFE_NO_PAD.encode(bytes),
        TextForm::Base64OfHex => STANDARD.encode(hex::encode(bytes)),
    }
}

/// The bytes of a text that is exactly what [`encode`] writes.
pub(super) fn decode(form: TextForm, text: &str) -> Option<Vec<u8>> {
    let bytes = match form {
        TextForm::Hex | TextForm::HexUpper => hex::decode(text).ok()?,
        TextForm::Base64 => STANDARD.decode(text).ok()?,
        TextForm::Base64url => URL_SAFE_NO_PAD.decode(text).ok()?,
        TextForm::Base64OfHex => hex::decode(STANDARD.decode(text).ok()?).ok()?,
    };
    (encode(form, &bytes) == text).then_some(bytes)
}

/// A keyed digest that we make, to prove that we know a secret.
#[derive(Debug)]
pub(in crate::source) struct Keyed {
    pub(super) hash: Hash,
    pub(super) secrets: Secrets,
    pub(super) over: Vec<Part>,
    pub(super) form: TextForm,
}

impl Keyed {
    /// The digest of what a request holds.
    ///
    /// # Errors
    /// When the secret or a part is missing.
    pub fn make(&self, evidence: Evidence<'_>) -> Result<String, String> {
        let keys = self.secrets.keys(evidence)?;
        let key = keys.into_iter().next().unwrap_or_default();
        let content = content(&self.over, evidence, None)?;
        Ok(encode(self.form, &hmac(self.hash, &key, &content)))
    }
}
