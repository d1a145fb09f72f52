//! `rhema crdt completions`: the shell completes our command lines.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::Outcome;
use super::args::Rhema;
use super::ui::Ui;

/// Print a script that teaches a shell to complete `rhema`
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    bash  rhema crdt completions bash > ~/.local/share/bash-completion/completions/rhema\n  \
    zsh   rhema crdt completions zsh > \"${fpath[1]}/_rhema\"\n  \
    fish  rhema crdt completions fish > ~/.config/fish/completions/rhema.fish")]
pub(super) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(super) fn run(arguments: &Arguments, _ui: &Ui) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Rhema::command(), "rhema", &mut script);
    Ui::bytes(&script)?;
    Ok(Outcome::Done)
}
