//! Replicas that edit what they see by hand, and tell each other.

use rhema_crdt::context::{Marking, lift, mark};
use rhema_crdt::crdt::{self, Clock, Edit, Replica, Stamp};
use rhema_crdt::overlay::{forms, render};
use rhema_crdt::yaml::{Document, Limits};

use crate::hand::{RULES, cases, made_up, read};
use crate::mutate::{Random, mutated};

/// People who work on one file, each knowing some of the edits.
pub(crate) struct World {
    text: Document,
    base: crdt::Document,
    pub(crate) known: Vec<Vec<Edit>>,
    clocks: Vec<Clock>,
    time: u64,
}

/// What came of an edit by hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Made {
    /// The file shows what was written.
    Same,
    /// It shows something else.
    Other(String),
    /// It could not be rendered.
    Refused(String),
}

impl World {
    pub(crate) fn new(head: &str, people: usize) -> Self {
        let text = read(head);
        Self {
            base: lift(&text),
            text,
            known: vec![Vec::new(); people],
            clocks: (1..=people as u32)
                .map(|bits| Clock::new(Replica::from_bits(bits), None))
                .collect(),
            time: 1_800_000_000_000,
        }
    }

    fn tick(&mut self, who: usize) -> Stamp {
        self.time += 1_000;
        self.clocks[who].tick(self.time).unwrap()
    }

    pub(crate) fn view(&self, who: usize) -> crdt::Document {
        RULES.view(&self.base, &self.known[who])
    }

    pub(crate) fn shows(&self, who: usize) -> Result<String, String> {
        render(&self.text, &self.base, &self.view(who)).map_err(|error| error.to_string())
    }

    /// Somebody saves another text over the one that is shown.
    pub(crate) fn save(&mut self, who: usize, shown: &str, work: &str) -> Made {
        let (before, after) = (read(shown), read(work));
        let seen = self.view(who);
        let stamp = self.tick(who);
        let mut changes: Vec<_> = RULES
            .edits(&seen, &lift(&after))
            .into_iter()
            .flat_map(|edit| edit.changes)
            .collect();
        let births = std::iter::from_fn(|| Some(self.tick(who))).take(changes.len());
        let births: Vec<Stamp> = births.collect();
        let mut fresh = vec![];
        // Each record is born by itself.
        for (change, birth) in changes.iter_mut().zip(births) {
            if let crdt::Act::Add { record, .. } = &mut change.act
                && record.birth.stamp.is_none()
            {
                record.birth.stamp = Some(birth);
                fresh.push(birth);
            }
        }
        let (adds, others): (Vec<_>, Vec<_>) =
            changes.into_iter().partition(|change| match &change.act {
                crdt::Act::Add { record, .. } => record
                    .birth
                    .stamp
                    .is_some_and(|birth| fresh.contains(&birth)),
                _ => false,
            });
        let mut edits = vec![Edit {
            stamp: Some(stamp),
            changes: others,
        }];
        edits.extend(adds.into_iter().map(|change| {
            let crdt::Act::Add { record, .. } = &change.act else {
                unreachable!()
            };
            Edit {
                stamp: record.birth.stamp,
                changes: vec![change],
            }
        }));
        let with =
            |edits: &[Edit]| RULES.view(&self.base, &[self.known[who].as_slice(), edits].concat());
        match forms(&self.text, &self.base, &with(&edits), &before, &after) {
            Ok(changes) => edits[0].changes.extend(changes),
            Err(error) => return Made::Refused(error.to_string()),
        }
        edits.retain(|edit| !edit.changes.is_empty());
        match render(&self.text, &self.base, &with(&edits)) {
            Err(error) => Made::Refused(error.to_string()),
            Ok(text) => {
                self.known[who].extend(edits);
                let bare = |text: &str| {
                    rhema_crdt::context::strip(&read(text)).unwrap_or_else(|| text.to_owned())
                };
                if bare(&text) == bare(work) {
                    Made::Same
                } else {
                    Made::Other(text)
                }
            }
        }
    }

    pub(crate) fn hear(&mut self, who: usize, from: usize) {
        for edit in self.known[from].clone() {
            if !self.known[who].contains(&edit) {
                self.known[who].push(edit);
            }
        }
    }
}

/// A text that somebody might have saved: whatever can be read and still has its marker.
fn scribbled(text: &str, random: &mut Random) -> Option<String> {
    let work = mutated(text, text, random);
    let document = Document::from_text(work.clone(), &Limits::default()).ok()?;
    let root = document.root()?;
    let marked = root.get("_crdt")?.value().text().starts_with("v1");
    (marked && work != text).then_some(work)
}

#[test]
fn whatever_people_save_all_come_to_show_the_same() {
    let (mut all, mut others, mut refused) = (0, 0, 0);
    for seed in cases(100) {
        let mut random = Random::new(seed);
        let head = made_up(seed, 0).0;
        let mut world = World::new(&head, 3);
        for _ in 0..12 {
            let who = random.below(3);
            if random.below(3) == 0 {
                world.hear(who, random.below(3));
                continue;
            }
            let Ok(shown) = world.shows(who) else { break };
            let Some(work) = scribbled(&shown, &mut random) else {
                continue;
            };
            all += 1;
            match world.save(who, &shown, &work) {
                Made::Same => {}
                Made::Other(_) => others += 1,
                Made::Refused(_) => refused += 1,
            }
        }
        for who in [0, 1, 2, 0, 1] {
            world.hear(who, (who + 1) % 3);
            world.hear(who, (who + 2) % 3);
        }
        let all: Vec<_> = (0..3).map(|who| world.shows(who)).collect();
        assert_eq!(all[0], all[1], "{head}");
        assert_eq!(all[0], all[2], "{head}");
    }
    println!("of {all}: {others} other bytes, {refused} refused");
    assert!(refused * 100 <= all, "{refused} of {all}");
    assert!(others * 4 <= all, "{others} of {all}");
}

/// The context files of real projects, as `init` marks them.
fn real() -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/context");
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "yaml")
        {
            let text = std::fs::read_to_string(path).unwrap();
            if let Marking::Marked(text) = mark(&read(&text)) {
                files.push(text);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn so_do_real_files_whatever_is_saved_over_them() {
    let (mut all, mut others) = (0, 0);
    for (seed, head) in cases(6).flat_map(|seed| real().into_iter().map(move |head| (seed, head))) {
        let mut world = World::new(&head, 1);
        let mut random = Random::new(seed * 7 + head.len() as u64);
        let Some(work) = scribbled(&head, &mut random) else {
            continue;
        };
        all += 1;
        match world.save(0, &head, &work) {
            Made::Same => {}
            Made::Other(_) => others += 1,
            Made::Refused(error) => panic!("{error}\n{head}\n{work}"),
        }
    }
    println!("of {all}: {others} other bytes");
    assert!(all > 20 && others * 10 <= all, "{others} of {all}");
}
