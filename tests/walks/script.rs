//! What is done in a walk, as a shell script.

use std::path::Path;

use crate::broken::{Broken, must};
use crate::support::{BINARY, Run, World, run};

/// All that was done.
#[derive(Default)]
pub(crate) struct Script {
    lines: String,
}

impl Script {
    /// Adds a line.
    pub(crate) fn note(&mut self, line: &str) {
        self.lines += line;
        self.lines.push('\n');
    }

    pub(crate) fn text(&self) -> String {
        self.lines.clone()
    }

    /// `program ARGUMENTS` in the folder `top`, with something in the environment, whatever comes of it; told as what is done
    /// `within` a folder, if not in the one in which the script goes on.
    pub(crate) fn run(
        &mut self,
        world: &World,
        top: &Path,
        within: Option<&str>,
        environment: &[(&str, &str)],
        program: &str,
        arguments: &[&str],
    ) -> Result<Run, Broken> {
        let binary = std::env::var("WALKS_BINARY").unwrap_or(BINARY.to_owned());
        let path = match program {
            "rhema" => &binary,
            other => other,
        };
        let done = run(world
            .command(path, top)
            .args(arguments)
            .envs(environment.iter().copied())
            // Between two steps people take their time.
            .env("RHEMA_RACE_MILLIS", "0"));
        let mut line = within.map_or(String::new(), |folder| format!("cd {folder}; "));
        for (name, value) in environment {
            line += &format!("{name}='{value}' ");
        }
        line += program;
        for argument in arguments {
            let is_plain = !argument.contains(SPECIAL) && !argument.is_empty();
            line += &match is_plain {
                true => format!(" {argument}"),
                false => format!(" '{argument}'"),
            };
        }
        if within.is_some() {
            line = format!("({line}");
        }
        if done.status != 0 {
            line += &format!("  # exits {}", done.status);
        }
        if within.is_some() {
            line += ")";
        }
        self.note(&line);
        for told in done.stderr.lines() {
            self.note(&format!("    # {told}"));
        }
        let bad = [
            "panicked",
            "should not have happened",
            "cannot show all that is known",
        ];
        let is_bad = bad.iter().any(|bad| done.stderr.contains(bad));
        must(!is_bad, "it says that it failed", || done.stderr.clone())?;
        let is_crash = environment
            .iter()
            .any(|(name, _)| *name == "RHEMA_CRASH_AT");
        must(is_crash || done.status >= 0, "it was killed", || {
            done.stderr.clone()
        })?;
        Ok(done)
    }
}

/// What a shell takes for more than a letter.
const SPECIAL: &[char] = &[' ', '$', '*', '[', '{', '"', '\\'];
