//! Filters that digest and encode.

use base64::{Engine, engine::general_purpose::STANDARD};
use md5::Md5;
use sha2::{Digest, Sha256};

use super::{Filter, on_text};

pub(super) const FILTERS: &[Filter] = &[
    Filter::new("md5", (0, 0), "MD5 in hexadecimal digits", |input, _| {
        on_text(input, |text| hex::encode(Md5::digest(text)))
    }),
    Filter::new("sha256", (0, 0), "SHA-256 in hexadecimal digits", |input, _| {
        on_text(input, |text| hex::encode(Sha256::digest(text)))
    }),
    Filter::new("base64_encode", (0, 0), "Base64", |input, _| {
        on_text(input, |text| STANDARD.encode(text))
    }),
];
