//! The view: what a set of edits shows over the document that they were made on. A function of the set alone: the order,
//! grouping and repetition of edits do not matter.

mod counters;
mod forms;
pub(super) mod records;

use std::collections::{BTreeMap, BTreeSet, HashMap};

pub(super) use forms::Forms;

use super::difference::{Alike, edits, observed};
use super::document::{Atom, Document, Loser, Map, Node, Path, Stamps, Step};
use super::edit::{Act, Change, Edit};
use super::register::stamps_of;
use super::text::{self, Overlap};
use super::{Amounts, Digest, Observed, Stamp, Write, heads, list};

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
        edits(old, new, self.groups, &|_| false, Alike::Called)
    }

    /// The same, where also those places are counters that `counts` tells: what was done to their numbers is added to them.
    #[must_use]
    pub fn edits_counting(
        &self,
        old: &Document,
        new: &Document,
        counts: &dyn Fn(&Path) -> bool,
    ) -> Vec<Edit> {
        edits(old, new, self.groups, counts, Alike::Called)
    }

    /// As [`edits_counting`](Self::edits_counting), where a record that got a second name, or lost it, is the one that it was.
    #[must_use]
    pub fn edits_of_the_same(
        &self,
        old: &Document,
        new: &Document,
        counts: &dyn Fn(&Path) -> bool,
    ) -> Vec<Edit> {
        edits(old, new, self.groups, counts, Alike::Born)
    }

    /// What an edit of `at` observes in `document`: what stands there and what lost there, with all that they superseded.
    #[must_use]
    pub fn observed(&self, document: &Document, at: &Path) -> Observed {
        observed(document, at, self.groups)
    }

    /// What `edits` show over `base`.
    #[must_use]
    pub fn view(&self, base: &Document, edits: &[Edit]) -> Document {
        // One edit may be told of more than once.
        let mut known: Vec<&Edit> = Vec::with_capacity(edits.len());
        let mut by_stamp: HashMap<Option<Stamp>, Vec<&Edit>> = HashMap::new();
        for edit in edits {
            let same = by_stamp.entry(edit.stamp).or_default();
            if !same.contains(&edit) {
                same.push(edit);
                known.push(edit);
            }
        }
        let mut losers = base.losers.clone();
        if !losers.is_empty() {
            let changes = known.iter().flat_map(|edit| &edit.changes);
            changes.for_each(|change| choose(&mut losers, change));
        }
        let mut viewing = Viewing {
            rules: self,
            losers,
            removed: base.removed.clone(),
            amounts: base.amounts.clone(),
        };
        let mut settled = BTreeSet::new();
        let mut forms = Forms::of(base);
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
                    Act::Form(form) => forms.add(change, form, edit.stamp),
                    Act::Remove => {
                        forms.remove(change);
                        touches.push(Touch::of(change, edit.stamp, number));
                    }
                    _ => touches.push(Touch::of(change, edit.stamp, number)),
                }
            }
        }
        // What was settled keeps nothing that is removed later; and it stays settled where it loses once more.
        viewing.losers.retain(|loser, _| !settled.contains(loser));
        let root = viewing.map(&base.root, touches, &Path::default());
        let mut superseded = base.superseded.clone();
        for edit in &known {
            let Some(stamp) = edit.stamp else { continue };
            for change in edit
                .changes
                .iter()
                .filter(|change| !change.observed.stamps().is_empty())
            {
                let places = superseded.entry(stamp).or_default();
                places
                    .entry(change.at.as_born())
                    .or_default()
                    .union(change.observed.stamps());
            }
        }
        let mut losers = viewing.losers;
        losers.retain(|loser, _| !settled.contains(loser));
        Document {
            root,
            losers,
            removed: viewing.removed,
            amounts: viewing.amounts,
            superseded,
            typed_over: base.typed_over.clone(),
            forms: forms.in_order(),
        }
    }
}

