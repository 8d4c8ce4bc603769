//! Digests, signatures and base64 of texts.

use base64::Engine as _;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::Md5;
use rhai::{Dynamic, Engine};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// `md5_hex`, `sha1_hex`, `sha256_hex`, `hmac_*`, `base64`, `unbase64`.
pub fn register(engine: &mut Engine) {
    engine.register_fn("md5_hex", |text: &str| hex::encode(Md5::digest(text)));
    engine.register_fn("sha1_hex", |text: &str| hex::encode(Sha1::digest(text)));
    engine.register_fn("sha256_hex", |text: &str| hex::encode(Sha256::digest(text)));
    engine.register_fn("hmac_sha256_hex", |key: &str, text: &str| {
        hex::encode(hmac_sha256(key, text))
    });
    engine.register_fn("hmac_sha256_base64", |key: &str, text: &str| {
        STANDARD.encode(hmac_sha256(key, text))
    });
    engine.register_fn("hmac_sha1_hex", |key: &str, text: &str| {
        hex::encode(hmac_sha1(key, text))
    });
    engine.register_fn("hmac_sha1_base64", |key: &str, text: &str| {
        STANDARD.encode(hmac_sha1(key, text))
    });
    engine.register_fn("base64", |text: &str| STANDARD.encode(text));
    engine.register_fn("base64url", |text: &str| URL_SAFE_NO_PAD.encode(text));
    engine.register_fn("unbase64", |text: &str| {
        unbase64(text).map_or(Dynamic::UNIT, Dynamic::from)
    });
}

fn hmac_sha256(key: &str, text: &str) -> Vec<u8> {
    signed::<Hmac<Sha256>>(key, text)
}

fn hmac_sha1(key: &str, text: &str) -> Vec<u8> {
    signed::<Hmac<Sha1>>(key, text)
}

fn signed<M: Mac + KeyInit>(key: &str, text: &str) -> Vec<u8> {
    // HMAC takes a key of any length; there is nothing that could fail.
    let Ok(mut mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else {
        return Vec::new();
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// The text in either alphabet, with or without padding; `None` when it is no base64 or no UTF-8.
#[must_use]
pub fn unbase64(text: &str) -> Option<String> {
    const ALPHABETS: [&GeneralPurpose; 4] = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = ALPHABETS
        .iter()
        .find_map(|alphabet| alphabet.decode(text.trim()).ok())?;
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::scripted::trial::says;

    /// The values are those of RFC 1321, FIPS 180 and RFC 2202/4231.
    #[test]
    fn digests_are_those_of_the_standards() {
        let what = "what do ya want for nothing?";
        for (script, expected) in [
            (r#"md5_hex("abc")"#.to_owned(), "900150983cd24fb0d6963f7d28e17f72"),
            (
                r#"sha1_hex("abc")"#.to_owned(),
                "a9993e364706816aba3e25717850c26c9cd0d89d",
            ),
            (
                r#"sha256_hex("abc")"#.to_owned(),
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                format!(r#"hmac_sha256_hex("Jefe", "{what}")"#),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                format!(r#"hmac_sha1_hex("Jefe", "{what}")"#),
                "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            ),
            (
                format!(r#"hmac_sha1_base64("Jefe", "{what}")"#),
                "7/zfauXrL6LSdBbV8YTfnCWafHk=",
            ),
            (
                format!(r#"hmac_sha256_base64("Jefe", "{what}")"#),
                "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=",
            ),
            (r#"base64("ä?>")"#.to_owned(), "w6Q/Pg=="),
            (r#"base64url("ä?>")"#.to_owned(), "w6Q_Pg"),
            (r#"unbase64("w6Q/Pg==") + unbase64("w6Q_Pg")"#.to_owned(), "ä?>ä?>"),
        ] {
            assert_eq!(says(&script), json!(expected), "{script}");
        }
        assert_eq!(says(r#"[unbase64("%%%"), unbase64("/w==")]"#), json!([null, null]));
    }
}
