//! Somebody's work tree: the files, what people do there, and the program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, UNIX_EPOCH};

use rhema_crdt::exchange::{Action, Event, Now, Session, Stay, digest};
use rhema_crdt::git::Repo;
use rhema_crdt::overlay::DocumentPath;
use rhema_crdt::peers::Party;
use rhema_crdt::replica::{Error, Report, overview, round_now};
use rhema_crdt::store::Which;

use crate::broken::{Broken, must};
use crate::git::{Git, Merged};
use crate::ground::copied;
use crate::ledger::{FIELDS, Held, Ledger};
use crate::plan::{Deed, is_in};
use crate::sky::Disk;
use crate::text::{self, FILE, Typing};

/// For how long a writer may not have read what came to a file: ten seconds, and the time until it is seen that it was written.
const YOUNG: u64 = 13_000;

/// What the program did.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Did {
    /// How many edits it recorded.
    pub(crate) edits: usize,
    /// Whether it left something to be done.
    pub(crate) is_to_look_again: bool,
    /// How many documents it wrote.
    pub(crate) written: usize,
}

/// What a tool is about to write.
#[derive(Clone, Debug)]
pub(crate) struct Save {
    text: String,
    /// What it had read.
    read: Held,
    /// The edit in the ledger.
    edit: usize,
}

impl Save {
    /// What stands there is committed before.
    pub(crate) fn is_after_commit(&self, committed: &Held, ledger: &mut Ledger) {
        ledger.committed_before(self.edit, committed);
    }

    /// It is never written.
    pub(crate) fn is_left(&self, ledger: &mut Ledger) -> Result<(), Broken> {
        ledger.take_back(&Held::read(&self.text)?, &self.read);
        Ok(())
    }
}

pub(crate) struct Desk {
    pub(crate) number: usize,
    pub(crate) top: PathBuf,
    party: Option<Party>,
    /// Whether its process may run.
    pub(crate) up: bool,
    pub(crate) is_copy: bool,
    /// Of how many milliseconds its clock is ahead.
    pub(crate) skew: i64,
    /// Whether the program sees what is saved, and shows what comes.
    pub(crate) is_watched: bool,
    /// Where its process ends: after how many points, and whether the power is gone, too.
    pub(crate) ends_after: Option<(u64, bool)>,
    /// What the file held at times.
    texts: Vec<String>,
    /// Since when the file holds what.
    since: BTreeMap<String, u64>,
    /// The program's files of a while ago.
    old_state: Option<Disk>,
}

fn failed(rule: &'static str, error: &dyn std::error::Error) -> Broken {
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        told += &format!(": {error}");
        source = error.source();
    }
    Broken { rule, told }
}

impl Desk {
    pub(crate) fn new(number: usize, top: PathBuf, watched: u64) -> Self {
        Self {
            number,
            top,
            party: None,
            up: true,
            is_copy: false,
            skew: 0,
            is_watched: is_in(watched, number),
            ends_after: None,
            texts: Vec::new(),
            since: BTreeMap::new(),
            old_state: None,
        }
    }

    pub(crate) fn git(&self) -> Git {
        Git::at(&self.top)
    }

    fn file(&self) -> PathBuf {
        self.top.join(FILE)
    }

    pub(crate) fn text(&self) -> Option<String> {
        fs::read_to_string(self.file()).ok()
    }

    /// What the file holds; nothing where there is none.
    pub(crate) fn held(&self) -> Result<Option<Held>, Broken> {
        self.text().map(|text| Held::read(&text)).transpose()
    }

    /// Saves as editors do: another file takes the place.
    fn write(&mut self, text: &str, now: u64) {
        let aside = self.top.join(".rhema/.saving");
        fs::write(&aside, text).unwrap();
        fs::rename(aside, self.file()).unwrap();
        self.is_written(now);
    }

    /// The file was written now, as its times tell.
    pub(crate) fn is_written(&self, now: u64) {
        if let Ok(file) = fs::File::options().append(true).open(self.file()) {
            // Long enough ago for it to be taken for whole.
            let written = Duration::from_millis(now.saturating_sub(20));
            file.set_modified(UNIX_EPOCH + written).unwrap();
        }
    }

    /// Notes what the file holds, and since when.
    pub(crate) fn notes(&mut self, held: &Held, now: u64) {
        let all = held.all();
        self.since.retain(|value, _| all.contains(value));
        for value in all {
            self.since.entry(value).or_insert(now);
        }
    }

