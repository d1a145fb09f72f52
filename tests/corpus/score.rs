//! `corpus score`: runs the tools on all cases, two at a time.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::Result;
use crate::case::{self, Case, Report};
use crate::check::Kind;
use crate::report;
use crate::tools::Tool;

struct Options {
    corpora: Vec<PathBuf>,
    tools: Vec<Tool>,
    json: Option<PathBuf>,
    show: Vec<Show>,
    threads: usize,
}

/// `--show [TOOL:]KIND N`.
pub(crate) struct Show {
    pub(crate) tool: Option<String>,
    pub(crate) kind: Kind,
    pub(crate) count: usize,
}

pub(crate) fn run(arguments: impl Iterator<Item = String>) -> Result<()> {
    let options = parse(arguments)?;
    let cases = find_cases(&options.corpora)?;
    if cases.is_empty() {
        return Err("no cases given".into());
    }
    let reports = judge_all(&cases, &options)?;
    let mut names: Vec<&str> = options
        .tools
        .iter()
        .map(|tool| tool.name.as_str())
        .collect();
    names.push(report::COMMITTED);
    for show in &options.show {
        report::show(&reports, &names, show);
    }
    report::table(&reports, &names);
    if let Some(file) = &options.json {
        std::fs::write(file, report::json(&reports, &names)?)?;
    }
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut options = Options {
        corpora: Vec::new(),
        tools: vec![Tool::git()],
        json: None,
        show: Vec::new(),
        threads: 2,
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--tool" => {
                let tool = value()?;
                let (name, command) = tool.split_once('=').ok_or("--tool takes NAME=COMMAND")?;
                options.tools.push(Tool::new(name, command));
            }
            "--mergiraf" => options.tools.push(Tool::mergiraf(&value()?)),
            "--rhema" => options.tools.push(Tool::rhema(&value()?)),
            "--json" => options.json = Some(PathBuf::from(value()?)),
            "--threads" => options.threads = value()?.parse()?,
            "--show" => {
                let kind = value()?;
                let (tool, kind) = match kind.split_once(':') {
                    Some((tool, kind)) => (Some(tool.to_owned()), kind.to_owned()),
                    None => (None, kind),
                };
                let kind = Kind::ALL
                    .into_iter()
                    .find(|k| k.name() == kind)
                    .ok_or_else(|| {
                        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
                        format!("unknown kind {kind}; there are {}", names.join(", "))
                    })?;
                options.show.push(Show {
                    tool,
                    kind,
                    count: value()?.parse()?,
                });
            }
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}").into()),
            _ => options.corpora.push(PathBuf::from(argument)),
        }
    }
    Ok(options)
}

/// Every folder at or below the given ones that holds a case, in order of name.
fn find_cases(tops: &[PathBuf]) -> Result<Vec<Case>> {
    let mut cases = Vec::new();
    let mut folders = tops.to_vec();
    while let Some(folder) = folders.pop() {
        if folder.join("base.yaml").is_file() {
            let meta = std::fs::read_to_string(folder.join("meta")).unwrap_or_default();
            let path = meta
                .lines()
                .find_map(|line| line.strip_prefix("path "))
                .unwrap_or("file.yaml");
            cases.push(Case {
                path: path.to_owned(),
                folder,
            });
            continue;
        }
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    cases.sort_by(|a, b| a.folder.cmp(&b.folder));
    Ok(cases)
}

fn judge_all(cases: &[Case], options: &Options) -> Result<Vec<Report>> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let scratch = tempfile::tempdir()?;
    std::thread::scope(|scope| -> Result<()> {
        let workers: Vec<_> = (0..options.threads.max(1))
            .map(|worker| {
                let scratch = scratch.path().join(worker.to_string());
                let (next, done) = (&next, &done);
                scope.spawn(move || -> Result<()> {
                    std::fs::create_dir_all(&scratch)?;
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(case) = cases.get(at) else {
                            return Ok(());
                        };
                        let report = case::judge(case, &options.tools, &scratch)?;
                        done.lock()
                            .map_err(|_| "a worker panicked")?
                            .push((at, report));
                    }
                })
            })
            .collect();
        for worker in workers {
            worker.join().map_err(|_| "a worker panicked")??;
        }
        Ok(())
    })?;
    let mut done = done.into_inner().map_err(|_| "a worker panicked")?;
    done.sort_by_key(|(at, _)| *at);
    Ok(done.into_iter().map(|(_, report)| report).collect())
}
