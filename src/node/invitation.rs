//! Invitations: the ticket that the inviter hands over, the request that is made with it, and the answer to that.
//!
//! A ticket holds a secret, and of the secret follows a key pair. The inviter keeps the public half alone, so that nobody can
//! make a request out of what stands in its store; who has the ticket signs a request with the other half. The signature
//! covers the keys of both, so a request is of no use to anybody else, whatever way it travels: on a connection to the
//! inviter, or as bytes that lie somewhere.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{Error, NodeId, NodeKey, Role};
use crate::overlay::CommitId;

/// What every ticket begins with; the digit is that of its version.
const PREFIX: &str = "rhema1";

/// What every ticket of any version begins with.
const ANY_PREFIX: &str = "rhema";

/// What is hashed with what, so that no hash or signature made for one purpose serves another.
const OF_SECRET: &[u8] = b"rhema-crdt invitation secret 1";
const OF_TICKET: &[u8] = b"rhema-crdt invitation ticket 1";
const OF_REQUEST: &[u8] = b"rhema-crdt invitation request 1";

/// Bytes of the check at the end of a ticket: what people change by mistake is found, whoever changes it on purpose gains
/// nothing by it.
const CHECK: usize = 4;

/// Bytes of a name.
const LONGEST_NAME: usize = 64;

/// Commits that a history begins with, in a request.
const MOST_ROOTS: usize = 8;

/// Bytes of a request; nobody reads more.
pub const LONGEST_REQUEST: usize = 1 + 32 + 32 + 64 + 1 + 20 * MOST_ROOTS + LONGEST_NAME;

/// Bytes of a verdict.
pub const LONGEST_VERDICT: usize = 2 + 1 + LONGEST_NAME;

/// The version of requests and verdicts.
const VERSION: u8 = 1;

/// What only who has the ticket knows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret([u8; 16]);

impl Secret {
    /// One that nobody else draws.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn draw() -> Result<Self, Error> {
        super::drawn().map(Self)
    }

    /// What the inviter knows of it.
    #[must_use]
    pub fn public(&self) -> InvitationKey {
        InvitationKey(self.signing().verifying_key().to_bytes())
    }

    fn signing(&self) -> SigningKey {
        let seed = Sha256::new().chain_update(OF_SECRET).chain_update(self.0);
        SigningKey::from_bytes(&seed.finalize().into())
    }
}

impl fmt::Debug for Secret {
    /// It is never shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.public())
    }
}

/// What an invitation is known by: it proves a request, and makes none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InvitationKey([u8; 32]);

impl InvitationKey {
    /// The one with these bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for InvitationKey {
    /// A short name, by which people take an invitation back.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = Sha256::digest(self.0);
        let (name, _) = hash.split_at(5);
        f.write_str(&BASE32_NOPAD.encode(name).to_lowercase())
    }
}

/// Why a text is no ticket that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoTicket {
    /// It does not look like one.
    #[error("this is no ticket: one begins with `rhema1`; `rhema crdt invite` makes it")]
    Other,
    /// A later version made it.
    #[error("this ticket was made by another version of rhema: update the older program")]
    Version,
    /// It is not as it was made.
    #[error("this ticket was altered or cut off: copy all of it once more")]
    Altered,
}

/// What the inviter hands over: whoever has it may join, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The public key of the inviter's node.
    pub inviter: [u8; 32],
    /// What is proved with it.
    pub secret: Secret,
    /// What the inviter means the other one to do, for people: what counts is what the inviter keeps of it.
    pub role: Role,
    /// Until when it is of use, in seconds since the Unix epoch.
    pub expires: u32,
    /// Where the inviter may be: `HOST:PORT`.
    pub addresses: Vec<String>,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![role_number(self.role)];
        bytes.extend(self.expires.to_le_bytes());
        bytes.extend(self.inviter);
        bytes.extend(self.secret.0);
        for address in &self.addresses {
            put_address(&mut bytes, address);
        }
        bytes.extend(check(&bytes));
        write!(f, "{PREFIX}{}", BASE32_NOPAD.encode(&bytes).to_lowercase())
    }
}

impl FromStr for Ticket {
    type Err = NoTicket;

