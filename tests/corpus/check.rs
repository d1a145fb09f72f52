//! Compares a clean result with what must stand in it, and names every difference.

use std::collections::{BTreeMap, BTreeSet};

use crate::expect::{Expect, List, Order, Slot};
use crate::oracle;
use crate::value::Value;
use crate::{align, lines, sequences};

/// What can be wrong with a merge. The names are those of `--show`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Kind {
    /// What one side wrote is not there, though nothing contests it.
    Lost,
    /// What one side deleted is there.
    Resurrected,
    /// A record, a key's value or a list member is there too often.
    Duplicate,
    /// Anything else in the data that is not as it must be.
    Wrong,
    /// The order of a sequence contradicts the side that set it.
    Misordered,
    /// A clean result that no YAML reader takes.
    Unparsable,
    /// A comment is gone.
    Comment,
    /// A comment is there too often.
    DoubledComment,
    /// A conflict though nothing is contested.
    Needless,
    /// A clean result though something is contested.
    Swallowed,
    /// The result depends on which side is called ours.
    Asymmetric,
    /// A crash or a refusal.
    Failed,
    Timeout,
    /// A file that cannot be modelled, merged to something else than git's result.
    TextDiffers,
}

impl Kind {
    pub(crate) const ALL: [Self; 14] = [
        Self::Lost,
        Self::Resurrected,
        Self::Duplicate,
        Self::Wrong,
        Self::Misordered,
        Self::Unparsable,
        Self::Comment,
        Self::DoubledComment,
        Self::Needless,
        Self::Swallowed,
        Self::Asymmetric,
        Self::Failed,
        Self::Timeout,
        Self::TextDiffers,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Resurrected => "resurrected",
            Self::Duplicate => "duplicate",
            Self::Wrong => "wrong",
            Self::Misordered => "misordered",
            Self::Unparsable => "unparsable",
            Self::Comment => "comment",
            Self::DoubledComment => "doubled-comment",
            Self::Needless => "needless",
            Self::Swallowed => "swallowed",
            Self::Asymmetric => "asymmetric",
            Self::Failed => "failed",
            Self::Timeout => "timeout",
            Self::TextDiffers => "text-differs",
        }
    }

    /// Whether the result's data are not what they must be.
    pub(crate) fn is_data(self) -> bool {
        self <= Self::Unparsable
    }
}

/// One difference: what, where, why.
#[derive(Debug)]
pub(crate) struct Finding {
    pub(crate) kind: Kind,
    pub(crate) reason: String,
}

/// All differences between the result's data and what must stand there.
pub(crate) fn check(expect: &Expect<'_>, result: &Value) -> Vec<Finding> {
    let mut check = Check::default();
    check.node(expect, result);
    check.findings
}

#[derive(Default)]
struct Check {
    findings: Vec<Finding>,
    path: Vec<String>,
}

impl Check {
    fn find(&mut self, kind: Kind, what: impl AsRef<str>) {
        let path = if self.path.is_empty() {
            "(root)".to_owned()
        } else {
            self.path.join(".")
        };
        self.findings.push(Finding {
            kind,
            reason: format!("{path}: {}", what.as_ref()),
        });
    }

    fn at(&mut self, step: String, inner: impl FnOnce(&mut Self)) {
        self.path.push(step);
        inner(self);
        self.path.pop();
    }

    fn node(&mut self, expect: &Expect<'_>, result: &Value) {
        match (expect, result) {
            (Expect::Open, _) => {}
            (Expect::Same(value), _) if *value == result => {}
            (Expect::Same(value), _) => self.inside(value, None, result, false),
            (Expect::Value { value, .. }, _) if **value == *result => {}
            (Expect::Value { value, base }, _) => self.inside(value, *base, result, true),
            (
                Expect::Text {
                    base,
                    ours,
                    theirs,
                    by,
                },
                Value::Text(text),
            ) => {
                self.text(base, ours, theirs, *by, text);
            }
            (Expect::Map(slots), Value::Map(entries)) => self.map(slots, entries),
            (
                Expect::Records {
                    identity,
                    entries,
                    order,
                },
                Value::Seq(items),
            ) => {
                self.records(identity, entries, order, items);
            }
            (Expect::List(list), Value::Seq(items)) => self.list(list, items),
            (Expect::Marked(marks, inner), _) => {
                let (plain, found) = result.split();
                if *marks != found {
                    self.find(Kind::Wrong, "anchor or tag differs");
                }
                self.node(inner, plain);
            }
            (other, _) => {
                let kind = if other.is_edit() {
                    Kind::Lost
                } else {
                    Kind::Wrong
                };
                self.find(
                    kind,
                    format!("is {result}, of another kind than it must be"),
                );
            }
        }
    }

