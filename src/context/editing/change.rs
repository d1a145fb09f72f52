//! The changes themselves. Each reads the document, opens what it must of it, and writes the rest as it stands.

use std::borrow::Cow;

use super::manner::Neighbours;
use super::{Address, Assignment, Edited, Given, Position, Unedited, found, naming, read, unknown};
use crate::context::address::{Walk, choices, new_names};
use crate::context::placing::name_of;
use crate::context::records::{identity_field, member};
use crate::context::settling::writing::{Fields, NewValue, rewritten, with_field};
use crate::context::{ANNOTATION_KEY, CONFLICTS_KEY, Types, is_null, number};
use crate::crdt::Type;
use crate::yaml::{Document, Draft, Kind, NodeRef, Value};

/// A new record at the end of a list.
pub(super) fn add(
    document: &Document,
    to: &Address,
    given: &[Assignment],
) -> Result<Edited, Unedited> {
    let walk = found(document, to)?;
    let no_place = || Unedited::NoPlace { at: to.clone() };
    let list = walk.node;
    let not_records = || Unedited::NotRecords { at: to.clone() };
    let is_empty = is_null(list) || (list.kind() == Kind::Sequence && list.is_empty());
    let field = if is_empty {
        "id"
    } else {
        identity_field(std::iter::once(list)).ok_or_else(not_records)?
    };
    check(given.iter().map(|given| given.path.as_str()))?;
    let neighbours = Neighbours::of(list);
    let named = given.iter().find(|given| given.path == field);
    let name = match named {
        Some(named) => named.value.text(),
        None if field == "id" => naming::new_id(list, given),
        None => None,
    };
    let name = free_name(list, to, name.ok_or(Unedited::Nameless { field })?)?;
    let made = Assignment {
        path: field.to_owned(),
        value: Given::text_of(&name),
    };
    let first = named.unwrap_or(&made);
    let rest = given.iter().filter(|given| given.path != field);
    // What stands deeper is put in afterwards, as `set` does.
    let (flat, deep): (Vec<_>, Vec<_>) = rest.partition(|given| new_names(&given.path).len() == 1);
    let steps = walk.steps();
    let (at, holder) = steps.split_last().ok_or_else(not_records)?;
    let index = list.len();
    let changed = rewritten(document, holder, |collection, manner| {
        let entry = collection.entries.get_mut(*at)?.open()?;
        let members = entry.body.value.open_as(Kind::Sequence, manner)?;
        members.insert(index, None, &Value::Mapping(Vec::new()), manner);
        let flow = neighbours.is_flow() || members.flow;
        let record = members.entries.get_mut(index)?.open()?;
        neighbours.shape(record, flow);
        let Draft::Collection(record) = &mut record.body.value else {
            return None;
        };
        let mut fields = Fields::of(record, manner);
        for given in std::iter::once(first).chain(flat) {
            let like = neighbours.like(&given.path);
            let value = given.value.beside(like);
            let behind = neighbours.before(&given.path);
            fields.put(&given.path, &value, &behind, like)?;
        }
        neighbours.space(record);
        Some(())
    });
    let mut changed = changed.ok_or_else(no_place)?;
    let at = to.join(&name);
    for given in deep {
        changed = put(&changed, &at, given)?;
    }
    Ok(Edited {
        new_name: Some(name),
        ..Edited::new(changed, at)
    })
}

/// A name that no record of a list has.
fn free_name(list: NodeRef<'_>, within: &Address, name: String) -> Result<String, Unedited> {
    if member(list, &name).is_some() {
        let within = within.clone();
        return Err(Unedited::Taken { name, within });
    }
    Ok(name)
}

/// Fields get values, or are taken away.
pub(super) fn set(
    document: &Document,
    at: &Address,
    given: &[Assignment],
    unset: &[String],
) -> Result<Edited, Unedited> {
    let walk = found(document, at)?;
    if walk.node.kind() != Kind::Mapping && !is_null(walk.node) {
        return Err(Unedited::NoFields { at: at.clone() });
    }
    let paths = given.iter().map(|given| &given.path).chain(unset);
    check(paths.map(String::as_str))?;
    let renamed = renamed(&walk, at, given)?;
    let no_place = || Unedited::NoPlace { at: at.clone() };
    let mut changed = None;
    for path in unset {
        changed = Some(without(changed.as_ref().unwrap_or(document), at, path)?);
    }
    // What tells the record apart comes last: until then it goes by its old name.
    let (name, others): (Vec<_>, Vec<_>) = given.iter().partition(|given| {
        renamed
            .as_ref()
            .is_some_and(|(field, _)| given.path == *field)
    });
    for given in others.into_iter().chain(name) {
        changed = Some(put(changed.as_ref().unwrap_or(document), at, given)?);
    }
    let changed = match changed {
        Some(changed) => changed,
        None => read(document.text().to_owned()).ok_or_else(no_place)?,
    };
    let at = renamed.map_or_else(|| at.clone(), |(_, at)| at);
    let paths = given.iter().map(|given| &given.path).chain(unset);
    let fields = paths.cloned().collect();
    Ok(Edited {
        fields,
        ..Edited::new(changed, at)
    })
}