    /// In upper or lower case, with blanks and line breaks in it.
    fn from_str(text: &str) -> Result<Self, NoTicket> {
        let text: String = text.split_whitespace().collect();
        let text = text.to_ascii_lowercase();
        let Some(digits) = text.strip_prefix(PREFIX) else {
            let version = text
                .strip_prefix(ANY_PREFIX)
                .and_then(|it| it.chars().next());
            let is_other = version.is_some_and(|version| version.is_ascii_digit());
            return Err(if is_other {
                NoTicket::Version
            } else {
                NoTicket::Other
            });
        };
        let bytes = BASE32_NOPAD.decode(digits.to_ascii_uppercase().as_bytes());
        bytes
            .ok()
            .and_then(|bytes| Self::read(&bytes))
            .ok_or(NoTicket::Altered)
    }
}

impl Ticket {
    fn read(bytes: &[u8]) -> Option<Self> {
        let (bytes, found) = bytes.split_last_chunk::<CHECK>()?;
        if *found != check(bytes) {
            return None;
        }
        let mut rest = bytes;
        let role = role_of(take::<1>(&mut rest)?[0])?;
        let expires = u32::from_le_bytes(take(&mut rest)?);
        let inviter = take(&mut rest)?;
        VerifyingKey::from_bytes(&inviter).ok()?;
        let secret = Secret(take(&mut rest)?);
        let mut addresses = Vec::new();
        while !rest.is_empty() {
            addresses.push(take_address(&mut rest)?);
        }
        Some(Self {
            inviter,
            secret,
            role,
            expires,
            addresses,
        })
    }

    /// The name of the inviter's node.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        let key = VerifyingKey::from_bytes(&self.inviter).ok()?;
        Some(NodeId::of(&key))
    }

    /// The bytes of a request to let this node join, which calls itself so and whose history begins with these commits. They
    /// may be shown to anybody: nobody can make another request of them.
    #[must_use]
    pub fn request(&self, node: &NodeKey, name: &str, roots: &[CommitId]) -> Vec<u8> {
        let joiner = node.public().to_bytes();
        let mut said = Vec::new();
        let roots = roots.get(..MOST_ROOTS).unwrap_or(roots);
        said.push(roots.len() as u8);
        roots.iter().for_each(|root| said.extend(root.as_bytes()));
        said.extend(shortened(name).as_bytes());
        let covered = covered(&self.inviter, &joiner, &said);
        let signature = self.secret.signing().sign(&covered);
        let mut bytes = vec![VERSION];
        bytes.extend(self.secret.public().as_bytes());
        bytes.extend(joiner);
        bytes.extend(signature.to_bytes());
        bytes.extend(said);
        bytes
    }
}

/// What somebody says who wants to join, its signature proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// With which invitation.
    pub invitation: InvitationKey,
    /// The public key of the node that is to join.
    pub joiner: [u8; 32],
    /// What it calls itself.
    pub name: String,
    /// Commits that its history begins with; none where that cannot be told.
    pub roots: Vec<CommitId>,
}

impl Request {
    /// Reads a request to the node with this public key; nothing where it is none, or was made for another one.
    #[must_use]
    pub fn read(bytes: &[u8], inviter: &[u8; 32]) -> Option<Self> {
        let mut rest = bytes;
        if bytes.len() > LONGEST_REQUEST || take::<1>(&mut rest)? != [VERSION] {
            return None;
        }
        let invitation = InvitationKey(take(&mut rest)?);
        let joiner = take(&mut rest)?;
        let signature = Signature::from_bytes(&take(&mut rest)?);
        let covered = covered(inviter, &joiner, rest);
        let key = VerifyingKey::from_bytes(&invitation.0).ok()?;
        key.verify_strict(&covered, &signature).ok()?;
        VerifyingKey::from_bytes(&joiner).ok()?;
        let count = take::<1>(&mut rest)?[0];
        let roots = (0..count).map(|_| Some(CommitId::from_bytes(take(&mut rest)?)));
        let roots = roots.collect::<Option<_>>()?;
        let name = std::str::from_utf8(rest).ok()?;
        Some(Self {
            invitation,
            joiner,
            name: shortened(name),
            roots,
        })
    }
}

/// What the inviter says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is let in.
    Welcome {
        /// What it may do.
        role: Role,
        /// What the inviter calls itself.
        name: String,
    },
    /// Somebody else joined with the same ticket.
    Used,
    /// It came too late.
    Expired,
    /// The inviter took the invitation back.
    Revoked,
    /// There is no such invitation, or the request is none.
    Unknown,
    /// The histories have no commit in common.
    OtherRepository,
    /// The key was removed from the members.
    Removed,
    /// The inviter cannot write it down at the moment.
    NotNow,
}

