//! Why something stands as it does: which edits competed for its place, and which rule decided.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path as FilePath;

use super::conflict::value_of;
use super::{Kind, Origin};
use crate::context::{GROUPS, Types, contests, lift_but};
use crate::crdt::{
    Act, Atom, Change, Document, Found, Node, Path, Stamp, Step, Type, split_second_name,
};
use crate::git::{Repo, git_path};
use crate::history::People;
use crate::node::{Branches, Config};
use crate::overlay::{DocumentPath, Known};
use crate::store::{Error, Issuer, Mark, Reading, StoredEdit};
use crate::yaml;

/// How many edits of a place are told.
const MOST: usize = 100;

/// What decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Nobody is known to have edited it: it stands as git has it.
    Unedited,
    /// One edit alone is known.
    Alone,
    /// Whoever wrote what stands had seen all the others.
    Seen,
    /// Of those that had not seen each other the latest stands.
    Later,
    /// What carries a stamp stands before what carries none.
    Stamped,
    /// None carries a stamp: the greater value stands.
    Greater,
    /// Somebody changed what another one deleted: it stays.
    Changed,
    /// Texts are merged by lines; where both changed the same ones, the later stands.
    Lines,
    /// Lists are merged member by member.
    Members,
    /// All that was added counts.
    Sum,
    /// The greatest number stands.
    Greatest,
    /// The last writer's value stands alone, by configuration.
    Last,
    /// The latest place in the order counts.
    Place,
    /// Of two records that were born under one name the earlier keeps it.
    Name,
    /// All who knew it saw it go.
    Gone,
    /// It is not there, and nobody knows who took it away.
    Absent,
}

impl Rule {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Unedited => "unedited",
            Self::Alone => "alone",
            Self::Seen => "seen",
            Self::Later => "later",
            Self::Stamped => "stamped",
            Self::Greater => "greater",
            Self::Changed => "changed",
            Self::Lines => "lines",
            Self::Members => "members",
            Self::Sum => "sum",
            Self::Greatest => "greatest",
            Self::Last => "last",
            Self::Place => "place",
            Self::Name => "name",
            Self::Gone => "gone",
            Self::Absent => "absent",
        }
    }

    /// In plain words.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Unedited => "no edit of it is known here: it stands as git has it",
            Self::Alone => "nobody else is known to have edited it",
            Self::Seen => "whoever wrote it had seen the others, and replaced them",
            Self::Later => "they had not seen each other, and of such edits the latest stands",
            Self::Stamped => {
                "what carries a stamp stands before what somebody wrote without the tool"
            }
            Self::Greater => {
                "none of them carries a stamp: the greater value stands, for everybody alike"
            }
            Self::Changed => {
                "somebody changed what another one deleted without having seen that: it stays, whole"
            }
            Self::Lines => {
                "texts are merged by lines; where both changed the same ones, the later edit stands"
            }
            Self::Members => {
                "lists are merged member by member: what anybody added or took out counts"
            }
            Self::Sum => "it is a counter: all that was added to it counts, each edit once",
            Self::Greatest => "of this number the greatest stands, by configuration",
            Self::Last => "the last writer's value stands alone here, by configuration",
            Self::Place => "it was moved: the latest place counts",
            Self::Name => {
                "two records were born under its name: the earlier birth keeps it, and this one got a second name"
            }
            Self::Gone => "it was deleted, by somebody who had seen all that it held",
            Self::Absent => {
                "no edit that took it away is known here: a commit did, or it is not recorded yet"
            }
        }
    }
}

/// What became of an edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It stands.
    Stands,
    /// It counts along with others.
    Counts,
    /// Another one had seen it, and replaced it: this one, where it is known.
    Replaced(Option<Stamp>),
    /// It lost, and is kept until somebody settles it.
    Lost,
    /// It had lost, and somebody settled that.
    Settled,
    /// Whoever made it took it back.
    TakenBack,
    /// It is parked here.
    Parked,
    /// It belongs to another branch.
    Elsewhere,
    /// The policy keeps it on the branch that it was made on.
    OtherBranch,
}

