//! Conflict markers, and what stands between them.

/// The bytes that the swapped merge must give: conflicts with their halves swapped.
pub(crate) fn with_swapped_halves(text: &str) -> String {
    let mut out = String::new();
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => {
            out.push('\u{feff}');
            rest
        }
        None => text,
    };
    for piece in pieces(text) {
        match piece {
            Piece::Common(lines) => out.push_str(&lines),
            Piece::Contest { ours, theirs, .. } => {
                out.push_str(&format!(
                    "<<<<<<< ours\n{theirs}=======\n{ours}>>>>>>> theirs\n"
                ));
            }
        }
    }
    if !text.ends_with('\n') && out.ends_with('\n') {
        out.pop();
    }
    out
}

/// A marked text with one side taken in every conflict.
pub(crate) fn with_side(text: &str, take_ours: bool) -> String {
    pieces(text)
        .into_iter()
        .map(|piece| match piece {
            Piece::Common(lines) => lines,
            Piece::Contest { ours, .. } if take_ours => ours,
            Piece::Contest { theirs, .. } => theirs,
        })
        .collect()
}

enum Piece {
    Common(String),
    Contest { ours: String, theirs: String },
}

fn pieces(text: &str) -> Vec<Piece> {
    enum At {
        Common,
        Ours,
        Theirs,
    }
    let mut at = At::Common;
    let (mut common, mut mine, mut others) = (String::new(), String::new(), String::new());
    let mut pieces = Vec::new();
    for line in text.split_inclusive('\n') {
        let bare = line.trim_start_matches('\u{feff}');
        match (&at, bare.trim_end()) {
            (At::Common, "<<<<<<< ours") => {
                pieces.push(Piece::Common(std::mem::take(&mut common)));
                at = At::Ours;
            }
            (At::Ours, "=======") => at = At::Theirs,
            (At::Theirs, ">>>>>>> theirs") => {
                pieces.push(Piece::Contest {
                    ours: std::mem::take(&mut mine),
                    theirs: std::mem::take(&mut others),
                });
                at = At::Common;
            }
            (At::Common, _) => common.push_str(line),
            (At::Ours, _) => mine.push_str(line),
            (At::Theirs, _) => others.push_str(line),
        }
    }
    pieces.push(Piece::Common(common));
    pieces
}
