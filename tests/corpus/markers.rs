//! Conflict markers in a tool's output.

const STARTS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

fn marker(line: &str) -> Option<usize> {
    let at = STARTS.iter().position(|start| line.starts_with(start))?;
    matches!(line.as_bytes().get(7), None | Some(b' ' | b'\r' | b'\n')).then_some(at)
}

/// Whether the text has a whole conflict section.
pub(crate) fn present(text: &str) -> bool {
    let mut found = text.lines().filter_map(marker);
    found.any(|m| m == 0) && found.any(|m| m == 2) && found.any(|m| m == 3)
}

/// The text with the two halves of each conflict section in order and without labels.
///
/// Merges with the sides swapped are to give equal normal forms.
pub(crate) fn normalise(text: &str) -> String {
    let mut out = String::new();
    // Ours, base, theirs of the section that is open, and in which of them we are.
    let mut section: Option<([String; 3], usize)> = None;
    for line in text.split_inclusive('\n') {
        match (marker(line), &mut section) {
            (Some(0), None) => section = Some(Default::default()),
            (Some(1), Some((_, at @ 0))) => *at = 1,
            (Some(2), Some((_, at @ 0..2))) => *at = 2,
            (Some(3), Some(([ours, base, theirs], 2))) => {
                let (low, high) = if ours <= theirs {
                    (ours, theirs)
                } else {
                    (theirs, ours)
                };
                for part in [
                    "<<<<<<<\n",
                    low,
                    "|||||||\n",
                    base,
                    "=======\n",
                    high,
                    ">>>>>>>\n",
                ] {
                    out.push_str(part);
                }
                section = None;
            }
            (_, Some((parts, at))) => parts[*at].push_str(line),
            _ => out.push_str(line),
        }
    }
    if let Some((parts, _)) = section {
        out.extend(parts);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swapped_sections_are_equal() {
        let one = "a\n<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\nb\n";
        let two = "a\n<<<<<<< l\ny\n||||||| base\n=======\nx\n>>>>>>> r\nb\n";
        assert_eq!(normalise(one), normalise(two));
        assert!(present(one) && !present("a: 1\n=======\n"));
    }
}
