//! Which documents may be named by somebody else: what is named is written to a work tree in the end.

use crate::overlay::DocumentPath;

/// Bytes of a document's name: no system opens longer ones.
const LONGEST: usize = 4_096;

/// The folder of a scope.
const SCOPE: &str = ".rhema";

/// The folder in it with what is synced by git alone.
const OURS: &str = "crdt";

/// Whether edits of this document are taken from others: it is a YAML file in a `.rhema` folder, below the top of the work tree on
/// every system, and neither one of git's files nor one that says who may take part.
#[must_use]
pub fn may_be_synced(document: &DocumentPath) -> bool {
    let bytes = document.as_bytes();
    if bytes.len() > LONGEST {
        return false;
    }
    let Ok(path) = std::str::from_utf8(bytes) else {
        return false;
    };
    let mut folders: Vec<&str> = path.split('/').collect();
    let Some(file) = folders.pop() else {
        return false;
    };
    let in_scope = folders.contains(&SCOPE);
    let is_ours = folders
        .windows(2)
        .any(|pair| is_spelled(pair[0], SCOPE) && is_spelled(pair[1], OURS));
    let is_yaml = [".yaml", ".yml"]
        .iter()
        .any(|ending| file.len() > ending.len() && file.ends_with(ending));
    let is_normal = folders.iter().all(|folder| is_name(folder)) && is_name(file);
    in_scope && !is_ours && is_yaml && is_normal
}

/// Whether this is the name of one thing in a folder, on every system, and not git's.
fn is_name(name: &str) -> bool {
    let is_plain = |letter: char| !letter.is_control() && !"\\:".contains(letter);
    let is_git = is_spelled(name, ".git") || is_spelled(name, "git~1");
    !name.is_empty() && name != "." && name != ".." && name.chars().all(is_plain) && !is_git
}

/// Whether some file system takes `name` for `other`, which is in lower case: in any case, with dots and spaces behind it, and with letters in
/// it that do not count.
fn is_spelled(name: &str, other: &str) -> bool {
    let counting: String = name.chars().filter(|letter| !is_ignored(*letter)).collect();
    counting
        .trim_end_matches(['.', ' '])
        .eq_ignore_ascii_case(other)
}

/// Whether HFS+ does not see the letter in a name, as git has it.
fn is_ignored(letter: char) -> bool {
    matches!(letter, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}
