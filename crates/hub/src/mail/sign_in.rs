//! Who we are to a mail server, and how we say so (fact sheet §3).

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header::AUTHORIZATION};

use super::{USER, offer::Offer};

/// Who signs in.
#[derive(PartialEq, Eq)]
pub(super) enum Identity {
    /// User and password.
    Password(String, String),
    /// User and OAuth access token.
    Token(String, String),
}

/// One exchange of a sign-in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Steps {
    /// The command.
    pub command: String,
    /// What is said to each challenge, in turn.
    pub answers: Vec<String>,
}

impl Identity {
    /// Reads it from the headers of a request; `None`: nobody signs in.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>, &'static str> {
        let Some(value) = headers.get(AUTHORIZATION) else {
            return Ok(None);
        };
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| "the credentials are no text")?;
        let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
        match scheme.to_ascii_lowercase().as_str() {
            "basic" => {
                let pair = STANDARD.decode(rest).ok().and_then(|pair| String::from_utf8(pair).ok());
                let pair = pair.ok_or("user and password cannot be read")?;
                let (user, password) = pair.split_once(':').ok_or("user and password cannot be read")?;
                Ok(Some(Self::Password(user.to_owned(), password.to_owned())))
            }
            "bearer" => {
                let user = headers
                    .get(USER)
                    .and_then(|user| std::str::from_utf8(user.as_bytes()).ok());
                let user = user
                    .filter(|user| !user.is_empty())
                    .ok_or("the user of the token is not known")?;
                Ok(Some(Self::Token(user.to_owned(), rest.to_owned())))
            }
            _ => Err("a mail server knows passwords and tokens only"),
        }
    }

    /// How to sign in at a server that offers this; `None`: it takes none of the ways that we know.
    pub fn steps(&self, offer: &Offer) -> Option<Steps> {
        let coded = |text: &str| STANDARD.encode(text);
        match self {
            Self::Password(user, password) if offer.signs_in_by("PLAIN") => Some(Steps {
                command: format!("AUTH PLAIN {}", coded(&format!("\0{user}\0{password}"))),
                answers: Vec::new(),
            }),
            Self::Password(user, password) if offer.signs_in_by("LOGIN") => Some(Steps {
                command: "AUTH LOGIN".into(),
                answers: vec![coded(user), coded(password)],
            }),
            Self::Token(user, token) if offer.signs_in_by("XOAUTH2") => Some(Steps {
                command: format!(
                    "AUTH XOAUTH2 {}",
                    coded(&format!("user={user}\x01auth=Bearer {token}\x01\x01"))
                ),
                // A challenge means that the token is refused; the empty line asks for the reply that says so.
                answers: vec![String::new()],
            }),
            _ => None,
        }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Password(..) => f.write_str("Password"),
            Self::Token(..) => f.write_str("Token"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    fn steps(pairs: &[(&'static str, &str)], auth: &str) -> Option<Steps> {
        let offer = Offer::read(["x", auth].into_iter());
        Identity::of(&headers(pairs)).unwrap().unwrap().steps(&offer)
    }

    #[test]
    fn the_best_way_that_both_know_is_taken() {
        let basic = format!("Basic {}", STANDARD.encode("ana@example.org:a:b"));
        let basic = [("authorization", basic.as_str())];
        let plain = steps(&basic, "AUTH LOGIN PLAIN").unwrap();
        assert_eq!(
            plain.command,
            format!("AUTH PLAIN {}", STANDARD.encode("\0ana@example.org\0a:b"))
        );
        let login = steps(&basic, "AUTH LOGIN XOAUTH2").unwrap();
        assert_eq!(
            login.answers,
            [STANDARD.encode("ana@example.org"), STANDARD.encode("a:b")]
        );
        assert_eq!(steps(&basic, "AUTH XOAUTH2"), None);

        let bearer = [("authorization", "Bearer ya29.x"), (USER, "ana@example.org")];
        let token = steps(&bearer, "AUTH XOAUTH2 PLAIN").unwrap();
        // The example of fact sheet §3, with its control characters.
        let expected = STANDARD.encode("user=ana@example.org\x01auth=Bearer ya29.x\x01\x01");
        assert_eq!(
            (token.command, token.answers),
            (format!("AUTH XOAUTH2 {expected}"), vec![String::new()])
        );
        assert!(Identity::of(&headers(&bearer[..1])).is_err());
        assert_eq!(Identity::of(&HeaderMap::new()).unwrap(), None);
    }
}
