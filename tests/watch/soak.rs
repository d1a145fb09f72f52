//! A long time of everything: a clone in which git is at work, a clone and a work tree linked to it in which people edit and
//! commit, and watchers that are ended, killed and started again.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::clones::Clones;
use crate::editor::{Deed as Typed, Editor, Save, beginning};
use crate::number;
use crate::oracle::{Faults, Meant};
use crate::processes::Cost;
use crate::steps::{Deed, Dice, Step, walk};
use crate::text::{FILE, Said};
use crate::watching::Watch;

/// Where people edit and nothing is restarted, where git is at work, and the work tree linked to the first.
const HOME: usize = 0;
const GIT: usize = 1;
const LINKED: usize = 2;

const MANNERS: &[Save] = &[Save::Rename, Save::InPlace, Save::Backup];

const RECORDS: usize = 8;

/// The steps of git.
fn is_gits(deed: Deed) -> bool {
    use Deed::{
        Amend, Commit, CommitPart, Drop, Force, Merge, Pick, Pop, Pull, Rebase, ResetHard,
        ResetMixed, ResetSoft, Restore, RestoreOld, RestoreStaged, Revert, Set, Stash, Switch,
    };
    matches!(
        deed,
        Set | Commit
            | CommitPart
            | Amend
            | Switch
            | Force
            | ResetSoft
            | ResetMixed
            | ResetHard
            | Restore
            | RestoreStaged
            | RestoreOld
            | Stash
            | Pop
            | Merge
            | Pick
            | Revert
            | Rebase
            | Drop
            | Pull
    )
}

/// The work trees, and what is done in them.
struct Ground<'c> {
    clones: &'c Clones,
    /// All that was done, as a shell script.
    script: Mutex<String>,
}

/// All values of a file, losers included.
fn all(said: Said) -> BTreeSet<String> {
    said.leaves.into_values().chain(said.kept).collect()
}

/// What happened so far, in all work trees.
struct Soak<'g> {
    ground: &'g Ground<'g>,
    /// What git took back: nothing is asked of these values.
    taken_back: BTreeSet<String>,
    typed: Vec<Typed>,
}

impl Ground<'_> {
    fn note(&self, at: usize, line: &str) {
        let mut script = self.script.lock().unwrap();
        let _ = writeln!(script, "(cd c{at}; {line})");
    }

    fn run(&self, at: usize, arguments: &[&str]) -> bool {
        self.run_with(at, None, arguments)
    }

    /// `git ARGUMENTS`; whether it did what it was asked.
    fn run_with(&self, at: usize, editor: Option<&str>, arguments: &[&str]) -> bool {
        let tree = self.clones.tree(at);
        let mut command = self.clones.world.command("git", &tree.top);
        command.args(arguments).env("GIT_EDITOR", "true");
        if let Some(editor) = editor {
            command.env("GIT_SEQUENCE_EDITOR", editor);
        }
        let done = crate::support::run(&mut command);
        let told = done.stderr.lines().next().unwrap_or_default();
        self.note(
            at,
            &format!("git {} # {} {told}", arguments.join(" "), done.status),
        );
        done.status == 0
    }

    fn said(&self, at: usize) -> Said {
        Said::read(&self.clones.text(at)).unwrap_or_default()
    }

    /// What a file holds.
    fn values(&self, at: usize) -> BTreeSet<String> {
        all(self.said(at))
    }

    /// What the file holds that is committed.
    fn committed(&self, at: usize) -> BTreeSet<String> {
        let text = self.clones.tree(at).git(&["show", &format!("HEAD:{FILE}")]);
        all(Said::read(&text).unwrap_or_default())
    }

    fn head(&self, at: usize) -> String {
        self.clones.tree(at).git(&["rev-parse", "HEAD"])
    }

    fn is_clean(&self, at: usize) -> bool {
        self.clones
            .tree(at)
            .git(&["status", "--porcelain"])
            .is_empty()
    }

    fn commit(&self, at: usize) {
        if !self.is_clean(at) {
            self.run(at, &["commit", "-q", "-a", "-m", "an edit"]);
        }
    }

    /// Gives up whatever git stopped at.
    fn settle(&self) {
        let folder = self.clones.tree(GIT).path(".git");
        for (file, what) in [
            ("rebase-merge", "rebase"),
            ("rebase-apply", "rebase"),
            ("CHERRY_PICK_HEAD", "cherry-pick"),
            ("REVERT_HEAD", "revert"),
            ("MERGE_HEAD", "merge"),
        ] {
            if folder.join(file).exists() && !self.run(GIT, &[what, "--abort"]) {
                self.run(GIT, &["reset", "-q", "--hard"]);
            }
        }
        let unmerged = self.clones.tree(GIT).git(&["ls-files", "--unmerged"]);
        if !unmerged.is_empty() {
            self.run(GIT, &["reset", "-q", "--hard"]);
        }
    }
}

