//! Random walks: steps that shrink, as every choice in them is an index modulo what there is.

use std::fmt;

use proptest::prelude::*;
use rhema_crdt::crdt::Digest;

use crate::graph::{Broken, Direction, Person, Repository};
use crate::view::{Change, Choice, LEAVES, NAME, ORIGIN, Roomy, Tool, Value, View};

/// One edit of a file, before it is known which records there are.
#[derive(Clone, Debug)]
pub(crate) enum Edit {
    Set {
        record: usize,
        leaf: usize,
        value: usize,
    },
    Unset {
        record: usize,
        leaf: usize,
    },
    Add {
        id: usize,
        title: usize,
    },
    Remove {
        record: usize,
    },
    Tag {
        record: usize,
        tag: usize,
    },
    Untag {
        record: usize,
        tag: usize,
    },
    Name {
        value: usize,
    },
}

/// One step of a walk.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Edit {
        branch: usize,
        person: usize,
        has_tool: bool,
        edits: Vec<Edit>,
        pause: usize,
    },
    Merge {
        into: usize,
        from: usize,
    },
    Pick {
        branch: usize,
        commit: usize,
    },
    Revert {
        branch: usize,
        commit: usize,
    },
    Drop {
        branch: usize,
        back: usize,
    },
    Resolve {
        branch: usize,
        person: usize,
        conflict: usize,
        choice: usize,
    },
    Rewrite {
        branch: usize,
    },
}

/// A walk.
#[derive(Clone)]
pub(crate) struct Walk {
    pub(crate) roomy: Roomy,
    /// Whether another tool takes part that drops annotations. Nobody edits titles then: without its birth nothing says that
    /// a record with another title is the one that was born.
    pub(crate) rewrites: bool,
    /// Whether people type back within one commit what HEAD has, under a stamp of its own.
    pub(crate) types_back: bool,
    pub(crate) branches: usize,
    pub(crate) steps: Vec<Step>,
}

impl fmt::Debug for Walk {
    /// A step a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} branches, roomy: {}, rewrites: {}, types back: {}",
            self.branches, self.roomy, self.rewrites, self.types_back
        )?;
        self.steps
            .iter()
            .enumerate()
            .try_for_each(|(number, step)| writeln!(f, "{number}: {step:?}"))
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        6 => (0usize..6, 0usize..5, 0usize..3).prop_map(|(record, leaf, value)| Edit::Set { record, leaf, value }),
        1 => (0usize..6, 0usize..5).prop_map(|(record, leaf)| Edit::Unset { record, leaf }),
        1 => (0usize..3, 0usize..3).prop_map(|(id, title)| Edit::Add { id, title }),
        1 => (0usize..6).prop_map(|record| Edit::Remove { record }),
        1 => (0usize..6, 0usize..4).prop_map(|(record, tag)| Edit::Tag { record, tag }),
        1 => (0usize..6, 0usize..4).prop_map(|(record, tag)| Edit::Untag { record, tag }),
        1 => (0usize..3).prop_map(|value| Edit::Name { value }),
    ]
}

/// One edit of each of up to six branches.
pub(crate) fn branches() -> impl Strategy<Value = Vec<Step>> {
    let edits = proptest::collection::vec(edit(), 1..4);
    let branch = (0usize..3, any::<bool>(), edits, 0usize..4);
    proptest::collection::vec(branch, 2..7).prop_map(|branches| {
        let branches = branches.into_iter().enumerate();
        let step = |(branch, (person, has_tool, edits, pause))| Step::Edit {
            branch,
            person,
            has_tool,
            edits,
            pause,
        };
        branches.map(step).collect()
    })
}

