//! What must come of a step, told from what was meant: no stamps, no texts, no base of a merge decides here.
//!
//! Every edit of a leaf is a *write* with a name of its own. A commit has for each leaf its *live* writes: those that no
//! write in its ancestry replaced. An edit replaces what it saw; a merge keeps of each side what the other side's history
//! has not replaced; a cherry-pick or revert is the change of one commit, made anew: what that commit replaced it
//! replaces, what that commit wrote it writes again. Birth and removal of a record are writes too.
//!
//! From this each step gets what *must* be seen (shown, or kept as a loser: law 2; or gone: laws 3 and 9) and what *may*
//! be. The two differ where a file cannot tell: a value typed back to what base has is no edit to any git, and a copy of a
//! write that the other side replaced may count as replaced. What is not seen then is taken as replaced from there on.

use std::collections::{BTreeMap, BTreeSet};

use crate::view::{Change, Choice, GROUP, LEAVES, NAME, ORIGIN, Seen, Value, View, group_of};

type WriteId = usize;

/// A leaf: the origin of its record (nothing for the root), and its path. The record itself is the leaf without a path.
type Leaf = (String, String);

/// The leaf that stands for the birth of a record.
const BORN: &str = "+";

/// The leaves of tags begin with this.
const TAG: &str = "tag ";

#[derive(Clone, Debug)]
struct Write {
    value: Value,
    /// The write that a cherry-pick or revert made again.
    copy_of: Option<WriteId>,
}

/// All writes of a walk.
#[derive(Default)]
pub(crate) struct Writes(Vec<Write>);

/// What a commit's history meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Intent {
    known: BTreeSet<WriteId>,
    live: BTreeMap<Leaf, BTreeSet<WriteId>>,
    /// Live writes that the file may have lost.
    doubtful: BTreeSet<WriteId>,
    /// Replaced writes that may still be kept as losers, but not be shown: a cherry-pick brought them back into contest.
    stale: BTreeSet<WriteId>,
    /// Writes that nobody replaced, but of which a tool dropped all trace here.
    forgotten: BTreeSet<WriteId>,
}

/// A commit as the oracle sees it.
#[derive(Clone, Copy)]
pub(crate) struct Sight<'w> {
    pub(crate) intent: &'w Intent,
    pub(crate) view: &'w View,
}

impl Sight<'_> {
    fn live(&self, leaf: &Leaf) -> BTreeSet<WriteId> {
        self.intent.live.get(leaf).cloned().unwrap_or_default()
    }

    fn has(&self, origin: &str) -> bool {
        self.intent.has(origin)
    }

    /// The values that a leaf shows or keeps here; nothing where its record is absent.
    fn values(&self, (origin, path): &Leaf) -> BTreeSet<Value> {
        match self.view.born_as(origin) {
            None => BTreeSet::new(),
            Some(seen) => values(seen, path),
        }
    }
}

/// The values of a leaf in a record.
fn values(seen: &Seen, path: &str) -> BTreeSet<Value> {
    let presence = |is: bool| BTreeSet::from([is.then(String::new)]);
    if let Some(tag) = path.strip_prefix(TAG) {
        presence(seen.tags.contains(tag))
    } else if path == BORN {
        presence(true)
    } else if path.is_empty() {
        seen.kept
            .iter()
            .filter(|(of, _)| of.is_empty())
            .map(|(_, value)| value.clone())
            .collect()
    } else {
        seen.values(path)
    }
}

impl Intent {
    /// Whether the record is there.
    fn has(&self, origin: &str) -> bool {
        origin.is_empty()
            || self
                .live
                .contains_key(&(origin.to_owned(), BORN.to_owned()))
    }

    fn origins(&self) -> BTreeSet<String> {
        self.live.keys().map(|(origin, _)| origin.clone()).collect()
    }

    fn leaves_of<'i>(&'i self, origin: &'i str) -> impl Iterator<Item = &'i Leaf> {
        self.live.keys().filter(move |(of, _)| of == origin)
    }
}