impl Fate {
    /// What scripts read.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stands => "stands",
            Self::Counts => "counts",
            Self::Replaced(_) => "replaced",
            Self::Lost => "lost",
            Self::Settled => "settled",
            Self::TakenBack => "taken back",
            Self::Parked => "parked",
            Self::Elsewhere => "elsewhere",
            Self::OtherBranch => "of another branch",
        }
    }

    /// Whether it plays a part in what is shown here.
    fn counts(self) -> bool {
        !matches!(
            self,
            Self::TakenBack | Self::Parked | Self::Elsewhere | Self::OtherBranch
        )
    }
}

/// One who competed for a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Competitor {
    /// The edit; none for a value without a stamp.
    pub stamp: Option<Stamp>,
    /// What it did.
    pub did: &'static str,
    /// The canonical text of the value that it wrote; nothing where it wrote none.
    pub value: Option<String>,
    /// Where it comes from.
    pub origin: Origin,
    /// What became of it.
    pub fate: Fate,
    /// Whether HEAD has it.
    pub is_committed: bool,
}

/// Why a place holds what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Where.
    pub at: Path,
    /// The canonical text of what stands there; nothing where nothing does, or a record.
    pub value: Option<String>,
    /// Whether anything stands there.
    pub is_there: bool,
    /// What decided.
    pub rule: Rule,
    /// The fields that change together with this one, as one.
    pub together: Vec<&'static str>,
    /// What competed, the newest first.
    pub competitors: Vec<Competitor>,
}

/// Explains what stands at a place of a document, or does not; `types` are those of its places. Without a store the file alone tells.
///
/// # Errors
/// When the store cannot be read.
pub fn explain(
    repo: &Repo,
    reading: Option<&Reading<'_>>,
    file: &FilePath,
    document: &yaml::Document,
    at: &Path,
    types: &Types,
) -> Result<Explanation, Error> {
    let lifted = around(document, at);
    let path = DocumentPath::new(git_path(file));
    let mut telling = Telling {
        repo,
        people: People::of(repo, reading).unwrap_or_default(),
        shown: shown(&lifted, at),
        lost: lifted
            .losers
            .iter()
            .filter(|(loser, _)| loser.at == *at)
            .map(|(loser, stamps)| (loser.value.clone(), stamps.last().copied()))
            .collect(),
        at,
        retracted: BTreeSet::new(),
        follows_branch: None,
        competitors: Vec::new(),
    };
    if let Some(reading) = reading {
        telling.retracted = reading.retracted(&path)?;
        telling.follows_branch = followed(repo);
        let edits = edits_about(reading, &path, at, &telling)?;
        telling.tell(&edits);
    }
    telling.tell_of_the_file();
    telling.name_authors(file, document);
    let is_there = lifted.found(at).is_some();
    let rule = telling.rule(types, is_there, has_second_name(document, at));
    let value = telling.shown.value.clone();
    Ok(Explanation {
        at: at.clone(),
        value,
        is_there,
        rule,
        together: together(at),
        competitors: telling.competitors,
    })
}

/// What a document holds at a place and around it, without all other records of the outermost list.
fn around(document: &yaml::Document, at: &Path) -> Document {
    let outermost = at.outermost_record();
    let wanted = match outermost.steps().last() {
        Some(Step::Record(name, _)) => Some(name.clone()),
        _ => None,
    };
    let list = outermost.around();
    lift_but(document, &mut |place, members| match &wanted {
        Some(name) if Some(place) == list.as_ref() => {
            let is_other = |entry: yaml::EntryRef<'_>| {
                let mut fields = entry.value().entries();
                !fields.any(|field| field.value().text() == name.said())
            };
            members.entries().map(is_other).collect()
        }
        Some(_) if place.steps().len() == 1 => vec![true; members.len()],
        _ => Vec::new(),
    })
}