    /// A value that is not as it must be: down to the places that differ where both are collections of one kind.
    fn inside(&mut self, value: &Value, base: Option<&Value>, result: &Value, edited: bool) {
        match (value, result) {
            (Value::Map(_), Value::Map(_)) | (Value::Seq(_), Value::Seq(_)) => {
                let before = self.findings.len();
                if let Some(unfolded) = Expect::unfold(value, edited) {
                    self.node(&unfolded, result);
                }
                // Values in a sequence compare exactly, so a difference may be one of order that the rules leave open.
                if self.findings.len() == before && !same_members(value, result) {
                    self.find(Kind::Wrong, format!("is {result}, must be {value}"));
                }
            }
            (Value::Marked(marks, inner), _) if *marks == result.split().1 => {
                self.inside(inner, base.map(|b| b.split().0), result.split().0, edited);
            }
            _ if edited && base == Some(result) => {
                self.find(Kind::Lost, format!("is still {result}, must be {value}"))
            }
            _ => self.find(Kind::Wrong, format!("is {result}, must be {value}")),
        }
    }

    fn text(&mut self, base: &str, ours: &str, theirs: &str, by: char, result: &str) {
        let mut there: Vec<&str> = result.split(by).map(str::trim).collect();
        for side in [ours, theirs] {
            for piece in lines::added(base, side, by) {
                if !there.contains(&piece) {
                    self.find(Kind::Lost, format!("{piece:?} is missing in the text"));
                    there.push(piece);
                }
            }
        }
    }

    fn missing(&mut self, slot: &Slot<'_>) {
        match slot {
            Slot::Present(Expect::Open) | Slot::Gone | Slot::Open => {}
            Slot::Present(expect) if expect.is_edit() => {
                self.find(Kind::Lost, "a side wrote it, it is missing")
            }
            Slot::Present(_) => self.find(Kind::Wrong, "nobody deleted it, it is missing"),
        }
    }

    fn map(&mut self, slots: &BTreeMap<&Value, Slot<'_>>, entries: &BTreeMap<Value, Value>) {
        for (key, slot) in slots {
            self.at(oracle::key_step(key), |check| {
                match (slot, entries.get(key)) {
                    (Slot::Present(expect), Some(value)) => check.node(expect, value),
                    (Slot::Gone, Some(_)) => check.find(Kind::Resurrected, "deleted key is back"),
                    (slot, None) => check.missing(slot),
                    (Slot::Open, Some(_)) => {}
                }
            });
        }
        for key in entries.keys().filter(|key| !slots.contains_key(key)) {
            self.at(oracle::key_step(key), |check| {
                check.find(Kind::Wrong, "no version has this key here")
            });
        }
    }

    fn records(
        &mut self,
        identity: &str,
        slots: &BTreeMap<&Value, Slot<'_>>,
        order: &Order<'_>,
        items: &[Value],
    ) {
        let mut found: BTreeMap<&Value, Vec<&Value>> = BTreeMap::new();
        let mut ids = Vec::new();
        for item in items {
            match sequences::identity_of(item, identity) {
                Some(id) => {
                    found.entry(id).or_default().push(item);
                    ids.push(id);
                }
                None => self.find(Kind::Wrong, format!("{item} has no {identity}")),
            }
        }
        for (id, slot) in slots {
            let items = found.get(id).map(Vec::as_slice).unwrap_or_default();
            self.at(format!("[{identity}={}]", oracle::key_step(id)), |check| {
                match (slot, items) {
                    (Slot::Present(expect), [item, ..]) => check.node(expect, item),
                    (Slot::Gone, [_, ..]) => {
                        check.find(Kind::Resurrected, "deleted record is back")
                    }
                    (slot, []) => check.missing(slot),
                    (Slot::Open, _) => {}
                }
                // Both versions of a contested record may be kept side by side.
                let allowed = if matches!(slot, Slot::Present(Expect::Open)) {
                    2
                } else {
                    1
                };
                if items.len() > allowed {
                    check.find(
                        Kind::Duplicate,
                        format!("record is there {} times", items.len()),
                    );
                }
            });
        }
        for id in found.keys().filter(|id| !slots.contains_key(*id)) {
            self.find(Kind::Wrong, format!("no version has a record {id}"));
        }
        self.order(order, &ids);
    }