    /// What came to the file so late that who writes it may not have read it: nobody knows since when it stands there, or not for long.
    fn young(&self, held: &Held, now: u64) -> BTreeSet<String> {
        let is_old = |value: &String| {
            let since = self.since.get(value);
            since.is_some_and(|since| *since + YOUNG <= now)
        };
        let mut young = held.all();
        young.retain(|value| !is_old(value));
        young
    }

    /// Somebody edits the file; says whether there was anything to edit.
    pub(crate) fn types(
        &mut self,
        deed: Deed,
        (a, b): (u64, u64),
        now: u64,
        ledger: &mut Ledger,
    ) -> Result<bool, Broken> {
        let Some((text, held)) = self.text().zip(self.held()?) else {
            return Ok(false);
        };
        ledger.came_just_now(self.young(&held, now));
        let Some(typing) = self.typing(deed, a, b, &text, &held, ledger) else {
            return Ok(false);
        };
        let after = typing.apply(&text);
        let git = self.git();
        if git.text_in(git.head()).as_ref() == Some(&after) {
            ledger.is_as_in_head();
        }
        self.texts.push(text);
        self.write(&after, now);
        Ok(true)
    }

    fn typing(
        &self,
        deed: Deed,
        a: u64,
        b: u64,
        text: &str,
        held: &Held,
        ledger: &mut Ledger,
    ) -> Option<Typing> {
        let ids = text::ids(text);
        let chosen = |from: &[&str]| {
            from.get(a as usize % from.len().max(1))
                .map(|id| (*id).to_owned())
        };
        let field = FIELDS[b as usize % FIELDS.len()];
        match deed {
            Deed::Add | Deed::AddCommon => {
                let id = match deed {
                    Deed::Add => format!("n{}", ledger.word()),
                    _ => format!("common{}", a % 2),
                };
                if ids.contains(&id.as_str()) {
                    return None;
                }
                let values = FIELDS.map(|field| (field, format!("v{}", ledger.word())));
                ledger.add(self.number, &id, &values);
                let mut lines = format!("  - id: {id}\n");
                for (field, value) in values {
                    lines += &format!("    {field}: {value}\n");
                }
                Some(Typing::Append(lines))
            }
            Deed::Remove => {
                let id = chosen(&ids).filter(|_| ids.len() > 1)?;
                ledger.remove(self.number, held, &id);
                Some(Typing::Remove(id))
            }
            Deed::Unset => {
                let id = chosen(&ids)?;
                let is_there = held
                    .said
                    .leaves
                    .contains_key(&(id.clone(), field.to_owned()));
                // A record of nothing but its id is nobody's.
                if !is_there || held.said.record(&id).len() < 2 {
                    return None;
                }
                ledger.unset(self.number, held, &id, field);
                Some(Typing::Unset { id, field })
            }
            Deed::Strip => {
                ledger.strip(self.number, held);
                Some(Typing::Strip)
            }
            _ => {
                let id = chosen(&ids)?;
                let value = format!("v{}", ledger.word());
                ledger.set(self.number, held, &id, field, &value);
                Some(Typing::Set { id, field, value })
            }
        }
    }

    /// A tool reads the file, and will write it with one value more.
    pub(crate) fn reads(
        &mut self,
        (a, b): (u64, u64),
        now: u64,
        ledger: &mut Ledger,
    ) -> Result<Option<Save>, Broken> {
        let Some((text, held)) = self.text().zip(self.held()?) else {
            return Ok(None);
        };
        ledger.came_just_now(self.young(&held, now));
        let typing = self.typing(Deed::Set, a, b, &text, &held, ledger);
        Ok(typing.map(|typing| Save {
            text: typing.apply(&text),
            read: held,
            edit: ledger.last(),
        }))
    }

    /// It does.
    pub(crate) fn save(&mut self, save: Save, now: u64, ledger: &mut Ledger) -> Result<(), Broken> {
        if let Some(held) = self.held()? {
            ledger.overwrite(self.number, &held, &save.read);
        }
        self.write(&save.text, now);
        Ok(())
    }

