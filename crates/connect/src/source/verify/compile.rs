//! From the shape of checks to checks.

use jsonwebtoken::Algorithm;

use super::{
    Check, OneCheck,
    digest::{Keyed, Part},
    key::Secrets,
    place::{Place, Values},
    sign::{Signed, Timestamp},
    token::Token,
    way::{Standard, Way, network},
};
use crate::{
    manifest::OneOrMany,
    source::{
        checker::Checker,
        shape::{
            AddressesSpec, CheckSpec, HmacSpec, JwtSpec, KeySpec, KeyedSpec, ListForm, OneCheckSpec, PartSpec,
            PartWord, PlacedPart, SecretCode, SecretForm, SharedSpec, SignatureSpec, StandardSpec, TextForm, TimeUnit,
            TimestampSpec, WhereSpec,
        },
    },
};

/// What the reference libraries allow, in seconds (fact sheet standard-webhooks §5).
const STANDARD_TOLERANCE: u32 = 300;
/// By how much clocks may differ where a token is checked, in seconds.
const TOKEN_TOLERANCE: u32 = 60;

/// Compiles a list of checks.
pub(in crate::source) fn checks(checker: &mut Checker, at: &str, specs: &[CheckSpec]) -> Vec<Check> {
    let mut all = Vec::with_capacity(specs.len());
    for (index, spec) in specs.iter().enumerate() {
        let at = format!("{at}/{index}");
        match spec {
            CheckSpec::One(spec) => all.extend(one(checker, &at, spec).map(|check| Check::One(Box::new(check)))),
            CheckSpec::Any(spec) => {
                let mut any = Vec::with_capacity(spec.any.len());
                for (index, spec) in spec.any.iter().enumerate() {
                    any.extend(one(checker, &format!("{at}/any/{index}"), spec));
                }
                all.push(Check::Any(any));
            }
        }
    }
    all
}

fn one(checker: &mut Checker, at: &str, spec: &OneCheckSpec) -> Option<OneCheck> {
    let when = checker.optional_condition(&format!("{at}/when"), spec.when.as_ref());
    let mut ways = Vec::new();
    if let Some(spec) = &spec.hmac {
        ways.push(hmac(checker, &format!("{at}/hmac"), spec));
    }
    if let Some(digest) = &spec.digest {
        let at = format!("{at}/digest");
        let names = digest.over.iter().filter_map(|part| match part {
            PartSpec::Placed(placed) => placed.secret.clone(),
            PartSpec::Word(_) => None,
        });
        let names: Vec<String> = names.collect();
        if names.is_empty() {
            checker.report(
                &format!("{at}/over"),
                "no part of the digest is a secret",
                "Add {secret: …}.",
            );
        }
        ways.push(
            signed(checker, &at, &digest.over, &digest.signature, digest.timestamp.as_ref()).map(|signed| {
                Way::Digest {
                    hash: digest.hash,
                    secrets: names,
                    signed,
                }
            }),
        );
    }
    if let Some(spec) = &spec.standard_webhooks {
        ways.push(standard(checker, &format!("{at}/standard_webhooks"), spec));
    }
    for (name, spec, algorithm) in [
        ("ed25519", &spec.ed25519, Algorithm::EdDSA),
        ("rsa", &spec.rsa, Algorithm::RS256),
    ] {
        if let Some(spec) = spec {
            ways.push(public_key(checker, &format!("{at}/{name}"), spec, algorithm));
        }
    }
    if let Some(spec) = &spec.jwt {
        ways.push(jwt(checker, &format!("{at}/jwt"), spec));
    }
    if let Some(spec) = &spec.shared {
        ways.push(shared(checker, &format!("{at}/shared"), spec));
    }
    if let Some(spec) = &spec.basic {
        let (user, password) = (spec.user.clone(), spec.password.clone());
        ways.push(Some(Way::Basic { user, password }));
    }
    if let Some(spec) = &spec.addresses {
        ways.push(Some(addresses(checker, &format!("{at}/addresses"), spec)));
    }
    if ways.len() != 1 {
        let next = "Name exactly one of hmac, digest, standard_webhooks, ed25519, rsa, jwt, shared, basic, addresses.";
        checker.report(at, format!("this check names {} ways", ways.len()), next);
        return None;
    }
    Some(OneCheck {
        when,
        optional: spec.optional,
        log_only: spec.log_only,
        way: ways.pop()??,
    })
}

fn hmac(checker: &mut Checker, at: &str, spec: &HmacSpec) -> Option<Way> {
    let signed = signed(checker, at, &spec.over, &spec.signature, spec.timestamp.as_ref())?;
    Some(Way::Hmac {
        hash: spec.hash,
        secrets: secrets(&spec.secret, &spec.key),
        signed,
    })
}

fn secrets(names: &OneOrMany<String>, form: &SecretForm) -> Secrets {
    Secrets {
        names: names.each().map(|(_, name)| name.clone()).collect(),
        code: form.form,
        prefix: form.prefix.clone(),
    }
}