/// The other fields of a group.
fn together(at: &Path) -> Vec<&'static str> {
    let Some(Step::Entry(field)) = at.steps().last() else {
        return Vec::new();
    };
    let in_record = matches!(at.steps(), [.., Step::Record(..), Step::Entry(_)]);
    let group = GROUPS.iter().find(|group| group.contains(&field.as_str()));
    let others = group.into_iter().flat_map(|group| group.iter().copied());
    others.filter(|other| in_record && other != field).collect()
}

/// The branch whose edits alone are shown, if the policy says so.
fn followed(repo: &Repo) -> Option<String> {
    let config = Config::at_head(repo).ok()?;
    (config.branches == Branches::Same)
        .then(|| repo.shared_branch().ok().flatten())
        .flatten()
}

fn has_second_name(document: &yaml::Document, at: &Path) -> bool {
    let Some(Step::Record(name, birth)) = at.steps().last() else {
        return false;
    };
    split_second_name(name.said()).is_some_and(|(_, digest)| digest == *birth)
        && contests(document)
            .iter()
            .any(|contest| Kind::of(&contest.matter) == Kind::Id)
}

/// What stands at a place.
#[derive(Default)]
struct Shown {
    value: Option<String>,
    stamps: BTreeSet<Stamp>,
    has_lines: bool,
    is_list: bool,
}

fn shown(document: &Document, at: &Path) -> Shown {
    match document.found(at) {
        Some(Found::Node(Node::Register(value, stamps))) => Shown {
            value: Some(value.canonical().to_owned()),
            stamps: stamps.clone(),
            has_lines: value.lines().is_some(),
            is_list: false,
        },
        Some(Found::Node(Node::List(members, stamps))) => {
            let members: Vec<&str> = members.iter().map(Atom::canonical).collect();
            Shown {
                value: Some(format!("[{}]", members.join(","))),
                stamps: stamps.clone(),
                has_lines: false,
                is_list: true,
            }
        }
        Some(Found::Record(record, ..)) => Shown {
            stamps: record.birth.stamp.into_iter().collect(),
            ..Shown::default()
        },
        Some(Found::Node(Node::Map(_) | Node::Set(_))) | None => Shown::default(),
    }
}

/// The known edits that touch a place, and those that took away what it is in: the newest first.
fn edits_about(
    reading: &Reading<'_>,
    document: &DocumentPath,
    at: &Path,
    telling: &Telling<'_>,
) -> Result<Vec<StoredEdit>, Error> {
    let mut found: BTreeMap<Stamp, StoredEdit> = BTreeMap::new();
    for edit in reading.edits_about(document, at, None, MOST)? {
        if touches(&edit, at) {
            found.insert(edit.known.stamp, edit);
        }
    }
    // What stands or lost may be known and not count any more; and so what it replaced.
    let named = telling.shown.stamps.iter().copied();
    let lost = telling.lost.iter().filter_map(|(_, stamp)| *stamp);
    let mut waiting: Vec<Stamp> = named.chain(lost).collect();
    for edit in found.values() {
        waiting.extend(observed(edit, at));
    }
    let mut asked = BTreeSet::new();
    while let Some(stamp) = waiting.pop() {
        if asked.len() > MOST || !asked.insert(stamp) || found.contains_key(&stamp) {
            continue;
        }
        if let Some(edit) = reading.edit(stamp)?.filter(|edit| touches(edit, at)) {
            waiting.extend(observed(&edit, at));
            found.insert(stamp, edit);
        }
    }
    Ok(found.into_values().rev().take(MOST).collect())
}

fn touches(edit: &StoredEdit, at: &Path) -> bool {
    edit.known
        .changes()
        .iter()
        .any(|change| is_about(change, at))
}

