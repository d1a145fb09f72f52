//! Plays the script: makes the clones, lets both edit and commit, merges with real git, and looks at what came of it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use super::change::{Changed, added, changes};
use super::claims::{Claim, Versions, count_records, of_all};
use super::edits::{self, Edit, record_range};
use super::example;
use super::report::{Check, Conflicts, GitAlone, Report, Settled, Side, Step};
use super::scenes::{Part, SCENES, Scene};
use super::workplace::Workplace;
use crate::git::{DRIVER, Ending, Settings, Sides, merge_files};

/// The contents of every file of the example, in its order.
type Files = Vec<String>;

/// Plays everything in an empty folder.
pub(super) fn play(folder: &Path) -> anyhow::Result<Report> {
    let start = Instant::now();
    let room = Workplace::new(folder, "");
    let git = room.git(&["version"])?;
    let [ada, ben] = [Workplace::new(folder, "ada"), Workplace::new(folder, "ben")];
    let set_up = set_up(&room, &ada, &ben)?;

    let base = read_all(&ada)?;
    edit(&ada, |scene| &scene.ada)?;
    edit(&ben, |scene| &scene.ben)?;
    let (of_ada, of_ben) = (read_all(&ada)?, read_all(&ben)?);
    ada.commit("Ada's afternoon")?;
    ada.git(&["push", "-q", "origin", "main"])?;
    ben.commit("Ben's afternoon")?;

    let git_alone = merge_without_driver(&room, &Workplace::new(folder, "without-rhema"))?;
    // As `git pull`, but so that the markers name the branch.
    ben.git(&["fetch", "-q"])?;
    let merge = ben.try_git(&["merge", "--no-edit", "origin/main"])?;
    let merged = read_all(&ben)?;
    let with_rhema = conflicts(&merged);

    let settled = settle(&ada, &ben)?;
    let last = read_all(&ben)?;
    let steps = SCENES
        .iter()
        .map(|scene| step(scene, &base, &merged, &last))
        .collect::<anyhow::Result<Vec<_>>>()?;

    let versions: Vec<Versions<'_>> = (base.iter().zip(&of_ada).zip(of_ben.iter().zip(&last)))
        .map(|((base, ada), (ben, merged))| Versions {
            base,
            ada,
            ben,
            merged,
        })
        .collect();
    let expected_conflicts = SCENES
        .iter()
        .filter(|scene| scene.settled.is_some())
        .count();
    let mut checks = vec![
        set_up,
        Check::new(
            format!("git reports {expected_conflicts} conflict, the real one, and marks it"),
            !merge.success && with_rhema.conflicts == expected_conflicts,
        ),
        Check::new(
            "git alone would have reported more",
            git_alone.conflicts > with_rhema.conflicts,
        ),
    ];
    checks.extend(of_all(&versions, &joined_lines()));
    checks.push(the_other_way_round(&versions));

    let mut report = Report {
        ok: false,
        folder: folder.display().to_string(),
        git: git.trim().trim_start_matches("git version ").to_owned(),
        files: base.len(),
        records: base.iter().map(|file| count_records(file)).sum(),
        steps,
        git_alone,
        with_rhema,
        checks,
        settled,
        seconds: 0.0,
    };
    let ok = report.all_checks().all(|check| check.holds);
    report.ok = ok;
    report.seconds = (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok(report)
}

/// Two clones of one repository, both set up with `rhema crdt init`.
fn set_up(room: &Workplace, ada: &Workplace, ben: &Workplace) -> anyhow::Result<Check> {
    let bare = ["init", "-q", "--bare", "-b", "main", "--template="];
    room.git(&[&bare[..], &["shared.git"]].concat())?;
    room.git(&["init", "-q", "-b", "main", "--template=", "ada"])?;
    ada.belongs_to("Ada")?;
    example::unpack(ada.top())?;
    ada.commit("The context of Slackwater")?;
    ada.rhema(&["init", "-q"])?;
    ada.commit("Merge context files with rhema")?;
    ada.git(&["remote", "add", "origin", "../shared.git"])?;
    ada.git(&["push", "-q", "-u", "origin", "main"])?;
    room.git(&["clone", "-q", "--template=", "shared.git", "ben"])?;
    ben.belongs_to("Ben")?;
    ben.rhema(&["init", "-q"])?;
    let mut ready = true;
    for clone in [ada, ben] {
        let key = format!("merge.{DRIVER}.driver");
        ready &= clone.try_git(&["config", "--get", &key])?.success;
        ready &= clone.git(&["status", "--porcelain"])?.is_empty();
        for file in &example::FILES {
            let answer = clone.git(&["check-attr", "merge", file.path])?;
            ready &= answer.trim_end().ends_with(&format!("merge: {DRIVER}"));
        }
    }
    Ok(Check::new(
        "in both clones git hands every context file to rhema",
        ready,
    ))
}

/// Makes all edits of one person.
fn edit(clone: &Workplace, part: fn(&Scene) -> &Part) -> anyhow::Result<()> {
    for scene in &SCENES {
        let text = clone.read(scene.file)?;
        clone.write(scene.file, &edits::apply(part(scene).edits, &text)?)?;
    }
    Ok(())
}

/// The same merge in a clone where nobody ran `init`; it is left as git leaves it.
fn merge_without_driver(room: &Workplace, clone: &Workplace) -> anyhow::Result<Conflicts> {
    room.git(&["clone", "-q", "--template=", "ben", "without-rhema"])?;
    clone.belongs_to("Nobody")?;
    clone.git(&["remote", "add", "ada", "../ada"])?;
    clone.git(&["fetch", "-q", "ada"])?;
    clone.try_git(&["merge", "--no-edit", "ada/main"])?;
    Ok(conflicts(&read_all(clone)?))
}

/// Ben asks Ada, deletes markers and the other line, and commits; Ada pulls.
fn settle(ada: &Workplace, ben: &Workplace) -> anyhow::Result<Settled> {
    let (scene, line) = SCENES
        .iter()
        .find_map(|scene| Some((scene, scene.settled?)))
        .context("the script has no disagreement")?;
    let text = ben.read(scene.file)?;
    ben.write(scene.file, &without_markers(&text, line))?;
    ben.git(&["add", "-A"])?;
    ben.git(&["commit", "-q", "--no-edit"])?;
    ben.git(&["push", "-q", "origin", "main"])?;
    ada.git(&["pull", "-q", "--ff-only"])?;
    let mut clean = true;
    for clone in [ada, ben] {
        clean &= clone.git(&["status", "--porcelain"])?.is_empty();
    }
    Ok(Settled {
        file: scene.file.to_owned(),
        line: line.trim().to_owned(),
        checks: vec![Check::new(
            "Ada and Ben have the same files, byte for byte, and nothing left to commit",
            clean && read_all(ada)? == read_all(ben)?,
        )],
    })
}

/// The text with the lines of each conflict replaced by one.
fn without_markers(text: &str, line: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for original in text.split_inclusive('\n') {
        if original.starts_with("<<<<<<< ") {
            inside = true;
        } else if original.starts_with(">>>>>>> ") {
            inside = false;
            out.push_str(line);
            out.push('\n');
        } else if !inside {
            out.push_str(original);
        }
    }
    out
}

/// What one scene was and what came of it: `merged` as git left it, `last` after the disagreement was settled.
fn step(scene: &Scene, base: &Files, merged: &Files, last: &Files) -> anyhow::Result<Step> {
    let [base, merged, last] = [
        of(base, scene.file)?,
        of(merged, scene.file)?,
        of(last, scene.file)?,
    ];
    let lines = if scene.settled.is_some() {
        marked(merged)
    } else {
        // A merge that went wrong may lack the record; the claims tell.
        let merged = part_of(merged, scene, base).unwrap_or_default();
        added(part_of(base, scene, base)?, merged)
    };
    let mut checks: Vec<Check> = scene.claims.iter().map(|claim| claim.check(last)).collect();
    let [ada, ben] = [
        edits::apply(scene.ada.edits, base)?,
        edits::apply(scene.ben.edits, base)?,
    ];
    if let Some(line) = scene.settled {
        let chosen = without_markers(merged, line);
        checks.push(Check::new(
            "beside the marked lines the file is as before",
            chosen == ada || chosen == ben,
        ));
    }
    Ok(Step {
        title: scene.title,
        file: scene.file,
        record: scene.record,
        git_alone: GitAlone {
            conflicts: conflicts_of_lines(base, &ada, &ben)?,
            because: scene.because,
        },
        ada: side(&scene.ada, base, &ada),
        ben: side(&scene.ben, base, &ben),
        merged: lines,
        lesson: scene.lesson,
        checks,
    })
}

fn side(part: &Part, base: &str, after: &str) -> Side {
    let moves = part
        .edits
        .iter()
        .any(|edit| matches!(edit, Edit::Move { .. }));
    Side {
        does: part.does,
        changes: if moves {
            Vec::new()
        } else {
            let mut changes = changes(base, after);
            changes.retain(|change| !matches!(change, Changed::Added(line) if line.is_empty()));
            changes
        },
    }
}

/// The record of a scene, or the end of the file behind the last record of `base` where both add one.
fn part_of<'t>(text: &'t str, scene: &Scene, base: &str) -> anyhow::Result<&'t str> {
    let range = match scene.record {
        Some(record) => record_range(text, record)?,
        None => {
            let last = base.rsplit("  - id: ").next().unwrap_or_default();
            let id = last.lines().next().unwrap_or_default();
            record_range(text, id)?.end..text.len()
        }
    };
    Ok(text.get(range).unwrap_or_default())
}

