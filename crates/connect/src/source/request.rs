//! A request as it came, and where things stand in it.

use std::net::IpAddr;

/// A request that a source was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// `POST`.
    pub method: String,
    /// The part of the address behind `/in/`, not decoded.
    pub path: String,
    /// What of it stands behind the path of the source.
    pub tail: String,
    /// Its public address, with the query.
    pub url: String,
    /// What stands behind the question mark.
    pub query: String,
    /// In their order. Names are compared regardless of case.
    pub headers: Vec<(String, String)>,
    /// Byte by byte.
    pub body: Vec<u8>,
    /// Where it came from.
    pub from: Option<IpAddr>,
}

impl Request {
    /// The values of a header.
    pub fn header<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let named = self
            .headers
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str())
    }

    /// The values of a header whose name is the same but for case, `-` and `_`.
    pub fn loose_header<'r>(&'r self, name: &'r str) -> impl Iterator<Item = &'r str> {
        let plain = |name: &str| -> String {
            let letters = name.chars().filter(|letter| !matches!(letter, '-' | '_'));
            letters.map(|letter| letter.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        let named = self.headers.iter().filter(move |(known, _)| plain(known) == wanted);
        named.map(|(_, value)| value.as_str())
    }

    /// The decoded parameters of the address, in their order.
    pub fn parameters(&self) -> impl Iterator<Item = (String, String)> {
        let pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.map(|(name, value)| (name.into_owned(), value.into_owned()))
    }

    /// What the header `Content-Type` says, without parameters and in small letters.
    pub fn media_type(&self) -> String {
        let header = self.header("content-type").next().unwrap_or_default();
        header.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}
