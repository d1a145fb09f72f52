//! One person alone in one work tree: all that they do by command, by hand and with git, in any order. A plain map says what the
//! file must hold after each step; whoever is alone never contests with themselves, and what they removed stays away.

mod hand;
mod model;

use hand::Page;
use model::{Fields, Model};
use serde_yaml::Value;

use crate::broken::{Broken, must};
use crate::script::Script;
use crate::steps::Dice;
use crate::support::{Run, Tree, World};
use crate::walk::{Failure, none_fails};

const FILE: &str = ".rhema/todos.yaml";

const START: &str = "\
t: x0
l: [x0]
todos:
  - id: a
    title: x0
    status: x0
    note: [x0, x1]
  - id: b
    title: x1
    note: {z: x0}
";

/// The ids that records have, and get back.
const IDS: [&str; 3] = ["a", "b", "c"];

/// The fields of a record of which the first ones hold texts, two of them move as one; and those of the root.
const FIELDS: [&str; 5] = ["title", "status", "outcome", "note", "tags"];
const ROOT: [&str; 3] = ["t", "l", "m"];

/// What is written: few values, so that each comes again, and of all kinds, so that they take each other's places.
const VALUES: [&str; 12] = [
    "x0",
    "x1",
    "x2",
    "[x0]",
    "[x0, x1]",
    "[x1, x2, x0]",
    "[]",
    "{z: x0}",
    "{z: x1, y: x0}",
    "1",
    r#""x0\nx1\n""#,
    "[{id: p, v: x0}]",
];

deeds! {
    /// By command.
    Set 10,
    Unset 5,
    /// A field in a field.
    SetIn 3,
    Add 5,
    Remove 5,
    Rename 2,
    /// By hand.
    Write 10,
    Delete 5,
    Cut 4,
    /// What was cut out last.
    Paste 3,
    RenameByHand 2,
    /// All of the file as it stood some steps ago.
    Back 2,
    Sync 8,
    Commit 8,
    /// `git restore`
    Restore 2,
    Undo 8,
    Gc 3,
}

/// A step, and numbers that choose.
#[derive(Clone, Copy, Debug)]
struct Step {
    deed: Deed,
    a: usize,
    b: usize,
    c: usize,
}

impl Step {
    /// The record that is meant, or the root; and which of its fields.
    fn place(&self) -> (Option<&'static str>, &'static str) {
        match self.a % (IDS.len() + 1) {
            0 => (None, ROOT[self.b % ROOT.len()]),
            at => (Some(IDS[at - 1]), FIELDS[self.b % FIELDS.len()]),
        }
    }

    fn id(&self) -> &'static str {
        IDS[self.a % IDS.len()]
    }

    fn other_id(&self) -> &'static str {
        IDS[(self.a + 1 + self.b % (IDS.len() - 1)) % IDS.len()]
    }

    /// A value that may stand in a field.
    fn value(&self, field: &str) -> &'static str {
        match field {
            "title" | "status" | "outcome" => VALUES[self.c % 3],
            _ => VALUES[self.c % VALUES.len()],
        }
    }
}

fn walk(seed: u64, steps: usize) -> Vec<Step> {
    let mut dice = Dice::new(seed);
    (0..steps)
        .map(|_| Step {
            deed: dice.among(DEEDS),
            a: dice.below(12),
            b: dice.below(30),
            c: dice.below(VALUES.len()),
        })
        .collect()
}

fn parsed(value: &str) -> Value {
    serde_yaml::from_str(value).unwrap()
}

/// Somebody at work.
struct Desk {
    world: World,
    script: Script,
    /// What the file must hold.
    model: Model,
    /// What it held at the last look.
    looked: Model,
    /// The file as the last look left it.
    looked_text: String,
    /// What was committed, or restored, since: each by itself, whatever was typed behind it.
    since: Vec<Model>,
    has_committed: bool,
    /// What HEAD holds.
    head: Model,
    /// What stood before what was done last, and after it: what `undo` takes back.
    last: Option<(Model, Model)>,
    cut: Option<(String, Vec<String>, Fields)>,
    /// The file as it was after each step.
    stood: Vec<(String, Model)>,
    /// Whether nothing was edited since everything was committed.
    is_committed: bool,
}

impl Desk {
    fn new() -> Self {
        let world = World::new();
        let tree = world.repo("work", &[(FILE, START)]);
        tree.rhema(&["init", "-q", "--no-join"]).exits(0);
        tree.commit("init");
        tree.rhema(&["sync", "--timeout", "0"]).exits(0);
        let text = tree.read(FILE);
        let model = Model::read(&text).unwrap();
        let mut script = Script::default();
        script.note("mkdir -p work/.rhema; git -C work init -q -b main");
        script.note(&format!("cat > work/{FILE} <<'END'\n{START}END"));
        script.note("cd work; rhema crdt init -q --no-join; git add -A; git commit -qm init; rhema crdt sync --timeout 0");
        Self {
            script,
            looked: model.clone(),
            looked_text: text.clone(),
            head: model.clone(),
            stood: vec![(text, model.clone())],
            model,
            since: Vec::new(),
            has_committed: false,
            last: None,
            cut: None,
            is_committed: true,
            world,
        }
    }