/// The lines between conflict markers, with them.
fn marked(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        inside |= line.starts_with("<<<<<<< ");
        if inside {
            lines.push(line.to_owned());
        }
        inside &= !line.starts_with(">>>>>>> ");
    }
    lines
}

/// What `git merge-file` counts for this file.
fn conflicts_of_lines(base: &str, ada: &str, ben: &str) -> anyhow::Result<usize> {
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    for (name, text) in [("base", base), ("ada", ada), ("ben", ben)] {
        fs::write(folder.path().join(name), text).context("cannot write a temporary file")?;
    }
    let room = Workplace::new(folder.path(), "");
    let merged = room.try_git(&["merge-file", "-p", "-q", "ben", "base", "ada"])?;
    Ok(count_markers(&merged.stdout))
}

fn conflicts(files: &Files) -> Conflicts {
    let marked = example::FILES.iter().zip(files);
    let marked = marked.filter(|(_, text)| count_markers(text) > 0);
    Conflicts {
        conflicts: files.iter().map(|text| count_markers(text)).sum(),
        files: marked.map(|(file, _)| file.path.to_owned()).collect(),
    }
}

fn count_markers(text: &str) -> usize {
    let lines = text.lines();
    lines.filter(|line| line.starts_with("<<<<<<< ")).count()
}

