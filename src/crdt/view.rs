//! The view: what a set of edits shows over the document that they were made on. A function of the set alone: the order,
//! grouping and repetition of edits do not matter.

mod records;

use std::collections::{BTreeMap, BTreeSet};
use std::mem::discriminant;

use super::difference::{edits, observed};
use super::document::{Atom, Document, Loser, Map, Node, Path, Stamps, Step};
use super::edit::{Act, Change, Edit};
use super::register::stamps_of;
use super::text::{self, Overlap};
use super::{Digest, Observed, Stamp, Write, heads, list};

/// What a view must know of the values.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'r> {
    /// Fields of a record that change together, as one register.
    pub groups: &'r [&'r [&'r str]],
    /// How a text is spelled canonically.
    pub spell: fn(&str) -> String,
}

impl Rules<'_> {
    /// The edits that made `new` of `old`: one for each stamp that `new` has and `old` has not, and one for what carries
    /// none. Each observed what `old` holds in its place, losing values included.
    #[must_use]
    pub fn edits(&self, old: &Document, new: &Document) -> Vec<Edit> {
        edits(old, new, self.groups)
    }

    /// What an edit of `at` observes in `document`: what stands there and what lost there, with all that they superseded.
    #[must_use]
    pub fn observed(&self, document: &Document, at: &Path) -> Observed {
        observed(document, at, self.groups)
    }

    /// What `edits` show over `base`.
    #[must_use]
    pub fn view(&self, base: &Document, edits: &[Edit]) -> Document {
        let mut known: Vec<&Edit> = Vec::with_capacity(edits.len());
        for edit in edits {
            if !known.contains(&edit) {
                known.push(edit);
            }
        }
        let mut viewing = Viewing {
            rules: self,
            losers: base.losers.clone(),
            removed: base.removed.clone(),
        };
        let mut settled = BTreeSet::new();
        let mut touches = Vec::new();
        for (number, edit) in known.iter().enumerate() {
            for change in &edit.changes {
                match &change.act {
                    Act::Lose(value) => viewing.lose(&change.at, value.clone(), edit.stamp),
                    Act::Settle(value) => {
                        settled.insert(Loser {
                            at: change.at.clone(),
                            value: value.clone(),
                        });
                    }
                    _ => touches.push(Touch::of(change, edit.stamp, number)),
                }
            }
        }
        let root = viewing.map(&base.root, &touches, &Path::default());
        let mut superseded = base.superseded.clone();
        for edit in &known {
            let Some(stamp) = edit.stamp else { continue };
            let observed = edit
                .changes
                .iter()
                .flat_map(|change| change.observed.stamps());
            superseded.entry(stamp).or_default().extend(observed);
        }
        let mut losers = viewing.losers;
        losers.retain(|loser, _| !settled.contains(loser));
        Document {
            root,
            losers,
            removed: viewing.removed,
            superseded,
            typed_over: base.typed_over.clone(),
        }
    }
}

/// A change as seen from the place that is being viewed.
#[derive(Clone)]
struct Touch {
    /// The names that lead on from here.
    rest: Vec<Step>,
    act: Act,
    observed: Observed,
    stamp: Option<Stamp>,
    /// Which edit it belongs to.
    edit: usize,
}

/// The value of a register, or its absence.
type Value = Option<Atom>;

impl Touch {
    fn of(change: &Change, stamp: Option<Stamp>, edit: usize) -> Self {
        Self {
            rest: change.at.steps().to_vec(),
            act: change.act.clone(),
            observed: change.observed.clone(),
            stamp,
            edit,
        }
    }

    fn is_here(&self) -> bool {
        self.rest.is_empty()
    }

    /// Whether it takes away all that is here.
    fn removes(&self) -> bool {
        self.is_here() && self.act == Act::Remove
    }

    /// What it does to a register; nothing if it does something else.
    fn value(&self) -> Option<Value> {
        match &self.act {
            Act::Write(value) => Some(Some(value.clone())),
            Act::Remove => Some(None),
            _ => None,
        }
    }