    /// An old version of the file is put back.
    pub(crate) fn puts_back(
        &mut self,
        a: u64,
        now: u64,
        ledger: &mut Ledger,
    ) -> Result<(), Broken> {
        if self.texts.is_empty() {
            return Ok(());
        }
        let old = self.texts[a as usize % self.texts.len()].clone();
        if let Some(before) = self.held()? {
            ledger.put_back(&before, &Held::read(&old)?);
        }
        self.write(&old, now);
        Ok(())
    }

    pub(crate) fn commit(&mut self, now: u64) {
        self.git().commit("an edit", now);
    }

    /// Git takes something back.
    pub(crate) fn goes_back(
        &mut self,
        deed: Deed,
        a: u64,
        now: u64,
        ledger: &mut Ledger,
    ) -> Result<(), Broken> {
        let git = self.git();
        let Some(before) = self.held()? else {
            return Ok(());
        };
        let head = git.head();
        match deed {
            Deed::Revert => {
                let merged = git.revert(head, now);
                must(
                    merged != Merged::Marked,
                    "a revert leaves nothing to people",
                    || format!("desk {}", self.number),
                )?;
            }
            _ => {
                let parent = git.parent(head).filter(|_| a.is_multiple_of(2));
                git.reset_hard(parent.unwrap_or(head));
            }
        }
        if let Some(after) = self.held()? {
            // Who types before anybody looked makes edits of it.
            ledger.put_back(&before, &after);
            if deed == Deed::ResetHard {
                ledger.take_all_back(self.number, &after);
            }
        }
        Ok(())
    }

    fn committed(&self) -> Result<Held, Broken> {
        let git = self.git();
        Held::read(&git.text_in(git.head()).unwrap_or_default())
    }

    pub(crate) fn loses_store(&mut self, ledger: &mut Ledger) -> Result<(), Broken> {
        self.stops();
        let shown = self.held()?.unwrap_or_default();
        ledger.lose_store(self.number, &self.committed()?, &shown);
        for name in ["store.sqlite", "store.sqlite-wal", "store.sqlite-shm"] {
            let _ = fs::remove_file(self.top.join(".git/rhema").join(name));
        }
        Ok(())
    }

    pub(crate) fn has_damaged_store(&mut self, a: u64, ledger: &mut Ledger) -> Result<(), Broken> {
        self.stops();
        let path = self.top.join(".git/rhema/store.sqlite");
        let Ok(mut bytes) = fs::read(&path) else {
            return Ok(());
        };
        let shown = self.held()?.unwrap_or_default();
        ledger.lose_store(self.number, &self.committed()?, &shown);
        match a % 3 {
            0 => bytes.truncate(bytes.len() / 2),
            1 => bytes.clear(),
            _ => bytes.iter_mut().take(4096).for_each(|byte| *byte = 0x5a),
        }
        let _ = fs::remove_file(path.with_extension("sqlite-wal"));
        fs::write(&path, bytes).unwrap();
        Ok(())
    }

    /// The program's files of a while ago are put back; says whether there were any.
    pub(crate) fn puts_store_back(&mut self, ledger: &mut Ledger) -> Result<bool, Broken> {
        let Some(old) = self.old_state.clone() else {
            return Ok(false);
        };
        self.stops();
        let shown = self.held()?.unwrap_or_default();
        ledger.lose_store(self.number, &self.committed()?, &shown);
        old.put_back_state(&self.top);
        Ok(true)
    }

    /// `cp -r`
    pub(crate) fn copied(&mut self, number: usize, top: PathBuf) -> Self {
        self.stops();
        copied(&self.top, &top);
        Self {
            is_copy: true,
            texts: self.texts.clone(),
            ..Self::new(number, top, u64::MAX)
        }
    }

    /// The process is gone.
    pub(crate) fn stops(&mut self) {
        self.party = None;
    }

    /// The process begins.
    pub(crate) fn begins(&mut self) -> Result<(), Broken> {
        if self.party.is_none() {
            let repo = Repo::at(&self.top).map_err(|error| failed("the program begins", &error))?;
            let party = Party::open(repo).map_err(|error| failed("the program begins", &error))?;
            self.party = Some(party);
        }
        Ok(())
    }

    fn party(&mut self) -> Result<&mut Party, Broken> {
        self.begins()?;
        self.party.as_mut().ok_or(Broken {
            rule: "the program begins",
            told: String::new(),
        })
    }

    pub(crate) fn key(&mut self) -> Result<[u8; 32], Broken> {
        Ok(*self.party()?.key())
    }

