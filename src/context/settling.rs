//! Open conflicts, and how they are settled: the value that is chosen, under a fresh stamp.
//!
//! `contest.rs` lists them, `misfits.rs` what does not fit its type, `joining.rs` makes one record of two that were born under one name, `writing.rs` puts values into
//! the file.

mod contest;
mod joining;
mod misfits;
pub(super) mod writing;

pub use contest::{Contest, Matter, contests};
use contest::{Holder, at};
pub use misfits::misfits;
use writing::NewValue;

use super::GROUPS;
use super::births::defining_leaf;
use super::leaves;
use super::own::Own;
use super::placing::{self, Splice};
use super::records::member;
use super::{Annotation, Loser, Lost, StampedValue, canonical, digest, same_entry};
use crate::crdt::{Stamp, StampSet};
use crate::yaml::{Document, EntryRef, Kind, Limits, NodeRef};

/// What a contest is settled by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The value that is shown.
    Winner,
    /// One of the losers, counted from 0.
    Loser(usize),
    /// Another value, as YAML writes it.
    Value(String),
    /// Another text, as it stands.
    Text(String),
}

impl Choice {
    /// What somebody typed: YAML in one line, else a text as it stands, unless it begins like YAML that was meant.
    #[must_use]
    pub fn typed(text: &str) -> Self {
        let begins_like_yaml = || text.trim_start().starts_with(BEGINNINGS);
        match checked(text) {
            Err(_) if text.contains('\n') || !begins_like_yaml() => Self::Text(text.to_owned()),
            _ => Self::Value(text.to_owned()),
        }
    }
}

/// What a value begins with that is meant to be YAML: with a quote, a bracket, an anchor, an alias or a tag.
pub(super) const BEGINNINGS: [char; 7] = ['"', '\'', '[', '{', '&', '*', '!'];

/// Why a contest could not be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsettled {
    /// No such loser.
    #[error("there is no such loser: `--list` counts them")]
    NoSuchLoser,
    /// A value that is no YAML of one line.
    #[error("that is not a YAML value of one line: quote it")]
    NotAValue,
    /// A whole record was given a value.
    #[error("this is about a whole record: take the winner to keep it, or 1 to let it go")]
    NotOneValue,
    /// A value that does not fit.
    #[error("that does not fit there: take the winner, or give another value")]
    Unfit,
    /// A name that is none, or that a record of the list has.
    #[error("no record can be called so here: give a name that no other record of the list has")]
    NotAName,
    /// The value cannot be put where it belongs.
    #[error(
        "the file's form does not allow it: edit it by hand, then run `rhema crdt resolve` again"
    )]
    NoPlace,
}

impl Contest {
    /// The value that a choice takes, where it takes the fields with it that change together with this one.
    #[must_use]
    pub fn taken_with_others(&self, choice: &Choice) -> Option<&Lost> {
        match choice {
            Choice::Loser(index) if together(&self.leaf).len() > 1 => {
                self.losers.get(*index).map(|(lost, _)| lost)
            }
            _ => None,
        }
    }

    /// The leaves that a choice sets, and to what: fields that change together are taken together, as they lost under the
    /// same stamp, or as they stand in the version that the value comes from.
    fn chosen(
        &self,
        choice: &Choice,
        document: &Document,
        origin: Option<&Document>,
    ) -> Result<Vec<(String, Option<NewValue>)>, Unsettled> {
        let index = match choice {
            Choice::Winner => return Ok(Vec::new()),
            Choice::Value(value) => {
                let value = NewValue::Typed(checked(value)?);
                return Ok(vec![(self.leaf.clone(), Some(value))]);
            }
            Choice::Text(text) => {
                return Ok(vec![(self.leaf.clone(), Some(NewValue::of_text(text)))]);
            }
            Choice::Loser(index) => *index,
        };
        let taken = |lost: &Lost| match lost {
            Lost::Deletion => None,
            Lost::Value(value) => Some(NewValue::of_canonical(value)),
        };
        let (lost, stamp) = self.losers.get(index).ok_or(Unsettled::NoSuchLoser)?;
        let mut chosen = vec![(self.leaf.clone(), taken(lost))];
        let Holder { node, role, .. } = self.holder_in(document).ok_or(Unsettled::NoPlace)?;
        let conflicts = Own::of(node, role).conflicts;
        for leaf in together(&self.leaf) {
            let mut alike = conflicts
                .iter()
                .filter(|(loser, other)| loser.leaf == leaf && other == stamp);
            // Several without stamps: nobody can tell which of them belongs to the one that is taken.
            if let (Some((loser, _)), None) = (alike.next(), alike.next())
                && leaf != self.leaf
            {
                chosen.push((leaf.to_owned(), taken(&loser.lost)));
            }
        }
        let Some(origin) = origin.and_then(|origin| self.holder_like(origin)) else {
            return Ok(chosen);
        };
        for leaf in together(&self.leaf) {
            let value = |holder| at(holder, leaf).map(EntryRef::value);
            let (now, then) = (value(node), value(origin.node));
            if !same_entry(now, then) && chosen.iter().all(|(known, _)| known != leaf) {
                let then = then.map(|then| NewValue::of_canonical(&canonical(then)));
                chosen.push((leaf.to_owned(), then));
            }
        }
        Ok(chosen)
    }
}

