//! The names in git's index, without the rest.
//!
//! libgit2 checks a digest over all of the index and puts every entry into a table: ten milliseconds for 20,000 files, and
//! most commands only want to know which folders are tracked.

use memchr::memchr;

/// Where an entry's mode stands in it, and its flags, behind which its name begins.
const MODE: usize = 24;
const FLAGS: usize = 60;
const NAME: usize = 62;

/// Another two bytes of flags stand before the name.
const IS_EXTENDED: u8 = 0x40;

/// The digest at the end.
const DIGEST: usize = 20;

/// Calls `found` with the path and the mode of every entry of the index in `bytes`, in order. Nothing for an index in a form
/// that is not known here, be it damaged, split or sparse; then `found` may have been called for some.
pub(super) fn each_entry(bytes: &[u8], mut found: impl FnMut(&[u8], u32)) -> Option<()> {
    let version = match bytes.get(..8)? {
        [b'D', b'I', b'R', b'C', 0, 0, 0, version @ 2..=4] => *version,
        _ => return None,
    };
    let count = number(bytes, 8)?;
    let mut at = 12;
    let mut name: Vec<u8> = Vec::new();
    for _ in 0..count {
        let mode = number(bytes, at + MODE)?;
        let is_extended = bytes.get(at + FLAGS)? & IS_EXTENDED != 0;
        let start = at + NAME + if is_extended { 2 } else { 0 };
        let rest = bytes.get(start..)?;
        let (kept, rest) = match version {
            4 => {
                let (dropped, rest) = varint(rest)?;
                (name.len().checked_sub(dropped)?, rest)
            }
            _ => (0, rest),
        };
        let length = memchr(0, rest)?;
        name.truncate(kept);
        name.extend_from_slice(rest.get(..length)?);
        found(&name, mode);
        at = match version {
            4 => bytes.len() - rest.len() + length + 1,
            // One zero at least, and as many as fill up eight bytes.
            _ => at + ((start - at + length) / 8 + 1) * 8,
        };
    }
    let end = bytes.len().checked_sub(DIGEST)?;
    while at < end {
        // Extensions with a small letter change what the entries mean.
        if !bytes.get(at)?.is_ascii_uppercase() {
            return None;
        }
        at = at.checked_add(8 + usize::try_from(number(bytes, at + 4)?).ok()?)?;
    }
    (at == end).then_some(())
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..)?.first_chunk()?;
    Some(u32::from_be_bytes(*bytes))
}

/// A number in as many bytes as it needs, seven bits in each, and what stands behind it.
fn varint(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0_usize;
    for (index, byte) in bytes.iter().enumerate() {
        value = value.checked_mul(128)? + usize::from(byte & 127);
        if byte & 128 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
        value += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["a", "a/.rhema/todos.yaml", "a/b/c.txt", "b"];

    /// An index as git writes it.
    fn index(version: u8, is_extended: bool, extensions: &[u8]) -> Vec<u8> {
        let mut bytes = [b"DIRC\0\0\0", &[version][..], &[0, 0, 0, NAMES.len() as u8]].concat();
        let mut last = "";
        for name in NAMES {
            let mut entry = vec![0; NAME];
            entry[MODE..MODE + 4].copy_from_slice(&0o100_644_u32.to_be_bytes());
            if is_extended {
                entry[FLAGS] = IS_EXTENDED;
                entry.extend([0x20, 0]);
            }
            if version == 4 {
                let shared = name.bytes().zip(last.bytes()).take_while(|(a, b)| a == b);
                let shared = shared.count();
                entry.push(u8::try_from(last.len() - shared).unwrap());
                entry.extend(&name.as_bytes()[shared..]);
                entry.push(0);
            } else {
                entry.extend(name.as_bytes());
                entry.resize((entry.len() / 8 + 1) * 8, 0);
            }
            bytes.extend(entry);
            last = name;
        }
        bytes.extend(extensions);
        bytes.extend([0; DIGEST]);
        bytes
    }

    fn names(bytes: &[u8]) -> Option<Vec<String>> {
        let mut names = Vec::new();
        each_entry(bytes, |name, mode| {
            assert_eq!(mode, 0o100_644);
            names.push(String::from_utf8(name.to_vec()).unwrap());
        })?;
        Some(names)
    }

    #[test]
    fn entries_are_read_in_every_version_of_the_format() {
        let tree = b"TREE\0\0\0\x03abc";
        for (version, is_extended) in [(2, false), (3, true), (3, false), (4, false), (4, true)] {
            for extensions in [&b""[..], tree] {
                let bytes = index(version, is_extended, extensions);
                assert_eq!(names(&bytes).unwrap(), NAMES, "{version} {is_extended}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_means_something_else_is_not_read() {
        for version in [2, 4] {
            let bytes = index(version, false, b"");
            for end in 0..bytes.len() {
                assert_eq!(names(&bytes[..end]), None, "{version} {end}");
            }
        }
        assert_eq!(names(&index(5, false, b"")), None);
        for required in [b"link\0\0\0\0", b"sdir\0\0\0\0"] {
            assert_eq!(names(&index(2, false, required)), None);
        }
    }

    #[test]
    fn numbers_of_several_bytes_are_those_of_git() {
        assert_eq!(varint(&[0x7f, 9]), Some((127, &[9][..])));
        assert_eq!(varint(&[0x80, 0x00]), Some((128, &[][..])));
        assert_eq!(varint(&[0xff, 0x7f]), Some((16_511, &[][..])));
        assert_eq!(varint(&[0x80]), None);
    }
}
