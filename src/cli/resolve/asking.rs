//! Asking about conflicts on a terminal, line by line: it stays as it was, whatever ends the walk.

use std::io::{self, BufRead, Write};
use std::process::Command;

use anyhow::{Context, bail};

use super::report::Settled;
use super::showing;
use crate::cli::ui::{FAINT, GOOD, Ui};
use crate::context::Choice;
use crate::git::Repo;
use crate::settling::{Answer, Conflict, Kind, Settler, Step, Walk};

/// How wide a terminal is that does not tell.
const WIDTH: usize = 80;

const PROMPT: &str =
    "[w]inner, number, =VALUE, [e]dit, [s]kip, [a]ll, [b]ack, [u]ndo, [q]uit or [?]: ";

const HELP: &str = "  \
    w        take the winner: what the file shows\n  \
    1, 2, …  take the loser with this number\n  \
    =VALUE   write this value instead; YAML, or a text as it stands\n  \
    e        write a value in your editor ($VISUAL, $EDITOR), or in a line\n  \
    s        leave it open and go on (so does an empty line)\n  \
    a        take the winner here and in all that follow\n  \
    b        back to the question before; what it settled is open again\n  \
    u        take back what was settled last\n  \
    q        leave the others open (so do the end of input and Ctrl-C: what is settled stays so)\n";

/// Signs that stand around places of a text that are still to be merged.
const MARKERS: [&str; 3] = ["<<<<<<< winner", "=======", ">>>>>>> 1"];

/// Asks about each of these conflicts; those that were settled.
pub(super) fn ask(
    repo: &Repo,
    settler: &Settler<'_>,
    conflicts: &[Conflict],
    ui: &Ui,
) -> anyhow::Result<Vec<Settled>> {
    let mut walk = Walk::over(conflicts, settler);
    'walk: while let Some((number, conflict)) = walk.current() {
        let width = terminal_size::terminal_size().map_or(WIDTH, |(width, _)| width.0.into());
        let shown = showing::asked(repo, conflict, number, conflicts.len(), width);
        ui.show(&shown)?;
        loop {
            let Some(line) = read_line(ui, PROMPT)? else {
                ui.show("\n")?;
                break 'walk;
            };
            let answer = match Answer::read(&line, conflict) {
                Ok(answer) => answer,
                Err(error) => {
                    ui.error(&error.into());
                    continue;
                }
            };
            let step = match answer {
                Answer::Help => {
                    ui.show(HELP)?;
                    continue;
                }
                Answer::Quit => break 'walk,
                Answer::Skip => Ok(walk.skip()),
                Answer::TakeAll => Ok(walk.take_all()),
                Answer::Back => walk.back(),
                Answer::Undo => walk.undo(),
                Answer::Take(choice) => walk.take(&choice),
                Answer::Edit => match written(conflict, ui) {
                    Ok(Some(choice)) => walk.take(&choice),
                    Ok(None) => continue,
                    Err(error) => {
                        ui.error(&error);
                        continue;
                    }
                },
            };
            match step {
                Ok(step) => tell(&step, conflicts, ui)?,
                Err(error) => {
                    ui.error(&error.into());
                    continue;
                }
            }
            break;
        }
    }
    let taken = walk.taken();
    Ok(taken
        .map(|(conflict, choice)| Settled::of(repo, conflict, choice))
        .collect())
}

fn tell(step: &Step, conflicts: &[Conflict], ui: &Ui) -> anyhow::Result<()> {
    match step {
        Step::Settled => ui.show(&format!("{GOOD}Settled.{GOOD:#}\n")),
        Step::Skipped => ui.show(&format!("{FAINT}Left open.{FAINT:#}\n")),
        Step::All { settled, failed } => {
            for (number, error) in failed {
                let field = conflicts.get(number - 1).map(|one| one.field.as_str());
                ui.warn(format_args!("{}: {error}", field.unwrap_or_default()));
            }
            ui.show(&format!("{GOOD}Took {settled} winners.{GOOD:#}\n"))
        }
        Step::Back { reopened: true } => ui.show("That is open again.\n"),
        Step::Back { reopened: false } => Ok(()),
        Step::AtTheBeginning => ui.show("This is the first one.\n"),
        Step::NothingToUndo => ui.show("Nothing was settled yet.\n"),
    }
}