/// Whoever writes what had lost in a place, and knew that it had, chose it: it lost no more, and can lose again.
pub(super) fn choose(losers: &mut BTreeMap<Loser, Stamps>, change: &Change) {
    let Act::Write(value) = &change.act else {
        return;
    };
    let loser = Loser {
        at: change.at.clone(),
        value: Some(value.clone()),
    };
    let was_seen = |stamps: &Stamps| {
        let mut stamps = stamps.iter().peekable();
        stamps.peek().is_some() && stamps.all(|stamp| change.observed.has_stamp(*stamp))
    };
    if losers.get(&loser).is_some_and(was_seen) {
        losers.remove(&loser);
    }
}

/// A change as seen from the place that is being viewed.
#[derive(Clone, Debug)]
pub(super) struct Touch {
    /// The names that lead on from here.
    pub(super) rest: Vec<Step>,
    pub(super) act: Act,
    pub(super) observed: Observed,
    pub(super) stamp: Option<Stamp>,
    /// Which edit it belongs to.
    pub(super) edit: usize,
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

    /// Whether it was made after the edit with this stamp, by one who had seen that.
    fn has_seen(&self, stamp: Option<Stamp>) -> bool {
        stamp.is_some_and(|stamp| self.observed.has_stamp(stamp))
    }

    /// Whether a removal had seen what an update did.
    fn sees(&self, update: &Self) -> bool {
        let digest = update.value().flatten().map(|value| value.digest());
        let digest = digest.unwrap_or(Digest::of(b""));
        self.observed.contains(update.stamp, digest)
    }

    /// Whether it takes away all that is here.
    fn removes(&self) -> bool {
        self.is_here() && self.act == Act::Remove
    }

    /// Whether it puts another value here.
    fn writes(&self) -> bool {
        let writes = matches!(
            self.act,
            Act::Write(_) | Act::Replace(_) | Act::Raise(_) | Act::Last(_)
        );
        self.is_here() && writes
    }

    /// What it does to a register; nothing if it does something else.
    fn value(&self) -> Option<Value> {
        match &self.act {
            Act::Write(value) | Act::Last(value) => Some(Some(value.clone())),
            Act::Raise(number) => Some(Some(Atom::number(*number))),
            Act::Remove => Some(None),
            _ => None,
        }
    }

    /// Those that lead on, by the first step of their way.
    fn by_step(touches: Vec<Self>) -> BTreeMap<Step, Vec<Self>> {
        let mut by_step: BTreeMap<Step, Vec<Self>> = BTreeMap::new();
        for mut touch in touches.into_iter().filter(|touch| !touch.is_here()) {
            let step = touch.rest.remove(0);
            by_step.entry(step).or_default().push(touch);
        }
        by_step
    }
}

/// What stands at a place that is a list to some and a single value to others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Leaf {
    Gone,
    List(Vec<Atom>),
    Register(Atom),
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

pub(super) struct Viewing<'r> {
    pub(super) rules: &'r Rules<'r>,
    pub(super) losers: BTreeMap<Loser, Stamps>,
    pub(super) removed: BTreeMap<Path, Stamps>,
    pub(super) amounts: BTreeMap<Path, Amounts>,
}

