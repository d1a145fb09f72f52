//! The node's key: Ed25519, made once, in a file that only its owner reads.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{Error, NodeId, read, replica_of};
use crate::exchange::{Crypto, Signature};
use crate::git::crash;

const FILE: &str = "key";

/// The key that is to take the place of that one.
const NEXT: &str = "key.next";

/// The key of a node.
pub struct NodeKey {
    signing: SigningKey,
}

impl std::fmt::Debug for NodeKey {
    /// The secret is never shown.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NodeKey({})", self.id())
    }
}

impl NodeKey {
    /// Where the key of a folder lies.
    #[must_use]
    pub fn path(folder: &Path) -> PathBuf {
        folder.join(FILE)
    }

    pub(super) fn load(folder: &Path) -> Result<Option<Self>, Error> {
        Self::load_from(&Self::path(folder))
    }

    fn load_from(path: &Path) -> Result<Option<Self>, Error> {
        let Some(bytes) = read(path)? else {
            return Ok(None);
        };
        let secret = std::str::from_utf8(&bytes).ok().and_then(from_hex);
        match secret {
            Some(secret) => Ok(Some(Self {
                signing: SigningKey::from_bytes(&secret),
            })),
            None => Err(Error::malformed(
                path,
                "this is no node key: bring it back from a backup, or remove it and run `rhema crdt init` for a new one",
            )),
        }
    }

    pub(super) fn create(folder: &Path) -> Result<Self, Error> {
        Self::create_at(&Self::path(folder))
    }

    /// The key that is to take the place of a folder's, made where there is none yet.
    pub(super) fn next(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NEXT);
        match Self::load_from(&path)? {
            Some(key) => Ok(key),
            None => Self::create_at(&path),
        }
    }

    /// Puts that in its place.
    pub(super) fn take_next(folder: &Path) -> Result<(), Error> {
        let path = Self::path(folder);
        std::fs::rename(folder.join(NEXT), &path).map_err(Error::write(&path))
    }

    fn create_at(path: &Path) -> Result<Self, Error> {
        let secret = super::drawn()?;
        let key = Self {
            signing: SigningKey::from_bytes(&secret),
        };
        let folder = path.parent().unwrap_or(Path::new(""));
        // Nobody but its owner may read it at any moment, as is the way of temporary files.
        let made = tempfile::NamedTempFile::new_in(folder).and_then(|mut fresh| {
            fresh.write_all(to_hex(&secret).as_bytes())?;
            fresh.write_all(b"\n")?;
            fresh.as_file().sync_all()?;
            crash::here("in-key");
            fresh.persist_noclobber(path)?;
            Ok(())
        });
        match made {
            Ok(()) => {}
            // Two were about to make one: the first one's is the key.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                return Self::load_from(path)?.ok_or_else(|| Error::write(path)(error));
            }
            Err(error) => return Err(Error::write(path)(error)),
        }
        crash::here("after-key");
        Ok(key)
    }

    /// The name of its node.
    #[must_use]
    pub fn id(&self) -> NodeId {
        NodeId::of(&self.public())
    }

    /// The half that everybody may know.
    #[must_use]
    pub fn public(&self) -> VerifyingKey {
        self.signing.verifying_key()
    }

    /// The half that nobody else may know.
    #[must_use]
    pub fn signing(&self) -> &SigningKey {
        &self.signing
    }

    /// Its signature under a text. What is signed must say what it is for, and must not begin with 64 blanks as what TLS has signed does.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> Signature {
        self.signing.sign(text).to_bytes()
    }

    /// The public half as `members.yaml` has it.
    #[must_use]
    pub fn public_text(&self) -> String {
        to_hex(self.public().as_bytes())
    }
}

/// What proves who made what: replicas are named after keys, digests are SHA-256, signatures Ed25519. Keys by which anybody could
/// have signed anything prove nothing.
#[must_use]
pub fn crypto() -> Crypto {
    Crypto {
        naming: replica_of,
        hash: |pieces| {
            let mut hash = Sha256::new();
            pieces.iter().for_each(|piece| hash.update(piece));
            hash.finalize().into()
        },
        verify: |key, text, signature| {
            let signature = ed25519_dalek::Signature::from_bytes(signature);
            let key = VerifyingKey::from_bytes(key);
            key.is_ok_and(|key| key.verify_strict(text, &signature).is_ok())
        },
    }
}

/// The public key that a text of 64 hexadecimal digits names.
#[must_use]
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    VerifyingKey::from_bytes(&from_hex(text)?).ok()
}

/// Bytes as hexadecimal digits, as keys are written.
#[must_use]
pub fn to_hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn from_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.trim_end().as_bytes();
    if text.len() != 64 {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, digits) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        if !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(bytes)
}