    pub(crate) fn session(
        &mut self,
        with: &[u8; 32],
        stay: Stay,
        seed: u64,
    ) -> Result<Option<Session>, Broken> {
        Ok(self.party()?.session(with, stay, seed))
    }

    pub(crate) fn step(
        &mut self,
        session: &mut Session,
        now: Now,
        event: Event,
    ) -> Result<Vec<Action>, Broken> {
        let stepped = self.party()?.step(session, now, event);
        stepped.map_err(|error| failed("what is said can be heard", &error))
    }

    /// Git did something: the program sees the repository as it is now.
    pub(crate) fn opens_anew(&mut self) -> Result<(), Broken> {
        match &mut self.party {
            Some(party) => {
                let opened = party.open_anew(&self.top);
                opened.map_err(|error| failed("the program sees what git did", &error))
            }
            None => Ok(()),
        }
    }

    /// The program looks at what may have changed.
    pub(crate) fn looks(&mut self) -> Result<Did, Broken> {
        let mut report = Report::default();
        let files = [PathBuf::from(FILE)].into();
        let files = self.is_watched.then_some(&files);
        let looked = self.party()?.look(files, &mut report);
        match looked {
            Err(error) if error.is_damage() => {
                self.stops();
                let repo =
                    Repo::at(&self.top).map_err(|error| failed("a look succeeds", &error))?;
                let round = round_now(&repo, false, None, &mut report);
                round.map_err(|error| failed("a look succeeds", &error))?;
            }
            Err(error) => return Err(failed("a look succeeds", &error)),
            Ok(()) => {}
        }
        if self.old_state.is_none() {
            self.old_state = Some(Disk::of_state(&self.top));
        }
        self.has_looked(report)
    }

    fn has_looked(&mut self, report: Report) -> Result<Did, Broken> {
        let problem = report
            .problems
            .iter()
            .find(|problem| !matches!(problem, Error::Git(_)) || !problem.is_race());
        if let Some(problem) = problem {
            return Err(failed("a look succeeds", problem));
        }
        must(report.left.is_empty(), "everything is recorded", || {
            format!("desk {}: {:?}\n{:?}", self.number, report.left, self.text())
        })?;
        Ok(Did {
            edits: report.edits,
            written: report.written.len(),
            is_to_look_again: !report.raced.is_empty() || !report.being_written.is_empty(),
        })
    }

    pub(crate) fn looks_before_commit(&mut self) -> Result<Did, Broken> {
        let report = self.party()?.look_before_commit();
        let report = report.map_err(|error| failed("a look succeeds", &error))?;
        self.has_looked(report)
    }

    /// What is over is packed.
    pub(crate) fn packs(&mut self) -> Result<Did, Broken> {
        let packed = self.party()?.pack();
        packed.map_err(|error| failed("what is over is packed", &error))?;
        Ok(Did::default())
    }

    /// Whether some of what it knows is not to be seen.
    pub(crate) fn hides(&mut self) -> Result<bool, Broken> {
        let repo = Repo::at(&self.top).map_err(|error| failed("a store can be read", &error))?;
        let seen = overview(&repo, self.party()?.store());
        let seen = seen.map_err(|error| failed("a store can be read", &error))?;
        Ok(seen.iter().any(|(_, document)| !document.hidden.is_empty()))
    }

    /// What it knows, by replica.
    pub(crate) fn knowledge(&mut self) -> rhema_crdt::overlay::Knowledge {
        self.party()
            .unwrap()
            .store()
            .read()
            .unwrap()
            .knowledge()
            .unwrap()
    }

    /// Tells the edits that it knows.
    pub(crate) fn print_edits(&mut self) {
        if let Some(party) = &mut self.party {
            let reading = party.store().read().unwrap();
            for edit in reading.edits(&DocumentPath::new(FILE), Which::All).unwrap() {
                println!(
                    "   {} {:?} {:?} {:?}",
                    edit.known.stamp, edit.issuer, edit.marks, edit.known.deed
                );
            }
        }
    }

    /// What it knows.
    pub(crate) fn digest(&mut self) -> Result<u64, Broken> {
        let reading = self.party()?.store().read();
        let known = reading.and_then(|reading| reading.knowledge());
        let known = known.map_err(|error| failed("a store can be read", &error))?;
        Ok(digest(&known))
    }
}
