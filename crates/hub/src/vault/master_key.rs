//! The master key: where it comes from.

use std::{io::Write, path::PathBuf, process::Command, sync::Arc};

use chacha20poly1305::{
    XChaCha20Poly1305,
    aead::{Generate, Key, KeyInit},
};
use sha2::{Digest, Sha256};
use switchboard_model::problem::{Code, Problem};
use zeroize::Zeroizing;

/// Where the master key is taken from.
#[derive(Debug, Clone)]
pub enum MasterKeySource {
    /// 64 hexadecimal digits in a file, made when it is not there.
    File(PathBuf),
    /// 64 hexadecimal digits.
    Text(String),
    /// What a command prints: 64 hexadecimal digits. It is run by the shell.
    Command(String),
}

/// 32 bytes that every sealed secret depends on.
#[derive(Clone)]
pub struct MasterKey(Arc<Zeroizing<[u8; 32]>>);

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

impl MasterKey {
    /// These bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(bytes)))
    }

    /// Fetches it.
    ///
    /// # Errors
    /// When the file cannot be read or made, the command fails, or the text is no key.
    pub fn load(source: &MasterKeySource) -> Result<Self, Problem> {
        match source {
            MasterKeySource::Text(text) => Self::read(text, "the master key setting"),
            MasterKeySource::Command(command) => {
                let output = Command::new("sh").arg("-c").arg(command).output();
                match output {
                    Ok(output) if output.status.success() => {
                        let text = Zeroizing::new(String::from_utf8_lossy(&output.stdout).into_owned());
                        Self::read(&text, "what the master key command prints")
                    }
                    Ok(output) => Err(no_key(&format!("the master key command ended with {}", output.status))),
                    Err(error) => Err(no_key(&format!("the master key command could not be run: {error}"))),
                }
            }
            MasterKeySource::File(path) => match std::fs::read_to_string(path) {
                Ok(text) => Self::read(&Zeroizing::new(text), &path.display().to_string()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::make(path),
                Err(error) => Err(no_key(&format!("{} could not be read: {error}", path.display()))),
            },
        }
    }

    fn make(path: &PathBuf) -> Result<Self, Problem> {
        let key = Key::<XChaCha20Poly1305>::generate();
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let written = options.open(path).and_then(|mut file| {
            writeln!(file, "{}", *Zeroizing::new(hex::encode(key)))?;
            file.sync_all()
        });
        match written {
            Ok(()) => Ok(Self::from_bytes(key.into())),
            // Another process made it a moment ago.
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Self::load(&MasterKeySource::File(path.clone()))
            }
            Err(error) => Err(no_key(&format!("{} could not be written: {error}", path.display()))),
        }
    }

    fn read(text: &str, place: &str) -> Result<Self, Problem> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes)
            .map_err(|_| no_key(&format!("{place} is not 64 hexadecimal digits")))?;
        Ok(Self::from_bytes(bytes))
    }

    /// Tells keys apart without telling the key.
    pub(super) fn id(&self) -> [u8; 4] {
        let digest = Sha256::digest(self.0.as_slice());
        [digest[0], digest[1], digest[2], digest[3]]
    }

    pub(super) fn cipher(&self) -> XChaCha20Poly1305 {
        let bytes: &[u8; 32] = &self.0;
        XChaCha20Poly1305::new(bytes.into())
    }
}

fn no_key(why: &str) -> Problem {
    Problem::new(
        Code::SealBroken,
        why,
        "Give the master key as 64 hexadecimal digits, in a file that only the hub's user can read, in SWITCHBOARD_MASTER_KEY, \
         or by a command.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_is_made_once_and_only_its_owner_can_read_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("master.key");
        let first = MasterKey::load(&MasterKeySource::File(path.clone())).unwrap();
        let second = MasterKey::load(&MasterKeySource::File(path.clone())).unwrap();
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_comes_from_text_and_from_a_command_alike() {
        let digits = "00112233445566778899aabbccddeeff".repeat(2);
        let text = MasterKey::load(&MasterKeySource::Text(digits.clone())).unwrap();
        let command = MasterKey::load(&MasterKeySource::Command(format!("echo {digits}"))).unwrap();
        assert_eq!(text.id(), command.id());
        assert!(MasterKey::load(&MasterKeySource::Command("exit 3".into())).is_err());
        assert!(MasterKey::load(&MasterKeySource::Text("short".into())).is_err());
    }
}
