//! What is secret in a request, before it is written down.

use switchboard_model::template::{Path, Template};

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

/// What is secret wherever it stands in requests of a source.
#[derive(Debug, Default)]
pub(super) struct Secrecy<'c> {
    headers: Vec<(&'c str, bool)>,
    parameters: Vec<&'c str>,
    tail: bool,
}

impl<'c> FromIterator<Carrier<'c>> for Secrecy<'c> {
    fn from_iter<I: IntoIterator<Item = Carrier<'c>>>(carriers: I) -> Self {
        let mut secrecy = Self::default();
        for carrier in carriers {
            match carrier {
                Carrier::Header { name, loose } => secrecy.headers.push((name, loose)),
                Carrier::Query(name) => secrecy.parameters.push(name),
                Carrier::Tail => secrecy.tail = true,
            }
        }
        secrecy
    }
}

impl Secrecy<'_> {
    fn covers_header(&self, name: &str) -> bool {
        let plain = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let named = |(known, loose): &(&str, bool)| match loose {
            true => plain(known) == plain(name),
            false => known.eq_ignore_ascii_case(name),
        };
        ALWAYS.iter().any(|known| known.eq_ignore_ascii_case(name)) || self.headers.iter().any(named)
    }

    /// What of it a template reads, as it is written in templates. A name that is made of such a thing is another one once it is masked, and
    /// it tells the secret before.
    pub fn read_by(&self, template: &Template) -> Option<String> {
        let covered = |path: &&Path| match (path.root(), path.step(0)) {
            ("headers", Some(name)) => self.covers_header(name),
            ("headers", None) => true,
            ("query", Some(name)) => self.parameters.contains(&name),
            ("query", None) => !self.parameters.is_empty(),
            ("path", _) => self.tail,
            _ => false,
        };
        let paths = template.paths();
        let found = paths.into_iter().find(covered)?;
        let step = found.step(0).map(|name| format!("['{name}']")).unwrap_or_default();
        Some(format!("{}{step}", found.root()))
    }
}

pub(super) fn mask(request: &Request, secrecy: &Secrecy<'_>) -> Masked {
    let tail = secrecy.tail && !request.tail.trim_matches('/').is_empty();
    let kept = request
        .headers
        .iter()
        .map(|(name, value)| match secrecy.covers_header(name) {
            true => (name.clone(), MASK.to_owned()),
            false => (name.clone(), value.clone()),
        });
    let query = mask_query(&request.query, &secrecy.parameters);
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
