//! What happens between replicas, in words for people.

use super::shelf::named;
use crate::exchange::{Denial, Ending, Happening, Refusal};
use crate::net::{Close, DialError, Ending as LineEnding};

/// Whether somebody is there who does not want to talk: a mere absence is nothing to tell.
pub(super) fn is_refusal(error: &DialError) -> bool {
    matches!(error, DialError::NotAdmitted | DialError::Protocol)
}

/// Whether a line ended because the one side trusts the other no longer.
pub(super) fn is_cut_off(ending: &LineEnding) -> bool {
    matches!(
        ending,
        LineEnding::Here(Close::NotAdmitted) | LineEnding::There(Close::NotAdmitted)
    )
}

/// What people should know of a happening; nothing where it is as usual.
pub(super) fn notable(happening: &Happening) -> Option<String> {
    let told = match happening {
        Happening::ClocksDiffer { ahead } => {
            let (by, way) = (in_words(ahead.unsigned_abs()), direction(*ahead));
            format!("its clock is {by} {way} ours: set right whichever is wrong")
        }
        Happening::WeOnlyRead => {
            "HEAD's list of members lets this work tree read only: its edits stay here until they are committed".to_owned()
        }
        Happening::TheyTakeNone => "it takes no edits from this work tree, which may read only".to_owned(),
        Happening::Forks(stamps) | Happening::Equivocations(stamps) => format!(
            "two work trees make edits under one name ({}): one of them is a copy of the other; all is kept; run \
             `rhema crdt uninit` and `init` in the copy for a name of its own",
            named(stamps)
        ),
        Happening::TooLarge(stamp) => {
            format!("the edit {stamp} is too large to be sent: it travels by git")
        }
        Happening::Withheld(stamps) => format!(
            "it says that it knows edits and does not say them ({}): others may have them",
            named(stamps)
        ),
        Happening::WeRefused(refusal) => format!("not taken from it: {}", reason(refusal)),
        Happening::TheyRefused(refusal) => format!("it did not take: {}", reason(refusal)),
        Happening::Greeted { .. }
        | Happening::SameReplica(_)
        | Happening::Sent { .. }
        | Happening::Confirmed { .. }
        | Happening::Received { .. }
        | Happening::BasesFound { .. }
        | Happening::InStep => return None,
    };
    Some(told)
}

/// Why a conversation failed; nothing where it did not.
pub(super) fn failure(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Finished | Ending::ClockSet => None,
        Ending::WeRefused(refusal) => Some(format!("refused: {}", reason(refusal))),
        Ending::TheyRefused(refusal) => Some(format!("it refuses us: {}", reason(refusal))),
        Ending::Violated(violation) => {
            Some(format!("it does not keep to the protocol: {violation}"))
        }
        Ending::Oneself => Some("this is this work tree itself".to_owned()),
        Ending::Silent => Some("it said nothing for too long".to_owned()),
    }
}

/// Why something is not taken.
pub(super) fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Version(oldest, newest) => {
            format!("protocol versions {oldest} to {newest} are spoken: update the older program")
        }
        Refusal::OtherRepository => "the repositories have no commit in common".to_owned(),
        Refusal::ReadsOnly => {
            "edits of a member that may read only; they come by git once they are committed"
                .to_owned()
        }
        Refusal::Future { from, .. } => format!(
            "edits of a time that has not come ({}): the clock of their author is ahead; set it right, and they are made again",
            named(from)
        ),
        Refusal::Document(stamps) => {
            format!("edits of files that may not be synced ({})", named(stamps))
        }
        Refusal::Protocol(words) => format!("\"{words}\""),
        Refusal::Unproved(stamps) => format!(
            "edits that their author did not sign, or not so ({}): they were made up or altered on the way",
            named(stamps)
        ),
        Refusal::Denied { edits, why } => {
            let edits = named(edits);
            match why {
                Denial::Stranger => format!(
                    "edits of somebody who is no member, nor trusted by one ({edits}): pull, or have them join"
                ),
                Denial::Reads => format!("edits of a member that may read only ({edits})"),
                Denial::Removed => {
                    format!("edits that a removed member made since ({edits})")
                }
                Denial::Rule(rule) => {
                    format!("edits against the rules of the repository ({edits}): {rule}")
                }
            }
        }
        Refusal::Early { from, millis } => format!(
            "edits beyond what the rules of the repository allow at a time ({}): they are taken in {}",
            named(from),
            in_words(*millis)
        ),
    }
}

fn direction(ahead: i64) -> &'static str {
    match ahead > 0 {
        true => "ahead of",
        false => "behind",
    }
}

/// "12 minutes", "3 hours", "400 days": the nearest whole number, as the way of the message took a while.
fn in_words(millis: u64) -> String {
    const MINUTE: u64 = 60_000;
    let (length, unit) = match (millis + MINUTE / 2) / MINUTE {
        0..120 => (MINUTE, "minutes"),
        120..2_880 => (60 * MINUTE, "hours"),
        _ => (1_440 * MINUTE, "days"),
    };
    format!("{} {unit}", (millis + length / 2) / length)
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn lengths_of_time_are_rounded() {
        assert_eq!(in_words(719_000), "12 minutes");
        assert_eq!(in_words(3_599_990), "60 minutes");
        assert_eq!(in_words(3 * 3_600_000 - 10), "3 hours");
        assert_eq!(in_words(365 * 86_400_000 - 10), "365 days");
    }
}
