//! Texts in tests.

/// The text of a literal written in the indentation of the code around it.
pub(crate) fn dedent(literal: &str) -> String {
    let Some(text) = literal.strip_prefix('\n') else {
        return literal.to_owned();
    };
    let text = text.trim_end_matches(' ');
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let lines = || text.split_inclusive('\n');
    let width = lines()
        .filter(|line| !line.trim().is_empty())
        .map(indent)
        .min()
        .unwrap_or_default();
    lines()
        .map(|line| &line[width.min(indent(line))..])
        .collect()
}
