//! The report in plain words, line by line; whoever prints it chooses the colours.

mod live;

use super::change::Changed;
use super::report::{Check, Report, Side, Step};

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// A headline.
    Title,
    /// Ordinary text.
    Plain,
    /// What may be skipped.
    Faint,
    /// A line that was added.
    Added,
    /// A line that was removed.
    Removed,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
}

/// A line of the narration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) tone: Tone,
    pub(crate) text: String,
}

/// Collects lines.
#[derive(Default)]
struct Story(Vec<Line>);

impl Story {
    fn line(&mut self, tone: Tone, text: impl Into<String>) {
        self.0.push(Line {
            tone,
            text: text.into(),
        });
    }

    fn blank(&mut self) {
        self.line(Tone::Plain, "");
    }

    /// A paragraph, broken into lines of at most 96 characters.
    fn say(&mut self, text: &str) {
        let mut line = String::new();
        for word in text.split_whitespace() {
            if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > 96 {
                self.line(Tone::Plain, std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        self.line(Tone::Plain, line);
    }
}

/// Everything that happened.
pub(crate) fn narrate(report: &Report) -> Vec<Line> {
    let mut story = Story::default();
    opening(&mut story, report);
    for (number, step) in (1..).zip(&report.steps) {
        scene(&mut story, number, step);
    }
    settling(&mut story, report);
    looking_closer(&mut story, report);
    live::scene(&mut story, &report.live);
    story.0
}

/// The result alone, and where to play on.
pub(crate) fn result(report: &Report) -> Vec<Line> {
    let mut story = Story::default();
    let (tone, text) = if report.ok {
        (
            Tone::Good,
            format!(
                "Git alone: {} in {}. With rhema: {}, the real one, and the merge did not stop for it. {} ({:.1} s)",
                conflicts(report.git_alone.conflicts),
                files(report.git_alone.files.len()),
                conflicts(report.with_rhema.conflicts),
                live::in_short(&report.live),
                report.seconds
            ),
        )
    } else {
        (
            Tone::Bad,
            "Not everything went as told; please report this:".to_owned(),
        )
    };
    story.line(tone, text);
    if !report.ok {
        if let Some(why) = &report.live.why {
            story.line(Tone::Bad, format!("  {why}"));
        }
        for check in report.all_checks().filter(|check| !check.holds) {
            checked(&mut story, check);
        }
    }
    story.0
}

fn opening(story: &mut Story, report: &Report) {
    story.line(Tone::Title, "Two people, one context, one afternoon");
    story.blank();
    story.say(&format!(
        "Slackwater is a small product: tide tables, and berths in small harbours. Its team keeps what it knows and \
         plans as YAML files beside the code: {} with {} todos, decisions and the like. Ada and Ben both work on them, \
         each in a clone (a copy of the repository) of their own.",
        files(report.files),
        report.records
    ));
    story.blank();
    story.say(
        "When two people changed a file, git puts their work together line by line. Where changed lines meet it gives \
         up, leaves both versions in the file, and somebody has to sort them out by hand: that is a conflict. Ada and \
         Ben ran `rhema crdt init`, once. Since then git asks rhema to merge these files, and rhema looks at todos, \
         fields and texts instead of lines.",
    );
    story.blank();
    story.say(&format!(
        "One afternoon they work without talking to each other. Before they commit, each runs `rhema crdt sync \
         --timeout 0`: it notes who changed what and when, on a line of its own in every todo or decision that changed. \
         Ada pushes, and Ben merges her work into his with an ordinary `git merge`. Here are the {} places where their \
         work met. (The lines with the notes are left out.)",
        report.steps.len()
    ));
}

fn scene(story: &mut Story, number: usize, step: &Step) {
    story.blank();
    story.line(Tone::Title, format!("{number}. {}", step.title));
    let place = step.record.map_or_else(
        || step.file.to_owned(),
        |record| format!("{}, {record}", step.file),
    );
    story.line(Tone::Faint, format!("   {place}"));
    side(story, "Ada", &step.ada);
    side(story, "Ben", &step.ben);
    let alone = match step.git_alone.conflicts {
        0 => "Git alone merges this as well.".to_owned(),
        count => format!(
            "Git alone: {}, because {}.",
            conflicts(count),
            step.git_alone.because
        ),
    };
    story.line(Tone::Plain, format!("   {alone}"));
    story.line(Tone::Plain, "   With rhema:");
    let indent = indentation(step.merged.iter());
    for line in step.merged.iter().skip_while(|line| line.is_empty()) {
        let line = line.get(indent..).unwrap_or_default();
        story.line(Tone::Good, format!("     {line}").trim_end().to_owned());
    }
    let (tone, lesson) = if step.checks.iter().all(|check| check.holds) {
        (Tone::Plain, step.lesson)
    } else {
        (Tone::Bad, "This is not what should have come out.")
    };
    story.line(tone, format!("   {lesson}"));
}

fn side(story: &mut Story, name: &str, side: &Side) {
    let end = if side.changes.is_empty() { "." } else { ":" };
    story.line(Tone::Plain, format!("   {name} {}{end}", side.does));
    let text = |change| match change {
        &Changed::Removed(ref line) | &Changed::Added(ref line) => line,
    };
    let indent = indentation(side.changes.iter().map(text));
    for change in &side.changes {
        let line = text(change).get(indent..).unwrap_or_default();
        match change {
            Changed::Removed(_) => story.line(Tone::Removed, format!("   - {line}")),
            Changed::Added(_) => story.line(Tone::Added, format!("   + {line}")),
        }
    }
}

/// How far all of the lines are indented that hold anything.
fn indentation<'l>(lines: impl Iterator<Item = &'l String>) -> usize {
    let lines = lines.filter(|line| !line.is_empty());
    let blanks = |line: &String| line.len() - line.trim_start_matches(' ').len();
    lines.map(blanks).min().unwrap_or_default()
}

fn settling(story: &mut Story, report: &Report) {
    story.blank();
    story.line(Tone::Title, "How the disagreement ended");
    let settled = &report.settled;
    if let (Some(winner), Some(loser)) = (&settled.winner, &settled.loser) {
        story.say(&format!(
            "The merge went through, and nobody had to hurry. What you see above is what `rhema crdt resolve --list` \
             shows. The code behind each value says when and in which clone it was noted: {}'s `{}` at {}, {}'s `{}` at \
             {}. The later one stands for now, the other is kept in the file, on a line beside it.",
            winner.by,
            winner.value,
            time_of_day(winner.unix_millis),
            loser.by,
            loser.value,
            time_of_day(loser.unix_millis),
        ));
    }
    story.say("Then Ben asked Ada. They agreed, and he ran");
    story.line(Tone::Plain, format!("  {}", settled.command));
    story.say(&format!(
        "That made it `{}` and took the other value away. He committed and pushed; Ada pulled.",
        settled.value
    ));
    for check in &report.settled.checks {
        checked(story, check);
    }
}

fn looking_closer(story: &mut Story, report: &Report) {
    story.blank();
    story.line(Tone::Title, "Looked at closely, file by file");
    for check in &report.checks {
        checked(story, check);
    }
    story.blank();
}

fn checked(story: &mut Story, check: &Check) {
    let (tone, sign) = if check.holds {
        (Tone::Good, "yes")
    } else {
        (Tone::Bad, "NO ")
    };
    story.line(tone, format!("  {sign}  {}", check.claim));
}

/// The time of day in Greenwich, to the hundredth of a second.
fn time_of_day(unix_millis: u64) -> String {
    let hundredths = unix_millis / 10;
    let seconds = hundredths / 100;
    format!(
        "{:02}:{:02}:{:02}.{:02} UTC",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        hundredths % 100
    )
}

/// Where to go from here.
pub(crate) fn farewell(report: &Report) -> Vec<Line> {
    let mut story = Story::default();
    let folder = shell_word(&report.folder);
    story.blank();
    story.say("Everything is still there to play with: the clones `ada` and `ben`, and `without-rhema`, where the same \
               merge waits as git alone left it.");
    for line in [
        format!("  cd {folder}/ben"),
        "  git log --graph --oneline            what happened".to_owned(),
        "  git diff HEAD~4 HEAD~2               what came to Ben from Ada, and what they agreed on".to_owned(),
        "  rhema crdt status                    how the files stand".to_owned(),
        "  git -C ../without-rhema diff         the conflicts of git alone".to_owned(),
        "Edit the same todo in both clones, `rhema crdt sync --timeout 0`, commit, push here and pull there.".to_owned(),
        "Or keep both in step while you edit, each of these in a terminal of its own:".to_owned(),
        format!("  rhema crdt -C {folder}/ada watch --discovery off --listen 127.0.0.1:4711"),
        format!("  rhema crdt -C {folder}/ben watch --discovery off --peer 127.0.0.1:4711"),
        "When you are done:".to_owned(),
        format!("  rm -rf {folder}"),
    ] {
        story.line(Tone::Plain, line);
    }
    story.0
}

/// The text as one word for a shell.
fn shell_word(text: &str) -> String {
    let harmless = |c: char| c.is_alphanumeric() || "/._-+:\\".contains(c);
    if text.chars().all(harmless) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

fn conflicts(count: usize) -> String {
    plural(count, "conflict")
}

fn files(count: usize) -> String {
    plural(count, "file")
}

fn plural(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}