fn place(
    checker: &mut Checker,
    at: &str,
    header: Option<&String>,
    query: Option<&String>,
    pointer: Option<&String>,
    loose: bool,
) -> Option<Place> {
    match (header, query, pointer) {
        (Some(name), None, None) => Some(Place::Header {
            name: name.clone(),
            loose,
        }),
        (None, Some(name), None) => Some(Place::Query(name.clone())),
        (None, None, Some(pointer)) => checker.pointer(at, pointer).then(|| Place::Pointer(pointer.clone())),
        _ => {
            checker.report(
                at,
                "it is not said where this stands",
                "Name exactly one of header, query, pointer.",
            );
            None
        }
    }
}

fn signed(
    checker: &mut Checker,
    at: &str,
    over: &[PartSpec],
    signature: &SignatureSpec,
    timestamp: Option<&TimestampSpec>,
) -> Option<Signed> {
    let needs_time = over
        .iter()
        .any(|part| matches!(part, PartSpec::Word(PartWord::Timestamp)));
    if needs_time && timestamp.is_none() {
        checker.report(at, "the time is signed, but not where it stands", "Add `timestamp`.");
    }
    let over = parts(checker, &format!("{at}/over"), over);
    let timestamp = timestamp.map(|spec| self::timestamp(checker, &format!("{at}/timestamp"), spec));
    let at = format!("{at}/signature");
    let (header, query, pointer) = (
        signature.header.as_ref(),
        signature.query.as_ref(),
        signature.pointer.as_ref(),
    );
    let place = place(checker, &at, header, query, pointer, signature.loose)?;
    check_member(checker, &at, signature.list, signature.member.as_ref());
    Some(Signed {
        over,
        signature: Values {
            place,
            list: signature.list,
            member: signature.member.clone(),
            prefix: signature.prefix.clone(),
        },
        form: signature.form,
        timestamp: match timestamp {
            None => None,
            Some(compiled) => Some(compiled?),
        },
    })
}

fn check_member(checker: &mut Checker, at: &str, list: Option<ListForm>, member: Option<&String>) {
    if (list == Some(ListForm::CommaPairs)) != member.is_some() {
        checker.report(
            at,
            "`member` and `list: comma_pairs` belong together",
            "Give both or none.",
        );
    }
}

fn timestamp(checker: &mut Checker, at: &str, spec: &TimestampSpec) -> Option<Timestamp> {
    let (header, query, pointer) = (spec.header.as_ref(), spec.query.as_ref(), spec.pointer.as_ref());
    let place = place(checker, at, header, query, pointer, spec.loose)?;
    check_member(checker, at, spec.list, spec.member.as_ref());
    Some(Timestamp {
        at: Values {
            place,
            list: spec.list,
            member: spec.member.clone(),
            prefix: None,
        },
        unit: spec.unit,
        tolerance: spec.tolerance,
    })
}

fn parts(checker: &mut Checker, at: &str, specs: &[PartSpec]) -> Vec<Part> {
    if specs.is_empty() {
        checker.report(at, "nothing is signed", "Name the parts, for example `body`.");
    }
    let each = specs.iter().enumerate();
    each.filter_map(|(index, spec)| part(checker, &format!("{at}/{index}"), spec))
        .collect()
}

fn part(checker: &mut Checker, at: &str, spec: &PartSpec) -> Option<Part> {
    let placed = match spec {
        PartSpec::Word(word) => return Some(Part::Word(*word)),
        PartSpec::Placed(placed) => placed,
    };
    match placed {
        PlacedPart {
            text: Some(text),
            header: None,
            query: None,
            pointer: None,
            secret: None,
        } => Some(Part::Text(text.clone())),
        PlacedPart {
            text: None,
            header: None,
            query: None,
            pointer: None,
            secret: Some(name),
        } => Some(Part::Secret(name.clone())),
        PlacedPart {
            text: None,
            header,
            query,
            pointer,
            secret: None,
        } => place(checker, at, header.as_ref(), query.as_ref(), pointer.as_ref(), false).map(Part::At),
        _ => {
            let next = "Name exactly one of text, header, query, pointer, secret.";
            checker.report(at, "this part names several things", next);
            None
        }
    }
}

fn standard(checker: &mut Checker, at: &str, spec: &StandardSpec) -> Option<Way> {
    let prefix = spec.prefix.as_deref().unwrap_or("webhook");
    let header = |name: &str| Place::Header {
        name: format!("{prefix}-{name}"),
        loose: false,
    };
    let dot = || Part::Text(".".into());
    let signed = |version: &str| Signed {
        over: vec![
            Part::At(header("id")),
            dot(),
            Part::Word(PartWord::Timestamp),
            dot(),
            Part::Word(PartWord::Body),
        ],
        signature: Values {
            place: header("signature"),
            list: Some(ListForm::Spaces),
            member: None,
            prefix: Some(format!("{version},")),
        },
        form: TextForm::Base64,
        timestamp: Some(Timestamp {
            at: Values {
                place: header("timestamp"),
                list: None,
                member: None,
                prefix: None,
            },
            unit: TimeUnit::Seconds,
            tolerance: spec.tolerance.unwrap_or(STANDARD_TOLERANCE),
        }),
    };
    let names: Vec<String> = spec.secret.each().map(|(_, name)| name.clone()).collect();
    let wants = |version: &str| match spec.versions.is_empty() {
        true => true,
        false => spec.versions.iter().any(|known| known == version),
    };
    let form = SecretForm {
        form: SecretCode::Base64,
        prefix: Some("whsec_".into()),
    };
    let v1 = (wants("v1") && !names.is_empty()).then(|| (secrets(&spec.secret, &form), signed("v1")));
    let v1a = spec
        .public_key
        .as_ref()
        .filter(|_| wants("v1a"))
        .map(|name| (name.clone(), signed("v1a")));
    if v1.is_none() && v1a.is_none() {
        checker.report(
            at,
            "there is no key for any version",
            "Name `secret` for v1, or `public_key` for v1a.",
        );
        return None;
    }
    Some(Way::Standard(Box::new(Standard { v1, v1a })))
}

