//! Which tokens a vendor knows: issued ones that age, static ones that do not, refresh tokens.

use std::collections::{HashMap, HashSet};

/// What a token is worth at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is good.
    Good,
    /// It was good until this time, milliseconds since 1970.
    Expired(i64),
    /// It was never issued, or was revoked.
    Unknown,
}

#[derive(Debug, Clone)]
struct Access {
    owner: String,
    /// `None`: a static token, which never expires.
    until_ms: Option<i64>,
}

/// The tokens of one vendor.
#[derive(Debug, Default)]
pub struct Tokens {
    access: HashMap<String, Access>,
    refresh: HashMap<String, String>,
    revoked: HashSet<String>,
}

impl Tokens {
    /// Registers an access token of `owner` that is good until a time, milliseconds since 1970.
    pub fn issue(&mut self, token: &str, owner: &str, until_ms: i64) {
        let access = Access {
            owner: owner.to_owned(),
            until_ms: Some(until_ms),
        };
        self.access.insert(token.to_owned(), access);
    }

    /// Registers a refresh token of `owner`.
    pub fn issue_refresh(&mut self, token: &str, owner: &str) {
        self.refresh.insert(token.to_owned(), owner.to_owned());
    }

    /// Takes a static token as good from now on, unless it is known already or was revoked.
    pub fn admit(&mut self, token: &str) {
        if !self.revoked.contains(token) && !self.access.contains_key(token) {
            let access = Access {
                owner: token.to_owned(),
                until_ms: None,
            };
            self.access.insert(token.to_owned(), access);
        }
    }

    /// What an access token is worth at a time.
    #[must_use]
    pub fn standing(&self, token: &str, now_ms: i64) -> Standing {
        match self.access.get(token) {
            None => Standing::Unknown,
            Some(Access {
                until_ms: Some(until), ..
            }) if *until <= now_ms => Standing::Expired(*until),
            Some(_) => Standing::Good,
        }
    }

    /// Whether the token was issued by a token endpoint, in contrast to a static one.
    #[must_use]
    pub fn was_issued(&self, token: &str) -> bool {
        self.access.get(token).is_some_and(|access| access.until_ms.is_some())
    }

    /// For whom an access token was issued.
    #[must_use]
    pub fn owner(&self, token: &str) -> Option<&str> {
        Some(&self.access.get(token)?.owner)
    }

    /// A used session lives on: the token is good until then, if it was issued.
    pub fn prolong(&mut self, token: &str, until_ms: i64) {
        if let Some(until) = self.access.get_mut(token).and_then(|access| access.until_ms.as_mut()) {
            *until = until_ms;
        }
    }

    /// For whom a refresh token was issued; one never seen counts for itself when `accept_any`.
    #[must_use]
    pub fn refresh_owner(&self, token: &str, accept_any: bool) -> Option<String> {
        let unknown = accept_any && !token.is_empty() && !self.revoked.contains(token);
        self.refresh
            .get(token)
            .cloned()
            .or_else(|| unknown.then(|| token.to_owned()))
    }

    /// Makes one access or refresh token worthless for ever; says whether it was known.
    pub fn revoke(&mut self, token: &str) -> bool {
        let access = self.access.remove(token).is_some();
        let refresh = self.refresh.remove(token).is_some();
        self.revoked.insert(token.to_owned());
        access || refresh
    }

    /// Ends every issued access token now; static and refresh tokens stay good.
    pub fn expire_all(&mut self, now_ms: i64) {
        for until in self.access.values_mut().filter_map(|access| access.until_ms.as_mut()) {
            *until = now_ms.min(*until);
        }
    }

    /// Makes every token worthless for ever, also static and refresh tokens.
    pub fn revoke_all(&mut self) {
        let access = std::mem::take(&mut self.access).into_keys();
        let refresh = std::mem::take(&mut self.refresh).into_keys();
        self.revoked.extend(access.chain(refresh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn issued_tokens_age_and_static_ones_do_not() {
        let mut tokens = Tokens::default();
        tokens.issue("a", "app", 100);
        tokens.admit("pat-1");
        assert_eq!(tokens.standing("a", 99), Standing::Good);
        assert_eq!(tokens.standing("a", 100), Standing::Expired(100));
        assert_eq!(tokens.standing("pat-1", i64::MAX), Standing::Good);
        assert_eq!(tokens.standing("b", 0), Standing::Unknown);
        tokens.prolong("a", 200);
        assert_eq!(tokens.standing("a", 199), Standing::Good);
    }

    #[test]
    fn expiring_spares_static_and_refresh_tokens_and_revoking_spares_none() {
        let mut tokens = Tokens::default();
        tokens.issue("a", "app", 100);
        tokens.issue_refresh("r", "app");
        tokens.admit("pat-1");
        tokens.expire_all(50);
        assert_eq!(tokens.standing("a", 50), Standing::Expired(50));
        assert_eq!(tokens.standing("pat-1", 50), Standing::Good);
        assert_eq!(tokens.refresh_owner("r", false).as_deref(), Some("app"));
        tokens.revoke_all();
        tokens.admit("pat-1");
        for token in ["a", "pat-1"] {
            assert_eq!(tokens.standing(token, 0), Standing::Unknown, "{token}");
        }
        assert_eq!(tokens.refresh_owner("r", true), None);
        assert_eq!(tokens.refresh_owner("other", true).as_deref(), Some("other"));
    }
}
