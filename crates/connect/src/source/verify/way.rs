//! The ways in which a request can prove where it comes from.

use std::net::IpAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use ipnet::IpNet;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::{
    Carrier, Evidence, Finding,
    digest::{content, encode, hmac, not_set},
    key::Secrets,
    place::{Place, Values},
    sign::{Signed, by_digest, by_hmac, by_public_key, finding, same},
    token::Token,
};
use crate::source::shape::Hash;

/// One way.
#[derive(Debug)]
pub(super) enum Way {
    Hmac {
        hash: Hash,
        secrets: Secrets,
        signed: Signed,
    },
    Digest {
        hash: Hash,
        secrets: Vec<String>,
        signed: Signed,
    },
    Standard(Box<Standard>),
    PublicKey {
        name: String,
        algorithm: Algorithm,
        signed: Signed,
    },
    Jwt(Box<Token>),
    Shared {
        names: Vec<String>,
        at: Values,
    },
    Basic {
        user: String,
        password: String,
    },
    Addresses {
        list: Vec<IpNet>,
        setting: Option<String>,
    },
}

/// Standard Webhooks. Both versions are signatures of their own; any that is configured may hold.
#[derive(Debug)]
pub(super) struct Standard {
    pub v1: Option<(Secrets, Signed)>,
    pub v1a: Option<(String, Signed)>,
}

impl Way {
    pub fn look(&self, evidence: Evidence<'_>) -> Finding {
        match self {
            Self::Hmac { hash, secrets, signed } => finding(by_hmac(signed, *hash, secrets, evidence)),
            Self::Digest { hash, signed, .. } => finding(by_digest(signed, *hash, evidence)),
            Self::Standard(standard) => finding(standard.look(evidence)),
            Self::PublicKey {
                name,
                algorithm,
                signed,
            } => finding(by_public_key(signed, name, *algorithm, evidence)),
            Self::Jwt(token) => finding(token.look(evidence)),
            Self::Shared { names, at } => shared(names, at, evidence),
            Self::Basic { user, password } => basic(user, password, evidence),
            Self::Addresses { list, setting } => addresses(list, setting.as_deref(), evidence),
        }
    }

    /// The groups of secrets of which one has to be given.
    pub fn required(&self) -> Vec<Vec<&str>> {
        let needs = self.needs();
        match self {
            Self::Basic { .. } => needs.into_iter().map(|name| vec![name]).collect(),
            _ if needs.is_empty() => Vec::new(),
            _ => vec![needs],
        }
    }

    /// The secrets that it goes by. One of them makes an optional check apply.
    pub fn needs(&self) -> Vec<&str> {
        match self {
            Self::Hmac { secrets, .. } => names(&secrets.names),
            Self::Digest { secrets, .. } => names(secrets),
            Self::Standard(standard) => {
                let Standard { v1, v1a } = &**standard;
                let first = v1.iter().flat_map(|(secrets, _)| names(&secrets.names));
                first.chain(v1a.iter().map(|(name, _)| name.as_str())).collect()
            }
            Self::PublicKey { name, .. } => vec![name],
            Self::Jwt(token) => {
                let secrets = token.secrets.iter().flat_map(|secrets| names(&secrets.names));
                secrets.chain(token.public_key.as_deref()).collect()
            }
            Self::Shared { names: all, .. } => names(all),
            Self::Basic { user, password } => vec![user, password],
            Self::Addresses { .. } => Vec::new(),
        }
    }

    /// Where the request carries a secret in clear.
    pub fn carrier(&self) -> Option<Carrier<'_>> {
        match self {
            Self::Shared { at, .. } => at.place.carrier(),
            Self::Jwt(token) => token.at.place.carrier(),
            _ => None,
        }
    }
}

