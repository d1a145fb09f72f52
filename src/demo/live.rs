//! The scene in which both clones are watched: what is saved in one is there in the other, without a commit.
//!
//! Nothing in here waits for a fixed time: it looks until both clones have the same files, and says how long that took. What
//! does not come within [`PATIENCE`] does not come.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::Value;

use super::claims::value_of;
use super::edits::record_range;
use super::report::{Check, Live, Moment};
use super::stage::{of, read_all};
use super::watcher::Watcher;
use super::workplace::Workplace;

/// How long is waited until both have the same files.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often is looked whether they have.
const LOOK: Duration = Duration::from_millis(1);

const TODOS: &str = ".rhema/todos.yaml";

/// The priorities that the two choose at the same moment. Should one of them ever be so late that they saw the other's, they
/// choose anew.
const AT_ONCE: [[&str; 2]; 3] = [["critical", "low"], ["high", "medium"], ["low", "critical"]];

/// A field of a todo that must hold a value.
struct Field<'t>(&'t str, &'static str, &'static str);

impl Field<'_> {
    fn holds(&self, todos: &str) -> bool {
        value_of(todos, self.0, self.1).as_deref() == Some(self.2)
    }

    fn check(&self, todos: &str) -> Check {
        let Self(record, field, value) = self;
        Check::new(format!("{field} of {record} is {value}"), self.holds(todos))
    }
}

/// Two clones that are watched.
struct Pair<'w> {
    ada: &'w Workplace,
    ben: &'w Workplace,
    at_ada: Watcher,
    at_ben: Watcher,
}

/// Plays it. That it cannot be played on this machine is told, and nothing wrong; that it breaks off is.
pub(super) fn play(ada: &Workplace, ben: &Workplace) -> Live {
    let started = watch(ada, None).and_then(|at_ada| {
        let at_ben = watch(ben, Some(&at_ada))?;
        match at_ben.is_in_step() {
            true => Ok((at_ada, at_ben)),
            false => Err("the two do not reach each other over the loopback".to_owned()),
        }
    });
    let (at_ada, at_ben) = match started {
        Ok(started) => started,
        Err(why) => return Live::not_played(why),
    };
    let pair = Pair {
        ada,
        ben,
        at_ada,
        at_ben,
    };
    let mut moments = Vec::new();
    let checks = pair.moments(&mut moments).and_then(|ended_well| {
        let ended = Check::new(
            "whenever a watcher was to end it ended at once, without being forced",
            ended_well,
        );
        Ok(vec![ended, evening(ada, ben)?])
    });
    let (checks, why) = match checks {
        Ok(checks) => (checks, None),
        Err(error) => {
            let played = Check::new("the watchers kept both clones in step to the end", false);
            (vec![played], Some(format!("{error:#}")))
        }
    };
    Live {
        played: true,
        why,
        moments,
        checks,
    }
}

/// A watcher that nobody finds but those to whom its address is told.
fn watch(clone: &Workplace, other: Option<&Watcher>) -> Result<Watcher, String> {
    let mut arguments = vec!["watch", "--json", "--until-eof"];
    arguments.extend(["--discovery", "off", "--listen", "127.0.0.1:0"]);
    if let Some(other) = other {
        arguments.extend(["--peer", other.address()]);
    }
    let command = clone.this_program(&arguments);
    Watcher::start(&mut command.map_err(|error| format!("{error:#}"))?)
}