    /// Those that lead on, by the first step of their way.
    fn by_step(touches: &[Self]) -> BTreeMap<Step, Vec<Self>> {
        let mut by_step: BTreeMap<Step, Vec<Self>> = BTreeMap::new();
        for touch in touches {
            if let [step, rest @ ..] = touch.rest.as_slice() {
                let further = by_step.entry(step.clone()).or_default();
                further.push(Self {
                    rest: rest.to_vec(),
                    ..touch.clone()
                });
            }
        }
        by_step
    }
}

/// A write into a register.
fn write(value: Value, stamp: Option<Stamp>, observed: Observed) -> Write<Value> {
    let digest = value.as_ref().map_or_else(|| Digest::of(b""), Atom::digest);
    Write {
        value,
        digest,
        stamp,
        observed,
    }
}

struct Viewing<'r> {
    rules: &'r Rules<'r>,
    losers: BTreeMap<Loser, Stamps>,
    removed: BTreeMap<Path, Stamps>,
}

impl Viewing<'_> {
    fn lose(&mut self, at: &Path, value: Value, stamps: impl IntoIterator<Item = Stamp>) {
        let loser = Loser {
            at: at.clone(),
            value,
        };
        self.losers.entry(loser).or_default().extend(stamps);
    }

    fn map(&mut self, base: &Map, touches: &[Touch], at: &Path) -> Map {
        let mut map = base.clone();
        for (step, touches) in Touch::by_step(touches) {
            let Step::Entry(name) = &step else { continue };
            match self.node(base.get(name), touches, &at.entry(name)) {
                Some(node) => map.insert(name.clone(), node),
                None => map.remove(name),
            };
        }
        map
    }

    fn node(&mut self, base: Option<&Node>, touches: Vec<Touch>, at: &Path) -> Option<Node> {
        let touched = |is: fn(&Touch) -> bool| touches.iter().any(is);
        let removed = touched(Touch::removes);
        let births = touched(|touch| touch.rest.len() == 1 && matches!(touch.act, Act::Add { .. }));
        let leads_on = touched(|touch| !touch.is_here());
        let replaced = touched(|touch| matches!(touch.act, Act::Replace(_)));
        let node = match base {
            Some(Node::Set(records)) => Node::Set(self.set(records, &touches, at)),
            _ if births => Node::Set(self.set(&[], &touches, at)),
            Some(Node::Map(map)) => Node::Map(self.map(map, &touches, at)),
            _ if leads_on => Node::Map(self.map(&Map::new(), &touches, at)),
            Some(Node::List(members, stamps)) => self.list(Some((members, stamps)), &touches),
            _ if replaced => self.list(None, &touches),
            Some(Node::Register(value, stamps)) => {
                return self.register(Some((value, stamps)), &touches, at);
            }
            None => return self.register(None, &touches, at),
        };
        let is_empty = match &node {
            Node::Map(map) => map.is_empty(),
            Node::Set(records) => removed && records.is_empty(),
            Node::List(..) => removed && !replaced,
            Node::Register(..) => false,
        };
        // Who makes another kind of a value takes the old one away.
        let same_kind = base.is_none_or(|base| discriminant(base) == discriminant(&node));
        if removed && !is_empty && same_kind {
            self.lose(at, None, None);
        }
        if is_empty && removed {
            let removals = touches.iter().filter(|touch| touch.removes());
            let stamps: Stamps = removals.filter_map(|touch| touch.stamp).collect();
            self.removed.entry(at.clone()).or_default().extend(stamps);
        }
        (!is_empty).then_some(node)
    }

    /// A register whose absence yields to every concurrent value; texts of several lines are merged.
    fn register(
        &mut self,
        base: Option<(&Atom, &Stamps)>,
        touches: &[Touch],
        at: &Path,
    ) -> Option<Node> {
        let standing = base.map(|(value, stamps)| {
            let latest = stamps.last().copied();
            write(Some(value.clone()), latest, Observed::default())
        });
        let touched = touches
            .iter()
            .filter_map(|touch| Some(write(touch.value()?, touch.stamp, touch.observed.clone())));
        let writes: Vec<Write<Value>> = standing.into_iter().chain(touched).collect();
        let heads = heads(&writes)?;
        let mut live = heads.losers;
        live.push(heads.winner);
        live.sort_by(|(a, x), (b, y)| (a.is_some(), x, a).cmp(&(b.is_some(), y, b)));
        let (value, _) = live.pop()?;
        // Of what stood there already all stamps are known.
        let stamps = |value: &Value| {
            let mut stamps = stamps_of(value, &writes);
            let known = base.filter(|(base, _)| value.as_ref() == Some(base));
            if let Some((_, known)) = known.filter(|(_, known)| !known.is_disjoint(&stamps)) {
                stamps.extend(known);
            }
            stamps
        };
        let Some(shown) = &value else {
            self.removed
                .entry(at.clone())
                .or_default()
                .extend(stamps(&value));
            return None;
        };
        if let Some(merged) = base.and_then(|(base, _)| self.texts(base, &live, shown, at)) {
            let heads = live.iter().map(|(value, _)| value).chain([&value]);
            return Some(Node::Register(merged, heads.flat_map(stamps).collect()));
        }
        let stamped = Node::Register(shown.clone(), stamps(&value));
        for (lost, _) in live {
            let stamps = stamps(&lost);
            self.lose(at, lost, stamps);
        }
        Some(stamped)
    }

    /// Concurrent texts as one: where they overlap the later one stands and the other is kept.
    fn texts(
        &mut self,
        base: &Atom,
        earlier: &[(Value, Option<Stamp>)],
        latest: &Atom,
        at: &Path,
    ) -> Option<Atom> {
        let base = base.lines()?;
        let mut texts = Vec::with_capacity(earlier.len() + 1);
        for (value, _) in earlier {
            texts.push(value.as_ref()?.lines()?);
        }
        texts.push(latest.lines()?);
        let mut texts = texts.into_iter();
        let mut merged = texts.next()?;
        let mut lost = Vec::new();
        for lines in texts {
            let with = |overlap| text::merge(&base, &merged, &lines, overlap);
            let both = with(Overlap::Theirs);
            if both.overlapped {
                lost.push(with(Overlap::Ours).lines.join("\n"));
            }
            merged = both.lines;
        }
        let merged = self.spelled(merged.join("\n"));
        for text in lost {
            let text = self.spelled(text);
            self.lose(at, Some(text), None);
        }
        Some(merged)
    }

    fn spelled(&self, text: String) -> Atom {
        Atom::text((self.rules.spell)(&text), text)
    }

    fn list(&mut self, base: Option<(&Vec<Atom>, &Stamps)>, touches: &[Touch]) -> Node {
        let seen = |stamp: Option<Stamp>| {
            let stamps = touches.iter().flat_map(|touch| touch.observed.stamps());
            stamp.is_some() && stamps.into_iter().any(|seen| Some(seen) == stamp)
        };
        let mut versions: Vec<(Option<Stamp>, &Vec<Atom>)> = touches
            .iter()
            .filter_map(|touch| match &touch.act {
                Act::Replace(members) => Some((touch.stamp, members)),
                _ => None,
            })
            .filter(|(stamp, _)| !seen(*stamp))
            .collect();
        versions.sort();
        versions.dedup();
        let none = (&Vec::new(), &Stamps::new());
        let (before, stamps) = base.unwrap_or(none);
        let stamps = match versions.as_slice() {
            [] => stamps.clone(),
            versions => versions.iter().filter_map(|(stamp, _)| *stamp).collect(),
        };
        let mut versions = versions.into_iter().map(|(_, members)| members);
        let first = versions.next().unwrap_or(before).clone();
        let merged = versions.fold(first, |merged, members| {
            list::merge(before, &merged, members)
        });
        Node::List(merged, stamps)
    }
}