impl Writes {
    fn write(
        &mut self,
        intent: &mut Intent,
        leaf: &Leaf,
        value: Value,
        copy_of: Option<WriteId>,
    ) -> WriteId {
        self.0.push(Write { value, copy_of });
        let id = self.0.len() - 1;
        intent.known.insert(id);
        intent.live.entry(leaf.clone()).or_default().insert(id);
        id
    }

    fn value(&self, id: WriteId) -> &Value {
        &self.0[id].value
    }

    /// The intent of the first commit.
    pub(crate) fn start(&mut self, view: &View) -> Intent {
        let mut intent = Intent::default();
        for seen in view.records.values() {
            self.born(&mut intent, seen);
        }
        intent
    }

    fn born(&mut self, intent: &mut Intent, seen: &Seen) {
        let origin = seen.shown(ORIGIN).unwrap_or_default();
        intent.live.remove(&(origin.clone(), String::new()));
        let paths = LEAVES
            .map(|(leaf, _)| leaf)
            .into_iter()
            .chain([NAME])
            .map(str::to_owned);
        for path in paths {
            // What is not there at birth was not taken away.
            if let Some(value) = seen.shown(&path) {
                self.write(intent, &(origin.clone(), path), Some(value), None);
            }
        }
        self.write(
            intent,
            &(origin.clone(), BORN.to_owned()),
            Some(String::new()),
            None,
        );
        for tag in &seen.tags {
            self.write(
                intent,
                &(origin.clone(), format!("{TAG}{tag}")),
                Some(String::new()),
                None,
            );
        }
    }

    /// What an edit meant. Without the tool it settles no conflict, but may come to.
    /// What HEAD keeps stays in the file, whatever is typed in for a while.
    pub(crate) fn edit(
        &mut self,
        head: Sight<'_>,
        before: Sight<'_>,
        change: &Change,
        with_tool: bool,
    ) -> Intent {
        let mut intent = before.intent.clone();
        let origin = |id: &String| before.view.records[id].shown(ORIGIN).unwrap_or_default();
        let mut set = |intent: &mut Intent, leaf: Leaf, value: Value| {
            let shown = before
                .view
                .born_as(&leaf.0)
                .and_then(|seen| seen.shown(&leaf.1));
            // Leaves that move together are one register: who edits one of them settles it.
            for other in group_of(&leaf.1)
                .into_iter()
                .filter(|other| *other != leaf.1)
            {
                intent.doubtful.extend(
                    intent
                        .live
                        .get(&(leaf.0.clone(), other.to_owned()))
                        .into_iter()
                        .flatten(),
                );
            }
            let old = intent.live.remove(&leaf).unwrap_or_default();
            // What is not there is not stamped.
            let settles = with_tool && value.is_some();
            self.write(intent, &leaf, value, None);
            if !settles {
                let kept = head.view.born_as(&leaf.0).map(|seen| &seen.kept);
                let is_kept = |id: &WriteId| {
                    let lost = (leaf.1.clone(), self.value(*id).clone());
                    kept.is_some_and(|kept| kept.contains(&lost))
                };
                let kept = head.live(&leaf).into_iter().filter(is_kept);
                let losers = old.into_iter().filter(|&id| *self.value(id) != shown);
                let losers = losers.chain(kept);
                for id in losers.collect::<Vec<_>>() {
                    intent.doubtful.insert(id);
                    intent.live.entry(leaf.clone()).or_default().insert(id);
                }
            }
        };
        match change {
            Change::Set { id, leaf, value } => {
                set(&mut intent, (origin(id), leaf.clone()), value.clone())
            }
            Change::Tag { id, tag } => {
                set(
                    &mut intent,
                    (origin(id), format!("{TAG}{tag}")),
                    Some(String::new()),
                );
            }
            Change::Untag { id, tag } => {
                set(&mut intent, (origin(id), format!("{TAG}{tag}")), None)
            }
            Change::Remove { id } => {
                let origin = origin(id);
                intent.live.retain(|(of, _), _| *of != origin);
                self.write(&mut intent, &(origin, String::new()), None, None);
            }
            Change::Add { title, origin, .. } => {
                let leaves = [
                    ("title", title.as_str()),
                    (ORIGIN, origin),
                    ("meta.owner", origin.as_str()),
                ];
                let leaves = leaves.map(|(leaf, value)| (leaf.to_owned(), value.to_owned()));
                self.born(
                    &mut intent,
                    &Seen {
                        leaves: leaves.into(),
                        ..Seen::default()
                    },
                );
            }
        }
        intent
    }

