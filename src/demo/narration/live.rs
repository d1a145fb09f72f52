//! The scene with the watchers, in words.

use super::super::report::{Live, Moment};
use super::{Story, Tone, checked};

/// What happened while both clones were watched.
pub(super) fn scene(story: &mut Story, live: &Live) {
    story.line(Tone::Title, "The evening: both clones are watched");
    story.blank();
    if !live.played {
        let why = live.why.as_deref().unwrap_or_default();
        story.say(&format!(
            "Here two `rhema crdt watch` would have kept both clones in step without any commit. They could not: {why}. \
             Everything above works without them."
        ));
        story.blank();
        return;
    }
    story.say(
        "Git is for what is done; while they work, nobody wants to commit, push and pull for every line. So each starts \
         `rhema crdt watch` in their clone and forgets it. The two talk to each other directly, over the network, and \
         nobody else can listen or take part: each proves its key, and the keys of the members stand in a file of the \
         repository. The times are as measured just now, on this machine.",
    );
    for moment in &live.moments {
        told(story, moment);
    }
    story.blank();
    for check in &live.checks {
        checked(story, check);
    }
    if let Some(why) = &live.why {
        story.line(Tone::Bad, format!("  {why}"));
    }
    story.blank();
}

fn told(story: &mut Story, moment: &Moment) {
    story.blank();
    story.line(Tone::Title, moment.title);
    for line in &moment.does {
        match line.starts_with(' ') {
            true => story.line(Tone::Plain, line.as_str()),
            false => story.say(line),
        }
    }
    story.line(
        Tone::Good,
        format!("  {} later {}.", time(moment.milliseconds), moment.in_words),
    );
    for line in &moment.shown {
        story.line(Tone::Plain, format!("    {line}").trim_end().to_owned());
    }
    for check in &moment.checks {
        checked(story, check);
    }
}

/// The scene in a few words.
pub(super) fn in_short(live: &Live) -> String {
    match live.moments.first() {
        Some(moment) => format!(
            "Live: an edit was there after {}.",
            time(moment.milliseconds)
        ),
        None => "Live sync could not be shown here.".to_owned(),
    }
}

/// As many digits as mean something.
fn time(milliseconds: f64) -> String {
    match milliseconds < 10.0 {
        true => format!("{milliseconds:.1} ms"),
        false => format!("{milliseconds:.0} ms"),
    }
}