/// The leaves that are settled with this one: the group that it belongs to, or itself.
fn together(leaf: &str) -> Vec<&str> {
    let group = GROUPS.iter().find(|group| group.contains(&leaf));
    group.map_or_else(|| vec![leaf], |group| group.to_vec())
}

/// The text of a document with one of its contests settled, and with it those of the fields that change together with
/// this one: `origin` is the version that a loser among them comes from, where it is known. `head` is the text of HEAD's
/// file: what stands in it need not be named as superseded.
///
/// # Errors
/// When the choice is none, or cannot be written.
pub fn settle(
    document: &Document,
    contest: &Contest,
    choice: &Choice,
    origin: Option<&Document>,
    stamp: Stamp,
    head: &str,
) -> Result<String, Unsettled> {
    if contest.matter == Matter::Name {
        return settle_name(document, contest, choice);
    }
    if let Matter::Misfit { .. } = contest.matter {
        return with_fitting(document, contest, choice);
    }
    if contest.leaf.is_empty() {
        match choice {
            Choice::Winner => {}
            Choice::Loser(index) => match contest.losers.get(*index) {
                Some((Lost::Deletion, _)) => {
                    let found = contest.holder_in(document).ok_or(Unsettled::NoPlace)?;
                    let cut = without_record(document, found.node)?;
                    let text = placing::apply(document.text(), cut).ok_or(Unsettled::NoPlace)?;
                    return read(text).map(Document::into_text);
                }
                Some((Lost::Value(_), _)) => return Err(Unsettled::NoPlace),
                None => return Err(Unsettled::NoSuchLoser),
            },
            Choice::Value(_) | Choice::Text(_) => return Err(Unsettled::NotOneValue),
        }
    }
    let mut document = read(document.text().to_owned())?;
    for (leaf, value) in contest.chosen(choice, &document, origin)? {
        let node = contest.holder_in(&document).ok_or(Unsettled::NoPlace)?.node;
        document = with_leaf(&document, node, &leaf, value.as_ref())?;
    }
    let Holder { node, role, .. } = contest.holder_in(&document).ok_or(Unsettled::NoPlace)?;
    let mut own = Own::of(node, role);
    let settled = together(&contest.leaf);
    let losers: Vec<(Loser, Option<Stamp>)> = own
        .conflicts
        .iter()
        .filter(|(loser, _)| settled.contains(&loser.leaf.as_str()))
        .map(|(loser, stamp)| (loser.clone(), stamp))
        .collect();
    let leaves = if contest.leaf.is_empty() {
        vec![defining_leaf(node).ok_or(Unsettled::NoPlace)?]
    } else {
        settled.iter().map(|leaf| (*leaf).to_owned()).collect()
    };
    let mut superseded = StampSet::default();
    for (loser, stamp) in &losers {
        own.conflicts.remove(loser);
        superseded.extend(*stamp);
    }
    for leaf in &leaves {
        superseded.union(&without_stamps(&mut own.annotation, leaf));
        for leaf in leaves::at_or_below(node, leaf) {
            let Some(found) = at(node, &leaf) else {
                continue;
            };
            let fresh = StampedValue {
                stamp,
                digest: digest(found.value()),
            };
            own.annotation.leaves.insert(leaf, [fresh].into());
        }
    }
    let mut told: StampSet = superseded
        .singles()
        .filter(|old| head.contains(&old.to_string()))
        .collect();
    told.insert(stamp);
    superseded.leave_out(&told);
    if !superseded.is_empty() {
        own.annotation
            .superseded
            .entry(stamp)
            .or_default()
            .union(&superseded);
    }
    let text = placing::apply(document.text(), own.placed(node, role)).ok_or(Unsettled::NoPlace)?;
    read(text).map(Document::into_text)
}

