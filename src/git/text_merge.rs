//! Merging as text exactly as git would, for files that cannot be merged by structure: git does it.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Output};

use super::program::without_repository;
use super::three_way::{Settings, Sides};

/// What became of a merge as text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextMerge {
    /// The merged bytes, with as many places marked.
    Merged {
        /// The bytes.
        bytes: Vec<u8>,
        /// Marked places.
        conflicts: usize,
    },
    /// Binary content: nothing in it can be merged or marked.
    Binary,
}

/// Merges three files as text with `git merge-file`, in the user's conflict style. Where git cannot be run, two sides
/// that differ are marked as a whole.
pub(super) fn text_merge(sides: &Sides<'_>, settings: &Settings) -> TextMerge {
    let Sides { base, ours, theirs } = *sides;
    if ours == theirs || base == theirs {
        return TextMerge::Merged {
            bytes: ours.to_vec(),
            conflicts: 0,
        };
    }
    if base == ours {
        return TextMerge::Merged {
            bytes: theirs.to_vec(),
            conflicts: 0,
        };
    }
    if [base, ours, theirs].into_iter().any(is_binary) {
        return TextMerge::Binary;
    }
    match by_git(sides, settings, None) {
        Ok(merged) => merged,
        Err(error) => {
            tracing::warn!(
                "git merge-file cannot be run, so the files are marked as a whole: {error}"
            );
            TextMerge::Merged {
                bytes: marked_as_a_whole(sides, settings),
                conflicts: 1,
            }
        }
    }
}

/// Git's own test: a NUL byte near the beginning.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().take(8000).any(|byte| *byte == 0)
}

/// Merges three files as git itself does it when it compares lines in this way; nothing where it cannot.
pub(super) fn text_merge_by(
    sides: &Sides<'_>,
    settings: &Settings,
    algorithm: &str,
) -> Option<Vec<u8>> {
    match by_git(sides, settings, Some(algorithm)) {
        Ok(TextMerge::Merged { bytes, .. }) => Some(bytes),
        Ok(TextMerge::Binary) => None,
        Err(error) => {
            tracing::info!("git merge-file by {algorithm}: {error}");
            None
        }
    }
}

fn by_git(
    sides: &Sides<'_>,
    settings: &Settings,
    algorithm: Option<&str>,
) -> io::Result<TextMerge> {
    let folder = tempfile::tempdir()?;
    for (name, bytes) in [
        ("ours", sides.ours),
        ("base", sides.base),
        ("theirs", sides.theirs),
    ] {
        fs::write(folder.path().join(name), bytes)?;
    }
    let merged = understood(merge_file(folder.path(), settings, algorithm).output()?);
    if merged.is_ok() {
        return merged;
    }
    // A repository that git will not open (moved away, owned by somebody else) is no reason not to merge three files.
    let mut outside = merge_file(folder.path(), settings, algorithm);
    understood(
        without_repository(&mut outside)
            .current_dir(folder.path())
            .output()?,
    )
}

fn merge_file(folder: &Path, settings: &Settings, algorithm: Option<&str>) -> Command {
    let mut command = Command::new("git");
    command
        .args(["merge-file", "-p", "-q"])
        .arg(format!("--marker-size={}", settings.marker_size));
    let algorithm = algorithm.map(|algorithm| format!("--diff-algorithm={algorithm}"));
    command.args(algorithm);
    for label in [&settings.ours, &settings.base, &settings.theirs] {
        command.args([OsStr::new("-L"), OsStr::new(label)]);
    }
    for name in ["ours", "base", "theirs"] {
        command.arg(folder.join(name));
    }
    command
}

/// The exit status is the number of conflicts, up to 127; anything else is a failure.
fn understood(output: Output) -> io::Result<TextMerge> {
    match output
        .status
        .code()
        .and_then(|code| usize::try_from(code).ok())
    {
        Some(conflicts @ 0..=127) => Ok(TextMerge::Merged {
            bytes: output.stdout,
            conflicts,
        }),
        _ => Err(io::Error::other(
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )),
    }
}

fn marked_as_a_whole(sides: &Sides<'_>, settings: &Settings) -> Vec<u8> {
    let newline: &[u8] = if sides.ours.windows(2).any(|pair| pair == b"\r\n") {
        b"\r\n"
    } else {
        b"\n"
    };
    let mut out = Vec::with_capacity(sides.ours.len() + sides.theirs.len() + 100);
    let mut marker = |sign: &str, label: &str, side: &[u8]| {
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.extend_from_slice(newline);
        }
        out.extend_from_slice(sign.repeat(settings.marker_size).as_bytes());
        if !label.is_empty() {
            out.push(b' ');
            out.extend_from_slice(label.as_bytes());
        }
        out.extend_from_slice(newline);
        out.extend_from_slice(side);
    };
    marker("<", &settings.ours, sides.ours);
    marker("=", "", sides.theirs);
    marker(">", &settings.theirs, b"");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sides<'a>(base: &'a [u8], ours: &'a [u8], theirs: &'a [u8]) -> Sides<'a> {
        Sides { base, ours, theirs }
    }

    #[test]
    fn git_merges_and_counts() {
        let merged = text_merge(
            &sides(b"a\nb\nc\n", b"A\nb\nc\n", b"a\nb\nC\n"),
            &Settings::default(),
        );
        assert_eq!(
            merged,
            TextMerge::Merged {
                bytes: b"A\nb\nC\n".to_vec(),
                conflicts: 0
            }
        );
        let settings = Settings {
            marker_size: 9,
            ours: "HEAD".into(),
            ..Settings::default()
        };
        let TextMerge::Merged { bytes, conflicts } =
            text_merge(&sides(b"a\n", b"b\n", b"c\n"), &settings)
        else {
            panic!("text");
        };
        assert_eq!(conflicts, 1);
        assert!(
            bytes.starts_with(b"<<<<<<<<< HEAD\nb\n"),
            "{}",
            String::from_utf8_lossy(&bytes)
        );
    }

    #[test]
    fn binary_content_is_not_marked() {
        assert_eq!(
            text_merge(&sides(b"a\0", b"b\0", b"c\0"), &Settings::default()),
            TextMerge::Binary
        );
    }

    #[test]
    fn one_sided_changes_need_no_git() {
        let merged = text_merge(&sides(b"\0", b"\0", b"new\0"), &Settings::default());
        assert_eq!(
            merged,
            TextMerge::Merged {
                bytes: b"new\0".to_vec(),
                conflicts: 0
            }
        );
    }

    #[test]
    fn without_git_both_sides_are_marked_as_a_whole() {
        let whole = marked_as_a_whole(&sides(b"", b"a", b"b\n"), &Settings::default());
        assert_eq!(whole, b"<<<<<<< ours\na\n=======\nb\n>>>>>>> theirs\n");
    }
}
