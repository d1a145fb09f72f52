//! `rhema crdt export`: the context files without annotations.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;

use super::Outcome;
use super::ui::{GOOD, Ui};
use crate::context::strip;
use crate::git::{Repo, replace};
use crate::yaml::{Document, Limits};

/// Print or copy the context files without annotations
///
/// The values, remarks and formatting are those of the files as they are now. A single file is printed as it is; several
/// become one YAML stream, each document under a line with its path.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt export                      all files on stdout\n  \
    rhema crdt export --output /tmp/plain  the tree of files in a folder\n  \
    rhema crdt export --json | jq -r '.files[].path'")]
pub(super) struct Arguments {
    /// Write the files below DIR instead, with their paths
    #[arg(long, short, value_name = "DIR")]
    output: Option<PathBuf>,
}

/// What is printed for scripts.
#[derive(Serialize)]
struct Export {
    files: Vec<Exported>,
}

#[derive(Serialize)]
struct Exported {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    #[serde(skip)]
    bytes: Vec<u8>,
    #[serde(skip)]
    file: PathBuf,
}

pub(super) fn run(arguments: &Arguments, ui: &Ui) -> anyhow::Result<Outcome> {
    let repo = Repo::find()?;
    let found = repo.context_files()?;
    let mut outcome = Outcome::Done;
    for problem in &found.problems {
        ui.warn(problem);
        outcome = Outcome::NeedsAttention;
    }
    let mut files = Vec::with_capacity(found.files.len());
    for file in found.files {
        let path = repo.shown(&file);
        let bytes =
            std::fs::read(repo.top().join(&file)).with_context(|| format!("cannot read {path}"))?;
        let bytes = match Document::read(&bytes, &Limits::default()) {
            Ok(document) => strip(&document).map_or(bytes, String::into_bytes),
            Err(error) => {
                ui.warn(format_args!("{path}:{error}; exported as it is"));
                outcome = Outcome::NeedsAttention;
                bytes
            }
        };
        files.push(Exported {
            path,
            content: None,
            bytes,
            file,
        });
    }
    if let Some(folder) = &arguments.output {
        write(&repo, folder, &files)?;
        if !ui.wants_json() {
            ui.say(&format!(
                "{GOOD}Exported{GOOD:#} {} to {}\n",
                counted(files.len()),
                folder.display()
            ))?;
        }
    } else if !ui.wants_json() {
        Ui::bytes(&stream(&files))?;
    }
    if ui.wants_json() {
        for file in &mut files {
            if arguments.output.is_none() {
                file.content = Some(String::from_utf8_lossy(&file.bytes).into_owned());
            }
        }
        ui.json(&Export { files })?;
    }
    Ok(outcome)
}

fn counted(files: usize) -> String {
    format!("{files} file{}", if files == 1 { "" } else { "s" })
}

fn write(repo: &Repo, folder: &Path, files: &[Exported]) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let target = folder.canonicalize()?;
    let top = repo.top().canonicalize()?;
    if target == top {
        bail!(
            "{} is the work tree itself: export to another folder, or run `rhema crdt uninit`",
            folder.display()
        );
    }
    for Exported { file, bytes, .. } in files {
        let path = target.join(file);
        let written = path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| replace(&path, bytes));
        written.with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// One file as it is; several as one YAML stream, each document below its path.
fn stream(files: &[Exported]) -> Vec<u8> {
    if let [only] = files {
        return only.bytes.clone();
    }
    let mut out = Vec::new();
    for file in files {
        let bytes = file
            .bytes
            .strip_prefix("\u{feff}".as_bytes())
            .unwrap_or(&file.bytes);
        if !out.is_empty() && !out.ends_with(b"\n") {
            out.push(b'\n');
        }
        // A file that begins a document by itself stands for itself; `...` lets its directives follow.
        let document = Document::read(bytes, &Limits::default()).ok();
        let explicit = document
            .as_ref()
            .and_then(|document| document.parts().first())
            .is_some_and(|part| part.explicit_start);
        let start = match (explicit, out.is_empty()) {
            (false, _) => "---\n",
            (true, true) => "",
            (true, false) => "...\n",
        };
        let path = super::ui::printable(&file.path);
        out.extend_from_slice(format!("{start}# {path}\n").as_bytes());
        out.extend_from_slice(bytes);
    }
    out
}