    fn tree(&self) -> Tree<'_> {
        self.world.tree("work")
    }

    fn run(&mut self, program: &str, arguments: &[&str]) -> Result<Run, Broken> {
        let top = self.tree().top;
        self.script
            .run(&self.world, &top, None, &[], program, arguments)
    }

    fn rhema(&mut self, arguments: &[&str]) -> Result<Run, Broken> {
        let arguments = [&["crdt"], arguments].concat();
        self.run("rhema", &arguments)
    }

    /// A command that must succeed.
    fn must(&mut self, program: &str, arguments: &[&str]) -> Result<Run, Broken> {
        let done = self.run(program, arguments)?;
        must(done.status == 0, "a command fails", || done.stderr.clone())?;
        Ok(done)
    }

    /// Takes a step.
    fn take(&mut self, step: Step) -> Result<(), Broken> {
        let before = self.model.clone();
        let was = self.tree().read(FILE);
        match step.deed {
            Deed::Set | Deed::Unset | Deed::SetIn | Deed::Add | Deed::Remove | Deed::Rename => {
                self.edit_by_command(step)?;
            }
            Deed::Write | Deed::Delete | Deed::Cut | Deed::Paste | Deed::RenameByHand => {
                self.edit_by_hand(step);
            }
            Deed::Back => {
                let back = step.a.min(self.stood.len() - 1);
                let (text, model) = self.stood[self.stood.len() - 1 - back].clone();
                self.save(&text);
                self.model = model;
            }
            Deed::Sync => self.sync()?,
            Deed::Commit => self.commit()?,
            Deed::Restore => {
                self.must("git", &["restore", "."])?;
                self.model = self.head.clone();
                self.since.push(self.model.clone());
            }
            Deed::Undo => self.undo()?,
            Deed::Gc => {
                self.must("rhema", &["crdt", "gc", "--older-than", "0"])?;
            }
        }
        self.is_committed &= self.model == before && self.tree().read(FILE) == was;
        self.judge()?;
        let text = self.tree().read(FILE);
        self.stood.push((text, self.model.clone()));
        Ok(())
    }

    /// The file holds what was done.
    fn judge(&self) -> Result<(), Broken> {
        let text = self.tree().read(FILE);
        let told = || format!("{text}must be {:#?}", self.model);
        let rule = "the file is broken, or keeps a conflict";
        let held = Model::read(&text).map_err(|error| Broken {
            rule,
            told: format!("{error}\n{}", told()),
        })?;
        must(held == self.model, "the file holds something else", told)
    }

    /// What was done since the last look is known from now on: what was committed by itself, and what was not.
    fn looked(&mut self) {
        let mut stood = std::mem::replace(&mut self.looked, self.model.clone());
        self.looked_text = self.tree().read(FILE);
        self.has_committed = false;
        for stands in self.since.drain(..).chain([self.model.clone()]) {
            if stands != stood {
                self.last = Some((stood, stands.clone()));
                stood = stands;
            }
        }
    }

    /// An edit by command, and what comes of it; nothing where it would change nothing or be refused.
    fn command(&self, step: Step) -> Option<(Vec<String>, Model)> {
        let (record, field) = step.place();
        let value = step.value(field);
        let mut model = self.model.clone();
        let mut words: Vec<String> = Vec::new();
        let mut say = |said: &[&str]| words.extend(said.iter().map(|word| (*word).to_owned()));
        let at = record.map_or(".".to_owned(), |id| format!("todos/{id}"));
        let own = format!("todos/{}", step.id());
        match step.deed {
            Deed::Set => {
                say(&["set", &at, &format!("{field}={value}")]);
                let fields = model.of_mut(record)?;
                let old = fields.insert(field.to_owned(), parsed(value));
                // A list with records in it goes by no word.
                old.is_none_or(|old| !holds_records(&old)).then_some(())?;
            }
            Deed::Unset => {
                say(&["set", &at, "--unset", field]);
                let old = model.of_mut(record)?.remove(field)?;
                (!holds_records(&old)).then_some(())?;
            }
            Deed::SetIn => {
                let field = if record.is_some() { "note" } else { "m" };
                let (name, value) = (["y", "z"][step.b % 2], VALUES[step.c % 3]);
                say(&["set", &at, &format!("{field}.{name}={value}")]);
                let fields = model.of_mut(record)?;
                let within = fields.entry(field.to_owned());
                let within = within.or_insert_with(|| parsed("{}")).as_mapping_mut()?;
                within.insert(name.into(), value.into());
            }
            Deed::Add => {
                let (title, note) = (VALUES[step.c % 3], step.value("note"));
                let [id, title, note] = [("id", step.id()), ("title", title), ("note", note)];
                let given = [id, title, note].map(|(name, value)| format!("{name}={value}"));
                say(&["add", "todos", &given[0], &given[1], &given[2]]);
                let fields = [title, note].map(|(name, value)| (name.to_owned(), parsed(value)));
                let old = model.records.insert(step.id().to_owned(), fields.into());
                old.is_none().then_some(())?;
            }
            Deed::Remove => {
                say(&["remove", &own]);
                model.records.remove(step.id())?;
            }
            _ => {
                say(&["set", &own, &format!("id={}", step.other_id())]);
                renamed(&mut model, step)?;
            }
        }
        Some((words, model))
    }

    fn edit_by_command(&mut self, step: Step) -> Result<(), Broken> {
        let Some((words, model)) = self.command(step) else {
            return Ok(());
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.must("rhema", &[&["crdt"], words.as_slice()].concat())?;
        self.looked();
        self.model = model;
        self.looked();
        Ok(())
    }

    fn edit_by_hand(&mut self, step: Step) {
        let mut page = Page::of(&self.tree().read(FILE));
        let (record, field) = step.place();
        match step.deed {
            Deed::Write => {
                let value = step.value(field);
                let Some(fields) = self.model.of_mut(record) else {
                    return;
                };
                fields.insert(field.to_owned(), parsed(value));
                page.write(record, field, value);
            }
            Deed::Delete => {
                let fields = self.model.of_mut(record);
                if fields.and_then(|fields| fields.remove(field)).is_none() {
                    return;
                }
                page.delete(record, field);
            }
            Deed::Cut => {
                let Some(fields) = self.model.records.remove(step.id()) else {
                    return;
                };
                let lines = page.cut(step.id());
                self.cut = Some((step.id().to_owned(), lines, fields));
            }
            Deed::Paste => {
                let Some((id, lines, fields)) = self.cut.clone() else {
                    return;
                };
                if self.model.records.contains_key(&id) {
                    return;
                }
                self.model.records.insert(id, fields);
                page.paste(lines);
            }
            _ => {
                if renamed(&mut self.model, step).is_none() {
                    return;
                }
                page.rename(step.id(), step.other_id());
            }
        }
        self.save(&page.text());
    }

    fn save(&mut self, text: &str) {
        self.script
            .note(&format!("cat > {FILE} <<'END'\n{text}END"));
        self.tree().write(FILE, text);
        if text == self.looked_text && !self.has_committed {
            // Nobody can tell that anything happened in between.
            self.since.clear();
        }
    }

    fn sync(&mut self) -> Result<(), Broken> {
        self.must("rhema", &["crdt", "sync", "--timeout", "0"])?;
        self.looked();
        let is_clean = self.is_clean()?;
        must(
            is_clean || !self.is_committed,
            "sync dirties a clean file",
            || self.tree().read(FILE),
        )?;
        let report = self.must("rhema", &["crdt", "status", "--json"])?.json();
        let conflicts = &report["documents"][0]["conflicts"];
        must(conflicts == 0, "status tells of conflicts", || {
            report.to_string()
        })
    }

    fn commit(&mut self) -> Result<(), Broken> {
        if self.is_clean()? {
            return Ok(());
        }
        self.must("git", &["commit", "-q", "-a", "-m", "an edit"])?;
        self.head = self.model.clone();
        self.since.push(self.model.clone());
        self.has_committed = true;
        self.is_committed = true;
        Ok(())
    }

    fn is_clean(&mut self) -> Result<bool, Broken> {
        Ok(self
            .must("git", &["status", "--porcelain"])?
            .stdout
            .is_empty())
    }

    fn undo(&mut self) -> Result<(), Broken> {
        self.looked();
        let done = self.rhema(&["undo"])?;
        let Some((before, _)) = self.last.clone() else {
            return must(done.status != 0, "nothing is taken back", String::new);
        };
        must(done.status == 0, "undo fails", || done.stderr.clone())?;
        self.model = before;
        self.looked();
        Ok(())
    }
}

