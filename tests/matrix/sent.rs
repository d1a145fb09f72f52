//! What the store of a work tree would send to a peer that knows nothing.

use std::collections::BTreeSet;
use std::path::Path;

use rhema_crdt::crdt::{Act, Atom, Change, Stamp, Step};
use rhema_crdt::overlay::{Deed, Knowledge, Known};
use rhema_crdt::store::{Durability, Issuer, Store, Way};

use crate::file::sorted;
use crate::script::{FIRST_FILE, NOTHING};

/// The own edits in the store of the work tree with this git directory, in their order.
pub(crate) fn own_edits(git_dir: &Path) -> Vec<Known> {
    let mut store = Store::open(git_dir).unwrap().store;
    let known = store.read().unwrap().beyond(&Knowledge::new()).unwrap();
    let mut own: Vec<Known> = known
        .into_iter()
        .filter(|edit| edit.issuer == Issuer::Own)
        .map(|edit| edit.known)
        .collect();
    own.sort_by_key(|known| known.stamp);
    own
}

/// What a store has that another one lacks comes there, as from a peer.
pub(crate) fn send(from: &Path, to: &Path) {
    let mut there = Store::open(to).unwrap().store;
    let known = there.read().unwrap().knowledge().unwrap();
    let mut here = Store::open(from).unwrap().store;
    let missing = here.read().unwrap().beyond(&known).unwrap();
    let writing = there.write(Durability::Power).unwrap();
    for edit in missing {
        writing
            .add(&edit.known, Issuer::Other, Way::Received)
            .unwrap();
    }
    writing.commit().unwrap();
}

/// The edits in the words of a script.
pub(crate) fn told(edits: &[Known]) -> String {
    let retracted: BTreeSet<Stamp> = edits
        .iter()
        .filter_map(|known| match &known.deed {
            Deed::Retract(stamps) => Some(stamps.clone()),
            Deed::Change(_) => None,
        })
        .flatten()
        .collect();
    let mut told: Vec<String> = edits
        .iter()
        .filter_map(|known| {
            let Deed::Change(changes) = &known.deed else {
                return None;
            };
            let document = known.document.to_string();
            // Of fields that change together those are written, too, that are not there.
            let writes = |change: &Change| matches!(change.act, Act::Write(_));
            let is_beside = |change: &&Change| {
                let around = change.at.around();
                let mut others = changes.iter().filter(|other| writes(other));
                change.act != Act::Remove || !others.any(|other| other.at.around() == around)
            };
            let words: Vec<String> = changes.iter().filter(is_beside).map(word).collect();
            let words = sorted(&words.join(" ")).join(" ");
            let words = match document == FIRST_FILE {
                true => words,
                false => format!("{document}: {words}"),
            };
            Some(match retracted.contains(&known.stamp) {
                true => format!("({words})"),
                false => words,
            })
        })
        .collect();
    // How a place is written may be told again where it comes back: that changes nothing.
    let mut forms = BTreeSet::new();
    told.retain(|words| !words.ends_with('~') || forms.insert(words.clone()));
    match told.is_empty() {
        true => NOTHING.to_owned(),
        false => told.join(", "),
    }
}

/// The same without what was taken back.
pub(crate) fn kept(sent: &str) -> String {
    let kept: Vec<&str> = sent
        .split(", ")
        .filter(|edit| !edit.starts_with('('))
        .collect();
    match kept.is_empty() {
        true => NOTHING.to_owned(),
        false => kept.join(", "),
    }
}

fn word(change: &Change) -> String {
    let at = change.at.to_string().replace('/', ".");
    let place = at.strip_prefix("todos.").unwrap_or(&at);
    let is_record = matches!(change.at.steps().last(), Some(Step::Record(..)));
    let said = |value: &Atom| value.said().trim_matches('"').to_owned();
    let of = |value: &Option<Atom>| value.as_ref().map_or("∅".to_owned(), said);
    match &change.act {
        Act::Write(value) | Act::Last(value) => format!("{place}={}", said(value)),
        Act::Replace(members) => {
            let members: Vec<String> = members.iter().map(said).collect();
            format!("{place}=[{}]", members.join(","))
        }
        Act::Remove if is_record => format!("-{place}"),
        Act::Remove => format!("{place}=∅"),
        Act::Add { .. } => format!("+{place}"),
        Act::Move { behind } => format!("{place}>{}", of(behind)),
        Act::Form(_) => format!("{place}~"),
        Act::Lose(value) => format!("{place}?{}", of(value)),
        Act::Settle(value) => format!("{place}!{}", of(value)),
        Act::Count(amount) => format!("{place}{amount:+}"),
        Act::Raise(number) => format!("{place}^{number}"),
    }
}