/// The field by which a record is told apart and its new address, if it gets another name.
fn renamed(
    walk: &Walk<'_, '_>,
    at: &Address,
    given: &[Assignment],
) -> Result<Option<(&'static str, Address)>, Unedited> {
    let Some((list, _)) = walk.list() else {
        return Ok(None);
    };
    let Some(field) = identity_field(std::iter::once(list)) else {
        return Ok(None);
    };
    let Some(name) = given.iter().find(|given| given.path == field) else {
        return Ok(None);
    };
    let old = walk.node.get(field).map(|entry| entry.value().text());
    let name = name.value.text().ok_or(Unedited::Nameless { field })?;
    let whole = at.to_string();
    let old = old.unwrap_or_default();
    let within = whole.strip_suffix(old.as_ref()).unwrap_or(&whole);
    let within = Address::new(within);
    let name = if name == old {
        name
    } else {
        free_name(list, &within, name)?
    };
    Ok(Some((field, within.join(&name))))
}

/// A document with a field set, and mappings made around it where there are none.
fn put(document: &Document, at: &Address, given: &Assignment) -> Result<Document, Unedited> {
    let no_place = || Unedited::NoPlace {
        at: at.join(&given.path),
    };
    let walk = found(document, at)?.on(&given.path);
    if walk.rest.is_empty() {
        let at = || at.join(&given.path);
        keep_records(walk.node, at)?;
    }
    let last = walk.way.last().copied();
    let named = last.and_then(|entry| Some((entry, name_of(entry)?)));
    // What is written now: the value, or a mapping that it is put into afterwards.
    let (mapping, name, old, is_value) = match named {
        Some((entry, name)) if walk.rest.is_empty() || is_null(walk.node) => {
            let is_value = walk.rest.is_empty();
            (entry.parent(), name, Some(entry.value()), is_value)
        }
        _ if walk.node.kind() == Kind::Mapping => {
            let names = new_names(walk.rest);
            if names.contains(&"") {
                return Err(no_place());
            }
            let name = Cow::Borrowed(names.first().copied().unwrap_or_default());
            (walk.node, name, None, names.len() == 1)
        }
        _ => return Err(unknown(&walk, &at.join(&given.path))),
    };
    let neighbours = walk
        .list()
        .filter(|_| old.is_none())
        .map(|(list, _)| Neighbours::of(list));
    let like = neighbours.as_ref().and_then(|all| all.like(&name));
    let behind = neighbours.as_ref().map(|all| all.before(&name));
    let value = if is_value {
        given.value.beside(old.or(like))
    } else {
        NewValue::Meant(Value::Mapping(Vec::new()))
    };
    let behind = behind.unwrap_or_default();
    let changed = with_field(document, mapping, &name, &value, &behind, like);
    let changed = changed.ok_or_else(no_place)?;
    if is_value {
        Ok(changed)
    } else {
        put(&changed, at, given)
    }
}

/// Refuses to let a list go with all the records in it: nobody asks for that by a word.
fn keep_records(node: NodeRef<'_>, at: impl FnOnce() -> Address) -> Result<(), Unedited> {
    match identity_field(std::iter::once(node)) {
        Some(_) => Err(Unedited::HoldsRecords { at: at() }),
        None => Ok(()),
    }
}

/// Refuses fields that are ours, or named more than once.
fn check<'p>(paths: impl Iterator<Item = &'p str>) -> Result<(), Unedited> {
    let mut seen: Vec<&str> = Vec::new();
    for path in paths {
        let first = new_names(path).first().copied().unwrap_or_default();
        if [ANNOTATION_KEY, CONFLICTS_KEY].contains(&first) {
            let name = first.to_owned();
            return Err(Unedited::Ours { name });
        }
        if seen.contains(&path) {
            let name = path.to_owned();
            return Err(Unedited::Twice { name });
        }
        seen.push(path);
    }
    Ok(())
}