    /// What settling a conflict meant.
    pub(crate) fn settle(&mut self, before: Sight<'_>, choice: &Choice) -> Intent {
        let seen = &before.view.records[&choice.id];
        let origin = seen.shown(ORIGIN).unwrap_or_default();
        if choice.leaf.is_empty() && choice.taken.is_some() {
            return self.edit(
                before,
                before,
                &Change::Remove {
                    id: choice.id.clone(),
                },
                true,
            );
        }
        let mut intent = before.intent.clone();
        let leaf = (origin.clone(), choice.leaf.clone());
        intent.live.remove(&leaf);
        let (leaf, value) = if choice.leaf.is_empty() {
            // That the record stays is said by its title.
            ((origin, "title".to_owned()), seen.shown("title"))
        } else {
            (
                leaf,
                choice
                    .taken
                    .clone()
                    .unwrap_or_else(|| seen.shown(&choice.leaf)),
            )
        };
        let old = intent.live.remove(&leaf).unwrap_or_default();
        let losers = old
            .into_iter()
            .filter(|&id| choice.leaf.is_empty() && *self.value(id) != value);
        let losers: Vec<WriteId> = losers.collect();
        // Leaves that move together are settled together, and the others take the values that lost beside the chosen one.
        for other in group_of(&leaf.1)
            .into_iter()
            .filter(|other| *other != leaf.1)
        {
            let other = (leaf.0.clone(), other.to_owned());
            intent.doubtful.extend(before.live(&other));
        }
        self.write(&mut intent, &leaf, value, None);
        intent.live.entry(leaf).or_default().extend(losers);
        intent
    }

    /// A tool that drops annotations means nothing by it: what lost is forgotten, not settled.
    pub(crate) fn rewritten(&self, before: Sight<'_>) -> Intent {
        let mut intent = before.intent.clone();
        for ((origin, path), live) in &mut intent.live {
            let Some(seen) = before
                .view
                .born_as(origin)
                .filter(|_| path != BORN && !path.starts_with(TAG))
            else {
                continue;
            };
            let shown = seen.shown(path);
            let losers: Vec<WriteId> = live
                .iter()
                .copied()
                .filter(|&id| path.is_empty() || *self.value(id) != shown)
                .collect();
            for id in losers {
                live.remove(&id);
                intent.forgotten.insert(id);
            }
        }
        intent.live.retain(|_, live| !live.is_empty());
        intent
    }

    /// The write that this one is a copy of in the end.
    fn original(&self, id: WriteId) -> WriteId {
        let before = |id: &WriteId| self.0[*id].copy_of;
        std::iter::successors(Some(id), before).last().unwrap_or(id)
    }

