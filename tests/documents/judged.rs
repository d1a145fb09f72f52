//! What must hold of any change by command of any text. Shared with the fuzzer.

use rhema_crdt::context::{
    Address, Assignment, Change, Edited, Given, Marking, Position, Types, canonical,
    identity_field, mark, stamp, strip,
};
use rhema_crdt::crdt::{Clock, Replica};
use rhema_crdt::yaml::{Document, EntryRef, Kind, Limits, NodeRef};

/// Fields by which `member` finds a record.
const NAMING: [&str; 6] = ["id", "name", "key", "title", "issue", "path"];

/// Three bytes that choose a change, a line with a value, and a text: the change is refused, or the text says what was meant and
/// nothing else changed in it. Whether it was made.
pub(crate) fn judged(input: &[u8]) -> bool {
    let Some((&[what, at, also], rest)) = input.split_first_chunk::<3>() else {
        return false;
    };
    let Ok(rest) = std::str::from_utf8(rest) else {
        return false;
    };
    let (value, yaml) = rest.split_once('\n').unwrap_or(("", rest));
    let Ok(document) = Document::read(yaml.as_bytes(), &Limits::default()) else {
        return false;
    };
    let Some(root) = document.root() else {
        return false;
    };
    let mut places = Vec::new();
    collect(root, &Place::default(), &mut places);
    let Some(place) = pick(&places, at) else {
        return false;
    };
    // Escapes, as the value has one line.
    let value = value.replace("\\n", "\n");
    let Ok(given) = value.parse::<Given>() else {
        return false;
    };
    let Some(meant) = meant(what % 6, also, place, root, &given) else {
        return false;
    };
    let types = Types::default();
    let Ok(edited) = meant.change.apply(&document, &types) else {
        return false;
    };
    meant.is_said(root, &edited, &given);
    is_stamped_once(&document, &edited.document);
    true
}

/// Where something stands: the names that lead there, and which entries these are.
#[derive(Clone, Debug, Default)]
struct Place {
    names: Vec<String>,
    steps: Vec<usize>,
}

impl Place {
    fn address(&self) -> Address {
        Address::new(&self.names.join("/"))
    }

    fn above(&self) -> Self {
        let mut above = self.clone();
        above.names.pop();
        above.steps.pop();
        above
    }

    fn within(&self, name: &str, step: usize) -> Self {
        let mut within = self.clone();
        within.names.push(name.to_owned());
        within.steps.push(step);
        within
    }

    fn last(&self) -> Option<(&str, usize)> {
        Some((self.names.last()?, *self.steps.last()?))
    }
}

fn pick<T>(all: &[T], at: u8) -> Option<&T> {
    all.get(usize::from(at) % all.len().max(1))
}

/// Whatever can be named without a doubt.
fn collect(node: NodeRef<'_>, place: &Place, places: &mut Vec<Place>) {
    places.push(place.clone());
    if !node.is_structured() {
        return;
    }
    let entries: Vec<EntryRef<'_>> = node.entries().collect();
    let names: Vec<Option<String>> = match node.kind() {
        Kind::Mapping => entries
            .iter()
            .map(|entry| Some(entry.key()?.text().into_owned()))
            .collect(),
        _ => {
            let field = identity_field(std::iter::once(node));
            let name =
                |entry: &EntryRef<'_>| Some(entry.value().get(field?)?.value().text().into_owned());
            entries.iter().map(name).collect()
        }
    };
    for (step, (entry, name)) in entries.iter().zip(names).enumerate() {
        let Some(name) = name else { continue };
        let is_plain = !name.is_empty()
            && name
                .chars()
                .all(|letter| letter.is_alphanumeric() || letter == '-');
        let called = entries.iter().filter(|other| match node.kind() {
            Kind::Mapping => other.key().is_some_and(|key| key.text() == name),
            _ => NAMING.iter().any(|field| {
                let named = other.value().get(field);
                named.is_some_and(|named| named.value().text() == name)
            }),
        });
        if is_plain && called.count() == 1 {
            collect(entry.value(), &place.within(&name, step), places);
        }
    }
}

/// A change, and where it shows.
struct Meant {
    change: Change,
    /// The collection in which something comes, goes or changes.
    holder: Place,
    shows: Shows,
}