impl Soak<'_> {
    /// A step of git.
    fn step(&mut self, step: Step) {
        let before = self.ground.values(GIT);
        let (a, b) = (step.a, step.b);
        let branches = ["main", "side", "origin/main", "side~1"];
        match step.deed {
            Deed::Commit => self.ground.commit(GIT),
            Deed::CommitPart => {
                self.ground.run(GIT, &["add", FILE]);
                self.ground.run(GIT, &["commit", "-q", "-m", "a part"]);
            }
            Deed::Amend => {
                self.ground.run(
                    GIT,
                    &[
                        "commit",
                        "-q",
                        "--amend",
                        "-a",
                        "--allow-empty",
                        "-m",
                        "amended",
                    ],
                );
            }
            Deed::Restore => {
                self.ground
                    .run(GIT, &["restore", "--staged", "--worktree", FILE]);
            }
            Deed::RestoreStaged => {
                self.ground.run(GIT, &["restore", FILE]);
            }
            Deed::Pop => {
                self.ground.run(GIT, &["stash", "pop", "-q"]);
            }
            Deed::Merge | Deed::Pick | Deed::Revert | Deed::Rebase | Deed::Drop | Deed::Pull => {
                self.ground.commit(GIT);
                let branch = branches[b % branches.len()];
                let reverted = ["HEAD", "HEAD~1"][a % 2];
                let (editor, arguments): (_, &[&str]) = match step.deed {
                    Deed::Merge => (None, &["merge", "-q", branch]),
                    Deed::Pick => (None, &["cherry-pick", "--allow-empty", branch]),
                    Deed::Revert => (None, &["revert", "--no-edit", reverted]),
                    Deed::Rebase => (None, &["rebase", "-q", branch]),
                    Deed::Drop => (Some("sed -i 1d"), &["rebase", "-q", "-i", "HEAD~2"]),
                    _ => (
                        None,
                        &["pull", "-q", "--no-rebase", "--no-edit", "origin", "main"],
                    ),
                };
                self.ground.run_with(GIT, editor, arguments);
            }
            _ => {
                self.ground.run(GIT, &step.arguments());
            }
        }
        self.ground.settle();
        // Git does not delete what others said: they know it still.
        if !matches!(
            step.deed,
            Deed::Switch | Deed::Commit | Deed::CommitPart | Deed::Amend
        ) {
            let after = self.ground.values(GIT);
            self.taken_back.extend(before.difference(&after).cloned());
            // Where only HEAD moved, the file that stayed takes back what is committed there, as git sees it.
            if matches!(step.deed, Deed::ResetSoft | Deed::ResetMixed) {
                let committed = self.ground.committed(GIT);
                self.taken_back
                    .extend(committed.difference(&after).cloned());
            }
        }
    }

    /// Everybody commits what they have and takes over what the others committed, until all stand on one commit and all is
    /// clean; whether they came to that.
    fn meet(&mut self) -> bool {
        let before = self.ground.values(GIT);
        self.ground.settle();
        self.ground.commit(GIT);
        while self.ground.run(GIT, &["stash", "drop", "-q"]) {}
        if !self.ground.run(GIT, &["switch", "-q", "main"]) {
            self.ground.run(GIT, &["checkout", "-q", "-f", "main"]);
        }
        self.ground.run(GIT, &["merge", "-q", "--no-edit", "side"]);
        self.ground.settle();
        self.ground
            .run(GIT, &["branch", "-q", "-f", "side", "HEAD"]);
        let after = self.ground.values(GIT);
        self.taken_back.extend(before.difference(&after).cloned());
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(90) {
            for (at, arguments) in [
                (
                    HOME,
                    ["pull", "-q", "--no-rebase", "--no-edit", "../c1", "main"].as_slice(),
                ),
                (LINKED, &["merge", "-q", "--no-edit", "main"]),
                (HOME, &["merge", "-q", "--no-edit", "linked"]),
                (
                    GIT,
                    &["pull", "-q", "--no-rebase", "--no-edit", "origin", "main"],
                ),
            ] {
                self.ground.commit(at);
                self.ground.run(at, arguments);
            }
            // What one of them took back others may still show, a moment after they stand on another commit.
            let is_met = |pause| {
                thread::sleep(Duration::from_millis(pause));
                let head = self.ground.head(HOME);
                (0..self.ground.clones.len())
                    .all(|at| self.ground.head(at) == head && self.ground.is_clean(at))
            };
            if is_met(300) && is_met(1_500) {
                return true;
            }
        }
        false
    }

    /// What is not as it must be after everybody met.
    fn judge(&self, start: &Said, watches: &mut [Option<Watch>]) -> Vec<String> {
        let mut told = self.ground.clones.faults();
        if self
            .ground
            .clones
            .settled(Duration::from_secs(60))
            .is_none()
        {
            told.push("the files do not become equal".to_owned());
        }
        for (at, watch) in watches.iter_mut().enumerate() {
            if !self.ground.is_clean(at) {
                told.push(format!("c{at} is dirty though all is committed"));
            }
            if !watch.as_mut().is_some_and(Watch::is_running) {
                told.push(format!("nobody watches c{at} any more"));
            }
        }
        let meant = Meant::new(start, &self.typed);
        match Said::read(&self.ground.clones.text(HOME)) {
            // Git brings back what it likes.
            Ok(end) => {
                let faults = meant.judge(&end, &self.taken_back);
                let faults = Faults {
                    back: Vec::new(),
                    ..faults
                };
                if !faults.is_none() {
                    told.push(format!("{faults:#?}"));
                }
            }
            Err(error) => told.push(error),
        }
        told
    }
}

