//! One case: three versions, what they ask of a merge, and how a tool did.

use std::path::{Path, PathBuf};

use crate::Result;
use crate::check::{self, Finding, Kind};
use crate::comments;
use crate::expect::Expect;
use crate::markers;
use crate::oracle::{Contest, Oracle};
use crate::read::{self, File, Rigour};
use crate::tools::{Inputs, Outcome, Status, Tool};
use crate::value::Value;

/// A folder that `mine` wrote.
pub(crate) struct Case {
    pub(crate) folder: PathBuf,
    /// The path of the file in its repository.
    pub(crate) path: String,
}

/// How hard a case is, by the oracle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Bucket {
    /// Some version cannot be modelled: to be merged as text.
    Text,
    /// Nothing is contested: there is one right result.
    Free,
    /// Only places at which reasonable merges differ.
    Soft,
    /// A leaf is contested.
    Hard,
}

/// Everything that is known of a case once all tools ran.
pub(crate) struct Report {
    pub(crate) folder: PathBuf,
    pub(crate) bucket: Bucket,
    /// Why it is in its bucket.
    pub(crate) why: Vec<String>,
    pub(crate) verdicts: Vec<Verdict>,
}

/// How one tool did, in both directions.
pub(crate) struct Verdict {
    /// Clean in both directions.
    pub(crate) clean: bool,
    /// Clean in one direction at least: what is wrong there is wrong.
    pub(crate) ever_clean: bool,
    /// Clean, and the data are as they must be in both directions.
    pub(crate) right: bool,
    /// The data equal what was committed, in the first direction.
    pub(crate) as_committed: bool,
    pub(crate) findings: Vec<Finding>,
    pub(crate) milliseconds: f64,
}

/// The versions of a case that can be modelled.
struct Model {
    files: [File; 3],
    roots: [Value; 3],
    rigour: Rigour,
    committed: Option<Value>,
}

impl Model {
    fn of(case: &Case) -> Result<std::result::Result<Self, String>> {
        let mut bytes = Vec::new();
        for name in ["base.yaml", "ours.yaml", "theirs.yaml"] {
            bytes.push(std::fs::read(case.folder.join(name))?);
        }
        let committed = std::fs::read(case.folder.join("merged.yaml")).ok();
        Ok(Self::new(
            [&bytes[0], &bytes[1], &bytes[2]],
            committed.as_deref(),
        ))
    }

    fn new(versions: [&[u8]; 3], committed: Option<&[u8]>) -> std::result::Result<Self, String> {
        let all = |rigour| -> std::result::Result<[File; 3], String> {
            let [base, ours, theirs] = versions;
            Ok([
                read::read(base, rigour)?,
                read::read(ours, rigour)?,
                read::read(theirs, rigour)?,
            ])
        };
        // Results are held to what the inputs keep to.
        let (files, rigour) = match all(Rigour::Strict) {
            Ok(files) => (files, Rigour::Strict),
            Err(_) => (all(Rigour::Lenient)?, Rigour::Lenient),
        };
        let documents = files[0].documents.len();
        if files.iter().any(|file| file.documents.len() != documents) {
            return Err("the versions have different numbers of documents".to_owned());
        }
        let roots = [0, 1, 2].map(|at| root(&files[at]));
        let committed = committed
            .and_then(|bytes| read::read(bytes, Rigour::Lenient).ok())
            .map(|file| root(&file));
        Ok(Self {
            files,
            roots,
            rigour,
            committed,
        })
    }
}

/// The only document, or all of them by their number.
fn root(file: &File) -> Value {
    match &file.documents[..] {
        [only] => only.clone(),
        several => {
            let number =
                |(at, document): (usize, &Value)| (Value::Int(at as i128), document.clone());
            Value::Map(several.iter().enumerate().map(number).collect())
        }
    }
}

