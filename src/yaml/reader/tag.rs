//! What tags and directives may hold (YAML 1.2.2, sections 6.8 and 6.9.1).

use super::super::error::Problem;
use super::{Reader, Result, is_flow_indicator};

/// `ns-word-char`: what the name of a tag handle holds.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// `ns-uri-char`; whether two digits follow a `%` is looked at elsewhere.
fn is_uri(byte: u8) -> bool {
    is_word(byte) || b"%#;/?:@&=+$,_.!~*'()[]".contains(&byte)
}

/// `ns-tag-char`: a character of a URI that cannot be mistaken for a handle or a bracket.
fn is_tag(byte: u8) -> bool {
    is_uri(byte) && byte != b'!' && !is_flow_indicator(byte)
}

/// `c-tag-handle`: `!`, `!!` or `!name!`.
fn is_handle(text: &str) -> bool {
    let name = match text {
        "!" | "!!" => return true,
        _ => text
            .strip_prefix('!')
            .and_then(|rest| rest.strip_suffix('!')),
    };
    name.is_some_and(|name| !name.is_empty() && name.bytes().all(is_word))
}

/// `ns-tag-prefix`: what a handle stands for.
fn is_prefix(text: &str) -> bool {
    text.bytes()
        .next()
        .is_some_and(|first| first == b'!' || is_tag(first))
        && text.bytes().all(is_uri)
        && escapes_end(text.as_bytes()) == text.len()
}

/// The length of `text`, or where in it a `%` stands without its two digits.
fn escapes_end(text: &[u8]) -> usize {
    let escape = |at: usize| {
        let digits = text.get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    text.iter()
        .enumerate()
        .find(|&(at, &byte)| byte == b'%' && !escape(at))
        .map_or(text.len(), |(at, _)| at)
}

impl<'t> Reader<'t> {
    /// Checks the tag that begins at `start` and says where it ends.
    pub(super) fn tag_end(&self, start: usize, flow: bool) -> Result<usize> {
        let rest = &self.bytes[start + 1..];
        let run = |from: usize, holds: fn(u8) -> bool| {
            rest[from..]
                .iter()
                .position(|&byte| !holds(byte))
                .map_or(rest.len(), |length| from + length)
        };
        let verbatim = rest.first() == Some(&b'<');
        let (from, to) = if verbatim {
            (1, run(1, is_uri))
        } else {
            let word = run(0, is_word);
            let from = if rest.get(word) == Some(&b'!') {
                word + 1
            } else {
                0
            };
            (from, run(from, is_tag))
        };
        let wrong = from + escapes_end(&rest[from..to]);
        if wrong < to {
            return self.fail(
                Problem::Syntax("behind a `%` in a tag stand two hexadecimal digits"),
                start + 1 + wrong,
            );
        }
        let end = start + 1 + to;
        if verbatim {
            if to == from || rest.get(to) != Some(&b'>') {
                return self.fail(Problem::Unclosed("the tag `!<`"), start);
            }
            return Ok(end + 1);
        }
        if from > 0 {
            let handle = &self.text[start..start + 1 + from];
            if handle != "!!" && !self.handles.contains(handle) {
                return self.fail(Problem::UnknownTagHandle(handle.to_owned()), start);
            }
            if to == from {
                return self.fail(
                    Problem::Syntax("a tag needs a name behind its handle"),
                    start,
                );
            }
        }
        let separated =
            self.is_white(end) || (flow && self.byte(end).is_some_and(is_flow_indicator));
        if !separated {
            return self.fail(Problem::Syntax("this character cannot stand in a tag"), end);
        }
        Ok(end)
    }

    /// Reads the `%` lines before a `---` and says whether there were any.
    pub(super) fn directives(&mut self) -> Result<bool> {
        let mut any = false;
        let mut version = false;
        self.handles.clear();
        while self.peek() == Some(b'%') && self.pos == self.line_start {
            any = true;
            let end = self.line_end(self.pos);
            let line = &self.text[self.pos..end];
            let line = match line.find(" #").into_iter().chain(line.find("\t#")).min() {
                Some(comment) => &line[..comment],
                None => line,
            };
            if line.contains('\u{feff}') {
                return self.syntax("a byte order mark hides in this directive: remove it");
            }
            let mut words = line.split([' ', '\t']).filter(|word| !word.is_empty());
            match words.next() {
                Some("%") => return self.syntax("a directive needs a name behind its `%`"),
                Some("%YAML") => {
                    if version {
                        return self.syntax("a document has one %YAML directive at most");
                    }
                    version = true;
                    self.version(words.next(), words.next())?;
                }
                Some("%TAG") => {
                    let (handle, prefix, more) = (words.next(), words.next(), words.next());
                    self.handle(handle, prefix, more)?;
                }
                _ => {}
            }
            self.advance(end);
            self.next_token()?;
        }
        Ok(any)
    }

    fn version(&self, number: Option<&str>, more: Option<&str>) -> Result<()> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match number.and_then(|number| number.split_once('.')) {
            Some((major, minor)) if digits(major) && digits(minor) && more.is_none() => {
                if major == "1" {
                    return Ok(());
                }
                self.syntax("this version of YAML is not known: only 1.x is")
            }
            _ => self.syntax("a %YAML directive reads `%YAML 1.2`"),
        }
    }

    fn handle(
        &mut self,
        handle: Option<&'t str>,
        prefix: Option<&str>,
        more: Option<&str>,
    ) -> Result<()> {
        match (handle, prefix, more) {
            (Some(handle), Some(prefix), None) if is_handle(handle) && is_prefix(prefix) => {
                if !self.handles.insert(handle) {
                    return self.syntax("this tag handle is declared twice");
                }
                Ok(())
            }
            _ => self.syntax("a %TAG directive reads `%TAG !handle! prefix`"),
        }
    }
}