/// Whether a change is about a place: it is there, or takes away, or brings, what the place is in.
fn is_about(change: &Change, at: &Path) -> bool {
    let (there, here) = (change.at.as_born(), at.as_born());
    if matches!(change.act, Act::Form(_)) {
        return false;
    }
    there == here
        || here.steps().starts_with(there.steps())
            && matches!(change.act, Act::Remove | Act::Add { .. })
            && birth_has(change, &here)
}

/// Whether a record was born with something at a place; of what takes it away that need not be asked.
fn birth_has(change: &Change, at: &Path) -> bool {
    let Act::Add { record, .. } = &change.act else {
        return true;
    };
    match at.steps().get(change.at.steps().len()) {
        Some(Step::Entry(name)) => record.fields.contains_key(name),
        _ => true,
    }
}

/// The single edits that an edit saw at a place.
fn observed(edit: &StoredEdit, at: &Path) -> Vec<Stamp> {
    let changes = edit.known.changes().iter();
    let changes = changes.filter(|change| is_about(change, at));
    let runs = changes.flat_map(|change| change.observed.stamps().runs().to_vec());
    runs.flat_map(|run| [run.first(), run.last()]).collect()
}

struct Telling<'t> {
    repo: &'t Repo,
    people: People,
    at: &'t Path,
    shown: Shown,
    lost: Vec<(Option<Atom>, Option<Stamp>)>,
    retracted: BTreeSet<Stamp>,
    /// The branch whose edits alone are shown.
    follows_branch: Option<String>,
    competitors: Vec<Competitor>,
}

