//! What the rules of the repository make of edits: of those that others bring, and of those that are made here.

use super::{Admission, Error};
use crate::crdt::Stamp;
use crate::exchange::{Denial, Refusal};
use crate::git::Repo;
use crate::net::PublicKey;
use crate::node::{Access, Broken, Node, NodeId, Pace, Role, Trusted, Writer};
use crate::overlay::DocumentPath;
use crate::store::{self, Durability, Moment, Reading, Store};

/// For how long what was not taken is told.
const TOLD_FOR: u64 = 30 * 86_400_000;

/// An edit made here that others do not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untaken {
    /// The edit.
    pub stamp: Stamp,
    /// Its document.
    pub document: DocumentPath,
    /// Why, in words for people.
    pub why: String,
    /// When they take it; never where there is nothing.
    pub due: Option<Moment>,
}

/// The edits that were made here, are not in HEAD yet, and that others who stand on the same commit do not take, or not yet.
///
/// # Errors
/// When the repository or the store cannot be read.
pub fn untaken(repo: &Repo, node: &Node, store: &mut Store) -> Result<Vec<Untaken>, Error> {
    let trusted = Trusted::of_itself(repo, node)?;
    if without_right(&trusted).is_none() && trusted.access == Access::default() {
        return Ok(Vec::new());
    }
    let reading = store.read()?;
    let writer = trusted.own_writer(node.id());
    let pace = match trusted.access.edits_per_hour(writer) {
        Some(per_hour) => {
            let own = known_of(&reading, node.key().public().as_bytes())?;
            Some(Pace::new(per_hour, own))
        }
        None => None,
    };
    let now = Moment::now();
    let mut untaken = Vec::new();
    for stamp in reading.uncommitted()? {
        let Some(edit) = reading.edit(stamp)?.map(|edit| edit.known) else {
            continue;
        };
        let due = pace.as_ref().map(|pace| pace.due(stamp));
        let due = due.filter(|due| *due > now.unix_millis());
        let (why, due) = match (
            without_right(&trusted),
            trusted.access.broken(writer, &edit),
            due,
        ) {
            (Some(why), ..) => (why.to_owned(), None),
            (None, Some(broken), _) => (broken.to_string(), None),
            (None, None, Some(due)) => {
                let why = "its author made more than are taken in an hour".to_owned();
                (why, Some(Moment::from_unix_millis(due)))
            }
            (None, None, None) => continue,
        };
        untaken.push(Untaken {
            stamp,
            document: edit.document,
            why,
            due,
        });
    }
    Ok(untaken)
}

/// Why an edit that is made here now will not be taken by others. `find` says which document it is of, and which part of that, and
/// is asked only where it matters.
///
/// # Errors
/// When the repository cannot be read.
pub fn forbidden(
    repo: &Repo,
    find: impl FnOnce() -> Option<(DocumentPath, Option<String>)>,
) -> Result<Option<String>, Error> {
    let Some(node) = Node::load(repo.git_dir())? else {
        return Ok(None);
    };
    let trusted = Trusted::of_itself(repo, &node)?;
    if let Some(why) = without_right(&trusted) {
        return Ok(Some(why.to_owned()));
    }
    if trusted.access == Access::default() {
        return Ok(None);
    }
    let Some((document, part)) = find() else {
        return Ok(None);
    };
    let now = Moment::now().unix_millis();
    let writer = trusted.own_writer(node.id());
    let broken = trusted
        .access
        .would_break(writer, &document, part.as_deref(), now);
    Ok(broken.as_ref().map(Broken::to_string))
}

/// Why nothing is taken that is made here.
fn without_right(trusted: &Trusted) -> Option<&'static str> {
    match trusted.own_role? {
        Role::Admin | Role::Writer | Role::Agent => None,
        Role::Reader => Some("its author may only read"),
        Role::Removed => Some("its author was removed from the members"),
    }
}

/// An edit that somebody brought and that was not taken here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    /// The edit.
    pub stamp: Stamp,
    /// The name of the node that made it, as far as anybody told.
    pub author: Option<NodeId>,
    /// Why, in words for people.
    pub why: String,
    /// When that was said last.
    pub at: Moment,
}

/// The edits that were not taken here lately and still are not.
///
/// # Errors
/// When the store cannot be read.
pub fn not_taken(reading: &Reading<'_>) -> Result<Vec<NotTaken>, Error> {
    let since = Moment::now().unix_millis().saturating_sub(TOLD_FOR);
    let refused = reading.refused(Moment::from_unix_millis(since))?;
    let mut told = Vec::new();
    for store::Refused { stamp, why, at } in refused {
        let owners = reading.owners(stamp.replica())?;
        told.push(NotTaken {
            stamp,
            author: owners.first().map(|owner| NodeId::of_bytes(&owner.key)),
            why,
            at,
        });
    }
    Ok(told)
}

/// Notes what is refused here, for people who look later.
pub(super) fn note(store: &mut Store, refusal: &Refusal) {
    let why = match refusal {
        Refusal::Denied { why, .. } => match why {
            Denial::Stranger => "its author is no member, nor trusted by one".to_owned(),
            Denial::Reads => "its author may only read".to_owned(),
            Denial::Removed => "its author was removed from the members before".to_owned(),
            Denial::Rule(rule) => rule.clone(),
        },
        Refusal::Early { .. } => "its author made more than are taken in an hour".to_owned(),
        Refusal::Unproved(_) => "its author did not sign it, or not so".to_owned(),
        _ => return,
    };
    let noted = store.write(Durability::Process).and_then(|writing| {
        writing.refuse(refusal.edits(), &why, Moment::now())?;
        writing.commit()
    });
    if let Err(error) = noted {
        tracing::info!("{error}");
    }
}

/// The edits of a node that are known here.
fn known_of(reading: &Reading<'_>, key: &PublicKey) -> Result<Vec<Stamp>, Error> {
    let mut known = Vec::new();
    let owners = reading.all_owners()?.into_iter();
    for owner in owners.filter(|owner| owner.key == *key) {
        let links = reading.links(owner.replica)?;
        known.extend(links.into_keys());
    }
    Ok(known)
}

impl Admission {
    /// Learns how much those have written of whom only so much is taken in an hour.
    pub(super) fn learn_paces(&self, reading: &Reading<'_>) -> Result<(), Error> {
        let limited = self.limited();
        let mut paces = Vec::new();
        for (key, per_hour) in limited {
            paces.push((key, Pace::new(per_hour, known_of(reading, &key)?)));
        }
        self.set_paces(paces);
        Ok(())
    }
}

/// Who made an edit, as the rules see it.
pub(super) fn writer_of<'t>(
    trusted: &'t Trusted,
    own: &PublicKey,
    key: &PublicKey,
) -> Option<Writer<'t>> {
    match key == own {
        true => Some(trusted.own_writer(NodeId::of_bytes(own))),
        false => trusted.writer(key),
    }
}

/// What the rules have against an edit.
pub(super) fn against(
    access: &Access,
    writer: Writer<'_>,
    edit: &crate::overlay::Known,
) -> Option<Denial> {
    let broken = access.broken(writer, edit)?;
    Some(Denial::Rule(broken.to_string()))
}
