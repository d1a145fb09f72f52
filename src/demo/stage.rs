//! Plays the script: makes the clones, lets both edit and commit, merges with real git, and looks at what came of it.

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use serde_json::Value;

use super::change::{Changed, added, changes};
use super::claims::{
    Claim, Versions, count_records, is_annotation, of_all, value_of, without_annotations,
};
use super::edits::{self, Edit, record_range};
use super::example;
use super::live;
use super::report::{
    Check, Conflicts, Disagreements, GitAlone, Live, Report, Settled, Side, Step, Written,
};
use super::scenes::{Part, SCENES, Scene};
use super::workplace::Workplace;
use crate::crdt::Stamp;
use crate::git::{DRIVER, Ending, Settings, Sides, merge_files};

/// The contents of every file of the example, in its order.
pub(super) type Files = Vec<String>;

/// What the two made of the files, before anything was recorded.
struct Edited {
    ada: Files,
    ben: Files,
}

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
    let edited = Edited {
        ada: read_all(&ada)?,
        ben: read_all(&ben)?,
    };
    let git_alone = merge_without_driver(&room, &Workplace::new(folder, "without-rhema"), &edited)?;

    ada.rhema(&["sync", "--timeout", "0", "-q"])?;
    let of_ada = read_all(&ada)?;
    ada.commit("Ada's afternoon")?;
    ada.git(&["push", "-q", "origin", "main"])?;
    ben.rhema(&["sync", "--timeout", "0", "-q"])?;
    let of_ben = read_all(&ben)?;
    ben.commit("Ben's afternoon")?;

    // As `git pull`.
    ben.git(&["fetch", "-q"])?;
    let merge = ben.try_git(&["merge", "--no-edit", "origin/main"])?;
    let merged = read_all(&ben)?;
    let with_rhema = disagreements(&ben, &merged)?;
    let list = ben.try_rhema(&["resolve", "--list", "--color", "never"])?;
    let in_the_way = !merge.success || !ben.git(&["status", "--porcelain"])?.is_empty();

    let settled = settle(&ada, &ben, [&of_ada, &of_ben], &merged)?;
    let last = read_all(&ben)?;
    let plain = |files: &Files| -> Files {
        let files = files.iter();
        files.map(|text| without_annotations(text)).collect()
    };
    let (plain_base, plain_last) = (plain(&base), plain(&last));
    let steps = SCENES
        .iter()
        .map(|scene| {
            step(
                scene,
                &plain_base,
                &plain(&merged),
                &plain_last,
                &list.stdout,
            )
        })
        .collect::<anyhow::Result<Vec<_>>>()?;

    let (plain_ada, plain_ben) = (plain(&of_ada), plain(&of_ben));
    let expected_conflicts = SCENES
        .iter()
        .filter(|scene| scene.settled.is_some())
        .count();
    let mut checks = vec![
        set_up,
        only_annotations([(&edited.ada, &of_ada), (&edited.ben, &of_ben)]),
        Check::new(
            "git merges everything, commits, and has nothing to ask",
            !in_the_way && with_rhema.marked == 0,
        ),
        Check::new(
            format!("`rhema crdt status` counts {expected_conflicts} open conflict, the real one"),
            with_rhema.conflicts == expected_conflicts,
        ),
        Check::new(
            "git alone would have stopped",
            git_alone.conflicts > with_rhema.conflicts,
        ),
    ];
    let all = versions([&plain_base, &plain_ada, &plain_ben, &plain_last]);
    checks.extend(of_all(&all, &joined_lines()));
    checks.push(the_other_way_round(&versions([
        &base, &of_ada, &of_ben, &merged,
    ])));

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
        live: Live::not_played("what came before did not come out as told"),
        seconds: 0.0,
    };
    // Only who has the same files can stay in step.
    if all_hold(&report) {
        report.live = live::play(&ada, &ben);
    }
    report.ok = all_hold(&report);
    report.seconds = (start.elapsed().as_secs_f64() * 1000.0).round() / 1000.0;
    Ok(report)
}