/// Merging is no matter of who merges whom.
fn the_other_way_round(files: &[Versions<'_>]) -> Check {
    let same = files.iter().all(|file| {
        let merge = |ours: &str, theirs: &str| {
            let sides = Sides {
                base: file.base.as_bytes(),
                ours: ours.as_bytes(),
                theirs: theirs.as_bytes(),
            };
            merge_files(&sides, &Settings::default()).ending
        };
        match (merge(file.ada, file.ben), merge(file.ben, file.ada)) {
            (Ending::Clean(one), Ending::Clean(other)) => {
                one == other && one == file.merged.as_bytes()
            }
            // What is contested is so both ways.
            (
                Ending::Marked { conflicts: one, .. },
                Ending::Marked {
                    conflicts: other, ..
                },
            ) => one == other,
            _ => false,
        }
    });
    Check::new(
        "merged the other way round, by Ada, the files come out the same",
        same,
    )
}

/// The lines in which the script expects words of both.
fn joined_lines() -> Vec<&'static str> {
    let claims = SCENES.iter().flat_map(|scene| scene.claims);
    claims
        .filter_map(|claim| match claim {
            Claim::Line(line) => Some(*line),
            _ => None,
        })
        .collect()
}

fn read_all(clone: &Workplace) -> anyhow::Result<Files> {
    let files = example::FILES.iter();
    files.map(|file| clone.read(file.path)).collect()
}

/// The contents of one file.
fn of<'f>(files: &'f Files, path: &str) -> anyhow::Result<&'f String> {
    let mut found = example::FILES.iter().zip(files);
    let found = found.find(|(file, _)| file.path == path);
    found
        .map(|(_, text)| text)
        .with_context(|| format!("the example has no {path}"))
}
