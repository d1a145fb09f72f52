//! Work trees, what they know, and what the core makes of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Document, Edit, Found, Living, Map, Node, Path, Record, Replica,
    Rules, Stamp, Stamps,
};
use rhema_crdt::yaml::double_quoted;

use crate::Verdict;

const RULES: Rules<'static> = Rules {
    groups: &[],
    spell: double_quoted,
};

/// A rule that is broken on purpose, to see that the checker notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// None is.
    Kept,
    /// A removal takes away the record of that name, whatever was done to it unseen.
    RemovesByName,
    /// An edit supersedes nothing.
    ObservesNothing,
    /// An edit does not take over what stood in the version below all that is known.
    ForgetsBelow,
    /// What comes first stands.
    FirstComeFirstServed,
}

/// What was found of edits that were heard of in an order.
pub(crate) type Verdicts = HashMap<(Vec<Made>, Vec<usize>), Verdict>;

/// Who may do how much.
#[derive(Clone, Debug)]
pub(crate) struct World {
    /// How many edits each tree makes at most.
    pub(crate) budgets: Vec<usize>,
    /// How often an edit is heard of again, all in all.
    pub(crate) repetitions: usize,
    /// Trees with two branches.
    pub(crate) branching: Vec<usize>,
    /// What is broken.
    pub(crate) rule: Rule,
    pub(crate) judged: Arc<Mutex<Verdicts>>,
}

/// What is done to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    /// A value is written into its field.
    Write,
    /// It is taken away.
    Remove,
    /// It is born again.
    Add,
}

/// An edit: by whom, and which edits they saw. The rest follows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Made {
    pub(crate) by: usize,
    pub(crate) deed: Deed,
    pub(crate) seen: Vec<usize>,
}

/// What a work tree knows on each of its branches, in the order in which it heard of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tree {
    branches: [Vec<usize>; 2],
    on_second: bool,
}

impl Tree {
    pub(crate) fn here(&self) -> &[usize] {
        &self.branches[usize::from(self.on_second)]
    }

    pub(crate) fn here_mut(&mut self) -> &mut Vec<usize> {
        &mut self.branches[usize::from(self.on_second)]
    }

    pub(crate) fn branches(&self) -> impl Iterator<Item = &[usize]> {
        self.branches.iter().map(Vec::as_slice)
    }

    pub(crate) fn switch(&mut self) {
        self.on_second = !self.on_second;
    }

    pub(crate) fn merge(&mut self) {
        let other = self.branches[usize::from(!self.on_second)].clone();
        let here = self.here_mut();
        for edit in other {
            if !here.contains(&edit) {
                here.push(edit);
            }
        }
    }
}

/// All trees, and all edits that were made.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) trees: Vec<Tree>,
    pub(crate) edits: Vec<Made>,
    pub(crate) repeated: usize,
}

fn text(text: &str) -> Atom {
    Atom::text(double_quoted(text), text.to_owned())
}

fn record(stamp: Option<Stamp>) -> Record {
    let title = text("Title");
    let birth = Birth {
        stamp,
        digest: title.digest(),
    };
    Record {
        name: text("todo"),
        birth,
        fields: Map::from([(
            "title".to_owned(),
            Node::Register(title, stamp.into_iter().collect()),
        )]),
    }
}

fn place() -> Path {
    Path::default().entry("todos").record(&record(None))
}

impl World {
    /// Trees that make so many edits each; some of them hear of an edit again, and some have two branches.
    pub(crate) fn new(
        budgets: &[usize],
        repetitions: usize,
        branching: &[usize],
        rule: Rule,
    ) -> Self {
        Self {
            budgets: budgets.to_vec(),
            repetitions,
            branching: branching.to_vec(),
            rule,
            judged: Arc::default(),
        }
    }

    fn base(&self) -> Document {
        let mut todo = record(None);
        todo.fields.insert(
            "note".to_owned(),
            Node::Register(text("from the start"), Stamps::new()),
        );
        Document {
            root: Map::from([("todos".to_owned(), Node::Set(vec![todo].into()))]),
            ..Document::default()
        }
    }

