//! The three-way comparison: what is contested, and what a right merge holds everywhere else.
//!
//! It merges nothing that could be printed. It only says what must be there, so it needs no rule for order, formatting
//! or comments where the versions leave these open, and it shares no code and no rule with a merge that it judges.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::expect::{Expect, Slot};
use crate::lines::{self, Lines};
use crate::value::{Marks, Value};
use crate::{align, sequences};

pub(crate) static EMPTY: BTreeMap<Value, Value> = BTreeMap::new();

/// A place where the sides' edits exclude each other, or may be held to.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) path: String,
    pub(crate) why: &'static str,
    /// Soft: reasonable merges differ, some would ask. A conflict is not needless there, and a clean result no mistake.
    pub(crate) hard: bool,
}

/// Walks the three versions.
#[derive(Default)]
pub(crate) struct Oracle {
    pub(crate) contests: Vec<Contest>,
    path: Vec<String>,
}

impl Oracle {
    pub(crate) fn contest(&mut self, why: &'static str, hard: bool) {
        self.contests.push(Contest {
            path: self.path.join("."),
            why,
            hard,
        });
    }

    /// Runs `inner` one step further down.
    pub(crate) fn at<T>(
        &mut self,
        step: impl std::fmt::Display,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.path.push(step.to_string());
        let result = inner(self);
        self.path.pop();
        result
    }

