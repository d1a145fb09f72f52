//! Texts with git's conflict markers, and what they are once somebody takes one side in every marked place, or both.

/// Whose lines are to stand in marked places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lines {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
    /// Ours, and theirs behind them: what git's `merge=union` does.
    Both,
}

/// A text, marked by signs of this length, with these lines in every marked place.
pub(crate) fn settled(bytes: &[u8], marker_size: usize, lines: Lines) -> Vec<u8> {
    #[derive(PartialEq)]
    enum In {
        Text,
        Ours,
        Base,
        Theirs,
    }
    let mut place = In::Text;
    let mut out = Vec::with_capacity(bytes.len());
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let begins_with = |sign: u8| {
            let length = line.iter().take_while(|byte| **byte == sign).count();
            length >= marker_size
        };
        match place {
            In::Text if begins_with(b'<') => place = In::Ours,
            In::Ours if begins_with(b'|') => place = In::Base,
            In::Ours | In::Base if begins_with(b'=') => place = In::Theirs,
            In::Theirs if begins_with(b'>') => place = In::Text,
            In::Text => out.extend_from_slice(line),
            In::Ours if lines != Lines::Theirs => out.extend_from_slice(line),
            In::Theirs if lines != Lines::Ours => out.extend_from_slice(line),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_side_or_both_are_taken_in_marked_places_alone() {
        let text = b"a\n<<<<<<< ours\nb\n||||||| base\no\n=======\nc\n>>>>>>> theirs\nd\n";
        assert_eq!(settled(text, 7, Lines::Ours), b"a\nb\nd\n");
        assert_eq!(settled(text, 7, Lines::Theirs), b"a\nc\nd\n");
        assert_eq!(settled(text, 7, Lines::Both), b"a\nb\nc\nd\n");
        assert_eq!(settled(text, 8, Lines::Ours), text);
    }
}