    /// The clocks are apart by more than anybody edits: who came later may have the earlier stamp.
    fn stamp(&self, by: usize, count: usize) -> Stamp {
        let skew = 1_000 * (self.budgets.len() - by) as u64;
        let replica = Replica::from_bits(by as u32 + 1);
        Stamp::from_unix_millis(1_800_000_000_000 + skew + count as u64, replica)
            .expect("a time that a stamp holds")
    }

    /// An edit as who made it told it.
    fn edit(&self, state: &State, number: usize) -> Edit {
        let Made { by, deed, seen } = &state.edits[number];
        let earlier = state.edits[..number].iter().filter(|made| made.by == *by);
        let stamp = self.stamp(*by, earlier.count());
        let shown = self.shown(state, seen);
        let (at, act) = match deed {
            Deed::Write => (
                place().entry("note"),
                Act::Write(text(&format!("edit {number}"))),
            ),
            Deed::Remove => (place(), Act::Remove),
            Deed::Add => {
                let record = record(Some(stamp));
                (
                    place(),
                    Act::Add {
                        record,
                        behind: None,
                    },
                )
            }
        };
        let observed = match self.rule {
            Rule::ObservesNothing => Default::default(),
            // What stands in the version below all that is known was seen by whoever saw what superseded it.
            Rule::ForgetsBelow => RULES.observed(&shown, &at),
            _ => {
                let mut observed = RULES.observed(&shown, &at);
                observed.extend(&RULES.observed(&self.base(), &at));
                observed
            }
        };
        Edit {
            stamp: Some(stamp),
            changes: vec![Change { at, act, observed }],
        }
    }

    /// The edits that a tree knows, as they were told.
    pub(crate) fn told(&self, state: &State, known: &[usize]) -> Vec<Edit> {
        known.iter().map(|edit| self.edit(state, *edit)).collect()
    }

    /// The same as who breaks a rule understands them.
    fn understood(&self, state: &State, known: &[usize]) -> Vec<Edit> {
        let mut edits = self.told(state, known);
        match self.rule {
            Rule::Kept | Rule::ObservesNothing | Rule::ForgetsBelow => {}
            Rule::RemovesByName => {
                let all: Vec<Stamp> = edits.iter().filter_map(|edit| edit.stamp).collect();
                let changes = edits.iter_mut().flat_map(|edit| &mut edit.changes);
                for change in changes.filter(|change| change.act == Act::Remove) {
                    all.iter()
                        .for_each(|stamp| change.observed.add_stamp(*stamp));
                }
            }
            Rule::FirstComeFirstServed => {
                let mut written = false;
                edits.retain(|edit| {
                    written_by(edit).is_none() || !std::mem::replace(&mut written, true)
                });
            }
        }
        edits
    }

    pub(crate) fn shown(&self, state: &State, known: &[usize]) -> Document {
        RULES.view(&self.base(), &self.understood(state, known))
    }

    /// What an incremental view shows that heard of the edits one by one.
    pub(crate) fn living(&self, state: &State, known: &[usize]) -> Document {
        let mut living = Living::new(RULES, self.base());
        self.understood(state, known)
            .iter()
            .for_each(|edit| living.apply(edit));
        living.document()
    }

    pub(crate) fn stands(&self, shown: &Document) -> bool {
        matches!(shown.found(&place()), Some(Found::Record(..)))
    }
}

fn written_by(edit: &Edit) -> Option<&Atom> {
    edit.changes.iter().find_map(|change| match &change.act {
        Act::Write(value) => Some(value),
        _ => None,
    })
}

/// The value that an edit wrote.
pub(crate) fn written(edit: &Edit) -> Option<Atom> {
    written_by(edit).cloned()
}

/// Whether a value stands in a document, or is kept beside it.
pub(crate) fn holds(shown: &Document, value: &Atom) -> bool {
    let stands = match shown.found(&place().entry("note")) {
        Some(Found::Node(Node::Register(standing, _))) => standing == value,
        _ => false,
    };
    stands
        || shown
            .losers
            .keys()
            .any(|loser| loser.value.as_ref() == Some(value))
}