/// Runs all tools on the case; the first one must be git, which is the measure where nothing can be modelled.
pub(crate) fn judge(case: &Case, tools: &[Tool], scratch: &Path) -> Result<Report> {
    let model = Model::of(case)?;
    let mut oracle = Oracle::default();
    let expect = match &model {
        Ok(model) => Some(oracle.merge(&model.roots[0], &model.roots[1], &model.roots[2])),
        Err(_) => None,
    };
    let bucket = match &model {
        Err(_) => Bucket::Text,
        Ok(_) if oracle.contests.iter().any(|c| c.hard) => Bucket::Hard,
        Ok(_) if oracle.contests.is_empty() => Bucket::Free,
        Ok(_) => Bucket::Soft,
    };
    let mut verdicts = Vec::new();
    let mut git = Vec::new();
    for tool in tools {
        let runs = run(case, tool, scratch)?;
        let mut verdict = match (&model, &expect) {
            (Ok(model), Some(expect)) => modelled(model, expect, &oracle.contests, &runs),
            _ => text(&runs, if git.is_empty() { &runs } else { &git }),
        };
        both_directions(&mut verdict, &runs);
        verdicts.push(verdict);
        if git.is_empty() {
            git = runs;
        }
    }
    if let (Ok(model), Some(expect)) = (&model, &expect) {
        verdicts.push(committed(model, expect));
    }
    let why = match &model {
        Err(reason) => vec![reason.clone()],
        Ok(_) => oracle.contests.iter().map(describe).collect(),
    };
    Ok(Report {
        folder: case.folder.clone(),
        bucket,
        why,
        verdicts,
    })
}

fn describe(contest: &Contest) -> String {
    format!(
        "{}: {}{}",
        contest.path,
        contest.why,
        if contest.hard { "" } else { " (soft)" }
    )
}

/// A run and what its output is.
struct Run {
    outcome: Outcome,
    text: String,
    conflict: bool,
}

/// The merge as given, then with the sides swapped.
fn run(case: &Case, tool: &Tool, scratch: &Path) -> Result<Vec<Run>> {
    let [base, ours, theirs] =
        ["base.yaml", "ours.yaml", "theirs.yaml"].map(|name| case.folder.join(name));
    let mut runs = Vec::new();
    for (ours, theirs) in [(&ours, &theirs), (&theirs, &ours)] {
        let outcome = tool.run(
            &Inputs {
                base: &base,
                ours,
                theirs,
                path: &case.path,
            },
            scratch,
        )?;
        let text = String::from_utf8_lossy(&outcome.output).into_owned();
        let conflict = outcome.status == Status::Conflict || markers::present(&text);
        runs.push(Run {
            outcome,
            text,
            conflict,
        });
    }
    Ok(runs)
}

impl Run {
    fn is_clean(&self) -> bool {
        self.outcome.status == Status::Clean && !self.conflict
    }
}

fn modelled(model: &Model, expect: &Expect<'_>, contests: &[Contest], runs: &[Run]) -> Verdict {
    let mut verdict = Verdict::new(runs);
    for (nth, run) in runs.iter().enumerate() {
        if run.is_clean() {
            let (findings, result) = clean(model, expect, run.outcome.output.as_slice());
            for finding in findings {
                verdict.add(finding, nth);
            }
            if nth == 0 {
                verdict.as_committed = result.is_some() && result == model.committed;
            }
            if let Some(contest) = contests.iter().find(|c| c.hard) {
                verdict.add(
                    Finding {
                        kind: Kind::Swallowed,
                        reason: describe(contest),
                    },
                    nth,
                );
            }
        } else if run.conflict && contests.is_empty() {
            let reason = conflict_place(&run.text);
            verdict.add(
                Finding {
                    kind: Kind::Needless,
                    reason,
                },
                nth,
            );
        }
    }
    verdict.right = verdict.clean && !verdict.findings.iter().any(|f| f.kind.is_data());
    verdict
}

/// What is wrong with a clean result, and its data.
fn clean(model: &Model, expect: &Expect<'_>, output: &[u8]) -> (Vec<Finding>, Option<Value>) {
    let file = match read::read(output, model.rigour) {
        Ok(file) => file,
        Err(reason) => {
            return (
                vec![Finding {
                    kind: Kind::Unparsable,
                    reason,
                }],
                None,
            );
        }
    };
    let result = root(&file);
    let mut findings = check::check(expect, &result);
    let [base, ours, theirs] = &model.files;
    findings.extend(comments::check(base, ours, theirs, &file));
    (findings, Some(result))
}

