//! Texts of several lines that both sides changed: merged by lines, or contested as a whole.

use std::borrow::Cow;

use super::lines::{self, Overlap};
use super::sides::Sides;
use super::trivia;
use crate::yaml::{BlockText, Draft, Kind, NodeRef, Scalar, Style};

/// The merged text, if all versions are texts of several lines and no region was changed by both sides.
pub(super) fn merge<'d>(
    base: NodeRef<'d>,
    ours: NodeRef<'d>,
    theirs: NodeRef<'d>,
) -> Option<Draft<'d>> {
    let versions = Sides { base, ours, theirs };
    if base.is_block_scalar() && ours.kind() == base.kind() && theirs.kind() == base.kind() {
        return block(versions);
    }
    decoded(versions)
}

/// Block scalars of one style are merged as they are written, so that folded lines stay as they were broken.
fn block<'d>(versions: Sides<NodeRef<'d>>) -> Option<Draft<'d>> {
    let header = trivia::pick(versions.map(|node| Some(header(node))))?;
    if header.contains(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let Sides { base, ours, theirs } = versions.map(content);
    let merged = lines::merge(&base, &ours, &theirs, Overlap::Refuse)?;
    let offset = trivia::pick(versions.map(|node| {
        let data = node.data();
        Some(data.column as i32 - data.parent_column)
    }))?;
    let props = trivia::pick(versions.map(|node| Some(node.props())))?;
    let text = BlockText {
        props: if props.is_empty() {
            Cow::Borrowed("")
        } else {
            Cow::Owned(format!("{props} "))
        },
        header: Cow::Borrowed(header),
        offset: u32::try_from(offset).ok()?,
        lines: merged.into_iter().map(Cow::Borrowed).collect(),
    };
    // A first line that is deeper than the rest, or blank at the end, would need indicators that are not there.
    let plain = text
        .lines
        .first()
        .is_some_and(|line| !line.starts_with([' ', '\t']) && !line.is_empty())
        && text.lines.last().is_some_and(|line| !line.is_empty());
    plain.then_some(Draft::Block(text))
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
fn decoded<'d>(versions: Sides<NodeRef<'d>>) -> Option<Draft<'d>> {
    let texts = versions.map(|node| match (node.kind(), node.scalar()) {
        (Kind::Scalar(_), Some(Scalar::Str(text))) if text.trim_end().contains('\n') => Some(text),
        _ => None,
    });
    let Sides {
        base: Some(base),
        ours: Some(ours),
        theirs: Some(theirs),
    } = texts
    else {
        return None;
    };
    if !versions.iter().all(|node| node.data().props.is_empty()) {
        return None;
    }
    let split = |text: &'_ str| -> Vec<String> { text.split('\n').map(str::to_owned).collect() };
    let (base, ours, theirs) = (split(&base), split(&ours), split(&theirs));
    fn borrowed(lines: &[String]) -> Vec<&str> {
        lines.iter().map(String::as_str).collect()
    }
    let merged = lines::merge(
        &borrowed(&base),
        &borrowed(&ours),
        &borrowed(&theirs),
        Overlap::Refuse,
    )?;
    let literal = versions
        .iter()
        .any(|node| node.kind() == Kind::Scalar(Style::Literal));
    Some(render(&merged, literal))
}

/// A text of several lines as a literal block where it can be one, else in double quotes.
fn render<'d>(lines: &[&str], literal: bool) -> Draft<'d> {
    let (content, header) = match lines {
        [content @ .., ""] => (content, "|"),
        content => (content, "|-"),
    };
    let plain = |line: &str| !line.chars().any(|c| c.is_control() && c != '\t');
    let fits = literal
        && content.iter().all(|line| plain(line))
        && content
            .first()
            .is_some_and(|line| !line.is_empty() && !line.starts_with([' ', '\t']))
        && content.last().is_some_and(|line| !line.is_empty());
    if fits {
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
