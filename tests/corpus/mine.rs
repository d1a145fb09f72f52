//! `corpus mine`: from merge commits to case folders.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use crate::Result;
use crate::git::{self, Objects, Repository};
use crate::graph::Graph;
use crate::select;

struct Options {
    out: PathBuf,
    max_per_repo: usize,
    max_bytes: usize,
    /// How many candidates, as a multiple of `max_per_repo`, are tried with git before the cases are picked.
    pool: usize,
    repositories: Vec<(String, PathBuf)>,
}

/// A file that both parents of a merge changed.
struct Candidate {
    commit: String,
    path: String,
    base: String,
    ours: String,
    theirs: String,
}

pub(crate) fn run(arguments: impl Iterator<Item = String>) -> Result<()> {
    let options = parse(arguments)?;
    // Forks share history: a triple counts once over all repositories.
    let mut seen = HashSet::new();
    let mut total = 0;
    for (name, path) in &options.repositories {
        let written = mine(&options, name, &Repository::open(path), &mut seen)?;
        println!("{name}: {written} cases");
        total += written;
    }
    println!("{total} cases in {}", options.out.display());
    Ok(())
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Options> {
    let mut out = None;
    let mut options = Options {
        out: PathBuf::new(),
        max_per_repo: 150,
        max_bytes: 8 << 20,
        pool: 8,
        repositories: Vec::new(),
    };
    while let Some(argument) = arguments.next() {
        let mut value = || {
            arguments
                .next()
                .ok_or_else(|| format!("{argument} needs a value"))
        };
        match argument.as_str() {
            "--out" => out = Some(PathBuf::from(value()?)),
            "--max-per-repo" => options.max_per_repo = value()?.parse()?,
            "--pool" => options.pool = value()?.parse()?,
            "--max-bytes" => options.max_bytes = value()?.parse()?,
            flag if flag.starts_with("--") => return Err(format!("unknown option {flag}").into()),
            repository => options.repositories.push(match repository.split_once('=') {
                Some((name, path)) => (name.to_owned(), PathBuf::from(path)),
                None => (name_of(Path::new(repository)), PathBuf::from(repository)),
            }),
        }
    }
    options.out = out.ok_or("--out DIR is missing")?;
    if options.repositories.is_empty() {
        return Err("no repository given".into());
    }
    Ok(options)
}

/// The last component that says something: `x/.git` and `x.git` are both `x`.
fn name_of(path: &Path) -> String {
    path.components()
        .rev()
        .filter_map(|part| match part {
            std::path::Component::Normal(name) => name.to_str(),
            _ => None,
        })
        .map(|name| name.strip_suffix(".git").unwrap_or(name))
        .find(|name| !name.is_empty() && *name != "repo")
        .unwrap_or("repository")
        .to_owned()
}

fn mine(
    options: &Options,
    name: &str,
    repository: &Repository,
    seen: &mut HashSet<[String; 3]>,
) -> Result<usize> {
    let mut candidates = candidates(repository)?;
    candidates.retain(|c| seen.insert([c.base.clone(), c.ours.clone(), c.theirs.clone()]));
    let paths: Vec<&str> = candidates.iter().map(|c| c.path.as_str()).collect();
    println!("{name}: {} candidates", candidates.len());

    let mut objects = repository.objects()?;
    let pool = select::spread(&paths, options.max_per_repo * options.pool);
    let picks = hard_first(options, &mut objects, &candidates, &pool)?;
    let mut written = 0;
    let mut last = (String::new(), 0);
    for pick in picks {
        let candidate = &candidates[pick];
        let Some(contents) = contents(&mut objects, candidate, options.max_bytes)? else {
            continue;
        };
        let commit = &candidate.commit[..12];
        last = if last.0 == commit {
            (last.0, last.1 + 1)
        } else {
            (commit.to_owned(), 1)
        };
        let folder = options.out.join(name).join(format!("{commit}-{}", last.1));
        write(&folder, &contents)?;
        let meta = format!(
            "repo {name}\ncommit {}\npath {}\n",
            candidate.commit, candidate.path
        );
        std::fs::write(folder.join("meta"), meta)?;
        written += 1;
    }
    Ok(written)
}

fn write(folder: &Path, contents: &[Vec<u8>]) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (file, content) in ["base.yaml", "ours.yaml", "theirs.yaml", "merged.yaml"]
        .iter()
        .zip(contents)
    {
        std::fs::write(folder.join(file), content)?;
    }
    Ok(())
}