    /// What must stand where all three versions have something.
    pub(crate) fn merge<'a>(
        &mut self,
        base: &'a Value,
        ours: &'a Value,
        theirs: &'a Value,
    ) -> Expect<'a> {
        if base == ours && base == theirs {
            return Expect::Same(base);
        }
        if [base, ours, theirs]
            .iter()
            .any(|v| matches!(v, Value::Marked(..)))
        {
            return self.merge_marked(base, ours, theirs);
        }
        match (base, ours, theirs) {
            (Value::Map(base), Value::Map(ours), Value::Map(theirs)) => {
                self.merge_maps(base, ours, theirs)
            }
            (Value::Seq(base), Value::Seq(ours), Value::Seq(theirs)) => {
                sequences::merge(self, base, ours, theirs)
            }
            _ if ours == theirs || base == theirs => changed(ours, Some(base)),
            _ if base == ours => changed(theirs, Some(base)),
            (Value::Text(text), Value::Text(ours), Value::Text(theirs)) => {
                self.merge_texts((base, text), ours, theirs)
            }
            // Base was null or something else altogether, as in `todos:` before the first entry.
            (_, Value::Map(_), Value::Map(_)) | (_, Value::Seq(_), Value::Seq(_)) => {
                self.both_added(ours, theirs, false)
            }
            _ => {
                self.contest("changed differently on both sides", true);
                Expect::Open
            }
        }
    }

    fn merge_marked<'a>(
        &mut self,
        base: &'a Value,
        ours: &'a Value,
        theirs: &'a Value,
    ) -> Expect<'a> {
        let ((base, base_marks), (ours, ours_marks), (theirs, theirs_marks)) =
            (base.split(), ours.split(), theirs.split());
        let marks: Marks = if ours_marks == theirs_marks || theirs_marks == base_marks {
            ours_marks
        } else if ours_marks == base_marks {
            theirs_marks
        } else {
            self.contest("anchor or tag changed differently on both sides", true);
            return Expect::Open;
        };
        Expect::Marked(marks, Box::new(self.merge(base, ours, theirs)))
    }

    fn merge_texts<'a>(
        &mut self,
        (value, base): (&'a Value, &'a str),
        ours: &'a str,
        theirs: &'a str,
    ) -> Expect<'a> {
        let inside = |text: &str| text.trim_end().contains('\n');
        if inside(base) || inside(ours) || inside(theirs) {
            return match lines::merge(base, ours, theirs, '\n') {
                Lines::Merged(text) => Expect::Value {
                    value: Cow::Owned(Value::Text(text)),
                    base: Some(value),
                },
                Lines::Touching => {
                    self.contest(
                        "neighbouring lines of one text changed on both sides",
                        false,
                    );
                    Expect::Text {
                        base,
                        ours,
                        theirs,
                        by: '\n',
                    }
                }
                Lines::Overlapping => {
                    self.contest("the same line of a text changed on both sides", true);
                    Expect::Open
                }
            };
        }
        // A folded text is one line here but several in the file, where edits can stand apart.
        if base.len() > 60 && lines::merge(base, ours, theirs, ' ') != Lines::Overlapping {
            self.contest("words of one text changed on both sides", false);
            return Expect::Text {
                base,
                ours,
                theirs,
                by: ' ',
            };
        }
        self.contest("changed differently on both sides", true);
        Expect::Open
    }

    pub(crate) fn merge_maps<'a>(
        &mut self,
        base: &'a BTreeMap<Value, Value>,
        ours: &'a BTreeMap<Value, Value>,
        theirs: &'a BTreeMap<Value, Value>,
    ) -> Expect<'a> {
        let keys: BTreeSet<&Value> = base
            .keys()
            .chain(ours.keys())
            .chain(theirs.keys())
            .collect();
        let entries = keys
            .into_iter()
            .map(|key| (key, [base.get(key), ours.get(key), theirs.get(key)]))
            .collect();
        Expect::Map(self.slots(entries, None))
    }

    /// What must become of each key or record. `identity` is the key that names the records.
    pub(crate) fn slots<'a>(
        &mut self,
        entries: Vec<Entry<'a>>,
        identity: Option<&'static str>,
    ) -> BTreeMap<&'a Value, Slot<'a>> {
        let renamed = renamed(&entries, identity);
        let mut slots = BTreeMap::new();
        for (key, versions) in entries {
            let step = match identity {
                Some(identity) => format!("[{identity}={}]", key_step(key)),
                None => key_step(key),
            };
            let slot = self.at(step, |oracle| {
                if !renamed.contains(key) {
                    return oracle.slot(versions, identity.is_some());
                }
                if versions[0].is_some() {
                    oracle.contest("changed by one side, renamed by the other", false);
                }
                Slot::Open
            });
            slots.insert(key, slot);
        }
        slots
    }

    fn slot<'a>(&mut self, versions: [Option<&'a Value>; 3], record: bool) -> Slot<'a> {
        match versions {
            [Some(base), Some(ours), Some(theirs)] => Slot::Present(self.merge(base, ours, theirs)),
            [None, Some(ours), Some(theirs)] => {
                Slot::Present(self.both_added(ours, theirs, record))
            }
            [None, Some(only), None] | [None, None, Some(only)] => {
                Slot::Present(changed(only, None))
            }
            [Some(base), Some(left), None] | [Some(base), None, Some(left)] if base != left => {
                self.contest("deleted by one side, changed by the other", true);
                Slot::Open
            }
            _ => Slot::Gone,
        }
    }

    /// Both sides put something where base has nothing.
    fn both_added<'a>(&mut self, ours: &'a Value, theirs: &'a Value, record: bool) -> Expect<'a> {
        match (ours, theirs) {
            _ if ours == theirs => changed(ours, None),
            // Two records born with one identity are two different things: their fields are not to be mixed.
            _ if record => {
                self.contest("record added by both sides, with different contents", true);
                Expect::Open
            }
            // Neither joining the two nor asking is a mistake, as long as nothing gets lost.
            (Value::Map(ours), Value::Map(theirs)) => {
                self.contest("mapping added by both sides", false);
                self.merge_maps(&EMPTY, ours, theirs)
            }
            (Value::Seq(ours), Value::Seq(theirs)) => {
                self.contest("sequence added by both sides", false);
                sequences::merge(self, &[], ours, theirs)
            }
            _ => {
                self.contest("added by both sides, with different values", true);
                Expect::Open
            }
        }
    }
}

impl<'a> Expect<'a> {
    /// One level of what stands behind a value that is there as a whole, to name the very place of a difference.
    pub(crate) fn unfold(value: &'a Value, edited: bool) -> Option<Self> {
        let mut oracle = Oracle::default();
        match value {
            Value::Map(entries) if edited => Some(oracle.merge_maps(&EMPTY, entries, &EMPTY)),
            Value::Map(entries) => Some(oracle.merge_maps(entries, entries, entries)),
            Value::Seq(items) if edited => Some(sequences::merge(&mut oracle, &[], items, &[])),
            Value::Seq(items) => Some(sequences::merge(&mut oracle, items, items, items)),
            _ => None,
        }
    }
}

pub(crate) fn changed<'a>(value: &'a Value, base: Option<&'a Value>) -> Expect<'a> {
    Expect::Value {
        value: Cow::Borrowed(value),
        base,
    }
}

