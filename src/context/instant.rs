//! Timestamps (RFC 3339): which of them name the same instant.
//!
//! Tools that keep timestamps as instants write them back in another time zone, or with another number of zeros behind
//! the point. That is no edit of a value.

/// The one spelling that stands for all timestamps of the same instant: in UTC, without zeros at the end of the fraction.
/// Nothing for a text that is no timestamp, one without an offset among them: nobody knows which instant it names.
///
/// Leap seconds are left out: they have no offset-free spelling that every reader takes for the same instant.
pub(crate) fn in_utc(text: &str) -> Option<String> {
    let mut rest = text.as_bytes();
    let year = number(&mut rest, 4)?;
    sign(&mut rest, b"-")?;
    let month = number(&mut rest, 2)?;
    sign(&mut rest, b"-")?;
    let day = number(&mut rest, 2)?;
    sign(&mut rest, b"Tt ")?;
    let hour = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let minute = number(&mut rest, 2)?;
    sign(&mut rest, b":")?;
    let second = number(&mut rest, 2)?;
    let fraction = fraction(&mut rest)?;
    let offset = offset(&mut rest)?;
    let is_date = (1..=12).contains(&month) && (1..=days_in(year, month)).contains(&day);
    if !rest.is_empty() || !is_date || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let minutes = (days_since_epoch(year, month, day) * 24 + hour) * 60 + minute - offset;
    let (days, minutes) = (minutes.div_euclid(24 * 60), minutes.rem_euclid(24 * 60));
    let (year, month, day) = date(days);
    let (hour, minute) = (minutes / 60, minutes % 60);
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!(
        "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{point}{fraction}Z"
    ))
}

/// Takes a number of exactly `digits` digits.
fn number(rest: &mut &[u8], digits: usize) -> Option<i64> {
    let (number, behind) = rest.split_at_checked(digits)?;
    *rest = behind;
    number.iter().try_fold(0, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| i64::from(byte - b'0'))?;
        Some(value * 10 + digit)
    })
}

/// Takes one of several signs.
fn sign(rest: &mut &[u8], signs: &[u8]) -> Option<u8> {
    let (&first, behind) = rest
        .split_first()
        .filter(|(first, _)| signs.contains(first))?;
    *rest = behind;
    Some(first)
}

/// Takes the digits behind the point, without the zeros at their end.
fn fraction<'t>(rest: &mut &'t [u8]) -> Option<&'t str> {
    if sign(rest, b".").is_none() {
        return Some("");
    }
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = rest.split_at_checked(length).filter(|_| length > 0)?;
    *rest = behind;
    Some(std::str::from_utf8(digits).ok()?.trim_end_matches('0'))
}

/// Takes the offset from UTC, in minutes.
fn offset(rest: &mut &[u8]) -> Option<i64> {
    let direction = match sign(rest, b"Zz+-")? {
        b'+' => 1,
        b'-' => -1,
        _ => return Some(0),
    };
    let hours = number(rest, 2)?;
    sign(rest, b":")?;
    let minutes = number(rest, 2)?;
    (hours < 24 && minutes < 60).then_some(direction * (hours * 60 + minutes))
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The days in 400 years of the Gregorian calendar.
const ERA: i64 = 146_097;

/// Days from 1970-01-01 in the Gregorian calendar, which is taken to have held always. Years begin in March here, so that
/// the leap day is the last one.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * ERA + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days from 1970-01-01: what [`days_since_epoch`] counts.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let years = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (years + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_instant_has_one_spelling() {
        let utc = "2024-03-01T00:30:00Z";
        for text in [
            "2024-03-01T00:30:00Z",
            "2024-03-01T00:30:00+00:00",
            "2024-03-01T00:30:00-00:00",
            "2024-03-01T00:30:00.000Z",
            "2024-03-01T02:30:00+02:00",
            "2024-02-29T19:00:00-05:30",
            "2024-03-01 00:30:00z",
            "2024-03-01t00:30:00.0+00:00",
        ] {
            assert_eq!(in_utc(text).as_deref(), Some(utc), "{text}");
        }
        for (text, utc) in [
            ("2023-12-31T23:59:59.120-01:00", "2024-01-01T00:59:59.12Z"),
            ("2023-03-01T00:00:00+00:01", "2023-02-28T23:59:00Z"),
            (
                "1970-01-01T00:00:00.000000001Z",
                "1970-01-01T00:00:00.000000001Z",
            ),
            ("0000-01-01T00:00:00+01:00", "-001-12-31T23:00:00Z"),
        ] {
            assert_eq!(in_utc(text).as_deref(), Some(utc), "{text}");
        }
    }

    #[test]
    fn what_names_no_instant_is_a_text() {
        for text in [
            "",
            "2024-03-01",
            "2024-03-01T00:30:00",
            "2024-03-01T00:30Z",
            "2024-03-01T00:30:00.Z",
            "2024-02-30T00:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-13-01T00:00:00Z",
            "2024-03-01T24:00:00Z",
            "2016-12-31T23:59:60Z",
            "2024-03-01T00:30:00+0200",
            "2024-03-01T00:30:00Z later",
            "2024-03-01T00:30:00é",
        ] {
            assert_eq!(in_utc(text), None, "{text}");
        }
    }

    #[test]
    fn every_day_is_counted_once() {
        let mut expected = (1600, 1, 1);
        for days in days_since_epoch(1600, 1, 1)..days_since_epoch(2401, 1, 1) {
            let (year, month, day) = expected;
            assert_eq!(date(days), expected);
            assert_eq!(days_since_epoch(year, month, day), days);
            expected = match (month, day) {
                (12, 31) => (year + 1, 1, 1),
                _ if day == days_in(year, month) => (year, month + 1, 1),
                _ => (year, month, day + 1),
            };
        }
        assert_eq!(days_since_epoch(1970, 1, 1), 0);
    }

    #[test]
    fn an_offset_has_less_than_a_day_and_less_than_an_hour() {
        for offset in ["+24:00", "+01:60", "-24:30", "+23:99"] {
            assert_eq!(
                in_utc(&format!("2024-03-01T00:30:00{offset}")),
                None,
                "{offset}"
            );
        }
        assert!(in_utc("2024-03-01T00:30:00+23:59").is_some());
    }
}
