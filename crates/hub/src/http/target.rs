//! From the address that a connector made to one that can be called.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;
use url::Url;

use super::{address::AddressPolicy, client::SendError};

/// Where a request goes.
#[derive(Debug)]
pub(super) struct Target {
    pub uri: Uri,
    /// What user and password in the address stand for: HTTP Basic.
    pub basic: Option<HeaderValue>,
}

/// Reads an address. The resolver never sees addresses that are written out as numbers, so those are checked here.
///
/// # Errors
/// [`SendError::Refused`] for what is no address, is neither http nor https, or may not be called.
pub(super) fn target(text: &str, policy: AddressPolicy) -> Result<Target, SendError> {
    let plain = text.is_ascii() && !text.contains(['@', '#', '\\']);
    let target = match text.parse::<Uri>() {
        Ok(uri) if plain && uri.host().is_some() => Target { uri, basic: None },
        // What people write and browsers understand: other scripts in names, user and password, spaces.
        _ => written_freely(text)?,
    };
    check(&target.uri, policy)?;
    Ok(target)
}

fn written_freely(text: &str) -> Result<Target, SendError> {
    let wrong = |error: &dyn std::fmt::Display| SendError::Refused(format!("`{text}` is no address: {error}"));
    let mut url = Url::parse(text).map_err(|error| wrong(&error))?;
    let basic = basic(&url);
    // These fail only for addresses without a host, which the next step finds.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_fragment(None);
    let uri = url
        .as_str()
        .parse()
        .map_err(|error: http::uri::InvalidUri| wrong(&error))?;
    Ok(Target { uri, basic })
}

fn basic(url: &Url) -> Option<HeaderValue> {
    if url.username().is_empty() && url.password().is_none() {
        return None;
    }
    let plain = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let pair = format!(
        "{}:{}",
        plain(url.username()),
        plain(url.password().unwrap_or_default())
    );
    let mut value = HeaderValue::from_str(&format!("Basic {}", STANDARD.encode(pair))).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn check(uri: &Uri, policy: AddressPolicy) -> Result<(), SendError> {
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "http" | "https") {
        return Err(SendError::Refused(format!(
            "only http and https are called, not {scheme}"
        )));
    }
    let host = uri
        .host()
        .unwrap_or_default()
        .trim_start_matches('[')
        .trim_end_matches(']');
    match host.parse::<IpAddr>() {
        Ok(address) if !policy.allows(address) => Err(SendError::Refused(format!("{address} is not a public address"))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_understood_as_people_write_them() {
        for (text, expected) in [
            (
                "https://api.example.org/v1/a%20b?c=d",
                "https://api.example.org/v1/a%20b?c=d",
            ),
            ("https://example.org/a b#part", "https://example.org/a%20b"),
            (
                "https://пример.example/привет",
                "https://xn--e1afmkfd.example/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82",
            ),
            ("http://ana:s%3Acret@example.org/in", "http://example.org/in"),
        ] {
            let target = target(text, AddressPolicy::PublicOnly).unwrap();
            assert_eq!(target.uri.to_string(), expected);
        }
    }

    #[test]
    fn user_and_password_become_basic_authentication() {
        let target = target("http://ana:s%3Acret@example.org/in", AddressPolicy::PublicOnly).unwrap();
        let basic = target.basic.unwrap();
        assert!(basic.is_sensitive());
        assert_eq!(basic, format!("Basic {}", STANDARD.encode("ana:s:cret")));
    }

    #[test]
    fn what_cannot_or_may_not_be_called_is_refused() {
        for text in [
            "no address",
            "/path",
            "ftp://example.org/",
            "http://10.1.2.3/",
            "http://[fd00::1]/",
            "http://[::ffff:10.0.0.1]/x",
        ] {
            let refused = target(text, AddressPolicy::PublicOnly);
            assert!(matches!(refused, Err(SendError::Refused(_))), "{text}: {refused:?}");
        }
    }
}
