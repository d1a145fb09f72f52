//! Reads repositories through `git` processes: a handful per repository, never one per commit.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Result;

/// A git directory, bare or ordinary.
pub(crate) struct Repository {
    dir: PathBuf,
}

/// One commit as the history walk needs it.
pub(crate) struct Commit {
    pub(crate) id: String,
    pub(crate) tree: String,
    pub(crate) parents: Vec<String>,
}

/// The blob before and after, of a file that a diff calls modified.
pub(crate) struct Change {
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Repository {
    /// Accepts `x.git`, `x/.git` and `x`.
    pub(crate) fn open(path: &Path) -> Self {
        let inner = path.join(".git");
        let dir = if inner.is_dir() {
            inner
        } else {
            path.to_owned()
        };
        Self { dir }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.arg("--git-dir").arg(&self.dir).args(arguments);
        command
    }

    /// Every commit that a ref reaches, newest first.
    pub(crate) fn commits(&self) -> Result<Vec<Commit>> {
        let output = self
            .command(&["log", "--all", "--date-order", "--format=%H %T %P"])
            .stderr(Stdio::inherit())
            .output()?;
        if !output.status.success() {
            return Err(format!("git log failed in {}", self.dir.display()).into());
        }
        let text = String::from_utf8(output.stdout)?;
        Ok(text
            .lines()
            .filter_map(|line| {
                let mut words = line
                    .split(' ')
                    .filter(|word| !word.is_empty())
                    .map(str::to_owned);
                Some(Commit {
                    id: words.next()?,
                    tree: words.next()?,
                    parents: words.collect(),
                })
            })
            .collect())
    }

    /// The YAML files modified between the two trees of each pair, by path; one answer per pair, in order.
    ///
    /// One `diff-tree --stdin` answers all pairs: a process for each of 30,000 merges would take an hour.
    pub(crate) fn changed_yaml(
        &self,
        pairs: &[(String, String)],
    ) -> Result<Vec<HashMap<String, Change>>> {
        let mut child = self
            .command(&[
                "diff-tree",
                "--stdin",
                "-r",
                "-z",
                "--raw",
                "--no-renames",
                "--diff-filter=M",
                "--",
            ])
            .args(["*.yaml", "*.yml"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut input = child.stdin.take().ok_or("no stdin")?;
        let output = child.stdout.take().ok_or("no stdout")?;
        std::thread::scope(|scope| {
            // Written from a second thread: git answers while it still reads, and both pipes would fill.
            let writer = scope.spawn(move || -> std::io::Result<()> {
                for (before, after) in pairs {
                    writeln!(input, "{before} {after}")?;
                }
                Ok(())
            });
            let answers = read_pairs(BufReader::new(output), pairs);
            writer.join().map_err(|_| "the writer panicked")??;
            let answers = answers?;
            child.wait()?;
            Ok(answers)
        })
    }

    /// A process that hands out objects.
    pub(crate) fn objects(&self) -> Result<Objects> {
        let mut child = self
            .command(&["cat-file", "--batch"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no stdin")?;
        let output = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Objects {
            child,
            input,
            output,
        })
    }
}

/// Splits the stream of `diff-tree -z --raw`: a header line for each pair that differs, then `:meta NUL path NUL`.
fn read_pairs(
    mut output: impl BufRead,
    pairs: &[(String, String)],
) -> Result<Vec<HashMap<String, Change>>> {
    let mut answers: Vec<HashMap<String, Change>> = pairs.iter().map(|_| HashMap::new()).collect();
    let mut headers = 0usize;
    let mut record = Vec::new();
    loop {
        record.clear();
        if output.read_until(0, &mut record)? == 0 {
            return Ok(answers);
        }
        if record.last() == Some(&0) {
            record.pop();
        }
        let text = String::from_utf8_lossy(&record).into_owned();
        // A header ends with a newline even under -z, so it stands before the first record. Pairs without a difference
        // have a header too, so several may precede one record.
        let mut rest = text.as_str();
        while let Some((header, tail)) = rest.split_once('\n') {
            let expected = pairs
                .get(headers)
                .is_some_and(|(a, b)| header.split(' ').eq([a.as_str(), b.as_str()]));
            if !expected {
                return Err(format!("unexpected line from diff-tree: {header}").into());
            }
            headers += 1;
            rest = tail;
        }
        let Some(meta) = rest.strip_prefix(':') else {
            continue;
        };
        let mut path = Vec::new();
        output.read_until(0, &mut path)?;
        path.pop();
        let fields: Vec<&str> = meta.split(' ').collect();
        let [mode_before, mode_after, before, after, _] = fields[..] else {
            return Err(format!("unexpected record from diff-tree: {meta}").into());
        };
        // Links and submodules are no text.
        if !mode_before.starts_with("100") || !mode_after.starts_with("100") {
            continue;
        }
        if let Ok(path) = String::from_utf8(path) {
            answers[headers - 1].insert(
                path,
                Change {
                    before: before.to_owned(),
                    after: after.to_owned(),
                },
            );
        }
    }
}

/// `git cat-file --batch`.
pub(crate) struct Objects {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Objects {
    /// The object's id and content; `None` if there is none of that name.
    pub(crate) fn get(&mut self, name: &str) -> Result<Option<(String, Vec<u8>)>> {
        writeln!(self.input, "{name}")?;
        self.input.flush()?;
        let mut header = String::new();
        self.output.read_line(&mut header)?;
        let words: Vec<&str> = header.trim_end().rsplitn(3, ' ').collect();
        let [size, kind, id] = words[..] else {
            return Ok(None);
        };
        let Ok(size) = size.parse::<usize>() else {
            return Ok(None);
        };
        let mut content = vec![0; size];
        self.output.read_exact(&mut content)?;
        self.output.read_exact(&mut [0])?;
        Ok((kind == "blob").then(|| (id.to_owned(), content)))
    }
}

impl Drop for Objects {
    fn drop(&mut self) {
        // Nothing to do about a failure: the process ends with its input anyway.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether git's line merge of the case in `folder` leaves a conflict.
pub(crate) fn conflicts(folder: &Path) -> Result<bool> {
    let status = Command::new("git")
        .args(["merge-file", "-p", "-q"])
        .args(["ours.yaml", "base.yaml", "theirs.yaml"].map(|name| folder.join(name)))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()?;
    // Binary files make it fail: no case for a text merge, and none to prefer.
    Ok(matches!(status.code(), Some(1..128)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_told_apart() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let pairs = [pair("a", "b"), pair("c", "d"), pair("e", "f")];
        let stream = b"a b\n:100644 100644 1 2 M\0x.yaml\0:100644 120000 1 2 M\0l.yaml\0c d\ne f\n:100644 100755 3 4 M\0y.yml\0";
        let answers = read_pairs(&stream[..], &pairs).unwrap();
        assert_eq!(answers[0]["x.yaml"].after, "2");
        assert_eq!(answers[0].len(), 1, "a link is left out");
        assert!(answers[1].is_empty());
        assert_eq!(answers[2]["y.yml"].before, "3");
    }

    #[test]
    fn headers_of_equal_trees_are_skipped() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let pairs = [pair("a", "b"), pair("a", "b"), pair("c", "d")];
        let stream = b"a b\na b\nc d\n:100644 100644 1 2 M\0x.yaml\0";
        let answers = read_pairs(&stream[..], &pairs).unwrap();
        assert!(answers[0].is_empty() && answers[1].is_empty());
        assert_eq!(answers[2].len(), 1);
    }
}