    /// What a merge meant. `base` says only what a file could tell. Whoever tells the ancestries may see that a write was
    /// replaced where it was copied to.
    pub(crate) fn merge(
        &mut self,
        base: &View,
        ours: Sight<'_>,
        theirs: Sight<'_>,
        tells_ancestry: bool,
    ) -> Intent {
        let mut intent = Intent {
            known: ours
                .intent
                .known
                .union(&theirs.intent.known)
                .copied()
                .collect(),
            doubtful: ours
                .intent
                .doubtful
                .union(&theirs.intent.doubtful)
                .copied()
                .collect(),
            stale: ours
                .intent
                .stale
                .union(&theirs.intent.stale)
                .copied()
                .collect(),
            forgotten: ours
                .intent
                .forgotten
                .union(&theirs.intent.forgotten)
                .copied()
                .collect(),
            ..Intent::default()
        };
        let origins: BTreeSet<String> = ours
            .intent
            .origins()
            .union(&theirs.intent.origins())
            .cloned()
            .collect();
        for origin in &origins {
            let leaves: BTreeSet<Leaf> = ours
                .intent
                .leaves_of(origin)
                .chain(theirs.intent.leaves_of(origin))
                .cloned()
                .collect();
            let mut survivors: BTreeMap<Leaf, BTreeSet<WriteId>> = BTreeMap::new();
            let mut doubtful = BTreeSet::new();
            for leaf in &leaves {
                let in_base = base
                    .born_as(origin)
                    .map(|seen| values(seen, &leaf.1))
                    .unwrap_or_default();
                for (side, other) in [(ours, theirs), (theirs, ours)] {
                    for id in side.live(leaf) {
                        let replaced = |id: WriteId| {
                            other.intent.known.contains(&id) && !other.live(leaf).contains(&id)
                        };
                        if replaced(id) {
                            let kept = |view: &View| {
                                let seen = view.born_as(origin)?;
                                seen.kept
                                    .contains(&(leaf.1.clone(), self.value(id).clone()))
                                    .then_some(())
                            };
                            // A record that both sides brought back has no base that could tell.
                            let untold = base.born_as(origin).is_none()
                                && ours.has(origin)
                                && theirs.has(origin);
                            if untold || kept(side.view).is_some() && kept(base).is_none() {
                                if !untold {
                                    intent.stale.insert(id);
                                }
                                doubtful.insert(id);
                                survivors.entry(leaf.clone()).or_default().insert(id);
                            }
                            continue;
                        }
                        let common = other.live(leaf).contains(&id);
                        let copied = self.0[id].copy_of.is_some_and(replaced)
                            || other.intent.forgotten.contains(&id)
                            || tells_ancestry
                                && other.intent.known.iter().any(|&known| {
                                    self.original(known) == self.original(id) && replaced(known)
                                });
                        let is_old = in_base.contains(self.value(id));
                        // Without the record in base a file cannot tell that somebody took a value away.
                        let untold = self.value(id).is_none() && base.born_as(origin).is_none();
                        if !common && (is_old || untold || copied) {
                            doubtful.insert(id);
                        }
                        survivors.entry(leaf.clone()).or_default().insert(id);
                    }
                }
                // Each side replaced the value of the other: one saw a removal of it, which another branch's update undid.
                if !survivors.contains_key(leaf) && ours.has(origin) && theirs.has(origin) {
                    let both: BTreeSet<WriteId> =
                        ours.live(leaf).union(&theirs.live(leaf)).copied().collect();
                    doubtful.extend(&both);
                    survivors.insert(leaf.clone(), both);
                }
            }
            intent.doubtful.extend(&doubtful);
            match (ours.has(origin), theirs.has(origin)) {
                (true, true) | (false, false) => intent.live.extend(survivors),
                (true, false) => revive(&mut intent, origin, ours, theirs, survivors),
                (false, true) => revive(&mut intent, origin, theirs, ours, survivors),
            }
        }
        intent
    }