fn public_key(checker: &mut Checker, at: &str, spec: &KeySpec, algorithm: Algorithm) -> Option<Way> {
    let signed = signed(checker, at, &spec.over, &spec.signature, spec.timestamp.as_ref())?;
    Some(Way::PublicKey {
        name: spec.public_key.clone(),
        algorithm,
        signed,
    })
}

fn jwt(checker: &mut Checker, at: &str, spec: &JwtSpec) -> Option<Way> {
    let (algorithm, keyed) = match spec.algorithm.as_str() {
        "HS256" => (Algorithm::HS256, true),
        "HS384" => (Algorithm::HS384, true),
        "HS512" => (Algorithm::HS512, true),
        "RS256" => (Algorithm::RS256, false),
        "EdDSA" => (Algorithm::EdDSA, false),
        other => {
            let detail = format!("the algorithm `{other}` is not known");
            checker.report(
                &format!("{at}/algorithm"),
                detail,
                "Use HS256, HS384, HS512, RS256 or EdDSA.",
            );
            return None;
        }
    };
    let names = secrets(&spec.secret, &SecretForm::default());
    if keyed == names.names.is_empty() || keyed == spec.public_key.is_some() {
        let next = "Name `secret` for HS256, HS384, HS512, and `public_key` for RS256, EdDSA.";
        checker.report(at, format!("the key does not belong to {}", spec.algorithm), next);
    }
    let claims = checker.optional_condition(&format!("{at}/claims"), spec.claims.as_ref());
    let body = spec.body_digest.as_ref();
    Some(Way::Jwt(Box::new(Token {
        algorithm,
        secrets: keyed.then_some(names),
        public_key: spec.public_key.clone(),
        at: values(checker, &format!("{at}/token"), &spec.token)?,
        tolerance: i64::from(spec.tolerance.unwrap_or(TOKEN_TOLERANCE)),
        without_expiry: spec.without_expiry,
        claims,
        body: body.map(|body| (body.claim.clone(), body.hash, body.form)),
    })))
}

fn values(checker: &mut Checker, at: &str, spec: &WhereSpec) -> Option<Values> {
    let (header, query, pointer) = (spec.header.as_ref(), spec.query.as_ref(), spec.pointer.as_ref());
    Some(Values {
        place: place(checker, at, header, query, pointer, spec.loose)?,
        list: None,
        member: None,
        prefix: spec.prefix.clone(),
    })
}

fn shared(checker: &mut Checker, at: &str, spec: &SharedSpec) -> Option<Way> {
    let named = spec.header.is_some() || spec.query.is_some() || spec.pointer.is_some();
    let place = match spec.path {
        true if !named => Place::Tail,
        true => {
            checker.report(at, "the secret stands at several places", "Name one place.");
            return None;
        }
        false => place(
            checker,
            at,
            spec.header.as_ref(),
            spec.query.as_ref(),
            spec.pointer.as_ref(),
            spec.loose,
        )?,
    };
    Some(Way::Shared {
        names: spec.secret.each().map(|(_, name)| name.clone()).collect(),
        at: Values {
            place,
            list: None,
            member: None,
            prefix: spec.prefix.clone(),
        },
    })
}

fn addresses(checker: &mut Checker, at: &str, spec: &AddressesSpec) -> Way {
    let mut list = Vec::with_capacity(spec.list.len());
    for (index, text) in spec.list.iter().enumerate() {
        match network(text) {
            Some(network) => list.push(network),
            None => {
                let detail = format!("`{text}` is no address");
                checker.report(
                    &format!("{at}/list/{index}"),
                    detail,
                    "Write 192.0.2.7 or 192.0.2.0/24.",
                );
            }
        }
    }
    Way::Addresses {
        list,
        setting: spec.setting.clone(),
    }
}

/// Compiles a value that proves that we know a secret.
pub(in crate::source) fn keyed(checker: &mut Checker, at: &str, spec: &KeyedSpec) -> Keyed {
    Keyed {
        hash: spec.hash,
        secrets: secrets(&spec.secret, &spec.key),
        over: parts(checker, &format!("{at}/over"), &spec.over),
        form: spec.form,
    }
}
