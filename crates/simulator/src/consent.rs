//! The page on which a person agrees to an app (RFC 6749 §4.1, RFC 7636). Whoever opens it agrees at once; what it is asked for is
//! checked as strictly as the vendor does.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use url::Url;

use crate::chance::Chance;
use crate::message::{Reply, Request};

/// A code is good for so long where the vendor does not say, in seconds.
pub const CODE_SECONDS: i64 = 300;
const CODE_LETTERS: usize = 32;

/// Whether a page knows code challenges (PKCE, S256).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Challenge {
    /// None is a mistake.
    Needed,
    /// One may be given.
    Taken,
    /// The vendor documents none: one is a parameter like any other that the page does not know.
    Unknown,
}

/// What a vendor's page wants to be asked.
#[derive(Debug, Clone)]
pub struct Page {
    /// The apps that are registered; `None`: any that has a name.
    pub clients: Option<Vec<String>>,
    /// Whether it knows code challenges.
    pub challenge: Challenge,
    /// The scopes that there are; `None`: the page takes none, they belong to the app.
    pub scopes: Option<Vec<String>>,
    /// What stands between two scopes.
    pub separator: String,
    /// Further parameters that have to be there, each with its value.
    pub needs: Vec<(String, String)>,
    /// Names of those that may be there.
    pub may: Vec<String>,
    /// What goes back with the code.
    pub back: Vec<(String, String)>,
    /// Whoever agrees.
    pub owner: String,
    /// How long a code is good, in seconds.
    pub code_seconds: i64,
}

/// What is shown for tokens.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The code.
    pub code: &'a str,
    /// The app.
    pub client_id: &'a str,
    /// The same as at the page.
    pub redirect_uri: &'a str,
    /// What the challenge was made of.
    pub code_verifier: Option<&'a str>,
}

/// What a person has agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// Whoever agreed.
    pub owner: String,
    /// The scopes as they were asked for.
    pub scope: String,
}

#[derive(Debug)]
struct Given {
    client_id: String,
    redirect_uri: String,
    challenge: Option<String>,
    until_ms: i64,
    granted: Granted,
}

/// The codes that a vendor has given out and not seen again.
#[derive(Debug, Default)]
pub struct Codes(HashMap<String, Given>);

impl Codes {
    /// Answers the page: the person is sent back with a code, or with what is wrong. An app or an address that cannot be trusted gets no
    /// person sent (RFC 6749 §4.1.2.1).
    pub fn agree(&mut self, request: &Request, page: &Page, chance: &mut Chance) -> Reply {
        let value = |name: &str| request.param(name).unwrap_or_default();
        let client_id = value("client_id");
        let known = page.clients.as_ref().is_none_or(|clients| clients.contains(&client_id));
        if client_id.is_empty() || !known {
            return untrusted("invalid client_id");
        }
        let redirect_uri = value("redirect_uri");
        let back = Url::parse(&redirect_uri).ok();
        let Some(mut back) = back.filter(|back| matches!(back.scheme(), "http" | "https") && back.fragment().is_none())
        else {
            return untrusted("invalid redirect_uri");
        };
        let state = value("state");
        if let Err((error, description)) = page.check(request) {
            back.query_pairs_mut().extend_pairs([
                ("error", error),
                ("error_description", &*description),
                ("state", &*state),
            ]);
            return sent(&back);
        }
        let code = chance.token(CODE_LETTERS);
        back.query_pairs_mut()
            .extend_pairs([("code", &code), ("state", &state)])
            .extend_pairs(&page.back);
        let given = Given {
            client_id,
            redirect_uri,
            challenge: request.param("code_challenge"),
            until_ms: request.now_ms + page.code_seconds * 1_000,
            granted: Granted {
                owner: page.owner.clone(),
                scope: value("scope"),
            },
        };
        self.0.insert(code, given);
        sent(&back)
    }