/// What becomes of the entries of a collection.
enum Shows {
    /// One has another value.
    Changed(usize),
    /// One more is there.
    Come(String),
    Gone(usize),
    Moved(usize, usize),
}

fn meant(what: u8, also: u8, place: &Place, root: NodeRef<'_>, given: &Given) -> Option<Meant> {
    let node = at(root, &place.steps)?;
    let set = |name: &str| Assignment {
        path: name.to_owned(),
        value: given.clone(),
    };
    let (change, holder, shows) = match what {
        0 => {
            let (name, step) = place.last()?;
            let holder = place.above();
            let fields = vec![set(name)];
            // A record is no field, and one that gets another name is called otherwise afterwards.
            if at(root, &holder.steps)?.kind() != Kind::Mapping || NAMING.contains(&name) {
                return None;
            }
            let at = holder.address();
            let unset = Vec::new();
            (
                Change::Set { at, fields, unset },
                holder,
                Shows::Changed(step),
            )
        }
        1 => {
            let name = ["new", "status", "tags", "zz"][usize::from(also) % 4];
            if node.kind() != Kind::Mapping || node.get(name).is_some() {
                return None;
            }
            let fields = vec![set(name)];
            let at = place.address();
            let unset = Vec::new();
            let shows = Shows::Come(name.to_owned());
            (Change::Set { at, fields, unset }, place.clone(), shows)
        }
        2 => {
            let (_, step) = place.last()?;
            let at = place.address();
            (Change::Remove { at }, place.above(), Shows::Gone(step))
        }
        3 | 4 => {
            let (_, from) = place.last()?;
            let holder = place.above();
            let list = at(root, &holder.steps)?;
            if list.kind() != Kind::Sequence {
                return None;
            }
            let (to, index) = match what {
                3 => (Position::First, 0),
                _ => (Position::Last, list.len() - 1),
            };
            let at = place.address();
            (Change::Move { at, to }, holder, Shows::Moved(from, index))
        }
        _ => {
            let fields = vec!["id=brand-new".parse().ok()?, set("text")];
            let to = place.address();
            if node.kind() != Kind::Sequence || node.is_empty() {
                return None;
            }
            let shows = Shows::Come(String::new());
            (Change::Add { to, fields }, place.clone(), shows)
        }
    };
    Some(Meant {
        change,
        holder,
        shows,
    })
}

fn at<'d>(root: NodeRef<'d>, steps: &[usize]) -> Option<NodeRef<'d>> {
    steps
        .iter()
        .try_fold(root, |node, step| Some(node.entries().nth(*step)?.value()))
}