/// Settles the name of a record that goes by a second one: it keeps that, gets another one, or is the same record as the one
/// that has its name. What is changed is an edit like those by hand, which has no stamp yet.
fn settle_name(
    document: &Document,
    contest: &Contest,
    choice: &Choice,
) -> Result<String, Unsettled> {
    let holder = contest.holder_in(document).ok_or(Unsettled::NoPlace)?;
    let name = match choice {
        Choice::Winner => {
            let mut own = Own::of(holder.node, holder.role);
            let kept = holder.kept_name().ok_or(Unsettled::NoPlace)?;
            own.conflicts.add(kept, None);
            let splices = own.placed(holder.node, holder.role);
            let text = placing::apply(document.text(), splices).ok_or(Unsettled::NoPlace)?;
            return read(text).map(Document::into_text);
        }
        Choice::Loser(0) => return joining::join(document, contest),
        Choice::Loser(_) => return Err(Unsettled::NoSuchLoser),
        Choice::Value(name) | Choice::Text(name) => name,
    };
    let (list, field) = holder.among.ok_or(Unsettled::NoPlace)?;
    let name = checked(name).map_err(|_| Unsettled::NotAName)?;
    let typed = read(format!("a: {name}\n"))?;
    let meant = typed.root().and_then(|root| root.get("a"));
    let meant = meant.map(|entry| entry.value());
    let meant = meant.filter(|meant| !meant.is_collection() && !meant.text().is_empty());
    let meant = meant.ok_or(Unsettled::NotAName)?;
    if member(list, &meant.text()).is_some() {
        return Err(Unsettled::NotAName);
    }
    let none: [&str; 0] = [];
    let named = NewValue::Typed(name);
    let renamed = writing::with_field(document, holder.node, field, &named, &none, None);
    renamed.map(Document::into_text).ok_or(Unsettled::NoPlace)
}

/// Puts a value where one stands that does not fit: the one from before, which is no edit, or another one, which is one like
/// those by hand.
fn with_fitting(
    document: &Document,
    contest: &Contest,
    choice: &Choice,
) -> Result<String, Unsettled> {
    let value = match choice {
        Choice::Winner => contest.winner.0.as_deref().map(NewValue::of_canonical),
        Choice::Loser(0) => return Err(Unsettled::Unfit),
        Choice::Loser(_) => return Err(Unsettled::NoSuchLoser),
        Choice::Value(value) => Some(NewValue::Typed(checked(value)?)),
        Choice::Text(text) => Some(NewValue::of_text(text)),
    };
    let holder = contest.holder_like(document).ok_or(Unsettled::NoPlace)?;
    let changed = with_leaf(document, holder.node, &contest.leaf, value.as_ref())?;
    Ok(changed.into_text())
}

/// Takes the stamps of a leaf away, and of those in it; all that they were, and all that they superseded.
fn without_stamps(annotation: &mut Annotation, leaf: &str) -> StampSet {
    let mut stamps = StampSet::default();
    let superseded = &annotation.superseded;
    annotation.leaves.retain(|path, values| {
        let goes = leaves::is_at_or_below(path, leaf);
        for stamped in values.iter().filter(|_| goes) {
            stamps.insert(stamped.stamp);
            if let Some(superseded) = superseded.get(&stamped.stamp) {
                stamps.union(superseded);
            }
        }
        !goes
    });
    stamps
}

fn read(text: String) -> Result<Document, Unsettled> {
    Document::from_text(text, &Limits::default()).map_err(|_| Unsettled::NoPlace)
}