    /// Takes a code in return; it is good once, whatever comes of it.
    ///
    /// # Errors
    /// What is wrong with what was shown.
    pub fn redeem(&mut self, shown: Shown<'_>, now_ms: i64) -> Result<Granted, &'static str> {
        let given = self.0.remove(shown.code).ok_or("the code is unknown or was used")?;
        if given.until_ms <= now_ms {
            return Err("the code has expired");
        }
        if given.client_id != shown.client_id {
            return Err("the code was given to another client");
        }
        if given.redirect_uri != shown.redirect_uri {
            return Err("redirect_uri is another one than that of the authorization request");
        }
        let challenge = shown
            .code_verifier
            .map(|verifier| URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
        if given.challenge != challenge {
            return Err("code_verifier does not fit code_challenge");
        }
        Ok(given.granted)
    }
}

impl Page {
    /// What is wrong with a request for the page: `error` and `error_description`.
    fn check(&self, request: &Request) -> Result<(), (&'static str, String)> {
        let invalid = |text: String| Err(("invalid_request", text));
        let parameters: Vec<(String, String)> = url::form_urlencoded::parse(request.query.as_bytes())
            .into_owned()
            .collect();
        for (at, (name, _)) in parameters.iter().enumerate() {
            if !self.knows(name) {
                return invalid(format!("unknown parameter {name}"));
            }
            if parameters[..at].iter().any(|(before, _)| before == name) {
                return invalid(format!("{name} is there twice"));
            }
        }
        let value = |name: &str| {
            parameters
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        if value("state").is_none_or(str::is_empty) {
            return invalid("state is missing".into());
        }
        for (name, needed) in &self.needs {
            if value(name) != Some(needed) {
                return invalid(format!("{name} is not {needed}"));
            }
        }
        let challenge = value("code_challenge");
        if challenge.is_some() != (value("code_challenge_method") == Some("S256")) {
            return invalid("code_challenge_method is not S256".into());
        }
        if challenge.is_none() && self.challenge == Challenge::Needed {
            return invalid("code_challenge is missing".into());
        }
        self.check_scope(value("scope"))
    }

    fn knows(&self, name: &str) -> bool {
        match name {
            "client_id" | "redirect_uri" | "state" => true,
            "scope" => self.scopes.is_some(),
            "code_challenge" | "code_challenge_method" => self.challenge != Challenge::Unknown,
            other => self.may.iter().any(|known| known == other) || self.needs.iter().any(|(known, _)| known == other),
        }
    }

    fn check_scope(&self, asked: Option<&str>) -> Result<(), (&'static str, String)> {
        let Some(known) = &self.scopes else {
            return Ok(());
        };
        let asked = asked.unwrap_or_default();
        match asked
            .split(&self.separator)
            .find(|scope| !known.iter().any(|known| known == scope))
        {
            None => Ok(()),
            Some(scope) => Err(("invalid_scope", format!("unknown scope {scope:?}"))),
        }
    }
}

fn untrusted(text: &str) -> Reply {
    let mut reply = Reply::empty(400).with("content-type", "text/plain; charset=utf-8");
    reply.body = text.to_owned().into();
    reply
}

fn sent(back: &Url) -> Reply {
    Reply::empty(302).with("location", back.as_str())
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;

    const BACK: &str = "https://hub.example.org/callback?at=1";

    fn page() -> Page {
        Page {
            clients: Some(vec!["app".into()]),
            challenge: Challenge::Taken,
            scopes: Some(vec!["read".into(), "write".into()]),
            separator: ",".into(),
            needs: vec![("response_type".into(), "code".into())],
            may: vec!["prompt".into()],
            back: vec![("location".into(), "eu".into())],
            owner: "ana".into(),
            code_seconds: CODE_SECONDS,
        }
    }

    /// What comes back: each parameter of the address, or the text that a person reads.
    fn open(codes: &mut Codes, page: &Page, changes: &[(&str, &str)]) -> Result<HashMap<String, String>, String> {
        let mut query = vec![
            ("client_id", "app"),
            ("redirect_uri", BACK),
            ("response_type", "code"),
            ("scope", "read,write"),
            ("state", "s 1"),
        ];
        for (name, value) in changes {
            query.retain(|(known, _)| known != name);
            query.extend((*value != "-").then_some((*name, *value)));
        }
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let request = Request::new(Method::GET, &format!("/authorize?{query}")).at(1_000);
        let reply = codes.agree(&request, page, &mut Chance::new(1, "consent"));
        match reply.header("location") {
            Some(address) => Ok(Url::parse(address).unwrap().query_pairs().into_owned().collect()),
            None => Err(String::from_utf8_lossy(&reply.body).into_owned()),
        }
    }

    fn shown(code: &str) -> Shown<'_> {
        Shown {
            code,
            client_id: "app",
            redirect_uri: BACK,
            code_verifier: None,
        }
    }

    #[test]
    fn whoever_agrees_goes_back_with_a_code_that_is_good_once() {
        let mut codes = Codes::default();
        let back = open(&mut codes, &page(), &[("prompt", "consent")]).unwrap();
        assert_eq!((&*back["at"], &*back["state"], &*back["location"]), ("1", "s 1", "eu"));
        let granted = codes.redeem(shown(&back["code"]), 2_000).unwrap();
        assert_eq!((&*granted.owner, &*granted.scope), ("ana", "read,write"));
        assert_eq!(
            codes.redeem(shown(&back["code"]), 2_000),
            Err("the code is unknown or was used")
        );
    }

    #[test]
    fn what_is_asked_wrongly_is_told_where_the_person_came_from() {
        for (change, error) in [
            (("state", "-"), "invalid_request"),
            (("response_type", "token"), "invalid_request"),
            (("audience", "x"), "invalid_request"),
            (("code_challenge", "abc"), "invalid_request"),
            (("scope", "read write"), "invalid_scope"),
            (("scope", "-"), "invalid_scope"),
        ] {
            let back = open(&mut Codes::default(), &page(), &[change]).unwrap();
            assert_eq!((&*back["error"], back.get("code")), (error, None), "{change:?}");
        }
        let mut strict = page();
        strict.challenge = Challenge::Needed;
        assert_eq!(
            open(&mut Codes::default(), &strict, &[]).unwrap()["error_description"],
            "code_challenge is missing"
        );
        let mut plain = page();
        (plain.challenge, plain.scopes) = (Challenge::Unknown, None);
        assert_eq!(
            open(&mut Codes::default(), &plain, &[]).unwrap()["error_description"],
            "unknown parameter scope"
        );
        assert!(
            open(&mut Codes::default(), &plain, &[("scope", "-")])
                .unwrap()
                .contains_key("code")
        );
    }

    #[test]
    fn nobody_is_sent_to_an_app_or_an_address_that_cannot_be_trusted() {
        for (change, text) in [
            (("client_id", "other"), "invalid client_id"),
            (("redirect_uri", "javascript:x"), "invalid redirect_uri"),
            (("redirect_uri", "-"), "invalid redirect_uri"),
        ] {
            assert_eq!(open(&mut Codes::default(), &page(), &[change]).unwrap_err(), text);
        }
        let mut any = page();
        any.clients = None;
        assert!(
            open(&mut Codes::default(), &any, &[("client_id", "other")])
                .unwrap()
                .contains_key("code")
        );
    }

    #[test]
    fn a_code_is_worth_nothing_to_others_or_later() {
        let verifier = "a-verifier-that-is-long-enough-for-the-standard";
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        let asked = [("code_challenge", &*challenge), ("code_challenge_method", "S256")];
        for (change, now_ms, problem) in [
            (
                Shown {
                    code_verifier: Some(verifier),
                    ..shown("")
                },
                2_000,
                None,
            ),
            (shown(""), 2_000, Some("code_verifier does not fit code_challenge")),
            (
                Shown {
                    code_verifier: Some("x"),
                    ..shown("")
                },
                2_000,
                Some("code_verifier does not fit code_challenge"),
            ),
            (
                Shown {
                    client_id: "other",
                    ..shown("")
                },
                2_000,
                Some("the code was given to another client"),
            ),
            (
                Shown {
                    redirect_uri: "https://hub.example.org/",
                    ..shown("")
                },
                2_000,
                Some("redirect_uri is another one than that of the authorization request"),
            ),
            (shown(""), 301_000, Some("the code has expired")),
        ] {
            let mut codes = Codes::default();
            let back = open(&mut codes, &page(), &asked).unwrap();
            let found = codes.redeem(
                Shown {
                    code: &back["code"],
                    ..change
                },
                now_ms,
            );
            assert_eq!(found.err(), problem, "{change:?}");
        }
    }
}