/// Gives a record another id, if there is such a record and none of that id.
fn renamed(model: &mut Model, step: Step) -> Option<()> {
    if model.records.contains_key(step.other_id()) {
        return None;
    }
    let fields = model.records.remove(step.id())?;
    model.records.insert(step.other_id().to_owned(), fields);
    Some(())
}

fn holds_records(value: &Value) -> bool {
    let mut members = value.as_sequence().into_iter().flatten();
    members.any(Value::is_mapping)
}

/// Takes a walk; at the end everything is committed.
fn failure(steps: &[Step]) -> Option<Failure> {
    let mut desk = Desk::new();
    let mut all = || -> Result<(), Broken> {
        let end = [Deed::Sync, Deed::Commit, Deed::Sync, Deed::Sync];
        let end = end.map(|deed| Step {
            deed,
            a: 0,
            b: 0,
            c: 0,
        });
        for step in steps.iter().chain(&end) {
            desk.script.note(&format!(
                "# {:?} {} {} {}",
                step.deed, step.a, step.b, step.c
            ));
            desk.take(*step)?;
        }
        desk.must("rhema", &["crdt", "log"])?;
        Ok(())
    };
    let broken = all().err()?;
    Some(Failure {
        broken,
        script: desk.script.text(),
    })
}

/// How many steps a walk has.
const STEPS: usize = 30;

#[test]
fn whoever_is_alone_finds_what_they_did_and_contests_with_nobody() {
    none_fails(3, STEPS, &walk, &failure);
}
