//! Requests to join that lie at the git remote, and the answers to them: for those who are never there together.
//!
//! Who has a ticket leaves the request among the files of its own ref. The inviter finds it, lets the one who made it in as if it had called, and leaves
//! the answer, signed, among its own. Nobody else can make use of either.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Error;
use super::joining::welcomed;
use crate::git::Repo;
use crate::node::{LONGEST_VERDICT, Node, NodeId, NodeKey, Request, Ticket, Verdict, crypto};
use crate::store::{ContentDigest, Durability, Reading, Store};

/// The file of a ref in which its node asks to be let in.
pub(super) const REQUEST: &str = "join";

/// What the files are called after that hold answers; behind it stands the name of the node that asked.
pub(super) const ANSWER: &str = "answer-";

/// Set before what is signed, so that a signature of this is one of nothing else.
const DOMAIN: &[u8] = b"rhema answer to a request to join\0";

/// Under which name the request is kept that nobody answered yet.
const PENDING: &[u8] = b"the request to join";

/// Bytes of a signature.
const SIGNATURE: usize = 64;

/// A request that nobody answered yet.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The key of the inviter.
    pub(super) inviter: [u8; 32],
    addresses: Vec<String>,
    /// What lies at the remote.
    pub(super) request: Vec<u8>,
}

/// Keeps a request until somebody answers it.
pub(super) fn keep(store: &mut Store, ticket: &Ticket, request: &[u8]) -> Result<(), Error> {
    let pending = Pending {
        inviter: ticket.inviter,
        addresses: ticket.addresses.clone(),
        request: request.to_vec(),
    };
    let bytes = postcard::to_stdvec(&pending).unwrap_or_default();
    let writing = store.write(Durability::Power)?;
    writing.keep_state(ContentDigest::of(PENDING), &bytes)?;
    Ok(writing.commit()?)
}

/// The request that nobody answered yet.
pub(super) fn pending(reading: &Reading<'_>) -> Result<Option<Pending>, Error> {
    let state = reading.state(ContentDigest::of(PENDING))?;
    Ok(state.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
}

/// Whether these bytes ask the node with this key; the node that asks.
pub(super) fn asks(bytes: &[u8], key: &NodeKey) -> Option<NodeId> {
    let request = Request::read(bytes, key.public().as_bytes())?;
    Some(NodeId::of_bytes(&request.joiner))
}

/// The bytes of an answer, signed with the key of who was asked.
pub(super) fn answer(verdict: &Verdict, request: &[u8], key: &NodeKey) -> Vec<u8> {
    let mut bytes = verdict.bytes();
    let signature = key.sign(&signed(request, &bytes));
    bytes.extend(signature);
    bytes
}

/// What is signed of an answer.
fn signed(request: &[u8], verdict: &[u8]) -> Vec<u8> {
    [DOMAIN, &Sha256::digest(request), verdict].concat()
}

/// Takes the answer to a request, if it is one: who is let in trusts the inviter from now on.
pub(super) fn take_answer(
    repo: &Repo,
    store: &mut Store,
    node: &Node,
    pending: &Pending,
    bytes: &[u8],
) -> Result<Option<Verdict>, Error> {
    let Some(verdict) = read_answer(pending, bytes) else {
        return Ok(None);
    };
    if let Verdict::Welcome { name, .. } = &verdict {
        welcomed(
            repo,
            store,
            node.id(),
            &pending.inviter,
            &pending.addresses,
            name,
        )?;
    }
    let writing = store.write(Durability::Power)?;
    writing.keep_state(ContentDigest::of(PENDING), &[])?;
    writing.commit()?;
    Ok(Some(verdict))
}

fn read_answer(pending: &Pending, bytes: &[u8]) -> Option<Verdict> {
    if bytes.len() > LONGEST_VERDICT + SIGNATURE {
        return None;
    }
    let (verdict, signature) = bytes.split_last_chunk::<SIGNATURE>()?;
    let signed = signed(&pending.request, verdict);
    let is_theirs = (crypto().verify)(&pending.inviter, &signed, signature);
    is_theirs.then(|| Verdict::read(verdict))?
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::{Role, Secret};

    fn node() -> (tempfile::TempDir, Node) {
        let folder = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(folder.path()).unwrap();
        (folder, node)
    }

    #[test]
    fn an_answer_counts_for_its_request_and_by_its_inviter_alone() {
        let ((_a, inviter), (_b, joiner), (_c, other)) = (node(), node(), node());
        let ticket = |secret| Ticket {
            inviter: inviter.key().public().to_bytes(),
            secret,
            role: Role::Writer,
            expires: u32::MAX,
            addresses: Vec::new(),
        };
        let pending = |ticket: &Ticket| Pending {
            inviter: ticket.inviter,
            addresses: Vec::new(),
            request: ticket.request(joiner.key(), "Ben", &[]),
        };
        let first = pending(&ticket(Secret::draw().unwrap()));
        let second = pending(&ticket(Secret::draw().unwrap()));
        assert_eq!(asks(&first.request, inviter.key()), Some(joiner.id()));
        assert_eq!(asks(&first.request, other.key()), None);
        let welcome = Verdict::Welcome {
            role: Role::Writer,
            name: "Ann".to_owned(),
        };
        let bytes = answer(&welcome, &first.request, inviter.key());
        assert_eq!(read_answer(&first, &bytes), Some(welcome.clone()));
        assert_eq!(read_answer(&second, &bytes), None, "of another request");
        let forged = answer(&welcome, &first.request, other.key());
        assert_eq!(read_answer(&first, &forged), None, "by another node");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert_eq!(read_answer(&first, &altered), None, "{at}");
            assert_eq!(read_answer(&first, &bytes[..at]), None, "{at}");
        }
    }
}
