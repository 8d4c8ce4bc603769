//! Which connections are about one account of a vendor, and so share what it allows.

use serde_json::Value;
use sha2::{Digest, Sha256};
use switchboard_model::template::Scope;

use crate::{
    account::{Account, Call},
    connector::Connector,
    reading::text_of,
};

/// Names an account at its vendor without telling any credential.
pub type AccountId = [u8; 32];

impl Connector {
    /// The account that this is about: equal for two connections that spend the same allowance. `None`: nothing names it.
    ///
    /// It is a digest of the connector and of what the manifest's `account` gives; without that, of the setting `baseUrl` and
    /// of all secrets but those that the vendor replaces from time to time.
    pub fn account_id(&self, account: &Account) -> Option<AccountId> {
        let call = Call::plain();
        let scope = self.scope(account, None, &call);
        let names = match self.account_names.is_empty() {
            true => self.credentials(account, &scope),
            false => {
                let each = self.account_names.iter();
                each.map(|name| name.render_text(&scope).unwrap_or_default()).collect()
            }
        };
        if names.iter().all(String::is_empty) {
            return None;
        }
        let mut digest = Sha256::new();
        for name in std::iter::once(&self.slug).chain(&names) {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            digest.update((name.len() as u64).to_be_bytes());
            digest.update(name);
        }
        Some(digest.finalize().into())
    }

    /// The address and the secrets that stay; nothing when there are no secrets.
    fn credentials(&self, account: &Account, scope: &Scope<'_>) -> Vec<String> {
        let token = self.auth[account.auth].token.as_ref();
        let secrets = scope.variable("secrets").and_then(Value::as_object);
        let mut lasting: Vec<_> = secrets
            .into_iter()
            .flatten()
            .filter(|(name, _)| token.is_none_or(|token| !token.replaces(name)))
            .filter_map(|(name, value)| Some(format!("{name}={}", text_of(value)?)))
            .collect();
        if lasting.is_empty() {
            return lasting;
        }
        lasting.sort();
        let address = scope
            .variable("settings")
            .and_then(|settings| text_of(&settings["baseUrl"]));
        lasting.push(address.unwrap_or_default().into_owned());
        lasting
    }
}