fn names(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

impl Standard {
    fn look(&self, evidence: Evidence<'_>) -> Result<bool, String> {
        let first = self.v1.as_ref();
        let first = first.map(|(secrets, signed)| by_hmac(signed, Hash::Sha256, secrets, evidence));
        if matches!(first, Some(Ok(true))) {
            return Ok(true);
        }
        let second = self.v1a.as_ref();
        let second = second.map(|(name, signed)| by_public_key(signed, name, Algorithm::EdDSA, evidence));
        match (first, second) {
            (_, Some(Ok(true))) => Ok(true),
            (Some(found), None) | (None, Some(found)) => found,
            (Some(Err(why)), _) | (_, Some(Err(why))) => Err(why),
            _ => Ok(false),
        }
    }
}

fn shared(names: &[String], at: &Values, evidence: Evidence<'_>) -> Finding {
    let given: Vec<&str> = names.iter().filter_map(|name| evidence.secret(name)).collect();
    if given.is_empty() {
        return Finding::Fails(not_set(names.first().map_or("", String::as_str)));
    }
    match at.find(evidence) {
        Err(why) => Finding::Fails(why),
        Ok(sent) => {
            let fits = |sent: &String| given.iter().fold(false, |fits, secret| fits | same(secret, sent));
            match sent.iter().fold(false, |any, sent| any | fits(sent)) {
                true => Finding::Holds,
                false => Finding::Fails(format!("{} holds another secret than that of this source", at.place)),
            }
        }
    }
}

/// RFC 7617.
fn basic(user: &str, password: &str, evidence: Evidence<'_>) -> Finding {
    let (user, password) = match (evidence.secret(user), evidence.secret(password)) {
        (Some(user), Some(password)) => (user, password),
        (None, _) => return Finding::Fails(not_set(user)),
        (_, None) => return Finding::Fails(not_set(password)),
    };
    let expected = STANDARD.encode(format!("{user}:{password}"));
    let place = Place::Header {
        name: "Authorization".into(),
        loose: false,
    };
    let sent = place.texts(evidence);
    let sent = sent.iter().filter_map(|header| {
        let (scheme, rest) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("basic").then(|| rest.trim_start())
    });
    let (mut any, mut fits) = (false, false);
    for sent in sent {
        any = true;
        fits |= same(&expected, sent);
    }
    match (any, fits) {
        (_, true) => Finding::Holds,
        (false, _) => Finding::Fails("user and password are missing (header Authorization)".into()),
        (true, _) => Finding::Fails("user or password is wrong".into()),
    }
}

fn addresses(list: &[IpNet], setting: Option<&str>, evidence: Evidence<'_>) -> Finding {
    let own = setting
        .and_then(|name| evidence.settings.get(name))
        .map(networks)
        .unwrap_or_default();
    if list.is_empty() && own.is_empty() {
        return Finding::Silent;
    }
    let Some(from) = evidence.request.from.map(|from| from.to_canonical()) else {
        return Finding::Fails("the address of the sender is not known".into());
    };
    let among = |networks: &[IpNet]| networks.iter().any(|network| network.contains(&from));
    match among(list) || among(&own) {
        true => Finding::Holds,
        false => Finding::Fails(format!("{from} is none of the addresses that may send to this source")),
    }
}

/// The networks of a setting: a list, or a text with commas or spaces. What is none is passed over: it is refused when it is saved.
fn networks(value: &Value) -> Vec<IpNet> {
    let texts: Vec<&str> = match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        Value::String(text) => text.split([',', ' ', '\n']).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().filter_map(network).collect()
}

/// A network, or a single address.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    text.parse::<IpNet>()
        .ok()
        .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// The headers that a request with an HMAC lacks: names and values. None where the way is another one, or the signature stands elsewhere.
pub(super) fn signature(way: &Way, evidence: Evidence<'_>) -> Vec<(String, String)> {
    let made = match way {
        Way::Hmac { hash, secrets, signed } => sign(signed, *hash, secrets, evidence),
        Way::Standard(standard) => {
            let v1 = standard.v1.as_ref();
            v1.and_then(|(secrets, signed)| sign(signed, Hash::Sha256, secrets, evidence))
        }
        _ => None,
    };
    made.unwrap_or_default()
}

fn sign(signed: &Signed, hash: Hash, secrets: &Secrets, evidence: Evidence<'_>) -> Option<Vec<(String, String)>> {
    let Values {
        place: Place::Header { name, .. },
        member,
        prefix,
        ..
    } = &signed.signature
    else {
        return None;
    };
    let mut headers = Vec::new();
    let mut pair = String::new();
    let time = signed.timestamp.as_ref().map(|time| {
        time.read(evidence).unwrap_or_else(|_| {
            let text = time.unit.write(evidence.now_ms);
            match (&time.at.member, &time.at.place) {
                (Some(member), _) => pair = format!("{member}={text},"),
                (None, Place::Header { name, .. }) => headers.push((name.clone(), text.clone())),
                _ => {}
            }
            text
        })
    });
    let key = secrets.keys(evidence).ok()?.into_iter().next()?;
    let content = content(&signed.over, evidence, time.as_deref()).ok()?;
    let made = encode(signed.form, &hmac(hash, &key, &content));
    let named = member.as_ref().map(|member| format!("{member}=")).unwrap_or_default();
    headers.push((
        name.clone(),
        format!("{pair}{named}{}{made}", prefix.as_deref().unwrap_or_default()),
    ));
    Some(headers)
}
