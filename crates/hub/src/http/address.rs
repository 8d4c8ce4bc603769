//! Which addresses may be called: user-given URLs must not reach into the operator's own network (SSRF).
//!
//! The check is made where the connection is made, on the address that was resolved, so that a name that changes its mind between check and
//! use gains nothing.

use std::{
    future::Future,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::Pin,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tower::{BoxError, Service};

/// Whether private and loopback addresses may be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressPolicy {
    /// Public addresses only.
    PublicOnly,
    /// Any; the operator said so.
    Any,
}

impl AddressPolicy {
    /// Whether this address may be called.
    pub fn allows(self, address: IpAddr) -> bool {
        self == Self::Any || is_public(address)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded_v4(v6) {
            Some(v4) => is_public_v4(v4),
            None => is_public_v6(v6),
        },
    }
}

/// IANA's special-purpose registry for IPv4.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (b == 18 || b == 19);
    !(a == 0
        || a >= 224
        || shared
        || protocol
        || benchmark
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// IANA's special-purpose registry for IPv6.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let global_unicast = segments[0] & 0xe000 == 0x2000;
    let documentation = segments[0] == 0x2001 && segments[1] == 0xdb8 || segments[0] == 0x3fff && segments[1] < 0x1000;
    let special = segments[0] == 0x2001 && segments[1] < 0x200;
    global_unicast && !documentation && !special
}

/// The IPv4 address that an IPv6 address stands for (mapped, translated, 6to4).
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let s = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// Resolves names as the machine does and drops the addresses that may not be called.
#[derive(Debug, Clone, Copy)]
pub(super) struct FilteringResolver(pub(super) AddressPolicy);

/// A name that has addresses, but none that may be called.
#[derive(Debug, thiserror::Error)]
#[error("{name} leads to {address}, which is not a public address")]
pub(crate) struct Refused {
    name: String,
    address: IpAddr,
}

impl Service<Name> for FilteringResolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let policy = self.0;
        Box::pin(async move {
            match resolve(policy, name.as_str(), 0).await {
                Ok(found) => Ok(found.into_iter()),
                // By itself, so that whoever looks for it finds it.
                Err(ResolveError::Refused(refused)) => Err(refused.into()),
                Err(ResolveError::Unknown(error)) => Err(error.into()),
            }
        })
    }
}

/// Why a name leads nowhere.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// It has no addresses, as far as the machine can tell.
    #[error("no connection: {0}")]
    Unknown(#[from] std::io::Error),
    /// None of its addresses may be called.
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl ResolveError {
    /// Whether the addresses are known and may not be called.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// The addresses of a host that may be called, at least one unless it has none at all.
///
/// # Errors
/// When the name is not known, or none of its addresses may be called.
pub(crate) async fn resolve(policy: AddressPolicy, host: &str, port: u16) -> Result<Vec<SocketAddr>, ResolveError> {
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    let refused = found
        .iter()
        .find(|address| !policy.allows(address.ip()))
        .map(SocketAddr::ip);
    let allowed: Vec<SocketAddr> = found
        .into_iter()
        .filter(|address| policy.allows(address.ip()))
        .collect();
    match refused {
        Some(address) if allowed.is_empty() => {
            let name = host.to_owned();
            Err(Refused { name, address }.into())
        }
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_pass_the_filter() {
        let cases = [
            ("8.8.8.8", true),
            ("127.0.0.1", false),
            ("10.1.2.3", false),
            ("172.16.0.1", false),
            ("172.32.0.1", true),
            ("192.168.1.1", false),
            ("169.254.169.254", false),
            ("100.64.0.1", false),
            ("0.0.0.0", false),
            ("192.0.2.7", false),
            ("198.18.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::1", false),
            ("::", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2606:4700::1111", true),
            ("::ffff:127.0.0.1", false),
            ("::ffff:8.8.8.8", true),
            ("64:ff9b::a00:1", false),
            ("2002:7f00:1::", false),
        ];
        for (text, public) in cases {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(AddressPolicy::PublicOnly.allows(address), public, "{text}");
            assert!(AddressPolicy::Any.allows(address));
        }
    }
}
