//! Which addresses may be told anything: whoever has an API key names them, so they must not lead into the operator's own network. Names are
//! checked again when a connection is made, on the address that they resolve to.

use switchboard_model::problem::{Code, Problem};
use url::{Host, Url};

use crate::http::AddressPolicy;

/// Longest address, in bytes.
const LONGEST: usize = 2_000;

/// Checks the address of an endpoint.
///
/// # Errors
/// [`Code::WrongShape`] for what is no web address, and for one that may not be called.
pub fn check(address: &str, policy: AddressPolicy) -> Result<(), Problem> {
    let wrong = |detail: &str| {
        let next = "Send for example \"url\": \"https://example.org/hooks/crm\".";
        Err(Problem::new(Code::WrongShape, detail, next).at("url"))
    };
    if address.len() > LONGEST {
        return wrong("The address is longer than 2,000 bytes");
    }
    let Ok(url) = Url::parse(address) else {
        return wrong("`url` is no web address");
    };
    if !matches!(url.scheme(), "https" | "http") || url.cannot_be_a_base() || address.contains(char::is_whitespace) {
        return wrong("`url` is no address that begins with https://");
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return wrong("The address has a user, a password or a fragment");
    }
    let refuse = |detail: &str, next: &str| Err(Problem::new(Code::WrongShape, detail, next).at("url"));
    if url.scheme() == "http" && policy != AddressPolicy::Any {
        return refuse(
            "The address is not encrypted",
            "Use https. The setting allow_private_addresses lets a hub for tests call http, too.",
        );
    }
    let inside = match url.host() {
        None => return wrong("The address names no host"),
        Some(Host::Ipv4(address)) => !policy.allows(address.into()),
        Some(Host::Ipv6(address)) => !policy.allows(address.into()),
        Some(Host::Domain(name)) => policy != AddressPolicy::Any && is_local(name),
    };
    match inside {
        false => Ok(()),
        true => refuse(
            "The address is a private one",
            "Name a public address, or let the operator set allow_private_addresses.",
        ),
    }
}

/// Names that never lead out of the own network (RFC 6761, RFC 6762, RFC 8375).
fn is_local(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let within = |zone: &str| name == zone || name.ends_with(&format!(".{zone}"));
    ["localhost", "local", "internal", "home.arpa"].into_iter().any(within)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_encrypted_addresses_are_told_anything_unless_the_operator_allows_more() {
        for (address, public, any) in [
            ("https://example.org/hook?x=1", None, None),
            ("http://example.org/hook", Some("not encrypted"), None),
            ("https://127.0.0.1/", Some("private"), None),
            ("https://[::1]:8443/", Some("private"), None),
            ("https://10.1.2.3/", Some("private"), None),
            ("https://169.254.169.254/latest", Some("private"), None),
            ("https://0x7f.1/", Some("private"), None),
            ("https://LOCALHOST./", Some("private"), None),
            ("https://db.internal/", Some("private"), None),
            ("ftp://example.org/", Some("https://"), Some("https://")),
            ("mailto:a@example.org", Some("https://"), Some("https://")),
            ("https://u:p@example.org/", Some("password"), Some("password")),
            ("https://example.org/#top", Some("fragment"), Some("fragment")),
            ("https://exa mple.org/", Some("no web address"), Some("no web address")),
            ("", Some("no web address"), Some("no web address")),
        ] {
            for (policy, expected) in [(AddressPolicy::PublicOnly, public), (AddressPolicy::Any, any)] {
                let found = check(address, policy).err();
                let fits = match (&found, expected) {
                    (None, None) => true,
                    (Some(problem), Some(words)) => problem.detail.contains(words),
                    _ => false,
                };
                assert!(fits, "{address} {policy:?}: {found:?}");
            }
        }
    }
}
