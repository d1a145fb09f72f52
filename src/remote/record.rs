//! Where a node can be reached, and what it knows: signed, so that a host cannot send anybody elsewhere.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::exchange::Message;
use crate::exchange::wire::{self, Assembly};
use crate::node::{NodeKey, crypto};
use crate::overlay::Knowledge;

/// Set before what is signed, so that a signature of this is one of nothing else.
const DOMAIN: &[u8] = b"rhema peer record\0";

/// The format; a later one may say more.
const FORMAT: u8 = 1;

/// How long a record may be, in bytes: addresses, and marks of many replicas.
const LONGEST: usize = 4 << 20;

/// Addresses of one node.
const MOST_ADDRESSES: usize = 16;

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRecord {
    /// Its key.
    pub key: [u8; 32],
    /// When it was written, in milliseconds since the Unix epoch.
    pub written: u64,
    /// Until when it listens there, in the same way.
    pub expires: u64,
    /// Where it listens.
    pub addresses: Vec<SocketAddr>,
    /// What it knows of everybody's edits.
    pub knowledge: Knowledge,
}

/// The same as it stands in the file, before the signature.
#[derive(Serialize, Deserialize)]
struct Body {
    key: [u8; 32],
    written: u64,
    expires: u64,
    addresses: Vec<SocketAddr>,
    /// The frames in which the marks would be said.
    marks: Vec<Vec<u8>>,
}

/// A record that says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is of a later format.
    #[error("it is of a later format ({0})")]
    Format(u8),
    /// It is damaged.
    #[error("it is damaged")]
    Damaged,
    /// Another one than the node with this key wrote or changed it.
    #[error("its signature is not that of the node")]
    Forged,
}

impl PeerRecord {
    /// Its bytes, signed with the key of the node that it is about.
    #[must_use]
    pub fn signed(&self, key: &NodeKey) -> Option<Vec<u8>> {
        let body = Body {
            key: key.public().to_bytes(),
            written: self.written,
            expires: self.expires,
            addresses: self
                .addresses
                .iter()
                .take(MOST_ADDRESSES)
                .copied()
                .collect(),
            marks: wire::encode(&Message::Marks(self.knowledge.clone())).ok()?,
        };
        let mut bytes = vec![FORMAT];
        bytes.extend(postcard::to_stdvec(&body).ok()?);
        let signature = key.sign(&[DOMAIN, &bytes].concat());
        bytes.extend(signature);
        Some(bytes)
    }

    /// Reads a record and checks its signature. Whether the key is anybody's who is trusted is for others to say.
    ///
    /// # Errors
    /// When it is damaged, forged, or of a later format.
    pub fn read(bytes: &[u8]) -> Result<Self, Unreadable> {
        if bytes.len() > LONGEST {
            return Err(Unreadable::Damaged);
        }
        match bytes.first() {
            Some(&FORMAT) => {}
            Some(later) if *later > FORMAT => return Err(Unreadable::Format(*later)),
            _ => return Err(Unreadable::Damaged),
        }
        let (said, signature) = bytes.split_last_chunk().ok_or(Unreadable::Damaged)?;
        let (_, said_of) = said.split_first().ok_or(Unreadable::Damaged)?;
        let body: Body = postcard::from_bytes(said_of).map_err(|_| Unreadable::Damaged)?;
        if !(crypto().verify)(&body.key, &[DOMAIN, said].concat(), signature) {
            return Err(Unreadable::Forged);
        }
        let mut assembly = Assembly::default();
        let mut knowledge = Knowledge::new();
        for frame in &body.marks {
            match assembly.add(frame) {
                Ok(Some(Message::Marks(marks))) => knowledge = marks,
                Ok(None) => {}
                _ => return Err(Unreadable::Damaged),
            }
        }
        Ok(Self {
            key: body.key,
            written: body.written,
            expires: body.expires,
            addresses: body.addresses.into_iter().take(MOST_ADDRESSES).collect(),
            knowledge,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crdt::{Replica, Stamp};
    use crate::node::Node;

    fn record(key: &NodeKey) -> PeerRecord {
        let mut knowledge = Knowledge::new();
        let stamp = Stamp::from_unix_millis(1_800_000_000_000, Replica::from_bits(7)).unwrap();
        knowledge.entry(stamp.replica()).or_default().upto = Some(stamp);
        PeerRecord {
            key: key.public().to_bytes(),
            written: 1_800_000_000_000,
            expires: 1_800_000_060_000,
            addresses: vec![
                "10.0.0.7:4711".parse().unwrap(),
                "[fd00::1]:9".parse().unwrap(),
            ],
            knowledge,
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_signed() {
        let folder = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(folder.path()).unwrap();
        let record = record(node.key());
        let bytes = record.signed(node.key()).unwrap();
        assert_eq!(PeerRecord::read(&bytes), Ok(record));
    }

    #[test]
    fn no_byte_of_a_record_can_be_changed() {
        let folder = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(folder.path()).unwrap();
        let bytes = record(node.key()).signed(node.key()).unwrap();
        for at in 0..bytes.len() {
            for bit in [1, 0x80] {
                let mut other = bytes.clone();
                other[at] ^= bit;
                assert!(PeerRecord::read(&other).is_err(), "{at}");
            }
            assert!(PeerRecord::read(&bytes[..at]).is_err(), "{at}");
        }
    }

    #[test]
    fn nobody_signs_for_another_node() {
        let folders = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let [ours, theirs] = folders
            .each_ref()
            .map(|folder| Node::create(folder.path()).unwrap().0);
        let bytes = record(ours.key()).signed(theirs.key()).unwrap();
        let read = PeerRecord::read(&bytes).unwrap();
        assert_eq!(
            read.key,
            theirs.key().public().to_bytes(),
            "it is their own"
        );
        let mut forged = record(ours.key()).signed(ours.key()).unwrap();
        let end = forged.len() - 64;
        forged.truncate(end);
        forged.extend(theirs.key().sign(&[DOMAIN, &forged].concat()));
        assert_eq!(PeerRecord::read(&forged), Err(Unreadable::Forged));
    }
}