impl Pair<'_> {
    /// All that happens, and whether the watchers ended well.
    fn moments(self, moments: &mut Vec<Moment>) -> anyhow::Result<bool> {
        moments.push(self.edit()?);
        moments.push(self.agent()?);
        let (at_once, record) = self.at_once()?;
        moments.push(at_once);
        moments.push(self.agreed(record)?);
        let (apart, at_ada, ended) = self.apart()?;
        moments.push(apart);
        Ok(at_ada.end() && ended)
    }

    fn edit(&self) -> anyhow::Result<Moment> {
        let record = "surge-residuals";
        let text = typed(&self.ada.read(TODOS)?, record, "status", "completed")?;
        let since = Instant::now();
        self.ada.write(TODOS, &text)?;
        let wanted = [Field(record, "status", "completed")];
        Ok(Moment {
            title: "Ada saves a file",
            does: vec![
                "Ada makes surge-residuals `completed` in her editor, and saves. That is all she does.".to_owned(),
            ],
            milliseconds: self.until(since, &wanted)?,
            in_words: "the same lines stood in Ben's clone",
            shown: Vec::new(),
            checks: self.checks(&wanted)?,
        })
    }

    fn agent(&self) -> anyhow::Result<Moment> {
        let add = [
            "add",
            "todos",
            "title=Warn when a gauge falls silent",
            "priority=high",
        ];
        let since = Instant::now();
        let id = self.ben.rhema(&add)?.trim().to_owned();
        let wanted = [Field(&id, "priority", "high")];
        Ok(Moment {
            title: "An agent adds a todo",
            does: vec![
                "In Ben's clone an agent at work notes what it found:".to_owned(),
                "  rhema crdt add todos title=\"Warn when a gauge falls silent\" priority=high"
                    .to_owned(),
            ],
            milliseconds: self.until(since, &wanted)?,
            in_words: "Ada had it, the start of that command included",
            shown: Vec::new(),
            checks: self.checks(&wanted)?,
        })
    }

    /// Both change one field, neither having seen the other's value. Gives the record, too.
    fn at_once(&self) -> anyhow::Result<(Moment, &'static str)> {
        let record = "search-by-postcode";
        let mut tried = AT_ONCE.iter();
        loop {
            let [of_ada, of_ben] = tried
                .next()
                .context("they never changed it at the same moment")?;
            let todos = self.ada.read(TODOS)?;
            let one = typed(&todos, record, "priority", of_ada)?;
            let other = typed(&todos, record, "priority", of_ben)?;
            let since = Instant::now();
            self.ada.write(TODOS, &one)?;
            self.ben.write(TODOS, &other)?;
            let milliseconds = self.until(since, &[])?;
            let open = self.open()?;
            if open["conflicts"].as_array().is_none_or(Vec::is_empty) {
                continue;
            }
            let conflict = &open["conflicts"][0];
            let is_kept = |value: &str| {
                let winner = &conflict["winner"]["value"];
                winner == value || conflict["losers"][0]["value"] == value
            };
            let is_it = conflict["field"] == format!("todos/{record}/priority");
            let list = self
                .ada
                .try_rhema(&["resolve", "--list", "--color", "never"])?;
            let moment = Moment {
                title: "Both change the same value at the same moment",
                does: vec![format!(
                    "Ada makes {record} `{of_ada}` and Ben makes it `{of_ben}`, before either can see the other's."
                )],
                milliseconds,
                in_words: "both had both values: one stands for now, the other is kept beside it",
                shown: list.stdout.lines().map(str::to_owned).collect(),
                checks: vec![Check::new(
                    "the one open conflict is theirs, and both values are in it",
                    is_it && is_kept(of_ada) && is_kept(of_ben) && open["conflicts"][1].is_null(),
                )],
            };
            return Ok((moment, record));
        }
    }

    fn agreed(&self, record: &str) -> anyhow::Result<Moment> {
        let path = format!("todos/{record}/priority");
        let resolve = ["resolve", "--path", &path, "--take", "1"];
        let since = Instant::now();
        self.ben.rhema(&[&resolve[..], &["-q"]].concat())?;
        let milliseconds = self.until(since, &[])?;
        let is_settled = self.open()?["conflicts"]
            .as_array()
            .is_some_and(Vec::is_empty);
        Ok(Moment {
            title: "They agree",
            does: vec![
                "This time it is to be the other one, and Ben says so for both:".to_owned(),
                format!("  rhema crdt {}", resolve.join(" ")),
            ],
            milliseconds,
            in_words: "it was settled in Ada's clone, too",
            shown: Vec::new(),
            checks: vec![Check::new(
                "no conflict is open in either clone",
                is_settled,
            )],
        })
    }

    /// Ben is cut off for a while, and both go on. Ends his watchers, and gives Ada's, and whether those ended well.
    fn apart(self) -> anyhow::Result<(Moment, Watcher, bool)> {
        let Self {
            ada,
            ben,
            at_ada,
            at_ben,
        } = self;
        let ended = at_ben.end();
        let todos = ada.read(TODOS)?;
        ada.write(
            TODOS,
            &typed(&todos, "negative-heights", "priority", "high")?,
        )?;
        let id = ada.rhema(&[
            "add",
            "todos",
            "title=Ask the harbour office for its soundings",
        ])?;
        let id = id.trim();
        let todos = typed(&ben.read(TODOS)?, "negative-heights", "assigned_to", "ben")?;
        ben.write(
            TODOS,
            &typed(&todos, "swell-forecast", "status", "in_progress")?,
        )?;
        let since = Instant::now();
        let at_ben = watch(ben, Some(&at_ada)).map_err(anyhow::Error::msg)?;
        let pair = Self {
            ada,
            ben,
            at_ada,
            at_ben,
        };
        let wanted = [
            Field("negative-heights", "priority", "high"),
            Field("negative-heights", "assigned_to", "ben"),
            Field("swell-forecast", "status", "in_progress"),
            Field(id, "title", "Ask the harbour office for its soundings"),
        ];
        let milliseconds = pair.until(since, &wanted)?;
        let mut checks = pair.checks(&wanted)?;
        let is_settled = pair.open()?["conflicts"]
            .as_array()
            .is_some_and(Vec::is_empty);
        checks.push(Check::new("nobody is asked anything", is_settled));
        let moment = Moment {
            title: "Ben is on a train, and comes back",
            does: vec![
                "Ben's watcher is ended. Meanwhile Ada makes negative-heights urgent, and an agent adds a todo in her \
                 clone; Ben takes negative-heights over, and starts on swell-forecast. Then his watcher is started again."
                    .to_owned(),
            ],
            milliseconds,
            in_words: "both had all of it, the start of the watcher included",
            shown: Vec::new(),
            checks,
        };
        Ok((moment, pair.at_ada, pair.at_ben.end() && ended))
    }

    /// Waits until both have the same files and these values in them; how many milliseconds that took.
    fn until(&self, since: Instant, wanted: &[Field<'_>]) -> anyhow::Result<f64> {
        while since.elapsed() < PATIENCE {
            let (ada, ben) = (read_all(self.ada)?, read_all(self.ben)?);
            if ada == ben
                && wanted
                    .iter()
                    .all(|field| of(&ada, TODOS).is_ok_and(|todos| field.holds(todos)))
            {
                let elapsed = since.elapsed().as_secs_f64() * 1000.0;
                return Ok((elapsed * 10.0).round() / 10.0);
            }
            thread::sleep(LOOK);
        }
        anyhow::bail!(
            "the two clones did not get the same files within {} seconds",
            PATIENCE.as_secs()
        )
    }

    /// What is claimed of both, looked at in the files of both.
    fn checks(&self, wanted: &[Field<'_>]) -> anyhow::Result<Vec<Check>> {
        let (ada, ben) = (read_all(self.ada)?, read_all(self.ben)?);
        let todos = of(&ada, TODOS)?;
        let mut checks: Vec<Check> = wanted.iter().map(|field| field.check(todos)).collect();
        checks.push(Check::new(
            "all files are the same in both clones, byte for byte",
            ada == ben,
        ));
        Ok(checks)
    }

    /// The open conflicts, as Ben's clone lists them.
    fn open(&self) -> anyhow::Result<Value> {
        let listed = self.ben.try_rhema(&["resolve", "--list", "--json"])?.stdout;
        serde_json::from_str(&listed).context("`resolve --list --json` is no JSON")
    }
}

/// Both commit what came of it, and git puts the two commits together.
fn evening(ada: &Workplace, ben: &Workplace) -> anyhow::Result<Check> {
    let live = read_all(ada)?;
    ada.commit("Ada's evening")?;
    ada.git(&["push", "-q", "origin", "main"])?;
    ben.commit("Ben's evening")?;
    ben.git(&["fetch", "-q"])?;
    let merge = ben.try_git(&["merge", "-q", "--no-edit", "origin/main"])?;
    ben.git(&["push", "-q", "origin", "main"])?;
    ada.git(&["pull", "-q", "--ff-only"])?;
    let same = read_all(ada)? == live && read_all(ben)? == live;
    let mut clean = true;
    for clone in [ada, ben] {
        clean &= clone.git(&["status", "--porcelain"])?.is_empty();
    }
    Ok(Check::new(
        "then both committed, and git merged the two commits without a question or a changed byte",
        merge.success && same && clean,
    ))
}

/// The text with another value in a field of a todo, as somebody types it.
fn typed(text: &str, record: &str, field: &str, value: &str) -> anyhow::Result<String> {
    let range = record_range(text, record)?;
    let (before, rest) = text.split_at(range.start);
    let (inside, after) = rest.split_at(range.len());
    let name = format!("{field}:");
    let mut lines = inside.split_inclusive('\n');
    let line = lines
        .find(|line| line.trim_start().starts_with(&name))
        .with_context(|| format!("{record} has no {field}"))?;
    let indent = line.len() - line.trim_start().len();
    let typed = format!("{}{name} {value}\n", " ".repeat(indent));
    Ok([before, &inside.replacen(line, &typed, 1), after].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_typed_over_the_one_before() {
        let text = "t:\n  - id: a\n    x: 1\n  - id: b\n    x: 1\n    y: 2\n";
        assert_eq!(
            typed(text, "b", "x", "3").unwrap(),
            "t:\n  - id: a\n    x: 1\n  - id: b\n    x: 3\n    y: 2\n"
        );
        assert!(typed(text, "a", "y", "3").is_err());
        assert!(typed(text, "c", "x", "3").is_err());
    }
}
