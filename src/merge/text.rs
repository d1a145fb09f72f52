//! Texts of several lines that both sides changed: merged by lines. Where both changed the same lines, the text is
//! contested in these lines only.

use std::borrow::Cow;

use super::lines::{self, Overlap};
use super::sides::Sides;
use super::tree::Outcome;
use super::trivia;
use crate::yaml::{BlockText, Draft, Kind, NodeRef, Scalar, Side, Style};

/// The merged text, if all versions are texts of several lines.
pub(super) fn merge<'d>(versions: Sides<NodeRef<'d>>) -> Option<Outcome<'d>> {
    let kind = versions.base.kind();
    if versions
        .iter()
        .all(|node| node.is_block_scalar() && node.kind() == kind)
    {
        return as_written(versions);
    }
    decoded(versions)
}

/// Block scalars of one style are merged as they are written, so that folded lines stay as they were broken.
fn as_written<'d>(versions: Sides<NodeRef<'d>>) -> Option<Outcome<'d>> {
    let header = trivia::pick(versions.map(|node| Some(header(node))))?;
    if header.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let offset = trivia::pick(versions.map(|node| {
        let data = node.data();
        Some(data.column as i32 - data.parent_column)
    }))?;
    let offset = u32::try_from(offset).ok()?;
    let props = trivia::pick(versions.map(|node| Some(node.props())))?;
    let props = match props {
        "" => String::new(),
        props => format!("{props} "),
    };
    by_lines(versions.map(content), |lines| {
        let text = BlockText {
            props: Cow::Owned(props.clone()),
            header: Cow::Borrowed(header),
            offset,
            lines: lines
                .iter()
                .map(|line| Cow::Owned((*line).to_owned()))
                .collect(),
        };
        needs_no_indicators(lines).then_some(Draft::Block(text))
    })
}

/// Merges lines and makes a value of the result; where the sides overlap, one value for each of them.
fn by_lines<'t, 'd>(
    versions: Sides<Vec<&'t str>>,
    value: impl Fn(&[&'t str]) -> Option<Draft<'d>>,
) -> Option<Outcome<'d>> {
    let Sides { base, ours, theirs } = &versions;
    let mine = lines::merge(base, ours, theirs, Overlap::Take(Side::Ours));
    if !mine.overlapped {
        return value(&mine.lines).map(Outcome::Clean);
    }
    let others = lines::merge(base, ours, theirs, Overlap::Take(Side::Theirs));
    Some(Outcome::Contested(
        value(&mine.lines)?,
        value(&others.lines)?,
    ))
}

/// Whether the lines of a block scalar can be written without an indentation indicator and without `+`.
fn needs_no_indicators(lines: &[&str]) -> bool {
    let first = lines.iter().find(|line| !line.is_empty());
    first.is_some_and(|line| !line.starts_with([' ', '\t']))
        && lines.last().is_some_and(|line| !line.is_empty())
}

fn header(node: NodeRef<'_>) -> &str {
    node.raw().lines().next().unwrap_or_default().trim_end()
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

/// Texts in different styles are merged by what they mean.
fn decoded<'d>(versions: Sides<NodeRef<'d>>) -> Option<Outcome<'d>> {
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

/// A text of several lines as a literal block where it can be one, else in double quotes.
fn rendered<'d>(lines: &[&str], literal: bool) -> Draft<'d> {
    let (content, header) = match lines {
        [content @ .., ""] => (content, "|"),
        content => (content, "|-"),
    };
    let printable = |line: &&str| !line.chars().any(|c| c.is_control() && c != '\t');
    if literal && content.iter().all(printable) && needs_no_indicators(content) {
        return Draft::Block(BlockText {
            props: Cow::Borrowed(""),
            header: Cow::Borrowed(header),
            offset: 2,
            lines: content
                .iter()
                .map(|line| Cow::Owned((*line).to_owned()))
                .collect(),
        });
    }
    Draft::Token(Cow::Owned(crate::yaml::double_quoted(&lines.join("\n"))))
}
