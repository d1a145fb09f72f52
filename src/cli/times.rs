//! Moments as people type and read them.

use anyhow::bail;
use chrono::{
    DateTime, Days, Local, NaiveDate, NaiveDateTime, NaiveTime, SecondsFormat, TimeZone, Utc,
};

use crate::crdt::Stamp;
use crate::git::Repo;
use crate::history::Instant;
use crate::overlay::CommitId;
use crate::store::Moment;

/// A moment that somebody typed, and what it was told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Point {
    /// A time, in milliseconds since the Unix epoch.
    Time(u64),
    /// An edit.
    Stamp(Stamp),
    /// A commit.
    Commit(CommitId),
}

impl Point {
    /// What a text says: a time, a duration before now, a stamp, or a commit as git names them.
    pub(super) fn read(text: &str, repo: &Repo) -> anyhow::Result<Self> {
        if let Ok(stamp) = text.parse::<Stamp>() {
            return Ok(Self::Stamp(stamp));
        }
        if let Some(millis) = time(text, Moment::now().unix_millis()) {
            return Ok(Self::Time(millis));
        }
        match repo.commit_named(text) {
            Ok(commit) => Ok(Self::Commit(commit)),
            Err(_) => bail!(
                "`{text}` is no time, stamp or commit: say `2026-11-20`, `2026-11-20T14:03:00Z`, `3d` (three days ago), a stamp as the \
                 log shows it, or a commit"
            ),
        }
    }

    /// The same as history asks for it.
    pub(super) fn instant(self) -> Instant {
        match self {
            Self::Time(time) => Instant::Time(time),
            Self::Stamp(stamp) => Instant::Stamp(stamp),
            Self::Commit(commit) => Instant::Commit(commit),
        }
    }

    /// When that was, in milliseconds since the Unix epoch.
    pub(super) fn unix_millis(self, repo: &Repo) -> anyhow::Result<u64> {
        Ok(match self {
            Self::Time(millis) => millis,
            Self::Stamp(stamp) => stamp.unix_millis(),
            Self::Commit(commit) => {
                let passed = repo.passed(commit)?;
                passed.map_or(0, |passed| passed.unix_millis.saturating_add(999))
            }
        })
    }
}

/// The time that a text names, where it names one; `now` and the result in milliseconds since the Unix epoch.
fn time(text: &str, now: u64) -> Option<u64> {
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return u64::try_from(time.timestamp_millis()).ok();
    }
    if let Some(millis) = duration(text) {
        return Some(now.saturating_sub(millis));
    }
    let of_day = |date: NaiveDate| local(date.and_time(NaiveTime::MIN));
    let today = || DateTime::from_timestamp_millis(i64::try_from(now).ok()?);
    let today = || Some(today()?.with_timezone(&Local).date_naive());
    match text {
        "now" => return Some(now),
        "today" => return of_day(today()?),
        "yesterday" => return of_day(today()?.checked_sub_days(Days::new(1))?),
        _ => {}
    }
    if let Ok(date) = text.parse::<NaiveDate>() {
        return of_day(date);
    }
    [
        "%Y-%m-%d %H:%M",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%dT%H:%M:%S",
    ]
    .iter()
    .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
    .and_then(local)
}

fn local(time: NaiveDateTime) -> Option<u64> {
    let time = Local.from_local_datetime(&time).earliest()?;
    u64::try_from(time.timestamp_millis()).ok()
}

/// `30m`, `2h`, `3d`, `1w`, or as git has it: `2 days ago`, `2.weeks.ago`; in milliseconds.
fn duration(text: &str) -> Option<u64> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.replace('.', " ");
    let text = text.strip_suffix(" ago").unwrap_or(&text);
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    let seconds = match unit.trim() {
        "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 24 * 3_600,
        "w" | "week" | "weeks" => 7 * 24 * 3_600,
        "month" | "months" => 30 * 24 * 3_600,
        "y" | "year" | "years" => 365 * 24 * 3_600,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(seconds * 1_000)
}

/// A moment as people read it, in their time zone: `2026-11-20 14:03`.
pub(super) fn for_people(unix_millis: u64) -> String {
    match moment(unix_millis) {
        Some(moment) => moment
            .with_timezone(&Local)
            .format("%Y-%m-%d %H:%M")
            .to_string(),
        None => String::new(),
    }
}

/// A moment as scripts read it: RFC 3339, in UTC.
pub(super) fn for_scripts(unix_millis: u64) -> String {
    let moment = moment(unix_millis);
    moment.map_or_else(String::new, |moment| {
        moment.to_rfc3339_opts(SecondsFormat::Millis, true)
    })
}

fn moment(unix_millis: u64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(i64::try_from(unix_millis).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_many_ways() {
        for (text, seconds) in [
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("3d", 259_200),
            ("1w", 604_800),
            ("2 days ago", 172_800),
            ("2.weeks.ago", 1_209_600),
        ] {
            assert_eq!(duration(text), Some(seconds * 1_000), "{text}");
        }
        for text in ["", "d", "3", "3x", "-3d", "99999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_read_as_they_are_told() {
        let moment = 1_795_183_380_000;
        assert_eq!(for_scripts(moment), "2026-11-20T14:03:00.000Z");
        assert_eq!(time("2026-11-20T15:03:00+01:00", 0), Some(moment));
        assert_eq!(time(&for_people(moment), 0), Some(moment));
        assert_eq!(time("1h", moment), Some(moment - 3_600_000));
        assert_eq!(time("main", moment), None);
    }
}
