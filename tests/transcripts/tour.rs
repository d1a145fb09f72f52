//! A walk through the program that is written down.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::masks::Masks;
use crate::support::{BINARY, Run, Tree, World, run};

/// A transcript that is being made.
pub(crate) struct Tour<'w> {
    world: &'w World,
    name: &'static str,
    masks: Masks,
    text: String,
}

impl<'w> Tour<'w> {
    /// Begins the transcript `docs/transcripts/NAME.md`.
    pub(crate) fn new(world: &'w World, name: &'static str, title: &str) -> Self {
        let programs = world.path("programs");
        fs::create_dir_all(&programs).unwrap();
        std::os::unix::fs::symlink(BINARY, programs.join("rhema")).unwrap();
        let folder = world.path("");
        Self {
            world,
            name,
            masks: Masks::new(folder.to_str().unwrap().trim_end_matches('/')),
            text: format!("# {title}\n"),
        }
    }

    /// Tells what comes next.
    pub(crate) fn say(&mut self, words: &str) {
        self.text.push_str(&format!("\n{words}\n"));
    }

    /// Does what is not worth telling, with a shell.
    pub(crate) fn quietly(&mut self, tree: &Tree<'_>, line: &str) -> Run {
        let done = run(&mut self.shell(tree, line));
        self.note_commits(tree);
        done
    }

    /// Types a line into a shell at the top of a work tree, and writes down what it printed and how it ended.
    pub(crate) fn types(&mut self, tree: &Tree<'_>, line: &str) -> Run {
        let done = run(&mut self.shell(tree, line));
        self.note_commits(tree);
        let ended = match done.status {
            0 => String::new(),
            status => format!("[exit status {status}]\n"),
        };
        let told = format!("$ {line}\n{}{}{ended}", done.stdout, done.stderr);
        let told = self.masks.apply(&told);
        self.text.push_str(&format!("\n```console\n{told}```\n"));
        done
    }

    /// Changes a file by hand, and shows what it holds there now.
    pub(crate) fn edits(&mut self, tree: &Tree<'_>, file: &str, from: &str, to: &str) {
        let before = tree.read(file);
        assert!(before.contains(from), "{from} is not in {before}");
        tree.write(file, before.replacen(from, to, 1));
        let lines = |sign: &str, text: &str| -> String {
            let lines = text.lines();
            lines.map(|line| format!("{sign}{line}\n")).collect()
        };
        let told = format!("{}{}", lines("-", from), lines("+", to));
        let told = self.masks.apply(&told);
        self.text
            .push_str(&format!("\nIn `{file}`, by hand:\n\n```diff\n{told}```\n"));
    }

    /// Compares the transcript with the one that is kept, or writes it anew.
    pub(crate) fn ends(self) {
        let file = format!("docs/transcripts/{}.md", self.name);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        if std::env::var_os("RHEMA_WRITE_TRANSCRIPTS").is_some() {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, &self.text).unwrap();
            return;
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        assert!(
            kept == self.text,
            "{file} is not what comes of it now; RHEMA_WRITE_TRANSCRIPTS=1 writes it anew. Now it is:\n{}",
            self.text
        );
    }

    fn shell(&self, tree: &Tree<'_>, line: &str) -> Command {
        let mut command = self.world.command("sh", &tree.top);
        let programs = self.world.path("programs");
        let path = std::env::var("PATH").unwrap_or_default();
        command
            .args(["-c", line])
            .env("PATH", format!("{}:{path}", programs.display()))
            .env("COLUMNS", "100")
            .env("TZ", "UTC");
        command
    }

    fn note_commits(&mut self, tree: &Tree<'_>) {
        let listed = tree.try_git(&["log", "--all", "--topo-order", "--reverse", "--format=%H"]);
        for id in listed.stdout.lines() {
            self.masks.commit(id);
        }
    }
}
