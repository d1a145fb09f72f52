//! What both sides must agree on before anything else is said.

use super::limits::MOST_ROOTS;
use super::{Ending, Hello, Introduction, Key, Refusal, Us, VERSIONS, Violation};
use crate::crdt::Replica;

/// How a replica is named after its key and its incarnation.
type Naming = fn(&Key, u32) -> Replica;

/// The protocol version to speak with who says this, having proved to have `key`.
pub(super) fn agreed(us: &Us, hello: &Hello, key: &Key, naming: Naming) -> Result<u16, Ending> {
    if hello.roots.len() > MOST_ROOTS {
        return Err(Ending::Violated(Violation::TooMany("roots")));
    }
    if hello.introduction.key != *key {
        return Err(Ending::Violated(Violation::Key));
    }
    check(&hello.introduction, naming).map_err(Ending::Violated)?;
    if hello.introduction == us.introduction && hello.boot == us.boot {
        return Err(Ending::Oneself);
    }
    let (oldest, newest) = VERSIONS;
    let (their_oldest, their_newest) = hello.versions;
    let version = newest.min(their_newest);
    if version < oldest.max(their_oldest) {
        return Err(Ending::WeRefused(Refusal::Version(oldest, newest)));
    }
    let is_told = !us.roots.is_empty() && !hello.roots.is_empty();
    if is_told && !us.roots.iter().any(|root| hello.roots.contains(root)) {
        return Err(Ending::WeRefused(Refusal::OtherRepository));
    }
    Ok(version)
}

/// Whether a replica is named as it must be.
pub(super) fn check(introduction: &Introduction, naming: Naming) -> Result<(), Violation> {
    let Introduction {
        key,
        incarnation,
        replica,
    } = introduction;
    match naming(key, *incarnation) == *replica {
        true => Ok(()),
        false => Err(Violation::Name(*replica)),
    }
}
