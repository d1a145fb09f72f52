//! The lines in `.gitattributes` that hand context files to the merge driver, as pure functions of the file's bytes.
//!
//! Taking the lines out must give back every byte, without a record of what the file was before. Two things would be
//! forgotten, and both are kept in how the file ends: where it had no final newline (or was there but empty), the added
//! lines have none either.

/// What `.gitattributes` says for every `.rhema` folder at any depth.
pub(super) const LINES: [&str; 2] = [
    "**/.rhema/**/*.yaml merge=rhema-crdt",
    "**/.rhema/**/*.yml merge=rhema-crdt",
];

/// What is left of a `.gitattributes` once the lines are taken out.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Without {
    /// There was nothing to take out.
    Unchanged,
    /// The file with these bytes.
    File(Vec<u8>),
    /// Nothing: the file was made for the lines.
    Nothing,
}

/// The lines that `file` lacks.
pub(super) fn missing(file: &[u8]) -> Vec<&'static str> {
    LINES
        .into_iter()
        .filter(|line| {
            !file
                .split(|byte| *byte == b'\n')
                .any(|have| says(have, line))
        })
        .collect()
}

/// The file with the lines that it lacks; `None` where it lacks none. `file` is `None` where there is no file yet.
pub(super) fn with_lines(file: Option<&[u8]>) -> Option<Vec<u8>> {
    let had = file.unwrap_or_default();
    let missing = missing(had);
    if missing.is_empty() {
        return None;
    }
    let newline = newline_of(had);
    let mut out = had.to_vec();
    let unfinished = file.is_some() && !had.ends_with(b"\n");
    if unfinished && !had.is_empty() {
        out.extend_from_slice(newline);
    }
    for (index, line) in missing.iter().enumerate() {
        out.extend_from_slice(line.as_bytes());
        if !(unfinished && index + 1 == missing.len()) {
            out.extend_from_slice(newline);
        }
    }
    Some(out)
}

/// The file without the lines.
pub(super) fn without_lines(file: &[u8]) -> Without {
    let mut kept = Vec::with_capacity(file.len());
    let mut taken = false;
    let mut ends_with_ours = false;
    for line in file.split_inclusive(|byte| *byte == b'\n') {
        let ours = LINES
            .iter()
            .any(|own| line.trim_ascii_end() == own.as_bytes());
        if ours {
            taken = true;
        } else {
            kept.extend_from_slice(line);
        }
        ends_with_ours = ours;
    }
    if !taken {
        return Without::Unchanged;
    }
    let unfinished = ends_with_ours && !file.ends_with(b"\n");
    if unfinished {
        // The exact inverse of how the block was set off.
        if kept.ends_with(b"\n") {
            kept.pop();
        }
        if newline_of(&kept) == b"\r\n" && kept.ends_with(b"\r") {
            kept.pop();
        }
    } else if kept.is_empty() {
        return Without::Nothing;
    }
    Without::File(kept)
}

/// Whether a line of the file already gives the pattern of `wanted` the attribute of `wanted`, perhaps among others.
fn says(line: &[u8], wanted: &str) -> bool {
    let mut have = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let mut want = wanted.split(' ').map(str::as_bytes);
    let pattern = have.next();
    pattern.is_some()
        && pattern == want.next()
        && want.all(|attribute| have.any(|word| word == attribute))
}

/// The line ending that the file uses: that of its last finished line.
fn newline_of(file: &[u8]) -> &'static [u8] {
    let before = file
        .iter()
        .rposition(|byte| *byte == b'\n')
        .and_then(|at| at.checked_sub(1))
        .and_then(|at| file.get(at));
    if before == Some(&b'\r') {
        b"\r\n"
    } else {
        b"\n"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &str =
        "**/.rhema/**/*.yaml merge=rhema-crdt\n**/.rhema/**/*.yml merge=rhema-crdt\n";

    fn there_and_back(before: &str) -> String {
        let with = with_lines(Some(before.as_bytes())).expect("lines are missing");
        assert_eq!(
            with_lines(Some(&with)),
            None,
            "a second time changes nothing"
        );
        assert_eq!(
            without_lines(&with),
            Without::File(before.as_bytes().to_vec()),
            "every byte comes back"
        );
        String::from_utf8(with).expect("UTF-8")
    }

    #[test]
    fn a_new_file_holds_just_the_lines_and_goes_with_them() {
        assert_eq!(with_lines(None).as_deref(), Some(BOTH.as_bytes()));
        assert_eq!(without_lines(BOTH.as_bytes()), Without::Nothing);
    }

    #[test]
    fn the_lines_come_after_what_is_there() {
        assert_eq!(
            there_and_back("*.png binary\n"),
            format!("*.png binary\n{BOTH}")
        );
    }

    #[test]
    fn a_missing_final_newline_stays_missing() {
        assert_eq!(
            there_and_back("*.png binary"),
            format!("*.png binary\n{}", BOTH.trim_end())
        );
    }

    #[test]
    fn an_empty_file_is_empty_again() {
        assert_eq!(there_and_back(""), BOTH.trim_end());
    }

    #[test]
    fn windows_line_endings_are_kept() {
        assert_eq!(
            there_and_back("*.a text\r\n*.b text\r\n"),
            format!("*.a text\r\n*.b text\r\n{}", BOTH.replace('\n', "\r\n"))
        );
        assert_eq!(
            there_and_back("*.a text\r\n*.b text"),
            format!(
                "*.a text\r\n*.b text\r\n{}",
                BOTH.replace('\n', "\r\n").trim_end()
            )
        );
    }

    #[test]
    fn odd_files_come_back_too() {
        for before in [
            "\n",
            "\r\n",
            "\n\n\n",
            "\u{feff}",
            "\u{feff}*.a text\n",
            " ",
            "# note",
            "a\r\nb\n",
            "a\nb\r\n",
            "a\r",
            "a\r\nb\r",
        ] {
            there_and_back(before);
        }
    }

    #[test]
    fn only_what_is_missing_is_added() {
        let half = "**/.rhema/**/*.yaml  text merge=rhema-crdt\r\n";
        assert_eq!(
            with_lines(Some(half.as_bytes())),
            Some(format!("{half}**/.rhema/**/*.yml merge=rhema-crdt\r\n").into_bytes())
        );
    }

    #[test]
    fn lines_that_say_something_else_are_left() {
        for other in [
            "# **/.rhema/**/*.yaml merge=rhema-crdt\n",
            "**/.rhema/**/*.yaml merge=binary\n",
            "*.yaml merge=rhema-crdt\n",
            "**/.rhema/**/*.yaml text merge=rhema-crdt\n",
        ] {
            assert_eq!(without_lines(other.as_bytes()), Without::Unchanged);
        }
    }

    #[test]
    fn what_came_after_the_lines_stays() {
        let later = format!("*.a text\n{BOTH}*.b text\n");
        assert_eq!(
            without_lines(later.as_bytes()),
            Without::File(b"*.a text\n*.b text\n".to_vec())
        );
    }
}