fn all_hold(report: &Report) -> bool {
    report.all_checks().all(|check| check.holds)
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
    // The files are marked already; what he adds is himself, to the list of those who take part.
    ben.rhema(&["init", "-q"])?;
    ben.commit("Ben joins")?;
    ben.git(&["push", "-q", "origin", "main"])?;
    ada.git(&["pull", "-q", "--ff-only"])?;
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

/// The same edits, merged in a clone where nobody ran `init`; it is left as git leaves it.
///
/// They come without the lines that `sync` adds: without the driver nobody would have them, and git would stumble over
/// some more.
fn merge_without_driver(
    room: &Workplace,
    clone: &Workplace,
    edited: &Edited,
) -> anyhow::Result<Conflicts> {
    room.git(&["clone", "-q", "--template=", "shared.git", "without-rhema"])?;
    clone.belongs_to("Nobody")?;
    clone.git(&["checkout", "-q", "-b", "ada"])?;
    write_all(clone, &edited.ada)?;
    clone.commit("Ada's afternoon")?;
    clone.git(&["checkout", "-q", "main"])?;
    write_all(clone, &edited.ben)?;
    clone.commit("Ben's afternoon")?;
    clone.try_git(&["merge", "--no-edit", "ada"])?;
    let files = read_all(clone)?;
    Ok(Conflicts {
        conflicts: files.iter().map(|text| count_markers(text)).sum(),
        files: paths_where(&files, |text| count_markers(text) > 0),
    })
}

/// What `rhema crdt status` counts.
fn disagreements(clone: &Workplace, files: &Files) -> anyhow::Result<Disagreements> {
    let counted = open_conflicts(clone)?;
    Ok(Disagreements {
        conflicts: counted.iter().map(|(_, count)| count).sum(),
        files: counted.into_iter().map(|(path, _)| path).collect(),
        marked: files.iter().map(|text| count_markers(text)).sum(),
    })
}

/// The files with open conflicts, and how many each has.
fn open_conflicts(clone: &Workplace) -> anyhow::Result<Vec<(String, usize)>> {
    let status = clone.try_rhema(&["status", "--json"])?.stdout;
    let status: Value = serde_json::from_str(&status).context("`status --json` is no JSON")?;
    let documents = status["documents"].as_array().into_iter().flatten();
    let counted = documents.map(|document| {
        let path = document["path"].as_str().unwrap_or_default().to_owned();
        let count = document["conflicts"].as_u64().unwrap_or_default();
        (path, usize::try_from(count).unwrap_or(usize::MAX))
    });
    Ok(counted.filter(|(_, count)| *count > 0).collect())
}

/// Ben asks Ada, takes the value on which they agree, and commits; Ada pulls.
fn settle(
    ada: &Workplace,
    ben: &Workplace,
    recorded: [&Files; 2],
    merged: &Files,
) -> anyhow::Result<Settled> {
    let (scene, value) = SCENES
        .iter()
        .find_map(|scene| Some((scene, scene.settled?)))
        .context("the script has no disagreement")?;
    let listed = ben.try_rhema(&["resolve", "--list", "--json"])?.stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap_or_default();
    let conflict = &listed["conflicts"][0];
    let field = conflict["field"].as_str().unwrap_or_default().to_owned();
    let written = |side: &Value| written(side, scene, recorded);
    let (winner, loser) = (
        written(&conflict["winner"]),
        written(&conflict["losers"][0]),
    );
    let take = if conflict["winner"]["value"] == value {
        "winner"
    } else {
        "1"
    };
    let resolve = ["resolve", "--path", field.as_str(), "--take", take];
    // Where git left markers there is nothing to settle here, and the claims tell.
    if !field.is_empty() {
        ben.rhema(&[&resolve[..], &["-q"]].concat())?;
    }
    ben.git(&["add", "-A"])?;
    ben.try_git(&["commit", "-q", "-m", "Ada and Ben agree on the watch app"])?;
    ben.git(&["push", "-q", "origin", "main"])?;
    ada.git(&["pull", "-q", "--ff-only"])?;
    let mut clean = true;
    let mut open = 0;
    for clone in [ada, ben] {
        clean &= clone.git(&["status", "--porcelain"])?.is_empty();
        open += open_conflicts(clone)?.len();
    }
    let last = read_all(ben)?;
    let told = match (&winner, &loser) {
        (Some(winner), Some(loser)) => {
            winner.by != loser.by && winner.unix_millis >= loser.unix_millis
        }
        _ => false,
    };
    Ok(Settled {
        file: scene.file.to_owned(),
        field: field.clone(),
        winner,
        loser,
        value,
        command: format!("rhema crdt {}", resolve.join(" ")),
        checks: vec![
            Check::new(
                "each of the two values was listed with who wrote it, the later one as the winner",
                told,
            ),
            Check::new(
                "settling it changed this one value and its annotations, and nothing else",
                settled_only(scene, value, merged, &last),
            ),
            Check::new("`rhema crdt status` counts no open conflict", open == 0),
            Check::new(
                "Ada and Ben have the same files, byte for byte, and nothing left to commit",
                clean && read_all(ada)? == last,
            ),
        ],
    })
}

/// A value of the list, and who of the two wrote it: the one who recorded this stamp, and in whose file it stands.
fn written(side: &Value, scene: &Scene, recorded: [&Files; 2]) -> Option<Written> {
    let (value, stamp) = (side["value"].as_str()?, side["stamp"].as_str()?);
    let mut authors = ["Ada", "Ben"]
        .into_iter()
        .zip(recorded)
        .filter(|(_, files)| {
            of(files, scene.file).is_ok_and(|text| {
                let written = scene
                    .record
                    .and_then(|record| value_of(text, record, "status"));
                text.contains(stamp) && written.as_deref() == Some(value)
            })
        });
    let (by, _) = authors.next().filter(|_| authors.next().is_none())?;
    Some(Written {
        value: value.to_owned(),
        by,
        stamp: stamp.to_owned(),
        unix_millis: stamp.parse::<Stamp>().ok()?.unix_millis(),
    })
}

/// Whether nothing but this value, and lines about it, differs between the merge and what was made of it.
fn settled_only(scene: &Scene, value: &str, merged: &Files, last: &Files) -> bool {
    let files = example::FILES.iter().zip(merged.iter().zip(last));
    let mut files = files.filter(|(_, (merged, last))| merged != last);
    let Some((file, (merged, last))) = files.next() else {
        return false;
    };
    let line = |change: &Changed| match change {
        Changed::Added(line) | Changed::Removed(line) => line.trim().to_owned(),
    };
    let of_people: Vec<Changed> = changes(merged, last)
        .into_iter()
        .filter(|change| !is_annotation(&line(change)))
        .collect();
    let as_told = of_people.iter().all(|change| match change {
        Changed::Added(line) => line.trim() == format!("status: {value}"),
        Changed::Removed(line) => line.trim().starts_with("status: "),
    });
    file.path == scene.file && as_told && of_people.len() <= 2 && files.next().is_none()
}

/// What `sync` added to the files as they were edited.
fn only_annotations(pairs: [(&Files, &Files); 2]) -> Check {
    let (mut lines, mut held) = (0, true);
    for (edited, recorded) in pairs {
        for (edited, recorded) in edited.iter().zip(recorded) {
            for change in changes(edited, recorded) {
                lines += 1;
                held &= matches!(&change, Changed::Added(line) if is_annotation(line));
            }
        }
    }
    Check::new(
        format!(
            "to their edits {lines} lines were added that begin with `_crdt:`, and nothing else"
        ),
        held && lines > 0,
    )
}

/// What one scene was and what came of it: `merged` as git left it, `last` after the disagreement was settled, `list`
/// what was told of it in between. The files come without annotations.
fn step(
    scene: &Scene,
    base: &Files,
    merged: &Files,
    last: &Files,
    list: &str,
) -> anyhow::Result<Step> {
    let [base, merged, last] = [
        of(base, scene.file)?,
        of(merged, scene.file)?,
        of(last, scene.file)?,
    ];
    let lines = if scene.settled.is_some() {
        list.lines().map(str::to_owned).collect()
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
    if scene.settled.is_some() {
        checks.push(Check::new(
            "beside the contested value the file is as before",
            (*merged == ada || *merged == ben) && (*last == ada || *last == ben),
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

/// The files for whose text this holds.
fn paths_where(files: &Files, holds: fn(&str) -> bool) -> Vec<String> {
    let files = example::FILES.iter().zip(files);
    let files = files.filter(|(_, text)| holds(text));
    files.map(|(file, _)| file.path.to_owned()).collect()
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

/// The four versions of every file side by side: base, Ada's, Ben's, and what came of them.
fn versions(files: [&Files; 4]) -> Vec<Versions<'_>> {
    let [base, ada, ben, merged] = files;
    (base.iter().zip(ada).zip(ben.iter().zip(merged)))
        .map(|((base, ada), (ben, merged))| Versions {
            base,
            ada,
            ben,
            merged,
        })
        .collect()
}

fn write_all(clone: &Workplace, files: &Files) -> anyhow::Result<()> {
    let mut files = example::FILES.iter().zip(files);
    files.try_for_each(|(file, text)| clone.write(file.path, text))
}

pub(super) fn read_all(clone: &Workplace) -> anyhow::Result<Files> {
    let files = example::FILES.iter();
    files.map(|file| clone.read(file.path)).collect()
}

/// The contents of one file.
pub(super) fn of<'f>(files: &'f Files, path: &str) -> anyhow::Result<&'f String> {
    let mut found = example::FILES.iter().zip(files);
    let found = found.find(|(file, _)| file.path == path);
    found
        .map(|(_, text)| text)
        .with_context(|| format!("the example has no {path}"))
}