/// A value from the command line.
pub(super) fn checked(value: &str) -> Result<String, Unsettled> {
    let read = Document::from_text(format!("a: {value}\n"), &Limits::default());
    let document = read.map_err(|_| Unsettled::NotAValue)?;
    let root = document.root().ok_or(Unsettled::NotAValue)?;
    let is_whole = root.len() == 1
        && root.get("a").is_some_and(|entry| {
            entry.tail().trim().is_empty() && !entry.value().is_block_scalar()
        });
    if value.contains(['\n', '\r']) || !is_whole {
        return Err(Unsettled::NotAValue);
    }
    Ok(value.trim().to_owned())
}

/// A document with a leaf set, or taken away.
fn with_leaf(
    document: &Document,
    holder: NodeRef<'_>,
    leaf: &str,
    value: Option<&NewValue>,
) -> Result<Document, Unsettled> {
    let names = Annotation::names(leaf);
    let (last, above) = names.split_last().ok_or(Unsettled::NoPlace)?;
    let parent = if above.is_empty() {
        holder
    } else {
        let entry = leaves::at(holder, above).ok_or(Unsettled::NoPlace)?;
        entry.value()
    };
    if parent.kind() != Kind::Mapping {
        return match (leaves::at(holder, &names), value) {
            (Some(entry), None) => {
                let cuts = without_record(document, entry.value())?;
                read(placing::apply(document.text(), cuts).ok_or(Unsettled::NoPlace)?)
            }
            _ => Err(Unsettled::NoPlace),
        };
    }
    if let Some(value) = value {
        let changed = writing::with_field(document, parent, last, value, &together(leaf), None);
        return changed.ok_or(Unsettled::NoPlace);
    }
    let cuts = placing::cuts(parent, |name| name == last);
    if cuts.is_empty() && parent.get(last).is_some() {
        return Err(Unsettled::NoPlace);
    }
    read(placing::apply(document.text(), cuts).ok_or(Unsettled::NoPlace)?)
}