fn step() -> impl Strategy<Value = Step> {
    let edits = proptest::collection::vec(edit(), 1..4);
    prop_oneof![
        8 => (0usize..3, 0usize..3, any::<bool>(), edits, 0usize..4)
            .prop_map(|(branch, person, has_tool, edits, pause)| Step::Edit { branch, person, has_tool, edits, pause }),
        5 => (0usize..3, 0usize..3).prop_map(|(into, from)| Step::Merge { into, from }),
        2 => (0usize..3, 0usize..12).prop_map(|(branch, commit)| Step::Pick { branch, commit }),
        3 => (0usize..3, 0usize..12).prop_map(|(branch, commit)| Step::Revert { branch, commit }),
        1 => (0usize..3, 0usize..3).prop_map(|(branch, back)| Step::Drop { branch, back }),
        2 => (0usize..3, 0usize..3, 0usize..4, 0usize..3)
            .prop_map(|(branch, person, conflict, choice)| Step::Resolve { branch, person, conflict, choice }),
        1 => (0usize..3).prop_map(|branch| Step::Rewrite { branch }),
    ]
}

/// Walks of up to `steps` steps.
pub(crate) fn walks(steps: usize) -> impl Strategy<Value = Walk> {
    let steps = proptest::collection::vec(step(), 1..steps);
    (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        2usize..4,
        steps,
    )
        .prop_map(|(roomy, rewrites, types_back, branches, steps)| Walk {
            roomy,
            rewrites,
            types_back,
            branches,
            steps,
        })
}

/// A member of `all`, if there is any.
fn nth<T: Clone>(all: &[T], index: usize) -> Option<T> {
    (!all.is_empty()).then(|| all[index % all.len()].clone())
}

/// The edit as a change of this file; nothing where it would change nothing.
fn change(view: &View, edit: &Edit, titles: impl Fn(&str) -> bool) -> Option<Change> {
    let ids = view.ids();
    let record = |index: usize| nth(&ids, index).cloned();
    let set = |id: String, leaf: &str, value: Value| {
        (view.records[&id].shown(leaf) != value).then(|| Change::Set {
            id,
            leaf: leaf.to_owned(),
            value,
        })
    };
    match edit {
        Edit::Set {
            record: index,
            leaf,
            value,
        } => {
            let (leaf, _) = LEAVES[leaf % LEAVES.len()];
            let id = record(*index)?;
            let leaf = if leaf == "title" && !titles(&id) {
                "priority"
            } else {
                leaf
            };
            set(id, leaf, Some(format!("v{value}")))
        }
        Edit::Unset {
            record: index,
            leaf,
        } => {
            let optional: Vec<&str> = LEAVES
                .iter()
                .filter(|(_, optional)| *optional)
                .map(|(leaf, _)| *leaf)
                .collect();
            set(record(*index)?, nth(&optional, *leaf)?, None)
        }
        Edit::Add { id, title } => {
            // Titles are as different as can be, so that nothing looks like the same record renamed.
            let title = ["a", "b"]
                .map(|salt| Digest::of(format!("{salt}{id}{title}").as_bytes()).to_string())
                .concat();
            let (id, origin) = (format!("n{id}"), format!("o{title}"));
            let known = |(other, seen): (&String, &crate::view::Seen)| {
                *other == id || seen.leaves.get(ORIGIN) == Some(&origin)
            };
            let known = view.records.iter().any(known);
            (!known).then_some(Change::Add { id, title, origin })
        }
        Edit::Remove { record: index } => (ids.len() > 1).then_some(Change::Remove {
            id: record(*index)?,
        }),
        Edit::Tag { record: index, tag } => {
            let (id, tag) = (record(*index)?, format!("t{tag}"));
            (!view.records[&id].tags.contains(&tag)).then_some(Change::Tag { id, tag })
        }
        Edit::Untag { record: index, tag } => {
            let id = record(*index)?;
            let tags: Vec<&String> = view.records[&id].tags.iter().collect();
            let tag = nth(&tags, *tag)?.clone();
            Some(Change::Untag { id, tag })
        }
        Edit::Name { value } => set(String::new(), NAME, Some(format!("name{value}"))),
    }
}

