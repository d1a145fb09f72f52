//! Where output goes: results to stdout, everything else to stderr, colour only where it is wanted.

use std::fmt::Display;
use std::io::{self, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use anyhow::Context;
use serde::Serialize;

use super::args::Globals;
use super::limits::Cause;

/// What matters in a line.
pub(super) const STRONG: Style = Style::new().bold();
/// What is as it should be.
pub(super) const GOOD: Style = AnsiColor::Green.on_default();
/// What is under way.
pub(super) const NOTABLE: Style = AnsiColor::Yellow.on_default();
/// What needs people.
pub(super) const BAD: Style = AnsiColor::Red.on_default();
/// What may be skipped.
pub(super) const FAINT: Style = Style::new().dimmed();

/// How a command talks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ui {
    json: bool,
    quiet: bool,
    verbose: bool,
    color: ColorChoice,
}

impl Default for Ui {
    fn default() -> Self {
        Self {
            json: false,
            quiet: false,
            verbose: false,
            color: ColorChoice::Auto,
        }
    }
}

impl Ui {
    pub(super) fn new(globals: &Globals) -> Self {
        let color = match globals.color {
            clap::ColorChoice::Auto => ColorChoice::Auto,
            clap::ColorChoice::Always => ColorChoice::Always,
            clap::ColorChoice::Never => ColorChoice::Never,
        };
        Self {
            json: globals.json,
            quiet: globals.quiet,
            verbose: globals.verbose > 0,
            color,
        }
    }

    /// Whether the result is wanted as JSON.
    pub(super) fn wants_json(&self) -> bool {
        self.json
    }

    /// Whether more than usual is wanted.
    pub(super) fn wants_more(&self) -> bool {
        self.verbose
    }

    /// Tells people what was done and what comes next.
    pub(super) fn say(&self, text: &str) -> anyhow::Result<()> {
        if self.quiet { Ok(()) } else { self.show(text) }
    }

    /// Shows people the result that they asked for.
    pub(super) fn show(&self, text: &str) -> anyhow::Result<()> {
        let mut out = AutoStream::new(io::stdout().lock(), self.color);
        write_out(&mut out, text.as_bytes())
    }

    /// Prints a result for scripts.
    pub(super) fn json(&self, value: &impl Serialize) -> anyhow::Result<()> {
        let mut text = serde_json::to_vec(value).context("cannot write the result as JSON")?;
        text.push(b'\n');
        write_out(&mut io::stdout().lock(), &text)
    }

    /// Prints bytes as they are.
    pub(super) fn bytes(bytes: &[u8]) -> anyhow::Result<()> {
        write_out(&mut io::stdout().lock(), bytes)
    }

    /// Tells on stderr what somebody should know.
    pub(super) fn warn(&self, text: impl Display) {
        self.tell(format_args!(
            "{NOTABLE}warning:{NOTABLE:#} {}\n",
            printable(&text.to_string())
        ));
    }

    /// Tells on stderr what is worth knowing, but not wrong.
    pub(super) fn note(&self, text: impl Display) {
        if !self.quiet {
            self.tell(format_args!(
                "{FAINT}note:{FAINT:#} {}\n",
                printable(&text.to_string())
            ));
        }
    }

    /// Tells on stderr why the command failed, causes last.
    pub(super) fn error(&self, error: &anyhow::Error) {
        let told = printable(&error.to_string());
        let causes = error
            .chain()
            .skip(1)
            .map(|cause| printable(&Cause(cause).to_string()));
        let causes: String = causes
            .map(|cause| format!("  caused by: {cause}\n"))
            .collect();
        self.tell(format_args!("{BAD}error:{BAD:#} {told}\n{causes}"));
    }

    fn tell(&self, text: impl Display) {
        // With stderr gone there is nobody left to tell.
        let _ = write!(AutoStream::new(io::stderr().lock(), self.color), "{text}");
    }
}

/// A reader that has seen enough (`| head`) closes the pipe, which is no failure of ours.
fn write_out(out: &mut impl Write, bytes: &[u8]) -> anyhow::Result<()> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

/// The text in one line, whatever is in it: a file name may hold a newline or worse.
pub(super) fn printable(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            line.extend(c.escape_default())
        } else {
            line.push(c)
        }
    }
    line
}