/// The committed merge under the same oracle: people resolve as they like, so this is no score, but where they found
/// nothing contested and the oracle disagrees, one of the two wants a look.
fn committed(model: &Model, expect: &Expect<'_>) -> Verdict {
    let mut verdict = Verdict {
        clean: true,
        ever_clean: true,
        right: false,
        as_committed: true,
        findings: Vec::new(),
        milliseconds: 0.0,
    };
    match &model.committed {
        Some(result) => verdict.findings = check::check(expect, result),
        None => {
            let reason = "the committed file is unreadable".to_owned();
            verdict.findings.push(Finding {
                kind: Kind::Unparsable,
                reason,
            });
        }
    }
    verdict.right = verdict.findings.is_empty();
    verdict
}

/// Where nothing can be modelled, git's result is the only measure.
fn text(runs: &[Run], git: &[Run]) -> Verdict {
    let mut verdict = Verdict::new(runs);
    for (nth, (run, git)) in runs.iter().zip(git).enumerate() {
        if run.conflict != git.conflict
            || markers::normalise(&run.text) != markers::normalise(&git.text)
        {
            verdict.add(
                Finding {
                    kind: Kind::TextDiffers,
                    reason: "not what git makes of it".to_owned(),
                },
                nth,
            );
        }
    }
    verdict
}

fn both_directions(verdict: &mut Verdict, runs: &[Run]) {
    for (nth, run) in runs.iter().enumerate() {
        match run.outcome.status {
            Status::Failed => verdict.add(
                Finding {
                    kind: Kind::Failed,
                    reason: "failed".to_owned(),
                },
                nth,
            ),
            Status::TimedOut => verdict.add(
                Finding {
                    kind: Kind::Timeout,
                    reason: "took too long".to_owned(),
                },
                nth,
            ),
            Status::Clean | Status::Conflict => {}
        }
    }
    if let [one, two] = runs {
        let ended = |run: &Run| matches!(run.outcome.status, Status::Clean | Status::Conflict);
        let (left, right) = (markers::normalise(&one.text), markers::normalise(&two.text));
        if ended(one) && ended(two) && (one.conflict != two.conflict || left != right) {
            let line = left
                .lines()
                .zip(right.lines())
                .take_while(|(a, b)| a == b)
                .count()
                + 1;
            let reason = format!("results differ from line {line} on");
            verdict.add(
                Finding {
                    kind: Kind::Asymmetric,
                    reason,
                },
                0,
            );
        }
    }
}

/// The first line of the first conflict.
fn conflict_place(text: &str) -> String {
    match text.lines().position(|line| line.starts_with("<<<<<<<")) {
        Some(at) => format!("conflict at line {}", at + 1),
        None => "exit status 1 without markers".to_owned(),
    }
}

impl Verdict {
    fn new(runs: &[Run]) -> Self {
        Self {
            clean: runs.iter().all(Run::is_clean),
            ever_clean: runs.iter().any(Run::is_clean),
            right: false,
            as_committed: false,
            findings: Vec::new(),
            milliseconds: runs
                .iter()
                .map(|run| run.outcome.time.as_secs_f64() * 1000.0)
                .sum::<f64>()
                / runs.len().max(1) as f64,
        }
    }

    /// The same finding in the second direction says nothing new.
    fn add(&mut self, mut finding: Finding, direction: usize) {
        let known = |f: &Finding| {
            f.kind == finding.kind && (f.reason == finding.reason || finding.kind == Kind::Needless)
        };
        if !self.findings.iter().any(known) {
            if direction > 0 {
                finding.reason.insert_str(0, "(sides swapped) ");
            }
            self.findings.push(finding);
        }
    }

    pub(crate) fn has(&self, kind: Kind) -> bool {
        self.findings.iter().any(|finding| finding.kind == kind)
    }
}
