//! Filters that digest and encode.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::{Arguments, Filter, Kind, Literals, Outcome, as_text, on_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("md5", (0, 0), "MD5 in hexadecimal digits", |input, _| {
        on_text(input, |text| hex::encode(Md5::digest(text)))
    })
    .gives(Kind::Text),
    Filter::new("sha256", (0, 0), "SHA-256 in hexadecimal digits", |input, _| {
        on_text(input, |text| hex::encode(Sha256::digest(text)))
    })
    .gives(Kind::Text),
    Filter::new("base64_encode", (0, 0), "Base64", |input, _| {
        on_text(input, |text| STANDARD.encode(text))
    })
    .gives(Kind::Text),
    Filter::new(
        "hmac_sha256",
        (1, 1),
        "`hmac_sha256: secrets.key`: HMAC-SHA-256 in hexadecimal digits; `as: 'base64'`: in Base64",
        hmac_sha256,
    )
    .gives(Kind::Text)
    .named(&["as"])
    .checked(check_form),
    Filter::new(
        "as_hmac_sha256_key",
        (1, 1),
        "`as_hmac_sha256_key: 'text'`: HMAC-SHA-256 of the text with the value as the key; `as` as for `hmac_sha256`",
        |input, arguments| {
            let Some(key) = input else { return Ok(None) };
            hmac(&as_text(&key), &arguments.text(0), arguments)
                .map(Value::String)
                .map(Some)
        },
    )
    .gives(Kind::Text)
    .named(&["as"])
    .checked(check_form),
    Filter::new(
        "uuid",
        (0, 1),
        "a UUID that is always the same for the same text; `uuid: values.account`: another one for each account",
        uuid,
    )
    .gives(Kind::Text),
];

const BASE64: &str = "base64";
const HEX: &str = "hex";

fn check_form(literals: &Literals<'_>) -> Result<(), String> {
    match literals.named("as") {
        Some(form) if form != BASE64 && form != HEX => Err(format!("{form} is neither 'hex' nor 'base64'")),
        _ => Ok(()),
    }
}

fn hmac_sha256(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let Some(text) = input else { return Ok(None) };
    hmac(&arguments.text(0), &as_text(&text), arguments)
        .map(Value::String)
        .map(Some)
}

fn hmac(key: &str, text: &str, arguments: &Arguments<'_, '_>) -> Result<String, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).map_err(|_| "the key cannot be used".to_owned())?;
    mac.update(text.as_bytes());
    let digest = mac.finalize().into_bytes();
    Ok(match arguments.named("as").is_some_and(|form| form == BASE64) {
        true => STANDARD.encode(digest),
        false => hex::encode(digest),
    })
}

/// The first 16 bytes of a digest in the shape of a random UUID (RFC 9562, version 4), which is what vendors check.
fn uuid(input: Option<Value>, arguments: &Arguments<'_, '_>) -> Outcome {
    let space = arguments.get(0).map(as_text).unwrap_or_default();
    on_text(input, |text| {
        let mut digest = Sha256::new();
        digest.update((space.len() as u64).to_be_bytes());
        digest.update(space.as_bytes());
        digest.update(text.as_bytes());
        let mut bytes = digest.finalize();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let digits = hex::encode(&bytes[..16]);
        let parts = [
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        ];
        parts.join("-")
    })
}
