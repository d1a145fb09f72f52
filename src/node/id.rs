//! Names of nodes.

use std::fmt;

use ed25519_dalek::VerifyingKey;
use sha2::{Digest as _, Sha256};

use crate::crdt::Replica;

/// Characters of a node's name: 80 bits.
const CHARS: usize = 16;

/// Crockford's base 32, as in stamps.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// The name of a node: a fingerprint of its public key, the same wherever the key is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId([u8; 10]);

impl NodeId {
    /// The name of the node with this key.
    #[must_use]
    pub fn of(key: &VerifyingKey) -> Self {
        Self::of_bytes(key.as_bytes())
    }

    /// The name of the node with a key of these bytes.
    #[must_use]
    pub fn of_bytes(key: &[u8; 32]) -> Self {
        let hash = Sha256::digest(key);
        let mut id = [0; 10];
        id.iter_mut().zip(hash).for_each(|(id, byte)| *id = byte);
        Self(id)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self
            .0
            .iter()
            .fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte));
        for index in (0..CHARS).rev() {
            let digit = (bits >> (5 * index)) & 31;
            write!(f, "{}", char::from(ALPHABET[digit as usize]))?;
        }
        Ok(())
    }
}

/// The replica that a node is in one of its incarnations.
pub(super) fn replica(key: &VerifyingKey, incarnation: u32) -> Replica {
    replica_of(key.as_bytes(), incarnation)
}

/// The replica that the node with this public key is in one of its incarnations.
#[must_use]
pub fn replica_of(key: &[u8; 32], incarnation: u32) -> Replica {
    let hash = Sha256::new()
        .chain_update(key)
        .chain_update(incarnation.to_be_bytes())
        .finalize();
    let bits = hash
        .iter()
        .take(4)
        .fold(0, |bits, byte| (bits << 8) | u32::from(*byte));
    Replica::from_bits(bits)
}