/// Whether a change gives a leaf what HEAD has there, without a stamp in between, which comes before the change by the number
/// `stamped_at`: no edit of the leaf, though its place or its quotes may be others.
fn types_back(head: &View, changes: &[Change], change: &Change, stamped_at: usize) -> bool {
    let is_back = match change {
        Change::Set { id, leaf, value } => {
            let head = head.records.get(id);
            head.is_some_and(|seen| seen.shown(leaf) == *value)
        }
        Change::Tag { id, tag } | Change::Untag { id, tag } => {
            let tagged = matches!(change, Change::Tag { .. });
            let head = head.records.get(id);
            head.is_some_and(|seen| seen.tags.contains(tag) == tagged)
        }
        Change::Add { .. } | Change::Remove { .. } => false,
    };
    is_back
        && !changes
            .iter()
            .take(stamped_at)
            .any(|earlier| earlier.leaf() == change.leaf())
}

/// Takes one step of a walk.
///
/// # Errors
/// The law that it breaks.
pub(crate) fn take<T: Tool>(
    repository: &mut Repository<T>,
    walk: &Walk,
    step: &Step,
) -> Result<(), Broken> {
    let count = repository.branches.len();
    match step {
        Step::Edit {
            branch,
            person,
            has_tool,
            edits,
            pause,
        } => {
            let branch = branch % count;
            let person = Person {
                index: *person,
                has_tool: *has_tool,
            };
            let (head, mut file) = (
                repository.tip(branch).view.clone(),
                repository.tip(branch).file.clone(),
            );
            // Nobody edits the title of a record that is not born yet, or whose birth may be dropped.
            let titles = *has_tool && !walk.rewrites;
            let mut changes = Vec::new();
            let stamped_at = if *has_tool && walk.types_back {
                *pause
            } else {
                0
            };
            for edit in edits {
                if let Some(change) = change(&T::view(&file), edit, |id| {
                    titles && head.records.contains_key(id)
                })
                .filter(|change| !types_back(&head, &changes, change, stamped_at))
                // Under a name that HEAD has it would be that record with another title, to the tool as to git.
                .filter(|change| !matches!(change, Change::Add { id, .. } if head.records.contains_key(id)))
                {
                    T::change(&mut file, &change);
                    changes.push(change);
                }
            }
            if changes.is_empty() {
                return Ok(());
            }
            repository.edit(branch, person, &changes, *pause)
        }
        Step::Merge { into, from } => repository.merge(into % count, from % count),
        Step::Pick { branch, commit } | Step::Revert { branch, commit } => {
            let direction = if matches!(step, Step::Pick { .. }) {
                Direction::Pick
            } else {
                Direction::Revert
            };
            match nth(&repository.changes(), *commit) {
                Some(commit) => repository.replay(branch % count, commit, direction),
                None => Ok(()),
            }
        }
        Step::Drop { branch, back } => repository.drop(branch % count, *back),
        Step::Resolve {
            branch,
            person,
            conflict,
            choice,
        } => {
            let branch = branch % count;
            let open: Vec<Choice> = choices(&repository.tip(branch).view, *choice);
            match nth(&open, *conflict) {
                Some(choice) => repository.resolve(
                    branch,
                    Person {
                        index: *person,
                        has_tool: true,
                    },
                    &choice,
                ),
                None => Ok(()),
            }
        }
        Step::Rewrite { .. } if !walk.rewrites => Ok(()),
        Step::Rewrite { branch } => repository.rewrite(branch % count),
    }
}

/// Every open conflict, with the choice by this number.
fn choices(view: &View, choice: usize) -> Vec<Choice> {
    let mut open: Vec<Choice> = Vec::new();
    for (id, seen) in &view.records {
        for (leaf, _) in &seen.kept {
            let losers: Vec<&Value> = seen
                .kept
                .iter()
                .filter(|(of, _)| of == leaf)
                .map(|(_, value)| value)
                .collect();
            let taken = (choice > 0).then(|| losers[(choice - 1) % losers.len()].clone());
            if open
                .last()
                .is_none_or(|last| (&last.id, &last.leaf) != (id, leaf))
            {
                open.push(Choice {
                    id: id.clone(),
                    leaf: leaf.clone(),
                    taken,
                });
            }
        }
    }
    open
}