    /// What it means to make the change from `base` to `theirs` on `ours`: a cherry-pick, or a revert.
    pub(crate) fn replay(&mut self, base: Sight<'_>, ours: Sight<'_>, theirs: Sight<'_>) -> Intent {
        let mut intent = ours.intent.clone();
        let origins: BTreeSet<String> = base
            .intent
            .origins()
            .union(&theirs.intent.origins())
            .cloned()
            .collect();
        for origin in &origins {
            let mut leaves: BTreeSet<Leaf> = base
                .intent
                .leaves_of(origin)
                .chain(theirs.intent.leaves_of(origin))
                .cloned()
                .collect();
            leaves.insert((origin.clone(), String::new()));
            // Of leaves that move together one may be seen that nobody wrote here.
            leaves.extend(GROUP.map(|path| (origin.clone(), path.to_owned())));
            match (base.has(origin), theirs.has(origin)) {
                (true, false) => {
                    if !ours.has(origin) {
                        continue;
                    }
                    // A removal made again: of what base had. Whatever else there is keeps the record.
                    let others = ours
                        .intent
                        .leaves_of(origin)
                        .filter(|leaf| !leaf.1.is_empty())
                        .any(|leaf| {
                            let seen = base.values(leaf);
                            let unseen = |id: &WriteId| {
                                !base.live(leaf).contains(id) && !seen.contains(self.value(*id))
                            };
                            ours.live(leaf).iter().any(unseen)
                        });
                    let untouched = ours
                        .intent
                        .leaves_of(origin)
                        .all(|leaf| ours.live(leaf) == base.live(leaf))
                        && base
                            .intent
                            .leaves_of(origin)
                            .all(|leaf| ours.live(leaf) == base.live(leaf));
                    if untouched {
                        intent.live.retain(|(of, _), _| of != origin);
                    } else if !others {
                        // Typed back, or settled: a file may tell or not.
                        for leaf in ours.intent.leaves_of(origin) {
                            intent.doubtful.extend(ours.live(leaf));
                        }
                    }
                    let removal =
                        self.write(&mut intent, &(origin.clone(), String::new()), None, None);
                    if !untouched && !others {
                        intent.doubtful.insert(removal);
                    }
                }
                (false, false) => {}
                (was, true) => {
                    let gone = !ours.has(origin);
                    if gone && was {
                        if leaves
                            .iter()
                            .all(|leaf| base.live(leaf) == theirs.live(leaf))
                        {
                            continue;
                        }
                        // An update of a record that is gone: it may bring it back whole.
                        for leaf in theirs.intent.leaves_of(origin).cloned().collect::<Vec<_>>() {
                            for id in theirs.live(&leaf) {
                                let id = self.write(
                                    &mut intent,
                                    &leaf,
                                    self.value(id).clone(),
                                    Some(id),
                                );
                                intent.doubtful.insert(id);
                            }
                        }
                        continue;
                    }
                    if gone {
                        intent.live.retain(|(of, _), _| of != origin);
                    }
                    for leaf in &leaves {
                        self.replay_leaf(&mut intent, leaf, base, ours, theirs);
                    }
                }
            }
        }
        intent
    }

    fn replay_leaf(
        &mut self,
        intent: &mut Intent,
        leaf: &Leaf,
        base: Sight<'_>,
        ours: Sight<'_>,
        theirs: Sight<'_>,
    ) {
        let (before, after) = (base.live(leaf), theirs.live(leaf));
        let in_base = base.values(leaf);
        if before == after {
            if in_base != theirs.values(leaf) {
                // A leaf beside it that moves together with it took it along.
                intent.doubtful.extend(ours.live(leaf));
            }
            return;
        }
        let mine: Vec<WriteId> = intent
            .live
            .remove(leaf)
            .unwrap_or_default()
            .into_iter()
            .collect();
        if mine.is_empty() && !before.is_empty() && leaf.1 != BORN && !leaf.1.is_empty() {
            // It is not there, which may count as a removal of what the change was made to.
            let absence = self.write(intent, leaf, None, None);
            intent.doubtful.insert(absence);
        }
        for id in mine {
            if before.contains(&id) && !after.contains(&id) {
                // What ours shows and base only keeps was chosen, as far as a file can tell: it may stay.
                let kept = (leaf.1.clone(), self.value(id).clone());
                let is_kept = base
                    .view
                    .born_as(&leaf.0)
                    .is_some_and(|seen| seen.kept.contains(&kept));
                let shown = ours.view.born_as(&leaf.0).map(|seen| seen.shown(&leaf.1));
                if is_kept && shown.as_ref() == Some(self.value(id)) {
                    intent.doubtful.insert(id);
                    intent.live.entry(leaf.clone()).or_default().insert(id);
                }
                continue;
            }
            // What is as base has it was not touched, as far as a file can tell.
            let untold = self.value(id).is_none() && !base.has(&leaf.0);
            if untold
                || !ours.live(leaf).contains(&id)
                || (in_base.contains(self.value(id)) && !after.contains(&id))
            {
                intent.doubtful.insert(id);
            }
            intent.live.entry(leaf.clone()).or_default().insert(id);
        }
        if after.is_empty() && leaf.1 != BORN && !leaf.1.is_empty() {
            // It had no value before.
            let is_old = in_base.contains(&None);
            let removal = self.write(intent, leaf, None, None);
            if is_old {
                intent.doubtful.insert(removal);
            }
        }
        // What was kept and is shown now, or the other way round.
        let shown = |sight: Sight<'_>| sight.view.born_as(&leaf.0).map(|seen| seen.shown(&leaf.1));
        let now = shown(theirs).filter(|now| shown(base).as_ref() != Some(now));
        for id in after
            .intersection(&before)
            .filter(|id| now.as_ref() == Some(self.value(**id)))
            .collect::<Vec<_>>()
        {
            let copy = self.write(intent, leaf, self.value(*id).clone(), Some(*id));
            intent.doubtful.insert(copy);
        }
        for id in after.difference(&before) {
            let value = self.value(*id).clone();
            // Without the record in base a file cannot tell that somebody took a value away.
            let is_old = in_base.contains(&value) || value.is_none() && !base.has(&leaf.0);
            let copy = self.write(intent, leaf, value, Some(*id));
            if is_old {
                intent.doubtful.insert(copy);
            }
        }
    }