impl Verdict {
    /// The verdicts without anything in them, each at its number.
    const PLAIN: [Self; 7] = [
        Self::Used,
        Self::Expired,
        Self::Revoked,
        Self::Unknown,
        Self::OtherRepository,
        Self::Removed,
        Self::NotNow,
    ];

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Welcome { role, name } => {
                let mut bytes = vec![VERSION, 0, role_number(*role)];
                bytes.extend(shortened(name).as_bytes());
                bytes
            }
            plain => {
                let place = Self::PLAIN.iter().position(|other| other == plain);
                vec![VERSION, place.map_or(u8::MAX, |place| place as u8 + 1)]
            }
        }
    }

    /// Reads one; nothing where it is none.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [VERSION, 0, role, name @ ..] => Some(Self::Welcome {
                role: role_of(*role)?,
                name: shortened(std::str::from_utf8(name).ok()?),
            }),
            [VERSION, number] => {
                let place = usize::from(*number).checked_sub(1)?;
                Self::PLAIN.get(place).cloned()
            }
            _ => None,
        }
    }
}

/// What the signature of a request covers.
fn covered(inviter: &[u8; 32], joiner: &[u8; 32], said: &[u8]) -> Vec<u8> {
    [OF_REQUEST, inviter, joiner, said].concat()
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    let hash = Sha256::new().chain_update(OF_TICKET).chain_update(bytes);
    let hash: [u8; 32] = hash.finalize().into();
    let mut check = [0; CHECK];
    check
        .iter_mut()
        .zip(hash)
        .for_each(|(check, byte)| *check = byte);
    check
}

/// A name as short as it may be, in one line.
fn shortened(name: &str) -> String {
    let mut short = String::new();
    for letter in name.chars().filter(|letter| !letter.is_control()) {
        if short.len() + letter.len_utf8() > LONGEST_NAME {
            break;
        }
        short.push(letter);
    }
    short
}

/// The first bytes of what is left.
fn take<const COUNT: usize>(rest: &mut &[u8]) -> Option<[u8; COUNT]> {
    let (first, more) = rest.split_first_chunk()?;
    *rest = more;
    Some(*first)
}

/// The roles that one may be invited to, each at its number.
const ROLES: [Role; 4] = [Role::Admin, Role::Writer, Role::Agent, Role::Reader];

fn role_number(role: Role) -> u8 {
    let place = ROLES.iter().position(|other| *other == role);
    place.map_or(u8::MAX, |place| place as u8)
}

fn role_of(number: u8) -> Option<Role> {
    ROLES.get(usize::from(number)).copied()
}

/// An address: 4 or 6 and its bytes, or 0, a length and a text; a port behind the first two.
fn put_address(bytes: &mut Vec<u8>, address: &str) {
    match address.parse() {
        Ok(SocketAddr::V4(v4)) => {
            bytes.push(4);
            bytes.extend(v4.ip().octets());
            bytes.extend(v4.port().to_le_bytes());
        }
        Ok(SocketAddr::V6(v6)) => {
            bytes.push(6);
            bytes.extend(v6.ip().octets());
            bytes.extend(v6.port().to_le_bytes());
        }
        // A host's name has at most 253 letters.
        Err(_) => {
            let text = address.as_bytes();
            if let Ok(length) = u8::try_from(text.len()) {
                bytes.extend([0, length]);
                bytes.extend(text);
            }
        }
    }
}

