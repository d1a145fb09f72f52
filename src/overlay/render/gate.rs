//! The gate before a rendered text is handed out: what was written, read again, holds what the view holds.
//!
//! Equal are values, names and the order of records, and what lost. What is said of edits is less than what the view
//! knows: stamps that HEAD contains are dropped where they take up too much, a stamp of a birth stands for all that was born
//! with it, and some mappings can say nothing. So of births and stamps nothing may be said that the view does not know.

use crate::crdt::{Document, Map, Node, Path, Record, Stamps};

/// The first place at which a text that was read again holds something else than the view; `tells` is whether the file says
/// what was edited at all.
pub(super) fn difference(found: &Document, view: &Document, tells: bool) -> Option<Path> {
    let at = Path::default();
    maps(&found.root, &view.root, &at).or_else(|| {
        let untold = |of: &Document, other: &Document| {
            let known: std::collections::BTreeSet<_> = other
                .losers
                .keys()
                .map(|loser| (loser.at.as_born(), &loser.value))
                .collect();
            let mut losers = of.losers.keys();
            let missing = losers.find(|loser| !known.contains(&(loser.at.as_born(), &loser.value)));
            missing.map(|loser| loser.at.clone())
        };
        untold(found, view).or_else(|| untold(view, found).filter(|_| tells))
    })
}

fn maps(found: &Map, view: &Map, at: &Path) -> Option<Path> {
    if let Some(name) = view.keys().find(|name| !found.contains_key(*name)) {
        return Some(at.entry(name));
    }
    found.iter().find_map(|(name, found)| {
        let known = view.get(name);
        if known == Some(found) {
            return None;
        }
        let at = || at.entry(name);
        match known {
            Some(view) => nodes(found, view, at),
            None => Some(at()),
        }
    })
}

fn nodes(found: &Node, view: &Node, at: impl Fn() -> Path) -> Option<Path> {
    let knows = |found: &Stamps, view: &Stamps| found.is_subset(view);
    let agree = match (found, view) {
        (Node::Map(found), Node::Map(view)) => return maps(found, view, &at()),
        (Node::Set(found), Node::Set(view)) if found.len() == view.len() => {
            let mut both = found.iter().zip(view);
            return both.find_map(|(found, view)| records(found, view, &at));
        }
        (Node::Register(found, of), Node::Register(view, by)) => found == view && knows(of, by),
        (Node::List(found, of), Node::List(view, by)) => found == view && knows(of, by),
        // A list without members is a set without records.
        (Node::List(found, _), Node::Set(view)) => found.is_empty() && view.is_empty(),
        _ => false,
    };
    (!agree).then(at)
}

fn records(found: &Record, view: &Record, at: impl Fn() -> Path) -> Option<Path> {
    if found == view {
        return None;
    }
    let at = at().record(view);
    let is_one =
        found.name == view.name && (found.birth.stamp.is_none() || found.birth == view.birth);
    if is_one {
        maps(&found.fields, &view.fields, &at)
    } else {
        Some(at)
    }
}