impl Meant {
    /// The text reads as what was meant, and all other entries have their bytes.
    fn is_said(&self, before: NodeRef<'_>, edited: &Edited, given: &Given) {
        let text = edited.document.text();
        let again = Document::from_text(text.to_owned(), &Limits::default()).unwrap();
        let after = again.root().unwrap();
        let (old_text, story) = (before.document().text(), || {
            format!(
                "{:?}\n--- before\n{}\n--- after\n{text}",
                self.change,
                before.document().text()
            )
        });
        assert_eq!(
            again.parts().len(),
            before.document().parts().len(),
            "{}",
            story()
        );
        let mut old = before;
        let mut new = after;
        for step in &self.holder.steps {
            all_else_stays(old, new, &|index| (index != *step).then_some(index), &story);
            old = old.entries().nth(*step).unwrap().value();
            new = new.entries().nth(*step).unwrap().value();
        }
        let (count, found) = (old.entries().count(), new.entries().count());
        match &self.shows {
            Shows::Changed(step) => {
                assert_eq!(count, found, "{}", story());
                all_else_stays(old, new, &|index| (index != *step).then_some(index), &story);
                let (old, new) = (old.entries().nth(*step), new.entries().nth(*step));
                let (old, new) = (old.unwrap(), new.unwrap());
                // An anchor stays: others name it.
                let is_it = given.is(new.value()) || new.value().anchor().is_some();
                assert!(is_it, "{}", story());
                let is_short = |entry: EntryRef<'_>| {
                    let value = entry.value();
                    // A comment behind the key of a value below it may come to stand behind the value.
                    let has_lines = [entry.sep(), value.raw_with_props()]
                        .iter()
                        .any(|text| text.contains(['\n', '\r']));
                    matches!(value.kind(), Kind::Scalar(_))
                        && !has_lines
                        && !value.is_block_scalar()
                };
                if is_short(old) && is_short(new) {
                    let key_to_value = |entry: EntryRef<'_>| {
                        let data = entry.data();
                        (data.start as usize, entry.value().data().span.end as usize)
                    };
                    let ((start, end), (from, to)) = (key_to_value(old), key_to_value(new));
                    assert_eq!(old_text[..start], text[..from], "{}", story());
                    assert_eq!(
                        old_text[end..].trim_start_matches([' ', '\t']),
                        text[to..].trim_start_matches([' ', '\t']),
                        "{}",
                        story()
                    );
                }
            }
            Shows::Come(name) => {
                assert_eq!(count + 1, found, "{}", story());
                let place = match name.as_str() {
                    "" => Some(count),
                    name => new
                        .entries()
                        .position(|entry| entry.key().is_some_and(|key| key.text() == name)),
                };
                let place = place.unwrap_or_else(|| panic!("{}", story()));
                let came = new.entries().nth(place).unwrap().value();
                let value = match name.as_str() {
                    "" => came.get("text").unwrap().value(),
                    _ => came,
                };
                assert!(given.is(value), "{}", story());
                let index = |index| Some(index + usize::from(index >= place));
                all_else_stays(old, new, &index, &story);
            }
            Shows::Gone(step) => {
                assert_eq!(count, found + 1, "{}", story());
                let index = |index| (index != *step).then(|| index - usize::from(index > *step));
                all_else_stays(old, new, &index, &story);
            }
            Shows::Moved(from, to) => {
                assert_eq!(count, found, "{}", story());
                let index = |index: usize| {
                    let bare = index - usize::from(index > *from);
                    Some(match index == *from {
                        true => *to,
                        false => bare + usize::from(bare >= *to),
                    })
                };
                all_else_stays(old, new, &index, &story);
            }
        }
    }
}

/// Each entry of a collection that is to be somewhere else in another one has its bytes there, but for blanks at its ends.
fn all_else_stays(
    old: NodeRef<'_>,
    new: NodeRef<'_>,
    index: &dyn Fn(usize) -> Option<usize>,
    story: &dyn Fn() -> String,
) {
    for (place, entry) in old.entries().enumerate() {
        let Some(place) = index(place) else { continue };
        let other = new.entries().nth(place);
        let other = other.unwrap_or_else(|| panic!("an entry is gone: {}", story()));
        let bytes = |entry: EntryRef<'_>| {
            let key = entry.key().map_or("", |key| key.raw_with_props());
            format!("{key}|{}", entry.value().raw_with_props().trim_end())
        };
        let (old, new) = (bytes(entry), bytes(other));
        assert_eq!(old, new, "another entry changed: {}", story());
    }
}

/// Stamps say what was edited and change no value; once they stand there, there is nothing left to stamp.
fn is_stamped_once(before: &Document, after: &Document) {
    let marked = |document: &Document| match mark(document) {
        Marking::Marked(text) => Document::from_text(text, &Limits::default()).ok(),
        Marking::Present => {
            Document::from_text(document.text().to_owned(), &Limits::default()).ok()
        }
        _ => None,
    };
    let (Some(head), Some(work)) = (marked(before), marked(after)) else {
        return;
    };
    let mut clock = Clock::new(Replica::from_bits(7), None);
    let mut tick = || clock.tick(1_700_000_000_000).unwrap();
    let first = tick();
    let stamped = stamp(
        Some(&head),
        &work,
        first,
        &mut std::iter::repeat_with(&mut tick),
    );
    let Some(text) = stamped.text else { return };
    let read = Document::from_text(text.clone(), &Limits::default()).unwrap();
    let bare = |document: &Document| {
        let text = strip(document).unwrap_or_else(|| document.text().to_owned());
        let document = Document::from_text(text, &Limits::default()).unwrap();
        document.root().map(canonical)
    };
    assert_eq!(bare(&read), bare(&work), "a stamp changed a value\n{text}");
    let second = tick();
    let again = stamp(
        Some(&head),
        &read,
        second,
        &mut std::iter::repeat_with(&mut tick),
    );
    assert_eq!(again.text, None, "stamped twice\n{text}");
}