fn take_address(rest: &mut &[u8]) -> Option<String> {
    match take::<1>(rest)? {
        [4] => {
            let ip = Ipv4Addr::from(take::<4>(rest)?);
            let port = u16::from_le_bytes(take(rest)?);
            Some(SocketAddr::from((ip, port)).to_string())
        }
        [6] => {
            let ip = Ipv6Addr::from(take::<16>(rest)?);
            let port = u16::from_le_bytes(take(rest)?);
            Some(SocketAddr::from((ip, port)).to_string())
        }
        [0] => {
            let length = usize::from(take::<1>(rest)?[0]);
            let (text, more) = rest.split_at_checked(length)?;
            *rest = more;
            let text = std::str::from_utf8(text).ok()?;
            // It is told to people, whose terminals obey some letters.
            (!text.contains(char::is_control)).then(|| text.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Node;
    use super::*;

    fn node() -> (tempfile::TempDir, Node) {
        let git_dir = tempfile::tempdir().unwrap();
        let (node, _) = Node::create(git_dir.path()).unwrap();
        (git_dir, node)
    }

    fn ticket(inviter: &Node) -> Ticket {
        Ticket {
            inviter: inviter.key().public().to_bytes(),
            secret: Secret::draw().unwrap(),
            role: Role::Agent,
            expires: 1_900_000_000,
            addresses: vec![
                "192.0.2.1:4711".to_owned(),
                "[2001:db8::7]:9".to_owned(),
                "office.example:1".to_owned(),
            ],
        }
    }

    #[test]
    fn a_ticket_survives_being_copied() {
        let (_git_dir, node) = node();
        let ticket = ticket(&node);
        let text = ticket.to_string();
        assert_eq!(text.parse(), Ok(ticket.clone()));
        assert_eq!(text.to_uppercase().parse(), Ok(ticket.clone()));
        let (first, second) = text.split_at(40);
        assert_eq!(
            format!(" {first}\n  {second}\r\n").parse(),
            Ok(ticket.clone())
        );
        let plain = Ticket {
            addresses: vec!["192.0.2.1:4711".to_owned()],
            ..ticket
        };
        assert!(plain.to_string().len() <= 115, "{plain}");
    }

    #[test]
    fn an_address_that_a_terminal_would_obey_makes_no_ticket() {
        let (_git_dir, node) = node();
        for (address, is_one) in [
            ("büro.example:1", true),
            ("\u{1b}[2J:1", false),
            ("a\nb:1", false),
        ] {
            let ticket = Ticket {
                addresses: vec![address.to_owned()],
                ..ticket(&node)
            };
            assert_eq!(
                ticket.to_string().parse::<Ticket>().is_ok(),
                is_one,
                "{address:?}"
            );
        }
    }

    #[test]
    fn an_altered_ticket_is_none_whichever_letter_it_is() {
        let (_git_dir, node) = node();
        let text = ticket(&node).to_string();
        for at in 0..text.len() {
            for letter in "abcdefghijklmnopqrstuvwxyz0123456789-".chars() {
                let mut altered = text.clone();
                altered.replace_range(at..=at, &letter.to_string());
                if altered == text {
                    continue;
                }
                let found = altered.parse::<Ticket>().unwrap_err();
                let expected = match at {
                    0..5 => NoTicket::Other,
                    5 if letter.is_ascii_digit() => NoTicket::Version,
                    5 => NoTicket::Other,
                    _ => NoTicket::Altered,
                };
                assert_eq!(found, expected, "{letter} at {at}");
            }
            let cut = &text[..at];
            assert!(cut.parse::<Ticket>().is_err(), "cut to {cut}");
            let mut without = text.clone();
            without.remove(at);
            assert!(without.parse::<Ticket>().is_err(), "without letter {at}");
        }
        assert_eq!(format!("{text}a").parse::<Ticket>(), Err(NoTicket::Altered));
    }

    #[test]
    fn a_request_is_made_with_the_ticket_for_one_node_to_another() {
        let (_first, inviter) = node();
        let (_second, joiner) = node();
        let ticket = ticket(&inviter);
        let roots = [CommitId::from_bytes([7; 20])];
        let long = "Ännchen von Tharau ".repeat(9);
        let bytes = ticket.request(joiner.key(), &long, &roots);
        assert!(bytes.len() <= LONGEST_REQUEST);
        let request = Request::read(&bytes, &ticket.inviter).unwrap();
        assert_eq!(request.invitation, ticket.secret.public());
        assert_eq!(request.joiner, joiner.key().public().to_bytes());
        assert_eq!(request.roots, roots);
        assert!(long.starts_with(&request.name) && request.name.len() > 60);
        let another = [8; 32];
        assert_eq!(Request::read(&bytes, &another), None, "said to another one");
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            assert_eq!(Request::read(&altered, &ticket.inviter), None, "byte {at}");
            assert_eq!(
                Request::read(&bytes[..at], &ticket.inviter),
                None,
                "cut at {at}"
            );
        }
    }

    #[test]
    fn answers_are_read_as_they_were_said() {
        let welcome = Verdict::Welcome {
            role: Role::Reader,
            name: "Ann".to_owned(),
        };
        for answer in Verdict::PLAIN.iter().chain([&welcome]) {
            let bytes = answer.bytes();
            assert!(bytes.len() <= LONGEST_VERDICT);
            assert_eq!(Verdict::read(&bytes).as_ref(), Some(answer));
        }
        for other in [&[][..], &[1], &[2, 1], &[1, 9], &[1, 1, 1], &[1, 0, 4]] {
            assert_eq!(Verdict::read(other), None, "{other:?}");
        }
    }
}