    /// Compares what is seen with what was meant, and takes what may be gone and is gone as replaced.
    ///
    /// # Errors
    /// What is wrong, by law.
    pub(crate) fn check(&self, intent: &mut Intent, view: &View) -> Result<(), String> {
        let mut born: BTreeSet<String> = BTreeSet::new();
        for (id, seen) in view.records.iter().filter(|(id, _)| !id.is_empty()) {
            let origin = seen
                .shown(ORIGIN)
                .ok_or_else(|| format!("law 3: {id} is a stub"))?;
            if !born.insert(origin.clone()) {
                return Err(format!("law 4: {origin} stands twice"));
            }
            if !intent.has(&origin) {
                return Err(format!("law 3: {origin} is there, and should not be"));
            }
        }
        let mut present = intent.origins();
        present.retain(|origin| intent.has(origin));
        for origin in present {
            let Some(seen) = view.born_as(&origin) else {
                let certain = intent.leaves_of(&origin).any(|leaf| {
                    leaf.1.as_str() == BORN
                        && intent.live[leaf]
                            .iter()
                            .any(|id| !intent.doubtful.contains(id))
                });
                if certain {
                    return Err(format!("law 2: {origin} is missing"));
                }
                let removal = (origin.clone(), String::new());
                let removed = intent.live.remove(&removal);
                intent.live.retain(|(of, _), _| *of != origin);
                intent.live.extend(removed.map(|live| (removal, live)));
                continue;
            };
            for leaf in intent.leaves_of(&origin).cloned().collect::<Vec<_>>() {
                let live = intent.live[&leaf].clone();
                let found = values(seen, &leaf.1);
                let missing = live
                    .iter()
                    .find(|&id| !found.contains(self.value(*id)) && !intent.doubtful.contains(id));
                // A tag, or its absence, is a deletion or an update: the update wins and nothing is kept.
                let is_set = leaf.1.starts_with(TAG) || leaf.1 == BORN;
                let wins = live.iter().any(|&id| found.contains(self.value(id)));
                if let Some(&id) = missing.filter(|_| !is_set || !wins) {
                    return Err(format!("law 2: {leaf:?} lost {:?}", self.value(id)));
                }
                let live: BTreeSet<WriteId> = live
                    .into_iter()
                    .filter(|id| found.contains(self.value(*id)))
                    .collect();
                if live.is_empty() {
                    intent.live.remove(&leaf);
                } else {
                    intent.live.insert(leaf, live);
                }
            }
            let paths = LEAVES
                .map(|(leaf, _)| leaf)
                .into_iter()
                .chain([NAME])
                .map(str::to_owned);
            let paths = paths
                .chain([String::new()])
                .chain(seen.tags.iter().map(|tag| format!("{TAG}{tag}")));
            for path in paths {
                let leaf = (origin.clone(), path);
                let may: BTreeSet<&Value> = intent
                    .live
                    .get(&leaf)
                    .into_iter()
                    .flatten()
                    .map(|id| self.value(*id))
                    .collect();
                let ghost = values(seen, &leaf.1).into_iter().find(|value| {
                    let is_absent = value.is_none() && may.is_empty();
                    !may.contains(value) && !is_absent && !GROUP.contains(&leaf.1.as_str())
                });
                if let Some(ghost) = ghost {
                    return Err(format!("law 3: {leaf:?} has {ghost:?}, which was replaced"));
                }
                let shown = seen.shown(&leaf.1);
                let mut live = intent
                    .live
                    .get(&leaf)
                    .into_iter()
                    .flatten()
                    .filter(|id| *self.value(**id) == shown)
                    .peekable();
                if !leaf.1.is_empty()
                    && live.peek().is_some()
                    && live.all(|id| intent.stale.contains(id))
                {
                    return Err(format!(
                        "law 3: {leaf:?} shows {shown:?}, which was replaced"
                    ));
                }
            }
        }
        intent.doubtful.clear();
        Ok(())
    }
}