impl Viewing<'_> {
    fn lose(&mut self, at: &Path, value: Value, stamps: impl IntoIterator<Item = Stamp>) {
        let loser = Loser {
            at: at.clone(),
            value,
        };
        self.losers.entry(loser).or_default().extend(stamps);
    }

    /// What lost at a place or in it.
    fn lost_in(&self, at: &Path) -> impl Iterator<Item = (&Loser, &Stamps)> {
        let first = Loser {
            at: at.clone(),
            value: None,
        };
        let losers = self.losers.range(first..);
        losers.take_while(move |(loser, _)| loser.at.steps().starts_with(at.steps()))
    }

    /// Whether a value that lost there was not seen by these removals.
    fn keeps_unseen(&self, removals: &[Touch], at: &Path) -> bool {
        let is_seen = |(loser, stamps): (&Loser, &Stamps)| {
            let Some(value) = &loser.value else {
                return true;
            };
            let mut removals = removals.iter();
            removals.any(|removal| match stamps.is_empty() {
                true => removal.observed.contains(None, value.digest()),
                false => stamps
                    .iter()
                    .any(|stamp| removal.observed.has_stamp(*stamp)),
            })
        };
        !self.lost_in(at).all(is_seen)
    }

    /// What lost at a place that is gone, or in it, went with it.
    fn lose_no_more(&mut self, at: &Path) {
        let gone: Vec<Loser> = self.lost_in(at).map(|(loser, _)| loser.clone()).collect();
        for loser in gone {
            self.losers.remove(&loser);
        }
    }

    fn map(&mut self, base: &Map, touches: Vec<Touch>, at: &Path) -> Map {
        if touches.is_empty() {
            return base.clone();
        }
        let touched = Touch::by_step(touches);
        let is_untouched = |name: &String| !touched.contains_key(&Step::Entry(name.clone()));
        let untouched = base.iter().filter(|(name, _)| is_untouched(name));
        let mut map: Map = untouched
            .map(|(name, node)| (name.clone(), node.clone()))
            .collect();
        for (step, touches) in touched {
            let Step::Entry(name) = step else { continue };
            let node = self.node(base.get(&name), touches, &at.entry(&name));
            map.extend(node.map(|node| (name, node)));
        }
        map
    }

    pub(super) fn node(
        &mut self,
        base: Option<&Node>,
        touches: Vec<Touch>,
        at: &Path,
    ) -> Option<Node> {
        let touched = |is: fn(&Touch) -> bool| touches.iter().any(is);
        let removed = touched(Touch::removes);
        let births = touched(|touch| touch.rest.len() == 1 && matches!(touch.act, Act::Add { .. }));
        let leads_on = touched(|touch| !touch.is_here());
        let is_nested = matches!(base, Some(Node::Map(_) | Node::Set(_))) || leads_on;
        if is_nested && touched(Touch::writes) {
            return self.replaced(base, touches, at);
        }
        let takes_out = |touch: &Touch| touch.act == Act::Remove && !touch.is_here();
        let node = match base {
            Some(Node::Set(records)) => Node::Set(self.set(records, touches, at).into()),
            _ if births => {
                let is_of_records =
                    |touch: &Touch| matches!(touch.rest.first(), Some(Step::Record(..)));
                let (of_records, others): (Vec<Touch>, Vec<Touch>) =
                    touches.into_iter().partition(is_of_records);
                let records = self.set(&[], of_records, at);
                let other = match others.as_slice() {
                    [] => None,
                    _ => self.node(base, others, at),
                };
                // What was put into the place of records that are gone.
                if records.is_empty() && other.is_some() {
                    return other;
                }
                Node::Set(records.into())
            }
            // Records were taken out of a list that has none any more.
            Some(Node::List(members, _))
                if members.is_empty()
                    && leads_on
                    && touches
                        .iter()
                        .all(|touch| touch.is_here() || takes_out(touch)) =>
            {
                let here: Vec<Touch> = touches.into_iter().filter(Touch::is_here).collect();
                return self.leaf(base, &here, at);
            }
            Some(Node::Map(map)) => return self.mapping(map, touches, at),
            // What was taken out of a mapping says nothing of what took the place of that.
            Some(leaf @ (Node::Register(..) | Node::List(..)))
                if leads_on && !touched(Touch::is_here) =>
            {
                let inside = self.mapping(&Map::new(), touches, at);
                return inside.or_else(|| Some(leaf.clone()));
            }
            _ if leads_on => return self.mapping(&Map::new(), touches, at),
            base => return self.leaf(base, &touches, at),
        };
        let is_empty = match &node {
            Node::Set(records) => removed && records.is_empty(),
            _ => false,
        };
        if removed && !is_empty {
            self.lose(at, None, None);
        }
        (!is_empty).then_some(node)
    }

    /// A map with all that was done to it: gone where a removal observed everything, else whole.
    fn mapping(&mut self, base: &Map, touches: Vec<Touch>, at: &Path) -> Option<Node> {
        let (removals, mut updates): (Vec<Touch>, Vec<Touch>) =
            touches.into_iter().partition(Touch::removes);
        // A map that was made again after a removal has nothing of what was removed.
        let (ended, open): (Vec<Touch>, Vec<Touch>) = removals
            .into_iter()
            .partition(|removal| updates.iter().any(|update| update.has_seen(removal.stamp)));
        let unseen = (!ended.is_empty()).then(|| records::unseen(&ended, base));
        let base = unseen.as_ref().unwrap_or(base);
        updates.retain(|update| !ended.iter().any(|removal| removal.sees(update)));
        if !open.is_empty() {
            let seen = |update: &Touch| open.iter().any(|removal| removal.sees(update));
            let stamps = || open.iter().filter_map(|removal| removal.stamp);
            let kept = !records::saw(&open, &updates, base) || self.keeps_unseen(&open, at);
            if updates.iter().all(seen) && !kept {
                self.lose_no_more(at);
                self.removed.entry(at.clone()).or_default().extend(stamps());
                return None;
            }
            self.lose(at, None, stamps().max());
        }
        let map = self.map(base, updates, at);
        (!map.is_empty()).then_some(Node::Map(map))
    }

    /// A register or a list; where some made the one of it and some the other, as one register of both.
    fn leaf(&mut self, base: Option<&Node>, touches: &[Touch], at: &Path) -> Option<Node> {
        if touches
            .iter()
            .any(|touch| matches!(touch.act, Act::Count(_)))
        {
            return self.counter(base, touches, at);
        }
        let node = self.plain_leaf(base, touches, at);
        if !touches.is_empty() {
            self.forget_amounts(at, node.as_ref());
        }
        node
    }

    fn plain_leaf(&mut self, base: Option<&Node>, touches: &[Touch], at: &Path) -> Option<Node> {
        let listed = matches!(base, Some(Node::List(..)))
            || touches
                .iter()
                .any(|touch| matches!(touch.act, Act::Replace(_)));
        let written = matches!(base, Some(Node::Register(..)))
            || touches
                .iter()
                .any(|touch| matches!(touch.act, Act::Write(_) | Act::Raise(_) | Act::Last(_)));
        match base {
            _ if listed && written => self.either(base, touches, at),
            Some(Node::List(members, stamps)) => self.listed(Some((members, stamps)), touches, at),
            Some(Node::Register(value, stamps)) => {
                self.register(Some((value, stamps)), touches, at)
            }
            _ if listed => self.listed(None, touches, at),
            _ => self.register(None, touches, at),
        }
    }

    fn listed(
        &mut self,
        base: Option<(&Vec<Atom>, &Stamps)>,
        touches: &[Touch],
        at: &Path,
    ) -> Option<Node> {
        let is_open = |touch: &&Touch| !touches.iter().any(|later| later.has_seen(touch.stamp));
        let mut open = touches.iter().filter(is_open);
        let removed = open.clone().any(Touch::removes);
        let replaced = open.any(|touch| matches!(touch.act, Act::Replace(_)));
        if removed && !replaced {
            let stamps = touches.iter().filter_map(|touch| touch.stamp);
            self.removed.entry(at.clone()).or_default().extend(stamps);
            return None;
        }
        if removed {
            self.lose(at, None, None);
        }
        Some(self.list(base, touches))
    }

    /// A place that holds a list by some and a single value by others.
    fn either(&mut self, base: Option<&Node>, touches: &[Touch], at: &Path) -> Option<Node> {
        let digest = |leaf: &Leaf| match leaf {
            Leaf::Register(value) => value.digest(),
            Leaf::List(members) => members
                .first()
                .map_or_else(|| Digest::of(b""), Atom::digest),
            Leaf::Gone => Digest::of(b""),
        };
        let write = |value: Leaf, stamp: Option<Stamp>, observed: Observed| Write {
            digest: digest(&value),
            value,
            stamp,
            observed,
        };
        let standing = base.and_then(|base| match base {
            Node::Register(value, stamps) => Some((Leaf::Register(value.clone()), stamps)),
            Node::List(members, stamps) => Some((Leaf::List(members.clone()), stamps)),
            Node::Map(_) | Node::Set(_) => None,
        });
        let standing =
            standing.map(|(leaf, stamps)| write(leaf, stamps.last().copied(), Observed::default()));
        let touched = touches.iter().filter_map(|touch| {
            let value = match &touch.act {
                Act::Write(value) | Act::Last(value) => Leaf::Register(value.clone()),
                Act::Raise(number) => Leaf::Register(Atom::number(*number)),
                Act::Replace(members) => Leaf::List(members.clone()),
                Act::Remove => Leaf::Gone,
                _ => return None,
            };
            Some(write(value, touch.stamp, touch.observed.clone()))
        });
        let writes: Vec<Write<Leaf>> = standing.into_iter().chain(touched).collect();
        let heads = heads(&writes)?;
        let mut live = heads.losers;
        live.push(heads.winner);
        live.sort_by(|(a, x), (b, y)| (a != &Leaf::Gone, x, a).cmp(&(b != &Leaf::Gone, y, b)));
        let (shown, _) = live.pop()?;
        for (lost, _) in live {
            let stamps = stamps_of(&lost, &writes);
            let value = match lost {
                Leaf::Register(value) => Some(value),
                Leaf::List(members) if members.is_empty() => continue,
                Leaf::List(members) => {
                    let members: Vec<&str> = members.iter().map(Atom::canonical).collect();
                    Some(Atom::new(format!("[{}]", members.join(","))))
                }
                Leaf::Gone => None,
            };
            self.lose(at, value, stamps);
        }
        let stamps = stamps_of(&shown, &writes);
        match shown {
            Leaf::Register(value) => Some(Node::Register(value, stamps)),
            Leaf::List(members) => Some(Node::List(members, stamps)),
            Leaf::Gone => {
                self.removed.entry(at.clone()).or_default().extend(stamps);
                None
            }
        }
    }

    /// A place in which something is nested, and that somebody gave another kind of value: that stands where nothing nested
    /// is left, and is lost where it was not seen by who nested something there.
    fn replaced(&mut self, base: Option<&Node>, touches: Vec<Touch>, at: &Path) -> Option<Node> {
        let (here, inside): (Vec<Touch>, Vec<Touch>) = touches.into_iter().partition(Touch::writes);
        let seen = |touch: &Touch| {
            let digest = touch
                .value()
                .flatten()
                .map_or_else(|| Digest::of(b""), |value| value.digest());
            inside
                .iter()
                .any(|other| other.observed.contains(touch.stamp, digest))
        };
        let unseen: Vec<Touch> = here.iter().filter(|touch| !seen(touch)).cloned().collect();
        let removals = inside.iter().filter(|touch| touch.removes());
        let removals: Vec<Touch> = removals.cloned().collect();
        let nested = self.node(base, inside, at);
        let is_left = match &nested {
            Some(Node::Map(map)) => !map.is_empty(),
            Some(Node::Set(records)) => !records.is_empty(),
            Some(Node::Register(..) | Node::List(..)) | None => false,
        };
        if !is_left {
            let leaf = base.filter(|base| matches!(base, Node::Register(..) | Node::List(..)));
            // Whoever took away what is here had seen it, or had not.
            let here = here.into_iter().chain(removals);
            return self.leaf(leaf, &here.collect::<Vec<Touch>>(), at);
        }
        for touch in unseen {
            if let Act::Write(value) = touch.act
                && !value.is_empty_collection()
            {
                self.lose(at, Some(value), touch.stamp);
            }
        }
        nested
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
        let is_any = |is: fn(&Act) -> bool| touches.iter().any(|touch| is(&touch.act));
        if is_any(|act| matches!(act, Act::Raise(_))) {
            live = counters::greatest(live);
        }
        if is_any(|act| matches!(act, Act::Last(_))) {
            live = live.split_off(live.len().saturating_sub(1));
        }
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
        let seen = |stamp: Option<Stamp>| touches.iter().any(|touch| touch.has_seen(stamp));
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
