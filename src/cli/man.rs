//! `rhema crdt man`: the help as a manual page.

use anyhow::{Context, bail};
use clap::{Args, CommandFactory};

use super::Outcome;
use super::args::Rhema;
use super::ui::Ui;

/// Print a manual page
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    rhema crdt man | man -l -                       read it\n  \
    rhema crdt man init > rhema-crdt-init.1         the page of one command")]
pub(super) struct Arguments {
    /// The command that the page is about; without it, `rhema crdt` itself
    command: Option<String>,
}

pub(super) fn run(arguments: &Arguments, _ui: &Ui) -> anyhow::Result<Outcome> {
    let mut root = Rhema::command();
    root.build();
    let mut page = root
        .find_subcommand("crdt")
        .context("there is no command `crdt`")?;
    if let Some(name) = &arguments.command {
        let Some(found) = page.find_subcommand(name) else {
            bail!("there is no command `{name}`: `rhema crdt --help` lists them");
        };
        page = found;
    }
    let mut text = Vec::new();
    clap_mangen::Man::new(page.clone())
        .render(&mut text)
        .context("cannot write the page")?;
    Ui::bytes(&text)?;
    Ok(Outcome::Done)
}