impl Telling<'_> {
    fn origin(&self, stamp: Stamp, known: Option<&Known>) -> Origin {
        let (origin, _) = Origin::of_edit(self.repo, &self.people, stamp, known);
        origin
    }

    /// Tells of known edits.
    fn tell(&mut self, edits: &[StoredEdit]) {
        for edit in edits {
            let changes = edit.known.changes().iter();
            for change in changes.filter(|change| is_about(change, self.at)) {
                let Some((did, value)) = self.did(change) else {
                    continue;
                };
                let fate = self.fate(edit, change, value.as_deref(), edits);
                let stamp = edit.known.stamp;
                self.competitors.push(Competitor {
                    stamp: Some(stamp),
                    did,
                    value,
                    origin: self.origin(stamp, Some(&edit.known)),
                    fate,
                    is_committed: edit.marks.contains(Mark::Contained),
                });
            }
        }
    }

    /// Tells of what stands in the file, or lost there, and was written by no known edit.
    fn tell_of_the_file(&mut self) {
        let latest = self.shown.stamps.last().copied();
        let shown = self
            .shown
            .value
            .clone()
            .map(|value| (Some(value), latest, Fate::Stands));
        let lost = self.lost.iter().map(|(value, stamp)| {
            let value = value.as_ref().map(|value| value.canonical().to_owned());
            (value, *stamp, Fate::Lost)
        });
        let told: Vec<_> = shown.into_iter().chain(lost).collect();
        for (value, stamp, fate) in told {
            let is_told = self.competitors.iter().any(|known| {
                known.fate == fate
                    && (known.value == value || stamp.is_some() && known.stamp == stamp)
            });
            let counts = self
                .competitors
                .iter()
                .any(|known| known.fate == Fate::Counts);
            if is_told || counts && fate == Fate::Stands {
                continue;
            }
            self.competitors.push(Competitor {
                stamp,
                did: match value {
                    Some(_) => "wrote",
                    None => "deleted",
                },
                value,
                origin: stamp.map_or_else(Origin::default, |stamp| self.origin(stamp, None)),
                fate,
                is_committed: false,
            });
        }
        self.competitors
            .sort_by_key(|one| std::cmp::Reverse(one.stamp));
    }

    /// Names those whose edits came by git alone, and whose keys nobody told here: by the commits that brought what lost.
    fn name_authors(&mut self, file: &FilePath, document: &yaml::Document) {
        let is_unknown = |one: &Competitor| one.origin.name.is_none();
        let is_lost = |one: &Competitor| one.fate == Fate::Lost;
        if !self
            .competitors
            .iter()
            .any(|one| is_lost(one) && is_unknown(one))
        {
            return;
        }
        let field = self.at.to_string();
        let open = contests(document);
        let Some(contest) = open.iter().find(|contest| contest.field == field) else {
            return;
        };
        let Ok(sources) = self.repo.sources(file, &[contest]) else {
            return;
        };
        let sources = sources.into_iter().flatten().skip(1);
        for ((lost, stamp), source) in contest.losers.iter().zip(sources) {
            let value = value_of(lost);
            let known = self.competitors.iter_mut().find(|one| {
                is_lost(one) && is_unknown(one) && one.stamp == *stamp && one.value == value
            });
            if let (Some(known), Some(source)) = (known, source) {
                known.origin.name = Some(source.author);
                known.origin.when = known.origin.when.or(Some(source.at));
                known.origin.branch = known.origin.branch.take().or(source.branch);
                known.origin.commit = Some(source.commit);
            }
        }
    }

    /// What a change did at the place.
    fn did(&self, change: &Change) -> Option<(&'static str, Option<String>)> {
        let is_here = change.at.as_born() == self.at.as_born();
        let canonical = |value: &Atom| Some(value.canonical().to_owned());
        Some(match &change.act {
            Act::Write(value) | Act::Last(value) => ("wrote", canonical(value)),
            Act::Replace(members) => {
                let members: Vec<&str> = members.iter().map(Atom::canonical).collect();
                ("wrote", Some(format!("[{}]", members.join(","))))
            }
            Act::Raise(number) => ("wrote", Some(number.to_string())),
            Act::Count(by) => ("added", Some(format!("{by:+}"))),
            Act::Remove if is_here => ("deleted", None),
            Act::Remove => ("deleted the record", None),
            Act::Add { record, .. } if !is_here => {
                let name = self.at.steps().get(change.at.steps().len());
                let Some(Step::Entry(name)) = name else {
                    return None;
                };
                match record.fields.get(name)? {
                    Node::Register(value, _) => ("was born with", canonical(value)),
                    _ => ("was born with it", None),
                }
            }
            Act::Add { .. } => ("added the record", None),
            Act::Move { behind } => ("moved behind", behind.as_ref().and_then(canonical)),
            Act::Settle(value) => ("let go of", value.as_ref().and_then(canonical)),
            Act::Lose(_) | Act::Form(_) => return None,
        })
    }

    fn fate(
        &self,
        edit: &StoredEdit,
        change: &Change,
        value: Option<&str>,
        all: &[StoredEdit],
    ) -> Fate {
        let stamp = edit.known.stamp;
        let has = |mark| edit.marks.contains(mark);
        let is_of_another_branch = || {
            let followed = self.follows_branch.as_ref();
            let branch = edit.known.branch.as_ref();
            edit.issuer == Issuer::Other && followed.zip(branch).is_some_and(|(a, b)| a != b)
        };
        if self.retracted.contains(&stamp) {
            return Fate::TakenBack;
        }
        // What the file says goes before what was noted of it under another HEAD.
        let is_in_file = self.shown.stamps.contains(&stamp)
            || self.lost.iter().any(|(_, by)| *by == Some(stamp));
        if !has(Mark::Contained) && !is_in_file {
            if has(Mark::Parked) {
                return Fate::Parked;
            }
            if has(Mark::Committed) && !has(Mark::TakenUp) {
                return Fate::Elsewhere;
            }
            if is_of_another_branch() {
                return Fate::OtherBranch;
            }
        }
        if matches!(change.act, Act::Count(_)) {
            return Fate::Counts;
        }
        let lost = |(lost, by): &(Option<Atom>, Option<Stamp>)| {
            *by == Some(stamp) || lost.as_ref().map(Atom::canonical) == value
        };
        let is_deletion = change.act == Act::Remove;
        let is_lost = self.lost.iter().any(lost);
        if matches!(change.act, Act::Settle(_)) {
            return Fate::Settled;
        }
        let seen_by = |other: &&StoredEdit| {
            let mut changes = other.known.changes().iter();
            let sees = |other: &Change| is_about(other, self.at) && other.observed.has_stamp(stamp);
            other.known.stamp != stamp
                && !self.retracted.contains(&other.known.stamp)
                && changes.any(sees)
        };
        if let Some(by) = all.iter().rev().find(seen_by) {
            return Fate::Replaced(Some(by.known.stamp));
        }
        if matches!(change.act, Act::Move { .. }) {
            let moves = all.iter().filter(|other| {
                let mut changes = other.known.changes().iter();
                !self.retracted.contains(&other.known.stamp)
                    && changes.any(|other| {
                        matches!(other.act, Act::Move { .. })
                            && other.at.as_born() == self.at.as_born()
                    })
            });
            let latest = moves.map(|other| other.known.stamp).max();
            return match latest == Some(stamp) {
                true => Fate::Stands,
                false => Fate::Replaced(latest),
            };
        }
        if is_lost {
            return Fate::Lost;
        }
        if self.shown.stamps.contains(&stamp)
            || value.is_some() && self.shown.value.as_deref() == value
            || is_deletion && self.shown.value.is_none() && self.shown.stamps.is_empty()
            || matches!(change.act, Act::Add { .. }) && value.is_none()
        {
            return Fate::Stands;
        }
        if self.shown.has_lines || self.shown.is_list {
            return Fate::Counts;
        }
        Fate::Replaced(None)
    }

    /// What decided between all that was told of.
    fn rule(&self, types: &Types, is_there: bool, has_second_name: bool) -> Rule {
        let mut competitors: Vec<&Competitor> = self.competitors.iter().collect();
        competitors.retain(|one| one.fate.counts());
        let did = |what: &str| competitors.iter().any(|one| one.did == what);
        if did("added") {
            return Rule::Sum;
        }
        if !is_there {
            return match did("deleted") || did("deleted the record") {
                true => Rule::Gone,
                false => Rule::Absent,
            };
        }
        let is_record = matches!(self.at.steps().last(), Some(Step::Record(..)));
        if has_second_name {
            return Rule::Name;
        }
        if self.lost.iter().any(|(value, _)| value.is_none()) {
            return Rule::Changed;
        }
        if is_record && did("moved behind") {
            return Rule::Place;
        }
        match types.at(self.at) {
            Some(kind) if kind.is_counter() && !competitors.is_empty() => return Rule::Sum,
            Some(Type::Max) => return Rule::Greatest,
            Some(Type::Lww) => return Rule::Last,
            _ => {}
        }
        let winner = self.shown.stamps.last();
        if let Some((_, lost)) = self.lost.iter().max_by_key(|(_, stamp)| *stamp) {
            return match (winner, lost) {
                _ if self.shown.has_lines => Rule::Lines,
                (Some(_), Some(_)) => Rule::Later,
                (Some(_), None) => Rule::Stamped,
                // Somebody typed it over what had won.
                (None, Some(_)) => Rule::Seen,
                (None, None) => Rule::Greater,
            };
        }
        let edits = competitors.iter().filter(|one| one.stamp.is_some()).count();
        let merged = competitors
            .iter()
            .filter(|one| matches!(one.fate, Fate::Stands | Fate::Counts) && one.did == "wrote")
            .count();
        match edits {
            0 => Rule::Unedited,
            1 => Rule::Alone,
            _ if merged > 1 && self.shown.has_lines => Rule::Lines,
            _ if merged > 1 && self.shown.is_list => Rule::Members,
            _ => Rule::Seen,
        }
    }
}