/// A line that somebody types; nothing at the end of the input.
fn read_line(ui: &Ui, prompt: &str) -> anyhow::Result<Option<String>> {
    ui.show(prompt)?;
    io::stdout().flush().context("cannot write to stdout")?;
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    let read = read.context("cannot read the answer")?;
    Ok((read > 0).then_some(line))
}

/// A value that somebody writes in an editor, or in a line where none is named; nothing where they thought better of it.
fn written(conflict: &Conflict, ui: &Ui) -> anyhow::Result<Option<Choice>> {
    let editor = ["VISUAL", "EDITOR"].into_iter();
    let mut editor = editor.filter_map(|name| std::env::var(name).ok());
    let Some(editor) = editor.find(|editor| !editor.trim().is_empty()) else {
        let line = read_line(ui, "The value (nothing: think again): ")?.unwrap_or_default();
        let line = line.trim();
        return Ok((!line.is_empty()).then(|| Choice::typed(line)));
    };
    let is_text = conflict.kind == Kind::Text;
    let before = draft(conflict);
    let file = tempfile::Builder::new()
        .prefix("rhema-value-")
        .suffix(if is_text { ".txt" } else { ".yaml" })
        .tempfile()
        .context("cannot make a file to edit")?;
    std::fs::write(file.path(), &before).context("cannot write the file to edit")?;
    let mut command = match cfg!(unix) {
        // As git does it: an editor may be named with options.
        true => {
            let mut shell = Command::new("sh");
            shell.arg("-c").arg(format!("{editor} \"$@\"")).arg(&editor);
            shell
        }
        false => Command::new(&editor),
    };
    let ended = command.arg(file.path()).status();
    let ended = ended.with_context(|| format!("cannot start `{editor}`"))?;
    if !ended.success() {
        bail!("`{editor}` ended with {ended}: nothing was taken");
    }
    let after = std::fs::read_to_string(file.path()).context("cannot read what was written")?;
    if after == before {
        ui.show("Nothing was written.\n")?;
        return Ok(None);
    }
    if is_text {
        if MARKERS
            .iter()
            .any(|marker| after.lines().any(|line| line == *marker))
        {
            bail!("some places still stand between markers: nothing was taken");
        }
        return Ok(Some(Choice::Text(after)));
    }
    let after = after.trim();
    Ok((!after.is_empty()).then(|| Choice::typed(after)))
}

/// What somebody begins to edit: the value that is shown, or a text in which what differs stands between markers.
fn draft(conflict: &Conflict) -> String {
    let winner = conflict.winner.value.as_deref().unwrap_or_default();
    let text = |canonical: &str| serde_json::from_str::<String>(canonical).unwrap_or_default();
    let loser = conflict
        .losers
        .iter()
        .find_map(|side| side.value.as_deref());
    match loser {
        Some(loser) if conflict.kind == Kind::Text => in_markers(&text(winner), &text(loser)),
        _ => match serde_json::from_str::<String>(winner) {
            Ok(text) if !text.contains('\n') => format!("{text}\n"),
            _ => format!("{winner}\n"),
        },
    }
}

/// Two texts as one: what stands between their common beginning and their common end stands in it twice.
fn in_markers(winner: &str, loser: &str) -> String {
    let (ours, theirs): (Vec<&str>, Vec<&str>) =
        (winner.lines().collect(), loser.lines().collect());
    let alike =
        |pairs: &mut dyn Iterator<Item = (&&str, &&str)>| pairs.take_while(|(a, b)| a == b).count();
    let first = alike(&mut ours.iter().zip(&theirs));
    let most = ours.len().min(theirs.len()) - first;
    let last = alike(&mut ours.iter().rev().zip(theirs.iter().rev())).min(most);
    let [begin, between, end] = MARKERS;
    let parts = [
        ours[..first].to_vec(),
        vec![begin],
        ours[first..ours.len() - last].to_vec(),
        vec![between],
        theirs[first..theirs.len() - last].to_vec(),
        vec![end],
        ours[ours.len() - last..].to_vec(),
    ];
    let lines = parts.concat().into_iter();
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_two_texts_stands_between_markers() {
        assert_eq!(
            in_markers("a\nb\nc\n", "a\nx\ny\nc\n"),
            "a\n<<<<<<< winner\nb\n=======\nx\ny\n>>>>>>> 1\nc\n"
        );
        assert_eq!(
            in_markers("a\na\n", "a\n"),
            "a\n<<<<<<< winner\na\n=======\n>>>>>>> 1\n"
        );
    }
}