/// Somebody who edits and commits now and then, until it is over; what they did.
fn edit(
    ground: &Ground<'_>,
    at: usize,
    mut editor: Editor,
    seed: u64,
    is_over: &AtomicBool,
) -> Editor {
    let mut dice = Dice::new(seed + 7 * at as u64);
    while !is_over.load(Ordering::Relaxed) {
        if dice.below(12) == 0 {
            ground.commit(at);
        } else if let Some(script) = editor.edit(RECORDS) {
            ground.note(at, &script);
        }
        thread::sleep(Duration::from_millis(50 + dice.below(400) as u64));
    }
    editor
}

/// Says that it is over, whatever comes.
struct Over<'o>(&'o AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Rounds of so many steps of git, each ended by a meeting, until the time is over.
fn soak(length: Duration, seed: u64, steps: usize) {
    println!("seed {seed}, {steps} steps a round");
    let start = beginning(RECORDS);
    let mut clones = Clones::new(2, &start);
    clones.link("linked");
    clones.tree(GIT).git(&["branch", "-q", "side"]);
    let clones = clones;
    let start = Said::read(&clones.text(0)).unwrap();
    let mut watches: Vec<Option<Watch>> = clones.watch_all().into_iter().map(Some).collect();
    let ground = Ground {
        clones: &clones,
        script: Mutex::default(),
    };
    let mut soak = Soak {
        ground: &ground,
        taken_back: BTreeSet::new(),
        typed: Vec::new(),
    };
    let mut editors: Vec<Editor> = (0..clones.len())
        .map(|at| Editor::new(clones.file(at), at as u32, seed, MANNERS))
        .map(|editor| match number("WATCH_TITLES", 0) {
            0 => editor.leaving_titles(),
            _ => editor,
        })
        .collect();
    let mut dice = Dice::new(seed);
    let began = Instant::now();
    let mut round = 0;
    let mut told = Vec::new();
    println!(
        "round  second  deeds  excepted | of the one who is never restarted: computed s, resident MB, open files"
    );
    while (round == 0 || began.elapsed() < length) && told.is_empty() {
        let is_over = AtomicBool::new(false);
        let mut gits = editors.remove(GIT);
        let taken = std::mem::take(&mut editors);
        editors = thread::scope(|scope| {
            let is_over = &is_over;
            let over = Over(is_over);
            let ground = &ground;
            let editing: Vec<_> = [HOME, LINKED]
                .into_iter()
                .zip(taken)
                .map(|(at, editor)| {
                    let seed = seed + round;
                    scope.spawn(move || edit(ground, at, editor, seed, is_over))
                })
                .collect();
            for step in walk(seed * 1_000 + round, steps, is_gits) {
                thread::sleep(Duration::from_millis(dice.below(400) as u64));
                match step.deed {
                    Deed::Set => {
                        if let Some(script) = gits.edit(RECORDS) {
                            ground.note(GIT, &script);
                        }
                    }
                    _ => soak.step(step),
                }
                if dice.below(8) == 0 {
                    restart(&clones, &mut watches, &mut dice);
                }
            }
            drop(over);
            let mut all: Vec<Editor> = editing.into_iter().map(|one| one.join().unwrap()).collect();
            all.insert(GIT, gits);
            all
        });
        for editor in &mut editors {
            soak.typed.append(&mut editor.deeds);
        }
        for (at, watch) in watches.iter_mut().enumerate() {
            watch.get_or_insert_with(|| clones.watch(at));
        }
        if !soak.meet() {
            told.push("they do not meet".to_owned());
        }
        told.extend(soak.judge(&start, &mut watches));
        round += 1;
        let cost = watches[HOME]
            .as_ref()
            .map(|watch| Cost::of(watch.process()))
            .unwrap_or_default();
        println!(
            "{round:>5} {:>7} {:>6} {:>9} | {:.1} {:.1} {}",
            began.elapsed().as_secs(),
            soak.typed.len(),
            soak.taken_back.len(),
            cost.computed as f64 / 1000.0,
            cost.resident as f64 / 1024.0,
            cost.open
        );
    }
    println!("warnings: {:#?}", clones.warnings());
    let script = ground.script.into_inner().unwrap();
    if told.is_empty() {
        for watch in watches.into_iter().flatten() {
            watch.end("TERM");
        }
        return;
    }
    drop(watches);
    let folder = clones.keep();
    fs::write(folder.join("script.sh"), script).unwrap();
    panic!(
        "seed {seed}, round {round}: {}\nall of it is left in {}",
        told.join("\n"),
        folder.display()
    );
}

/// Ends or kills one of those who watch, or starts those again who do not.
fn restart(clones: &Clones, watches: &mut [Option<Watch>], dice: &mut Dice) {
    let at = [GIT, LINKED][dice.below(2)];
    match watches[at].take() {
        Some(watch) if dice.below(2) == 0 => watch.kill(),
        Some(watch) => watch.end("TERM"),
        None => watches[at] = Some(clones.watch(at)),
    }
}

#[test]
fn git_at_work_among_edits_loses_nothing() {
    soak(Duration::ZERO, 1, 8);
}

#[test]
#[ignore = "it takes an hour"]
fn soak_for_long() {
    let length = Duration::from_secs(number("WATCH_SECONDS", 3_600));
    soak(
        length,
        number("WATCH_SEED", 1),
        number("WATCH_STEPS", 24) as usize,
    );
}
