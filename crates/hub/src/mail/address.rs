//! Where a mail server is, from its address.

use url::{Host, Url};

use crate::http::{AddressPolicy, SendError};

/// How the way to the server is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after STARTTLS (RFC 3207); without it nothing is said.
    StartTls,
    /// None: within the operator's own network only.
    None,
}

/// Schemes, what they stand for, and the port where none is given (fact sheet §2).
const SCHEMES: [(&str, Security, u16); 3] = [
    ("smtps", Security::Tls, 465),
    ("smtp", Security::StartTls, 587),
    ("smtp+plain", Security::None, 25),
];

/// A server that can be called.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Server {
    /// Name or number, a name in other scripts in its ASCII form.
    pub host: String,
    pub port: u16,
    pub security: Security,
}

/// Whether an address is that of a mail server.
pub fn is_mail(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    SCHEMES.iter().any(|(name, ..)| scheme.eq_ignore_ascii_case(name))
}

/// Reads an address.
///
/// # Errors
/// [`SendError::Refused`] for what is no address of a mail server, or would send in clear without the operator's leave.
pub(super) fn server(text: &str, policy: AddressPolicy) -> Result<Server, SendError> {
    let wrong = |why: String| SendError::Refused(format!("`{text}` is no address of a mail server: {why}"));
    let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
    let found = SCHEMES.iter().find(|(name, ..)| *name == url.scheme());
    let (_, security, usual) = *found.ok_or_else(|| wrong("it begins with smtps:// or smtp://".into()))?;
    let host = url.host_str().unwrap_or_default();
    let host = percent_encoding::percent_decode_str(host).decode_utf8_lossy();
    let host = match Host::parse(&host).map_err(|error| wrong(error.to_string()))? {
        Host::Domain(name) => name,
        Host::Ipv4(number) => number.to_string(),
        Host::Ipv6(number) => number.to_string(),
    };
    if security == Security::None && policy != AddressPolicy::Any {
        let why = "a mail server is not called without TLS; choose TLS or STARTTLS";
        return Err(SendError::Refused(why.into()));
    }
    let port = url.port().unwrap_or(usual);
    Ok(Server { host, port, security })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_say_how_the_way_is_secured() {
        for (text, host, port, security) in [
            ("smtps://smtp.example.org", "smtp.example.org", 465, Security::Tls),
            (
                "smtp://smtp.example.org:2587",
                "smtp.example.org",
                2587,
                Security::StartTls,
            ),
            ("smtp://почта.example", "xn--80a1acny.example", 587, Security::StartTls),
            ("smtps://[2606:4700::1111]:465", "2606:4700::1111", 465, Security::Tls),
        ] {
            assert!(is_mail(text));
            let expected = Server {
                host: host.into(),
                port,
                security,
            };
            assert_eq!(server(text, AddressPolicy::PublicOnly).unwrap(), expected, "{text}");
        }
        assert!(!is_mail("https://example.org/smtp://") && !is_mail("smtp"));
    }

    #[test]
    fn nothing_goes_out_in_clear_unless_the_operator_allows_private_addresses() {
        let text = "smtp+plain://mail.example.org";
        assert!(matches!(
            server(text, AddressPolicy::PublicOnly),
            Err(SendError::Refused(_))
        ));
        assert_eq!(server(text, AddressPolicy::Any).unwrap().port, 25);
    }
}