/// A key as a step of a path.
pub(crate) fn key_step(key: &Value) -> String {
    match key {
        Value::Text(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A key or an identity, and what base, ours and theirs have there.
pub(crate) type Entry<'a> = (&'a Value, [Option<&'a Value>; 3]);

/// The keys of what one side changed and the other seems to have renamed, old and new ones.
///
/// Taking a rename for a deletion and an addition is right, and so is carrying the change over to the new name: nothing
/// in the files says which was meant.
fn renamed<'a>(entries: &[Entry<'a>], identity: Option<&str>) -> BTreeSet<&'a Value> {
    let mut renamed = BTreeSet::new();
    for (key, versions) in entries {
        let (base, by) = match versions {
            [Some(base), Some(left), None] if base != left => (base, 2),
            [Some(base), None, Some(left)] if base != left => (base, 1),
            _ => continue,
        };
        for (new, versions) in entries {
            if let (None, Some(value)) = (versions[0], versions[by])
                && likeness(base, value, identity) >= align::ALIKE
            {
                renamed.extend([*key, *new]);
            }
        }
    }
    renamed
}

/// How alike two values are whose names differ.
fn likeness(a: &Value, b: &Value, identity: Option<&str>) -> f64 {
    let likeness = align::similarity(a, b);
    match (a.split().0, identity) {
        // The identity differs in any case: what is left counts.
        (Value::Map(entries), Some(_)) if entries.len() > 1 => {
            likeness * entries.len() as f64 / (entries.len() - 1) as f64
        }
        _ => likeness,
    }
}

#[cfg(test)]
mod tests {
    use crate::check::{self, Kind};
    use crate::read::{self, Rigour};
    use crate::value::Value;

    use super::*;

    fn value(text: &str) -> Value {
        read::read(text.as_bytes(), Rigour::Strict)
            .unwrap()
            .documents
            .remove(0)
    }

    /// Hard and soft contests, and what is found in `result`; the same with the sides swapped.
    fn judge(base: &str, ours: &str, theirs: &str, result: &str) -> (usize, usize, Vec<Kind>) {
        let [base, ours, theirs, result] = [base, ours, theirs, result].map(value);
        let [one, two] = [(&ours, &theirs), (&theirs, &ours)].map(|(ours, theirs)| {
            let mut oracle = Oracle::default();
            let expect = oracle.merge(&base, ours, theirs);
            let hard = oracle.contests.iter().filter(|c| c.hard).count();
            let mut kinds: Vec<Kind> = check::check(&expect, &result)
                .into_iter()
                .map(|f| f.kind)
                .collect();
            kinds.sort();
            (hard, oracle.contests.len() - hard, kinds)
        });
        assert_eq!(one, two, "the oracle is symmetric");
        one
    }

    const NONE: Vec<Kind> = Vec::new();

    #[test]
    fn keys_merge() {
        let (b, o, t) = (
            "{a: 1, b: 2, c: 3}",
            "{a: 9, b: 2, c: 3}",
            "{a: 1, c: 3, d: 4}",
        );
        assert_eq!(judge(b, o, t, "{d: 4, c: 3, a: 9}"), (0, 0, NONE));
        assert_eq!(
            judge(b, o, t, "{a: 1, c: 3, d: 4}"),
            (0, 0, vec![Kind::Lost])
        );
        assert_eq!(judge(b, o, t, "{a: 9, c: 3}"), (0, 0, vec![Kind::Lost]));
        assert_eq!(
            judge(b, o, t, "{a: 9, b: 2, c: 3, d: 4}"),
            (0, 0, vec![Kind::Resurrected])
        );
        assert_eq!(judge(b, o, t, "{a: 9, d: 4}"), (0, 0, vec![Kind::Wrong]));
        assert_eq!(
            judge(b, o, t, "{a: 8, c: 3, d: 4}"),
            (0, 0, vec![Kind::Wrong])
        );
    }

    #[test]
    fn contested_leaves() {
        assert_eq!(judge("{a: 1}", "{a: 2}", "{a: 3}", "{a: 2}"), (1, 0, NONE));
        assert_eq!(judge("{a: 1}", "{a: 2}", "{a: 2}", "{a: 2}"), (0, 0, NONE));
        assert_eq!(
            judge("{a: 1, b: 1}", "{b: 1}", "{a: 2, b: 1}", "{b: 1}"),
            (1, 0, NONE)
        );
        assert_eq!(judge("{}", "{a: 1}", "{a: 2}", "{a: 2}"), (1, 0, NONE));
        assert_eq!(
            judge("{a: {x: 1}}", "{a: {x: 2}}", "{}", "{}"),
            (1, 0, NONE)
        );
        // What is not contested is still judged.
        assert_eq!(
            judge(
                "{a: 1, b: 1}",
                "{a: 2, b: 2}",
                "{a: 3, b: 1}",
                "{a: 2, b: 1}"
            ),
            (1, 0, vec![Kind::Lost])
        );
    }

    #[test]
    fn mappings_added_by_both_are_joined_or_asked_about() {
        assert_eq!(
            judge("{}", "{a: {x: 1}}", "{a: {y: 1}}", "{a: {x: 1, y: 1}}"),
            (0, 1, NONE)
        );
        assert_eq!(
            judge("{}", "{a: {x: 1}}", "{a: {y: 1}}", "{a: {x: 1}}"),
            (0, 1, vec![Kind::Lost])
        );
        assert_eq!(judge("a:", "a: [x]", "a: [y]", "a: [x, y]"), (0, 1, NONE));
        assert_eq!(
            judge("a: []", "a: [x]", "a: [y]", "a: [y, x]"),
            (0, 0, NONE)
        );
    }

    #[test]
    fn records_go_by_identity() {
        let (b, o, t) = (
            "[{id: a, v: 1}, {id: b, v: 1}, {id: c, v: 1}]",
            "[{id: a, v: 2}, {id: b, v: 1}, {id: c, v: 1}, {id: d, v: 1}]",
            "[{id: b, v: 1, w: 1}, {id: a, v: 1}]",
        );
        assert_eq!(
            judge(
                b,
                o,
                t,
                "[{id: b, v: 1, w: 1}, {id: a, v: 2}, {id: d, v: 1}]"
            ),
            (0, 0, NONE)
        );
        let dup = "[{id: b, v: 1, w: 1}, {id: a, v: 2}, {id: d, v: 1}, {id: d, v: 1}]";
        assert_eq!(judge(b, o, t, dup), (0, 0, vec![Kind::Duplicate]));
        let back = "[{id: b, v: 1, w: 1}, {id: a, v: 2}, {id: c, v: 1}, {id: d, v: 1}]";
        assert_eq!(judge(b, o, t, back), (0, 0, vec![Kind::Resurrected]));
        let order = "[{id: a, v: 2}, {id: b, v: 1, w: 1}, {id: d, v: 1}]";
        assert_eq!(judge(b, o, t, order), (0, 0, vec![Kind::Misordered]));
        let (o, t) = ("[{id: a, v: 1}]", "[{id: a, v: 2}]");
        assert_eq!(judge("[]", o, t, o), (1, 0, NONE));
    }

    #[test]
    fn a_rename_against_a_change_may_be_asked_about() {
        let (b, o, t) = (
            "[{id: a, v: 1, w: 1}]",
            "[{id: b, v: 1, w: 1}]",
            "[{id: a, v: 2, w: 1}]",
        );
        assert_eq!(judge(b, o, t, "[{id: b, v: 2, w: 1}]"), (0, 1, NONE));
        assert_eq!(judge(b, o, t, "[{id: b, v: 1, w: 1}]"), (0, 1, NONE));
        let (b, o, t) = ("a: {v: 1, w: 1}", "b: {v: 1, w: 1}", "a: {v: 2, w: 1}");
        assert_eq!(judge(b, o, t, "b: {v: 2, w: 1}"), (0, 1, NONE));
    }

    #[test]
    fn lists_are_multisets() {
        let (b, o, t) = ("[a, b, b, c]", "[a, b, b, c, x, y]", "[w, a, b, c, x]");
        assert_eq!(judge(b, o, t, "[w, a, b, c, x, y]"), (0, 0, NONE));
        assert_eq!(
            judge(b, o, t, "[w, a, b, c, y, x]").2,
            NONE,
            "order is not checked where values repeat"
        );
        assert_eq!(
            judge(b, o, t, "[w, a, b, c, x, y, x]"),
            (0, 0, vec![Kind::Duplicate])
        );
        assert_eq!(
            judge(b, o, t, "[w, a, b, b, c, x, y]"),
            (0, 0, vec![Kind::Resurrected])
        );
        assert_eq!(judge(b, o, t, "[a, b, c, x, y]"), (0, 0, vec![Kind::Lost]));
        assert_eq!(judge(b, o, t, "[w, a, b, x, y]"), (0, 0, vec![Kind::Wrong]));
        assert_eq!(
            judge("[a, b]", "[a, x, b]", "[a, b, y]", "[x, a, b, y]"),
            (0, 0, vec![Kind::Misordered])
        );
    }

    #[test]
    fn one_member_replaced_by_both() {
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, y, c]", "[a, x, c]"),
            (1, 0, NONE)
        );
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, x, c]", "[a, x, c]"),
            (0, 0, NONE)
        );
        // Two by two: nobody knows which stands for which.
        assert_eq!(
            judge("[a, b]", "[x, y]", "[v, w]", "[x, y, v, w]"),
            (0, 2, NONE)
        );
        // Replaced against removed.
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, c]", "[a, x, c]"),
            (0, 1, NONE)
        );
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, c]", "[a, b, c]"),
            (0, 1, vec![Kind::Resurrected])
        );
        // An edit is lost, not "resurrected", when base's value is back.
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, b, c, d]", "[a, b, c, d]"),
            (0, 0, vec![Kind::Lost])
        );
        assert_eq!(
            judge("[a, b, c]", "[a, x, c]", "[a, b, c, d]", "[a, x, b, c, d]"),
            (0, 0, vec![Kind::Resurrected])
        );
    }

    #[test]
    fn mappings_without_identity_merge_by_likeness() {
        let b = "[{u: 1, v: 1, w: 1}, {u: 2, v: 2, w: 2}]";
        let o = "[{u: 1, v: 9, w: 1}, {u: 2, v: 2, w: 2}]";
        let t = "[{u: 1, v: 1, w: 8}, {u: 2, v: 2, w: 2}, {u: 3}]";
        assert_eq!(
            judge(b, o, t, "[{u: 1, v: 9, w: 8}, {u: 2, v: 2, w: 2}, {u: 3}]"),
            (0, 0, NONE)
        );
        assert_eq!(
            judge(b, o, t, "[{u: 1, v: 1, w: 8}, {u: 2, v: 2, w: 2}, {u: 3}]"),
            (0, 0, vec![Kind::Lost])
        );
        // Edited by one side, untouched by the other.
        let t = "[{u: 1, v: 1, w: 1}, {u: 2, v: 2, w: 2}, {u: 3}]";
        assert_eq!(
            judge(b, o, t, "[{u: 1, v: 9, w: 1}, {u: 2, v: 2, w: 2}, {u: 3}]"),
            (0, 0, NONE)
        );
        assert_eq!(
            judge(b, o, t, "[{u: 1, v: 1, w: 1}, {u: 2, v: 2, w: 2}, {u: 3}]"),
            (0, 0, vec![Kind::Lost])
        );
    }

    #[test]
    fn texts_merge_by_lines() {
        let b = "t: |\n  a\n  b\n  c\n  d\n";
        let (o, t) = ("t: |\n  A\n  b\n  c\n  d\n", "t: |\n  a\n  b\n  c\n  D\n");
        assert_eq!(judge(b, o, t, "t: |\n  A\n  b\n  c\n  D\n"), (0, 0, NONE));
        assert_eq!(
            judge(b, o, t, "t: |\n  A\n  b\n  c\n  d\n"),
            (0, 0, vec![Kind::Wrong])
        );
        assert_eq!(judge(b, o, "t: |\n  X\n  b\n  c\n  d\n", o), (1, 0, NONE));
        let (o, t) = (
            "t: |\n  a\n  b\n  c\n  d\n  x\n",
            "t: |\n  a\n  b\n  c\n  d\n  y\n",
        );
        assert_eq!(
            judge(b, o, t, "t: |\n  a\n  b\n  c\n  d\n  y\n  x\n"),
            (0, 1, NONE)
        );
        assert_eq!(judge(b, o, t, o), (0, 1, vec![Kind::Lost]));
    }

    #[test]
    fn anchors_and_tags_are_data() {
        assert_eq!(
            judge(
                "a: &x {k: 1}",
                "a: &x {k: 2}",
                "a: &x {k: 1}\nb: *x",
                "a: &x {k: 2}\nb: *x"
            )
            .2,
            NONE
        );
        let (b, o, t) = ("a: x\nc: 1", "a: !t x\nc: 1", "a: x\nc: 2");
        assert_eq!(judge(b, o, t, t).2, [Kind::Wrong]);
    }
}
