//! What must hold of any ticket, request, verdict, `config.yaml` and `members.yaml`. Shared with the fuzzer.

use std::path::Path;

use data_encoding::BASE32_NOPAD;
use ed25519_dalek::{Signer, SigningKey};
use rhema_crdt::node::{
    Config, Discovery, Error, LONGEST_REQUEST, LONGEST_VERDICT, Member, Members, NodeId, Request,
    Role, Ticket, Verdict, with_discovery, with_member, with_removed, without_member,
};
use sha2::{Digest, Sha256};

/// Text that may be a ticket, bytes that may be what is in one, or a request or a verdict. Whether anything of it was.
pub(crate) fn ticket(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).ok();
    let as_it_is = text.and_then(|text| text.parse::<Ticket>().ok());
    // Nobody guesses the check.
    let check = Sha256::new()
        .chain_update(b"rhema-crdt invitation ticket 1")
        .chain_update(bytes)
        .finalize();
    let made = BASE32_NOPAD.encode(&[bytes, &check[..4]].concat());
    let made = format!("rhema1{made}").parse::<Ticket>().ok();
    for ticket in [&as_it_is, &made].into_iter().flatten() {
        assert_eq!(ticket.to_string().parse().as_ref(), Ok(ticket));
        assert!(ticket.node().is_some());
        for address in &ticket.addresses {
            assert!(!address.chars().any(char::is_control), "{address:?}");
        }
    }
    let verdict = Verdict::read(bytes);
    if let Some(verdict) = &verdict {
        let said = verdict.bytes();
        assert!(said.len() <= LONGEST_VERDICT);
        assert_eq!(Verdict::read(&said).as_ref(), Some(verdict));
    }
    let inviter = public(1);
    assert_eq!(Request::read(bytes, &inviter), None, "nobody guesses a key");
    let request = Request::read(&signed(bytes, &inviter), &inviter);
    if let Some(request) = &request {
        assert!(request.name.len() <= 64 && !request.name.chars().any(char::is_control));
        assert!(bytes.len() <= LONGEST_REQUEST && request.roots.len() * 20 < bytes.len());
    }
    as_it_is.is_some() || made.is_some() || verdict.is_some() || request.is_some()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn public(seed: u8) -> [u8; 32] {
    key(seed).verifying_key().to_bytes()
}

/// A request to an inviter that says this.
fn signed(said: &[u8], inviter: &[u8; 32]) -> Vec<u8> {
    let joiner = public(3);
    let covered = [
        b"rhema-crdt invitation request 1",
        &inviter[..],
        &joiner,
        said,
    ]
    .concat();
    let signature = key(2).sign(&covered).to_bytes();
    [&[1], &public(2)[..], &joiner, &signature, said].concat()
}

/// Whether a text is a configuration; who finds peers otherwise finds everything else as it was.
pub(crate) fn config(text: &str) -> bool {
    let read = |text: &str| Config::read(Path::new("c"), text);
    let config = read(text);
    if let Err(error) = &config {
        is_within(error, text);
    }
    for discovery in Discovery::ALL {
        let after = with_discovery(text, discovery);
        assert_eq!(with_discovery(&after, discovery), after, "said twice");
        let (Ok(before), Ok(found)) = (&config, read(&after)) else {
            continue;
        };
        let said_so = Config {
            discovery,
            ..before.clone()
        };
        // Who writes it asks the same.
        if found == said_so {
            let again = with_discovery(&after, before.discovery);
            assert_eq!(read(&again).ok().as_ref(), Some(before));
        }
    }
    config.is_ok()
}

/// Whether a text says who the members are; one more, one less and one removed leave all others alone.
pub(crate) fn members(text: &str) -> bool {
    let read = |text: &str| Members::read(Path::new("m"), text);
    let members = match read(text) {
        Ok(members) => members,
        Err(error) => {
            is_within(&error, text);
            return false;
        }
    };
    let (known, others) = members.by_key();
    assert!(known.len() + others.len() <= members.all.len());
    let id = NodeId::of(&key(4).verifying_key());
    let name = id.to_string();
    let name_of_it = text.lines().last().unwrap_or_default();
    let member = Member::new("00ff", name_of_it, Role::Writer);
    if let (Some(with), false) = (
        with_member(text, id, &member),
        members.all.contains_key(&name),
    ) {
        let mut found = read(&with).unwrap();
        assert_eq!(found.all.remove(&name).as_ref(), Some(&member), "{with}");
        assert_eq!(found, members, "{with}");
        assert_eq!(without_member(&with, &name).as_deref(), Some(text));
    }
    for gone in members.all.keys() {
        let until = ["4k2m9xa7-7f3kqd".parse().unwrap()].into_iter().collect();
        if let Some(removed) = with_removed(text, gone, &until) {
            let mut expected = members.clone();
            let member = expected.all.get_mut(gone).unwrap();
            (member.role, member.until) = (Role::Removed, until);
            assert_eq!(read(&removed).ok(), Some(expected), "{removed}");
        }
        if let Some(without) = without_member(text, gone) {
            let mut expected = members.clone();
            expected.all.remove(gone);
            assert_eq!(read(&without).ok(), Some(expected), "{without}");
        }
    }
    true
}

/// What is told of a file stands in it.
fn is_within(error: &Error, text: &str) {
    if let Error::Malformed { line, column, .. } = error {
        // Line breaks of YAML 1.1 among them.
        let breaks = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];
        let lines = text.matches(breaks).count() + 2;
        assert!((1..=lines).contains(line), "{error}");
        assert!(*column > 0, "{error}");
    }
}