/// Takes a record out of its list.
fn without_record(document: &Document, record: NodeRef<'_>) -> Result<Vec<Splice>, Unsettled> {
    fn list_of<'d>(node: NodeRef<'d>, record: NodeRef<'_>) -> Option<(EntryRef<'d>, NodeRef<'d>)> {
        node.entries().find_map(|entry| {
            let value = entry.value();
            let holds = value.kind() == Kind::Sequence
                && value.entries().any(|member| member.value() == record);
            if holds {
                Some((entry, value))
            } else {
                list_of(value, record)
            }
        })
    }
    let (entry, list) = document
        .root()
        .and_then(|root| list_of(root, record))
        .ok_or(Unsettled::NoPlace)?;
    if list.len() == 1 {
        return Ok(vec![placing::with_value(entry, "[]")]);
    }
    Ok(placing::member_cut(list, record).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
_crdt: v1 todos=or_set
_crdt_conflicts: owner~~s.you
owner: me
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd status~000
    _crdt_conflicts: ~~deleted status~4k2mez11-01xyz9~s.late status~~j.7 note~~s.gone
    title: First
    status: done  # beside
  # about b
  - id: b
    _crdt_conflicts: ~~deleted
    title: Second
";

    fn settled(text: &str, field: &str, choice: &Choice) -> Result<String, Unsettled> {
        let document = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let contests = contests(&document);
        let contest = contests
            .iter()
            .find(|contest| contest.field == field)
            .unwrap();
        settle(
            &document,
            contest,
            choice,
            None,
            "6ewzat00-000007".parse().unwrap(),
            "",
        )
    }

    #[test]
    fn contests_are_listed_by_record_and_leaf() {
        let document = Document::from_text(TEXT.to_owned(), &Limits::default()).unwrap();
        let fields: Vec<String> = contests(&document)
            .into_iter()
            .map(|contest| contest.field)
            .collect();
        assert_eq!(
            fields,
            [
                "owner",
                "todos/a",
                "todos/a/note",
                "todos/a/status",
                "todos/b"
            ]
        );
    }

    #[test]
    fn the_value_of_a_whole_record_is_what_it_says_not_what_is_said_about_it() {
        let document = Document::from_text(TEXT.to_owned(), &Limits::default()).unwrap();
        let contests = contests(&document);
        let of_record = contests.iter().find(|contest| contest.field == "todos/b");
        let shown = of_record.and_then(|contest| contest.winner.0.as_deref());
        assert_eq!(shown, Some(r#"{"id":"b","title":"Second"}"#));
    }

    #[test]
    fn a_choice_sets_the_value_and_closes_the_contest() {
        let text = settled(TEXT, "todos/a/status", &Choice::Loser(0)).unwrap();
        assert!(text.contains("    status: late  # beside\n"), "{text}");
        assert!(
            text.contains("    _crdt: 6ewzat00-000007 status~"),
            "{text}"
        );
        assert!(
            text.contains(" -4k2m9xa7-7f3kqd -4k2mez11-01xyz9\n"),
            "{text}"
        );
        assert!(
            text.contains("    _crdt_conflicts: ~~deleted note~~s.gone\n"),
            "{text}"
        );
        let text = settled(TEXT, "owner", &Choice::Winner).unwrap();
        assert!(
            text.starts_with("_crdt: v1 todos=or_set | 6ewzat00-000007 owner~"),
            "{text}"
        );
        assert!(!text.contains("_crdt_conflicts: owner"), "{text}");
        let text = settled(TEXT, "todos/a/note", &Choice::Loser(0)).unwrap();
        assert!(text.contains("# beside\n    note: gone\n"), "{text}");
        let text = settled(TEXT, "todos/a/status", &Choice::Value("'x: y'".into())).unwrap();
        assert!(text.contains("    status: 'x: y'  # beside\n"), "{text}");
        assert_eq!(
            settled(TEXT, "owner", &Choice::Value("a\nb: 1".into())),
            Err(Unsettled::NotAValue)
        );
        assert_eq!(
            settled(TEXT, "owner", &Choice::Loser(7)),
            Err(Unsettled::NoSuchLoser)
        );
    }

    const COMPLETED: &str = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd completed_at~000 status~000
    _crdt_conflicts: completed_at~4k2mez11-01xyz9~s.2025-11-03 outcome~4k2mez11-01xyz9~s.shown status~~s.late status~4k2mez11-01xyz9~s.completed title~~s.Firstly
    title: First
    status: blocked
    completed_at: null
";

    /// A text without the stamps of its records.
    fn unstamped(text: &str) -> String {
        let lines = text.split_inclusive('\n');
        lines
            .filter(|line| !line.starts_with("    _crdt:"))
            .collect()
    }

    #[test]
    fn fields_that_change_together_are_settled_together() {
        let top = "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    _crdt_conflicts: title~~s.Firstly\n    title: First\n";
        let completed = "    status: completed\n    completed_at: 2025-11-03\n    outcome: shown\n";
        for (field, choice, expected) in [
            ("todos/a/status", Choice::Loser(0), completed),
            ("todos/a/outcome", Choice::Loser(0), completed),
            (
                "todos/a/status",
                Choice::Loser(1),
                "    status: late\n    completed_at: null\n",
            ),
            (
                "todos/a/completed_at",
                Choice::Winner,
                "    status: blocked\n    completed_at: null\n",
            ),
            (
                "todos/a/status",
                Choice::Value("open".into()),
                "    status: open\n    completed_at: null\n",
            ),
        ] {
            let text = settled(COMPLETED, field, &choice).unwrap();
            assert_eq!(unstamped(&text), format!("{top}{expected}"), "{choice:?}");
        }
    }

    #[test]
    fn a_choice_is_written_like_what_it_replaces() {
        let text = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt_conflicts: folded~~s.One+and+two. kept~~s.it lines~~j.%22One%5CnTwo%5Cn%22 quoted~~s.y tags~~j.[1%2C%22x%22]
    folded: >-  # a note
      Three
      and four.
    lines: |
      Three
      Four
    quoted: 'x'
    # on tags
    tags: [2, y]
  - id: b
";
        let chosen = [
            ("folded", "    folded: >-  # a note\n      One and two.\n"),
            ("lines", "    lines: |\n      One\n      Two\n"),
            ("quoted", "    quoted: 'y'\n    # on tags\n"),
            ("tags", "    # on tags\n    tags: [1, x]\n"),
            ("kept", "    tags: [2, y]\n    kept: it\n  - id: b\n"),
        ];
        for (leaf, expected) in chosen {
            let text = settled(text, &format!("todos/a/{leaf}"), &Choice::Loser(0)).unwrap();
            assert!(text.contains(expected), "{leaf}: {text}");
        }
    }

    #[test]
    fn a_choice_is_found_by_the_value_that_stood_before() {
        let read = |text: &str| Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let [document, before] = [
            read(TEXT),
            read("todos:\n  - id: a\n    status: late\n  - id: c\n"),
        ];
        let found = contests(&document);
        let of = |field: &str| found.iter().find(|contest| contest.field == field).unwrap();
        let status = of("todos/a/status");
        let late = status.in_version(&before).unwrap();
        assert_eq!(late, Lost::Value("\"late\"".into()));
        assert_eq!(status.choice_of(&late), Some(Choice::Loser(0)));
        assert_eq!(status.choice_against(&late), Some(Choice::Winner));
        let done = Lost::Value("\"done\"".into());
        assert_eq!(status.choice_of(&done), Some(Choice::Winner));
        // The one with a stamp is the latest.
        assert_eq!(status.choice_against(&done), Some(Choice::Loser(0)));
        assert_eq!(status.choice_of(&Lost::Value("1".into())), None);
        assert_eq!(status.in_version(&document), None);
        let record = of("todos/b");
        let gone = record.in_version(&before).unwrap();
        assert_eq!(gone, Lost::Deletion);
        assert_eq!(record.choice_of(&gone), Some(Choice::Loser(0)));
        assert_eq!(record.choice_against(&gone), Some(Choice::Winner));
    }

    #[test]
    fn a_record_with_nothing_left_to_say_says_nothing() {
        let text = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd owner~9c2
    _crdt_conflicts: owner~~deleted
    owner: me
    title: First
";
        assert_eq!(
            settled(text, "todos/a/owner", &Choice::Loser(0)).unwrap(),
            "_crdt: v1 todos=or_set\ntodos:\n  - id: a\n    title: First\n"
        );
    }

    #[test]
    fn a_mapping_is_stamped_by_its_leaves() {
        let text = "\
_crdt: v1 todos=or_set
todos:
  - id: a
    _crdt: 4k2m9xa7-7f3kqd meta~9c2
    _crdt_conflicts: meta~~j.%7B%22deep%22%3A%7B%22x%22%3A3%7D%2C%22k%22%3A1%7D
    meta: none
";
        let taken = settled(text, "todos/a/meta", &Choice::Loser(0)).unwrap();
        let annotation = "    _crdt: 6ewzat00-000007 meta.deep.x~x7g meta.k~war -4k2m9xa7-7f3kqd\n";
        assert!(taken.contains(annotation), "{taken}");
        let back = taken.replace(
            "    meta:\n",
            "    _crdt_conflicts: meta~~s.none\n    meta:\n",
        );
        let back = settled(&back, "todos/a/meta", &Choice::Loser(0)).unwrap();
        assert!(
            back.contains("    _crdt: 6ewzat00-000007 meta~1jj -4k2m9xa7-7f3kqd\n"),
            "{back}"
        );
    }

    /// Two records that were born as `x`; the digest is that of the second one's title.
    fn namesakes() -> String {
        let born = digest(read("Buy\n".to_owned()).unwrap().root().unwrap());
        format!(
            "\
_crdt: v1 todos=or_set
todos:
  - id: x
    _crdt: +4k2m9xa7-7f3kqd~a1f
    title: Sell
    status: open
  # bought
  - id: x-{born}
    _crdt: +4k2m9xa8-01xyz9~{born} 4k2m9xa9-01xyz9 owner~000
    _crdt_conflicts: owner~~s.you
    title: Buy
    owner: me
    status: done
    completed_at: 2025-11-03
    steps:
      - id: one
        title: Go
"
        )
    }

    fn settled_name(choice: &Choice) -> Result<String, Unsettled> {
        let text = namesakes();
        let document = read(text.clone()).unwrap();
        let contests = contests(&document);
        let names: Vec<&Contest> = contests
            .iter()
            .filter(|contest| contest.matter == Matter::Name)
            .collect();
        let [name] = names.as_slice() else {
            panic!("{contests:?}");
        };
        assert!(name.field.ends_with("/id"), "{name:?}");
        assert_eq!(name.losers[0].0, Lost::Value("\"x\"".into()));
        let stamp = "6ewzat00-000007".parse().unwrap();
        settle(&document, name, choice, None, stamp, "")
    }

    fn names_in(text: &str) -> Vec<Contest> {
        let document = read(text.to_owned()).unwrap();
        let contests = contests(&document).into_iter();
        contests
            .filter(|contest| contest.matter == Matter::Name)
            .collect()
    }

    #[test]
    fn two_births_of_one_name_are_contested_until_somebody_leaves_it_at_that() {
        let kept = settled_name(&Choice::Winner).unwrap();
        assert!(kept.contains("_crdt_conflicts: id~~s.x-"), "{kept}");
        assert_eq!(names_in(&kept), []);
        let document = read(kept).unwrap();
        let open = contests(&document);
        let open: Vec<&str> = open
            .iter()
            .filter_map(|contest| contest.field.rsplit('/').next())
            .collect();
        assert_eq!(open, ["owner"], "what else is open stays open");
        let renamed = settled_name(&Choice::Value("buy".into())).unwrap();
        assert!(renamed.contains("  # bought\n  - id: buy\n"), "{renamed}");
        assert_eq!(names_in(&renamed), []);
        for taken in ["x", "", "[a]"] {
            let refused = settled_name(&Choice::Value(taken.into()));
            assert_eq!(refused, Err(Unsettled::NotAName), "{taken}");
        }
    }

    #[test]
    fn whose_namesake_is_gone_is_contested_no_more() {
        let text = namesakes();
        let without = text.replace("  - id: x\n", "  - id: y\n");
        assert_eq!(names_in(&without), []);
    }

    #[test]
    fn records_that_are_one_are_joined_and_what_differs_stays_open() {
        let joined = settled_name(&Choice::Loser(0)).unwrap();
        assert_eq!(
            joined,
            "\
_crdt: v1 todos=or_set
todos:
  - id: x
    _crdt: +4k2m9xa7-7f3kqd~a1f
    _crdt_conflicts: completed_at~~s.2025-11-03 owner~~s.you status~~s.done title~~s.Buy
    title: Sell
    status: open
    owner: me
    steps:
      - id: one
        title: Go
"
        );
    }

    #[test]
    fn texts_of_which_both_changed_the_same_lines_are_told_from_values() {
        let text = "\
_crdt: v1
_crdt_conflicts: a~~j.%22One%5CnTwo%5Cn%22 b~~j.%22One%5CnTwo%5Cn%22 c~~deleted
a: |
  One
  Three
b: Three
c: 1
";
        let document = read(text.to_owned()).unwrap();
        let matters: Vec<Matter> = contests(&document)
            .iter()
            .map(|one| one.matter.clone())
            .collect();
        assert_eq!(matters, [Matter::Text, Matter::Value, Matter::Deletion]);
    }

    #[test]
    fn what_is_typed_is_yaml_or_a_text() {
        assert_eq!(Choice::typed("3"), Choice::Value("3".into()));
        assert_eq!(Choice::typed("Fix: it"), Choice::Text("Fix: it".into()));
        assert_eq!(Choice::typed("a\nb"), Choice::Text("a\nb".into()));
        assert_eq!(Choice::typed("[x"), Choice::Value("[x".into()));
        let text = settled(TEXT, "owner", &Choice::typed("Fix: it")).unwrap();
        assert!(text.contains("owner: \"Fix: it\"\n"), "{text}");
    }

    #[test]
    fn a_deletion_may_be_taken_or_not() {
        let text = settled(TEXT, "todos/b", &Choice::Loser(0)).unwrap();
        assert!(text.ends_with("# beside\n"), "{text}");
        let last = settled(&text, "todos/a", &Choice::Loser(0)).unwrap();
        assert!(last.ends_with("owner: me\ntodos: []\n"), "{last}");
        let kept = settled(TEXT, "todos/b", &Choice::Winner).unwrap();
        assert!(
            kept.contains("  - id: b\n    _crdt: 6ewzat00-000007 title~"),
            "{kept}"
        );
        assert!(!kept.contains("deleted\n"), "{kept}");
    }
}
