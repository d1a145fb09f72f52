//! By what those who know a node's key recognise it, and nobody else.

use sha2::{Digest as _, Sha256};

use crate::net::identity::PublicKey;

/// What is hashed before all else, so that the digest is of use nowhere else.
const DOMAIN: &[u8] = b"rhema-crdt mdns 1";

/// A number drawn at every start: the same node looks different every time.
pub(super) type Nonce = [u8; 8];

/// The first bytes of the hash of a nonce and a key.
pub(super) type Tag = [u8; 8];

/// The tag of the node with this key.
pub(super) fn tag(nonce: &Nonce, key: &PublicKey) -> Tag {
    let hash = Sha256::new()
        .chain_update(DOMAIN)
        .chain_update(nonce)
        .chain_update(key)
        .finalize();
    let mut tag = Tag::default();
    tag.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    tag
}

/// Eight bytes in hexadecimal digits.
pub(super) fn to_hex(bytes: [u8; 8]) -> String {
    format!("{:016x}", u64::from_be_bytes(bytes))
}

/// Eight bytes from exactly sixteen hexadecimal digits.
pub(super) fn from_hex(text: &str) -> Option<[u8; 8]> {
    let digits = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let number = digits.then(|| u64::from_str_radix(text, 16).ok())??;
    Some(number.to_be_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_its_keys_and_nonces_alone() {
        let tagged = tag(&[1; 8], &[2; 32]);
        assert_eq!(to_hex(tagged), "a7da1c891db2d5f2");
        assert_ne!(tagged, tag(&[1; 8], &[3; 32]));
        assert_ne!(tagged, tag(&[2; 8], &[2; 32]));
    }

    #[test]
    fn only_sixteen_digits_are_eight_bytes() {
        let bytes = [0, 1, 2, 3, 0xfc, 0xfd, 0xfe, 0xff];
        assert_eq!(from_hex(&to_hex(bytes)), Some(bytes));
        for wrong in [
            "",
            "+000000000000001",
            "00000000000000001",
            "000000000000000g",
        ] {
            assert_eq!(from_hex(wrong), None, "{wrong}");
        }
    }
}