/// A record that one side removed while the other wrote something that the removal did not see.
fn revive(
    intent: &mut Intent,
    origin: &str,
    there: Sight<'_>,
    gone: Sight<'_>,
    survivors: BTreeMap<Leaf, BTreeSet<WriteId>>,
) {
    let removal = (origin.to_owned(), String::new());
    if survivors.keys().all(|leaf| *leaf == removal) {
        intent.live.extend(
            gone.intent
                .live
                .get_key_value(&removal)
                .map(|(leaf, live)| (leaf.clone(), live.clone())),
        );
        return;
    }
    let certain = survivors.iter().any(|(leaf, live)| {
        *leaf != removal && live.iter().any(|id| !intent.doubtful.contains(id))
    });
    for leaf in there.intent.leaves_of(origin) {
        intent.live.insert(leaf.clone(), there.live(leaf));
        if !certain {
            intent.doubtful.extend(there.live(leaf));
        }
    }
    let removals = survivors.get(&removal).cloned().unwrap_or_default();
    if !certain {
        intent.doubtful.extend(&removals);
    }
    if removals.is_empty() {
        intent.live.remove(&removal);
    } else {
        intent.live.insert(removal, removals);
    }
}

/// Law 9 to the letter: the leaves that a replayed commit did not touch are as they were, and those that nobody touched
/// since are as it left them.
pub(crate) fn replayed_exactly(
    base: Sight<'_>,
    ours: Sight<'_>,
    theirs: Sight<'_>,
    after: &View,
) -> Result<(), String> {
    let all = [base, ours, theirs]
        .into_iter()
        .flat_map(|sight| sight.intent.origins());
    for origin in all.collect::<BTreeSet<_>>() {
        let same = |a: Sight<'_>, b: Sight<'_>, path: &str| {
            group_of(path).iter().all(|path| {
                let leaf = (origin.clone(), (*path).to_owned());
                a.live(&leaf) == b.live(&leaf) && a.values(&leaf) == b.values(&leaf)
            })
        };
        let leaves: BTreeSet<String> = [base, ours, theirs]
            .into_iter()
            .flat_map(|sight| {
                sight
                    .intent
                    .leaves_of(&origin)
                    .map(|(_, path)| path.clone())
                    .collect::<Vec<_>>()
            })
            .collect();
        let whole = |a, b| leaves.iter().all(|path| same(a, b, path));
        let expected = if whole(base, theirs) {
            Some((ours, "was not touched"))
        } else if whole(base, ours) {
            Some((theirs, "nobody touched since"))
        } else {
            None
        };
        if let Some((sight, why)) = expected
            && sight.view.born_as(&origin) != after.born_as(&origin)
        {
            return Err(format!(
                "law 9: {origin} {why}, and is {:?} for {:?}",
                after.born_as(&origin),
                sight.view.born_as(&origin)
            ));
        }
        let Some(seen) = after.born_as(&origin) else {
            continue;
        };
        if [base, ours, theirs].iter().any(|sight| !sight.has(&origin)) {
            continue;
        }
        for path in leaves.iter().filter(|path| !path.is_empty()) {
            let expected = if same(base, theirs, path) {
                ours
            } else if same(base, ours, path) {
                theirs
            } else {
                continue;
            };
            let Some(expected) = expected.view.born_as(&origin) else {
                continue;
            };
            if values(seen, path) != values(expected, path)
                || seen.shown(path) != expected.shown(path)
            {
                return Err(format!(
                    "law 9: {origin} {path} is {:?} for {:?}",
                    values(seen, path),
                    values(expected, path)
                ));
            }
        }
    }
    Ok(())
}