/// Something is added to a counter, which is begun where there is none yet.
pub(super) fn increment(
    document: &Document,
    at: &Address,
    by: i64,
    types: &Types,
) -> Result<Edited, Unedited> {
    let at = at.clone();
    let Some(root) = document.root() else {
        return Err(Unedited::NoPlace { at });
    };
    let walk = at.walk(root);
    if !walk.rest.is_empty() && walk.node.kind() != Kind::Mapping {
        return Err(unknown(&walk, &at));
    }
    let was = match walk.rest {
        "" if is_null(walk.node) => Some(0),
        "" => number(walk.node),
        _ => Some(0),
    };
    let kind = types.at(&walk.place());
    let Some(kind) = kind.filter(|kind| kind.is_counter()) else {
        return Err(Unedited::NoCounter { at });
    };
    let Some(was) = was else {
        return Err(Unedited::NoNumber { at });
    };
    if by < 0 && kind == Type::GCounter {
        return Err(Unedited::Shrinks { at });
    }
    let Some(sum) = was.checked_add(by) else {
        return Err(Unedited::TooMuch { at, was, by });
    };
    let given = Assignment {
        path: at.to_string(),
        value: Given::number(sum),
    };
    check(std::iter::once(given.path.as_str()))?;
    let changed = put(document, &Address::new("."), &given)?;
    Ok(Edited::new(changed, at))
}

/// A record or a field goes.
pub(super) fn remove(document: &Document, at: &Address) -> Result<Edited, Unedited> {
    let changed = without(document, at, "")?;
    let is_record = found(document, at)?.list().is_some();
    let fields = if is_record {
        vec![]
    } else {
        vec![String::new()]
    };
    Ok(Edited {
        fields,
        ..Edited::new(changed, at.clone())
    })
}

/// A document without a record or a field: what `path` leads to from `at`.
fn without(document: &Document, at: &Address, path: &str) -> Result<Document, Unedited> {
    let walk = found(document, at)?.on(path);
    let gone = if path.is_empty() {
        at.clone()
    } else {
        at.join(path)
    };
    if !walk.rest.is_empty() {
        return Err(unknown(&walk, &gone));
    }
    keep_records(walk.node, || gone.clone())?;
    let no_place = || Unedited::NoPlace { at: gone.clone() };
    if let Some(name) = walk.way.last().and_then(|entry| name_of(*entry)) {
        check(std::iter::once(name.as_ref()))?;
        let above = walk
            .way
            .len()
            .checked_sub(2)
            .and_then(|at| walk.way.get(at));
        let list = above.map(|record| record.parent());
        let field = list.and_then(|list| identity_field(std::iter::once(list)));
        if let Some(field) = field.filter(|field| *field == name) {
            return Err(Unedited::Nameless { field });
        }
    }
    let steps = walk.steps();
    let (index, holder) = steps.split_last().ok_or_else(no_place)?;
    let changed = rewritten(document, holder, |collection, _| {
        collection.remove(*index).map(|_| ())
    });
    changed.ok_or_else(no_place)
}

/// A record stands elsewhere in its list.
pub(super) fn shift(document: &Document, at: &Address, to: &Position) -> Result<Edited, Unedited> {
    let walk = found(document, at)?;
    let (list, from) = walk
        .list()
        .ok_or_else(|| Unedited::NotARecord { at: at.clone() })?;
    let field = identity_field(std::iter::once(list));
    let beside = |name: &str| {
        let index = member(list, name).and_then(|found| {
            list.entries()
                .position(|entry| entry.value() == found.value())
        });
        index.ok_or_else(|| {
            let own = field.and_then(|field| walk.node.get(field));
            let own = own.map(|entry| entry.value().text().into_owned());
            let whole = at.to_string();
            let within = own.and_then(|own| whole.strip_suffix(&own).map(str::to_owned));
            Unedited::Unknown {
                name: name.to_owned(),
                within: Address::new(&within.unwrap_or(whole)),
                alike: naming::alike(name, &choices(list)),
            }
        })
    };
    // The index afterwards, when the record itself no longer stands before the other.
    let index = match to {
        Position::First => 0,
        Position::Last => list.len().saturating_sub(1),
        Position::Before(name) => {
            let other = beside(name)?;
            other - usize::from(from < other)
        }
        Position::After(name) => {
            let other = beside(name)?;
            other + usize::from(from > other)
        }
    };
    let steps = walk.steps();
    let holder = steps.get(..steps.len().saturating_sub(1));
    let changed = rewritten(document, holder.unwrap_or_default(), |collection, _| {
        collection.shift(from, index);
        Some(())
    });
    let changed = changed.ok_or_else(|| Unedited::NoPlace { at: at.clone() })?;
    Ok(Edited::new(changed, at.clone()))
}
