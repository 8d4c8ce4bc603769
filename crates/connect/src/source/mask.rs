//! What is secret in a request, before it is written down.

use super::{Request, verify::Carrier};

/// Stands in place of a secret.
pub const MASK: &str = "•••";
/// Headers that carry credentials whatever the source.
const ALWAYS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

/// Headers, query, path and address of a request without what is secret in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked {
    /// In their order.
    pub headers: Vec<(String, String)>,
    /// What stood behind the question mark.
    pub query: String,
    /// The part of the address behind `/in/`.
    pub path: String,
    /// The public address.
    pub url: String,
}

pub(super) fn mask<'c>(request: &Request, carriers: impl Iterator<Item = Carrier<'c>>) -> Masked {
    let (mut headers, mut parameters, mut tail) = (Vec::new(), Vec::new(), false);
    for carrier in carriers {
        match carrier {
            Carrier::Header { name, loose } => headers.push((name, loose)),
            Carrier::Query(name) => parameters.push(name),
            Carrier::Tail => tail = !request.tail.trim_matches('/').is_empty(),
        }
    }
    let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
    let is_secret = |name: &str| {
        let lower = name.to_ascii_lowercase();
        let named = |(known, loose): &(&str, bool)| match loose {
            true => plain(known) == plain(name),
            false => known.eq_ignore_ascii_case(name),
        };
        ALWAYS.contains(&lower.as_str()) || headers.iter().any(named)
    };
    let kept = request.headers.iter().map(|(name, value)| match is_secret(name) {
        true => (name.clone(), MASK.to_owned()),
        false => (name.clone(), value.clone()),
    });
    let query = mask_query(&request.query, &parameters);
    let path = match tail {
        true => format!(
            "{}{MASK}",
            request.path.strip_suffix(request.tail.as_str()).unwrap_or_default()
        ),
        false => request.path.clone(),
    };
    let url = match query == request.query && path == request.path {
        true => request.url.clone(),
        // An address with a secret in it is made anew from its masked parts.
        false => {
            let end = request.url.find(&request.path).unwrap_or(0);
            let question = if query.is_empty() { "" } else { "?" };
            format!("{}{path}{question}{query}", &request.url[..end])
        }
    };
    Masked {
        headers: kept.collect(),
        query,
        path,
        url,
    }
}

fn mask_query(query: &str, secret: &[&str]) -> String {
    let each = query.split('&').map(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        let decoded = url::form_urlencoded::parse(name.as_bytes()).next();
        let is_secret = decoded.is_some_and(|(name, _)| secret.contains(&name.as_ref()));
        if is_secret {
            format!("{name}={MASK}")
        } else {
            pair.to_owned()
        }
    });
    let pairs: Vec<String> = each.collect();
    pairs.join("&")
}