/// Picks so that up to three quarters are cases in which git leaves a conflict.
///
/// What a hosting site merges never conflicts, so a plain sample of history is nearly all easy: it would tell the tools
/// apart by luck only.
fn hard_first(
    options: &Options,
    objects: &mut Objects,
    candidates: &[Candidate],
    pool: &[usize],
) -> Result<Vec<usize>> {
    let scratch = std::env::temp_dir().join(format!("corpus-mine-{}", std::process::id()));
    let (mut hard, mut easy) = (Vec::new(), Vec::new());
    for &at in pool {
        let Some(contents) = contents(objects, &candidates[at], options.max_bytes)? else {
            continue;
        };
        write(&scratch, &contents)?;
        if git::conflicts(&scratch)? {
            &mut hard
        } else {
            &mut easy
        }
        .push(at);
    }
    // Only a left-over would be lost if this failed.
    let _ = std::fs::remove_dir_all(&scratch);
    println!(
        "  of {} tried, git leaves a conflict in {}",
        hard.len() + easy.len(),
        hard.len()
    );
    let limit = options.max_per_repo;
    let mut picks = thin(
        candidates,
        &hard,
        (limit * 3 / 4).max(limit.saturating_sub(easy.len())),
    );
    let room = limit - picks.len();
    picks.extend(thin(candidates, &easy, room));
    picks.sort_unstable();
    Ok(picks)
}

fn thin(candidates: &[Candidate], from: &[usize], limit: usize) -> Vec<usize> {
    let paths: Vec<&str> = from
        .iter()
        .map(|&at| candidates[at].path.as_str())
        .collect();
    select::spread(&paths, limit)
        .into_iter()
        .map(|pick| from[pick])
        .collect()
}

/// Every file of every merge that both sides changed differently, oldest first.
fn candidates(repository: &Repository) -> Result<Vec<Candidate>> {
    let commits = repository.commits()?;
    let graph = Graph::new(&commits);
    let mut merges = Vec::new();
    for (at, commit) in commits.iter().enumerate().rev() {
        let [ours, theirs] = &commit.parents[..] else {
            continue;
        };
        let (Some(ours), Some(theirs)) = (graph.index(ours), graph.index(theirs)) else {
            continue;
        };
        if let Some(base) = graph.single_base(ours, theirs)
            && base != ours
            && base != theirs
        {
            merges.push((at, base, ours, theirs));
        }
    }
    let tree = |at: usize| commits[at].tree.clone();
    // Their side is usually a small branch: only where it touched YAML is the other, wider diff worth its time.
    let pairs: Vec<_> = merges
        .iter()
        .map(|&(_, base, _, theirs)| (tree(base), tree(theirs)))
        .collect();
    let theirs_changed = repository.changed_yaml(&pairs)?;
    let touched: Vec<_> = merges
        .iter()
        .zip(theirs_changed)
        .filter(|(_, changes)| !changes.is_empty())
        .collect();
    let pairs: Vec<_> = touched
        .iter()
        .map(|&(&(_, base, ours, _), _)| (tree(base), tree(ours)))
        .collect();
    let ours_changed = repository.changed_yaml(&pairs)?;

    let mut candidates = Vec::new();
    for ((&(at, ..), theirs), mut ours) in touched.into_iter().zip(ours_changed) {
        let mut paths: Vec<_> = theirs.into_iter().collect();
        paths.sort_by(|a, b| a.0.cmp(&b.0));
        for (path, theirs) in paths {
            let Some(ours) = ours.remove(&path) else {
                continue;
            };
            if ours.after != theirs.after {
                let commit = commits[at].id.clone();
                candidates.push(Candidate {
                    commit,
                    path,
                    base: ours.before,
                    ours: ours.after,
                    theirs: theirs.after,
                });
            }
        }
    }
    Ok(candidates)
}

/// Base, ours, theirs and what was committed; `None` where the merge commit has no such file, or one is too large.
fn contents(
    objects: &mut Objects,
    candidate: &Candidate,
    max_bytes: usize,
) -> Result<Option<Vec<Vec<u8>>>> {
    let merged = format!("{}:{}", candidate.commit, candidate.path);
    let mut contents = Vec::new();
    for name in [&candidate.base, &candidate.ours, &candidate.theirs, &merged] {
        match objects.get(name)? {
            Some((_, content)) if content.len() <= max_bytes => contents.push(content),
            _ => return Ok(None),
        }
    }
    Ok(Some(contents))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_named_by_their_last_telling_component() {
        assert_eq!(name_of(Path::new("a/owner+name.git")), "owner+name");
        assert_eq!(name_of(Path::new("a/owner+name/.git")), "owner+name");
        assert_eq!(name_of(Path::new("a/owner+name/repo/.git")), "owner+name");
    }
}
