//! Seals credentials with envelope encryption.
//!
//! Each secret is encrypted with a key of its own (XChaCha20-Poly1305), and that key with the master key. Changing the master key re-wraps the
//! small keys only. The place that a secret belongs to is authenticated with it, so that a sealed value cannot be moved to another
//! connection.

mod master_key;

use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead, Generate, Key, KeyInit, Payload},
};
use serde_json::{Map, Value};
use switchboard_model::problem::{Code, Problem};
use zeroize::Zeroizing;

pub use master_key::{MasterKey, MasterKeySource};

const VERSION: u8 = 1;
const NONCE: usize = 24;
/// A 32-byte key and its 16-byte tag.
const WRAPPED: usize = 48;
const HEADER: usize = 1 + 4 + NONCE + WRAPPED + NONCE;

/// Opens and seals.
#[derive(Debug, Clone)]
pub struct Vault {
    master: MasterKey,
}

impl Vault {
    /// A vault under this master key.
    pub fn new(master: MasterKey) -> Self {
        Self { master }
    }

    /// Seals an object of secrets for `place`.
    ///
    /// # Errors
    /// When the cipher refuses, which it does for messages of hundreds of gigabytes only.
    pub fn seal(&self, place: &str, secrets: &Map<String, Value>) -> Result<Vec<u8>, Problem> {
        let clear = Zeroizing::new(serde_json::to_vec(secrets).unwrap_or_default());
        let key = Key::<XChaCha20Poly1305>::generate();
        let (outer, inner) = (XNonce::generate(), XNonce::generate());
        let wrapped = self
            .master
            .cipher()
            .encrypt(
                &outer,
                Payload {
                    msg: key.as_slice(),
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| broken(place, "it could not be sealed"))?;
        let sealed = XChaCha20Poly1305::new(&key)
            .encrypt(
                &inner,
                Payload {
                    msg: &clear,
                    aad: place.as_bytes(),
                },
            )
            .map_err(|_| broken(place, "it could not be sealed"))?;
        let mut out = Vec::with_capacity(HEADER + sealed.len());
        out.push(VERSION);
        out.extend_from_slice(&self.master.id());
        out.extend_from_slice(&outer);
        out.extend_from_slice(&wrapped);
        out.extend_from_slice(&inner);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    /// Opens what [`Vault::seal`] made for the same place.
    ///
    /// # Errors
    /// When it was sealed with another master key, for another place, or was changed.
    pub fn open(&self, place: &str, sealed: &[u8]) -> Result<Map<String, Value>, Problem> {
        let (header, body) = sealed
            .split_at_checked(HEADER)
            .filter(|(header, _)| header[0] == VERSION)
            .ok_or_else(|| broken(place, "it is not in the form that this version writes"))?;
        if header[1..5] != self.master.id() {
            return Err(broken(place, "it was sealed with another master key"));
        }
        let changed = |_| broken(place, "it was changed, or belongs elsewhere");
        let nonce =
            |from: usize| XNonce::try_from(&header[from..from + NONCE]).map_err(|_| broken(place, "it is cut off"));
        let key = Zeroizing::new(
            self.master
                .cipher()
                .decrypt(
                    &nonce(5)?,
                    Payload {
                        msg: &header[5 + NONCE..5 + NONCE + WRAPPED],
                        aad: place.as_bytes(),
                    },
                )
                .map_err(changed)?,
        );
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| broken(place, "its key is cut off"))?;
        let clear = cipher
            .decrypt(
                &nonce(5 + NONCE + WRAPPED)?,
                Payload {
                    msg: body,
                    aad: place.as_bytes(),
                },
            )
            .map(Zeroizing::new)
            .map_err(changed)?;
        serde_json::from_slice(&clear).map_err(|_| broken(place, "its content is no object"))
    }
}

fn broken(place: &str, why: &str) -> Problem {
    Problem::new(
        Code::SealBroken,
        format!("the credentials of {place} cannot be opened: {why}"),
        "Start the hub with the master key that was in use when they were entered, or enter the credentials again.",
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(MasterKey::from_bytes([byte; 32]))
    }

    fn secrets() -> Map<String, Value> {
        json!({"password": "пароль-密码-🔑"}).as_object().cloned().unwrap()
    }

    #[test]
    fn what_was_sealed_opens_again_and_is_not_readable_meanwhile() {
        let sealed = vault(1).seal("1/primary-crm", &secrets()).unwrap();
        assert_eq!(vault(1).open("1/primary-crm", &sealed).unwrap(), secrets());
        let needle = "пароль".as_bytes();
        assert!(!sealed.windows(needle.len()).any(|window| window == needle));
    }

    #[test]
    fn another_key_another_place_and_any_changed_byte_are_refused() {
        let sealed = vault(1).seal("1/a", &secrets()).unwrap();
        assert!(
            vault(2)
                .open("1/a", &sealed)
                .unwrap_err()
                .detail
                .contains("another master key")
        );
        assert!(vault(1).open("1/b", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(vault(1).open("1/a", &changed).is_err(), "byte {at}");
        }
        assert!(vault(1).open("1/a", &sealed[..40]).is_err());
    }
}