    fn list(&mut self, list: &List<'_>, items: &[Value]) {
        let mut surplus: BTreeMap<&Value, usize> = BTreeMap::new();
        for item in items {
            *surplus.entry(item).or_default() += 1;
        }
        let mut missing = Vec::new();
        for (value, members) in &list.members {
            let wanted = members.kept + members.written;
            let there = take(&mut surplus, value, wanted);
            if there < wanted {
                missing.push((*value, members, wanted - there));
            }
        }
        self.merged_members(list, &mut surplus);
        for values in &list.open {
            for value in values {
                take(&mut surplus, value, 1);
            }
        }
        for (value, members, count) in missing {
            // With base's value in its place the edit is lost; that value is not another mistake.
            let old = members
                .from
                .map_or(0, |from| take(&mut surplus, from, count));
            let kind = if members.written > 0 {
                Kind::Lost
            } else {
                Kind::Wrong
            };
            let instead = if old > 0 {
                None
            } else {
                take_similar(&mut surplus, value)
            };
            match (kind, instead) {
                (_, Some(instead)) => {
                    self.find(kind, format!("member is {instead}, must be {value}"))
                }
                (Kind::Lost, None) => {
                    self.find(kind, format!("a side wrote member {value}, it is missing"))
                }
                _ => self.find(
                    kind,
                    format!("nobody removed member {value}, it is missing"),
                ),
            }
        }
        for (value, count) in surplus.into_iter().filter(|(_, count)| *count > 0) {
            let wanted = list.members.get(value).map_or(0, |m| m.kept + m.written);
            let (kind, what) = if list.base.get(value).is_some_and(|had| *had > wanted) {
                (Kind::Resurrected, "removed member is back")
            } else if wanted > 0 {
                (Kind::Duplicate, "member is there too often")
            } else {
                (Kind::Wrong, "no merge has this member")
            };
            self.find(kind, format!("{what}, by {count}: {value}"));
        }
        let items: Vec<&Value> = items.iter().collect();
        self.order(&list.order, &items);
    }

    /// Members that both sides edited: each takes the surplus member that fits it best.
    fn merged_members(&mut self, list: &List<'_>, surplus: &mut BTreeMap<&Value, usize>) {
        for expect in &list.merged {
            let best = surplus
                .iter()
                .filter(|(_, count)| **count > 0)
                .map(|(value, _)| (check(expect, value), *value))
                .min_by_key(|(findings, _)| findings.len());
            match best {
                Some((findings, value)) => {
                    take(surplus, value, 1);
                    for finding in findings {
                        self.find(
                            finding.kind,
                            format!("in a member edited by both sides: {}", finding.reason),
                        );
                    }
                }
                None => self.find(Kind::Lost, "a member edited by both sides is missing"),
            }
        }
    }

    /// The order of what a side has must be that side's, unless the other side reordered.
    fn order(&mut self, order: &Order<'_>, result: &[&Value]) {
        let unique = |items: &[&Value]| items.iter().collect::<BTreeSet<_>>().len() == items.len();
        let versions = [&order.base[..], &order.ours[..], &order.theirs[..], result];
        if !versions.into_iter().all(unique) {
            return;
        }
        let agree = |a: &[&Value], b: &[&Value]| {
            let (in_a, in_b): (BTreeSet<_>, BTreeSet<_>) = (a.iter().collect(), b.iter().collect());
            a.iter()
                .filter(|x| in_b.contains(x))
                .eq(b.iter().filter(|x| in_a.contains(x)))
        };
        let (ours_kept, theirs_kept) = (
            agree(&order.base, &order.ours),
            agree(&order.base, &order.theirs),
        );
        let sides = match (ours_kept, theirs_kept) {
            (true, true) if agree(&order.ours, &order.theirs) => vec![&order.ours, &order.theirs],
            (false, true) => vec![&order.ours],
            (true, false) => vec![&order.theirs],
            _ => return,
        };
        if !sides.into_iter().all(|side| agree(side, result)) {
            self.find(
                Kind::Misordered,
                "the order is not that of the side that set it",
            );
        }
    }
}

/// Takes up to `count` of the value; says how many there were.
fn take(surplus: &mut BTreeMap<&Value, usize>, value: &Value, count: usize) -> usize {
    let Some(there) = surplus.get_mut(value) else {
        return 0;
    };
    let taken = count.min(*there);
    *there -= taken;
    taken
}

fn take_similar<'a>(surplus: &mut BTreeMap<&'a Value, usize>, value: &Value) -> Option<&'a Value> {
    let found = surplus
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(other, _)| *other)
        .find(|other| align::similarity(other, value) >= 0.5)?;
    take(surplus, found, 1);
    Some(found)
}

/// Equal but for the order of sequences.
fn same_members(a: &Value, b: &Value) -> bool {
    fn sorted(value: &Value) -> Value {
        match value {
            Value::Seq(items) => {
                let mut items: Vec<Value> = items.iter().map(sorted).collect();
                items.sort();
                Value::Seq(items)
            }
            Value::Map(entries) => Value::Map(
                entries
                    .iter()
                    .map(|(k, v)| (k.clone(), sorted(v)))
                    .collect(),
            ),
            Value::Marked(marks, inner) => Value::Marked(marks.clone(), Box::new(sorted(inner))),
            scalar => scalar.clone(),
        }
    }
    sorted(a) == sorted(b)
}
