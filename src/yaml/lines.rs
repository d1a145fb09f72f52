//! Lines with their line breaks: `\n`, `\r\n` and a lone `\r` (YAML 1.2.2, section 5.4).

/// The length of the first line of a text with its line break.
pub(super) fn line_length(text: &str) -> usize {
    match text.bytes().position(|byte| byte == b'\n' || byte == b'\r') {
        Some(at) if text[at..].starts_with("\r\n") => at + 2,
        Some(at) => at + 1,
        None => text.len(),
    }
}

/// The lines of a text, each with its line break.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (line, behind) = rest.split_at(line_length(rest));
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// Whether a line or text holds nothing but white space.
pub(super) fn is_blank(text: &str) -> bool {
    text.bytes()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))
}

/// How many spaces a line begins with.
pub(super) fn indent_of(line: &str) -> usize {
    line.bytes().take_while(|&byte| byte == b' ').count()
}

/// A text without the blank lines that it begins with.
pub(super) fn without_leading_blank_lines(text: &str) -> &str {
    let blank: usize = lines(text)
        .take_while(|line| is_blank(line))
        .map(str::len)
        .sum();
    &text[blank..]
}
