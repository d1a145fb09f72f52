//! Texts of several lines that both sides changed: merged by lines. Where both changed the same lines, the text is
//! contested in these lines only.

use std::borrow::Cow;

use super::sides::Sides;
use super::tree::Outcome;
use super::trivia;
use crate::crdt::text::{self as lines, Overlap};
use crate::yaml::{BlockText, Draft, Kind, NodeRef, Scalar, Style};

/// Merges block scalars of one style as they are written, so that folded lines stay as they were broken, and comments
/// in their first lines stay. None if that cannot be written down.
pub(super) fn merge_blocks<'d>(versions: Sides<NodeRef<'d>>) -> Option<Outcome<'d>> {
    let kind = versions.base.kind();
    if !versions
        .iter()
        .all(|node| node.is_block_scalar() && node.kind() == kind)
    {
        return None;
    }
    let headers = versions.map(Header::of);
    let chomping = trivia::pick(headers.map(|header| Some(header.chomping)))?;
    let comment = trivia::beside(headers.map(|header| Some(Cow::Borrowed(header.comment))));
    let offset = trivia::pick(versions.map(|node| {
        let data = node.data();
        Some(data.column as i32 - data.parent_column.max(0))
    }))?;
    let offset = u32::try_from(offset).ok()?;
    let props = trivia::pick(versions.map(|node| Some(node.props())))?;
    let props = match props {
        "" => String::new(),
        props => format!("{props} "),
    };
    let style = headers.ours.style;
    by_lines(versions.map(content), |lines| {
        let lines = match chomping {
            "+" => lines,
            // Line breaks at the end that no `+` keeps belong to no text.
            _ => without_blank_end(lines),
        };
        let indent = indentation_indicator(lines, offset)?;
        Some(Draft::Block(BlockText {
            props: Cow::Owned(props.clone()),
            header: Cow::Owned(format!("{style}{indent}{chomping}{comment}")),
            offset,
            lines: owned(lines),
        }))
    })
}

/// The first line of a block scalar: `|2+ # comment`.
#[derive(Clone, Copy)]
struct Header<'d> {
    style: &'d str,
    /// `+`, `-` or nothing.
    chomping: &'d str,
    /// With the blanks before it.
    comment: &'d str,
}

impl<'d> Header<'d> {
    fn of(node: NodeRef<'d>) -> Self {
        let line = node.raw().lines().next().unwrap_or_default().trim_end();
        let (style, rest) = line.split_at(line.len().min(1));
        let end = rest.find([' ', '\t']).unwrap_or(rest.len());
        let (indicators, comment) = rest.split_at(end);
        let chomping = match indicators.find(['+', '-']) {
            Some(at) => &indicators[at..=at],
            None => "",
        };
        Header {
            style,
            chomping,
            comment,
        }
    }
}

/// What a header must say of the indentation of these lines: nothing, if their first text shows it. None if it cannot
/// be said.
fn indentation_indicator(lines: &[&str], offset: u32) -> Option<String> {
    let first = lines.iter().position(|line| !line.is_empty())?;
    if !lines[first].starts_with([' ', '\t']) {
        return Some(String::new());
    }
    (1..=9).contains(&offset).then(|| offset.to_string())
}

fn without_blank_end<'l, 't>(lines: &'l [&'t str]) -> &'l [&'t str] {
    let end = lines
        .iter()
        .rposition(|line| !line.is_empty())
        .map_or(0, |at| at + 1);
    &lines[..end]
}

fn owned<'d>(lines: &[&str]) -> Vec<Cow<'d, str>> {
    lines
        .iter()
        .map(|line| Cow::Owned((*line).to_owned()))
        .collect()
}

/// Merges lines and makes a value of the result; where the sides overlap, one value for each of them.
fn by_lines<'t, 'd>(
    versions: Sides<Vec<&'t str>>,
    value: impl Fn(&[&'t str]) -> Option<Draft<'d>>,
) -> Option<Outcome<'d>> {
    let Sides { base, ours, theirs } = &versions;
    let mine = lines::merge(base, ours, theirs, Overlap::Ours);
    if !mine.overlapped {
        return value(&mine.lines).map(Outcome::Clean);
    }
    let others = lines::merge(base, ours, theirs, Overlap::Theirs);
    Some(Outcome::Contested(
        value(&mine.lines)?,
        value(&others.lines)?,
    ))
}

/// The lines of a block scalar without the indentation that they share.
fn content(node: NodeRef<'_>) -> Vec<&str> {
    let column = node.data().column as usize;
    node.raw()
        .lines()
        .skip(1)
        .map(|line| {
            let spaces = line.bytes().take_while(|&byte| byte == b' ').count();
            &line[spaces.min(column)..]
        })
        .collect()
}

/// Merges texts in different styles by what they mean, if all of them have several lines.
pub(super) fn merge_decoded<'d>(versions: Sides<NodeRef<'d>>) -> Option<Outcome<'d>> {
    let texts = versions.map(|node| match (node.kind(), node.scalar()) {
        (Kind::Scalar(_), Some(Scalar::Str(text))) if text.trim_end().contains('\n') => Some(text),
        _ => None,
    });
    let bare = versions.iter().all(|node| node.data().props.is_empty());
    if !bare || texts.iter().any(Option::is_none) {
        return None;
    }
    let split = texts.as_ref().map(|text| {
        let text = text.as_deref().unwrap_or_default();
        text.split('\n').collect::<Vec<_>>()
    });
    let literal = versions
        .iter()
        .any(|node| node.kind() == Kind::Scalar(Style::Literal));
    by_lines(split, |lines| Some(rendered(lines, literal)))
}

/// How deep a text stands that was no block before.
const OFFSET: u32 = 2;

/// A text of several lines as a literal block where it can be one, else in double quotes.
fn rendered<'d>(lines: &[&str], literal: bool) -> Draft<'d> {
    let (content, header) = match lines {
        [content @ .., ""] => (content, "|"),
        content => (content, "|-"),
    };
    let printable = |line: &&str| !line.chars().any(|c| c.is_control() && c != '\t');
    let plain = content.last().is_some_and(|line| !line.is_empty());
    if literal
        && plain
        && content.iter().all(printable)
        && let Some(indent) = indentation_indicator(content, OFFSET)
    {
        return Draft::Block(BlockText {
            props: Cow::Borrowed(""),
            header: Cow::Owned(header.replace('|', &format!("|{indent}"))),
            offset: OFFSET,
            lines: owned(content),
        });
    }
    Draft::Token(Cow::Owned(crate::yaml::double_quoted(&lines.join("\n"))))
}
