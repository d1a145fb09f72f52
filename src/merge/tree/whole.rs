//! Nodes that are taken as they stand, and what a collection takes from the versions of itself.

use std::borrow::Cow;

use crate::merge::sides::Sides;
use crate::merge::trivia;
use crate::yaml::{Draft, Kind, NodeRef, Piece, Style};

/// Of two nodes that mean the same, the one that is written in another way than in the base; if both are, the greater.
pub(super) fn written_anew<'d>(
    base: Option<NodeRef<'d>>,
    ours: NodeRef<'d>,
    theirs: NodeRef<'d>,
) -> NodeRef<'d> {
    let writing = |node: NodeRef<'_>| {
        let data = node.data();
        let deeper = data.column as i32 - data.parent_column.max(0);
        (
            node.kind(),
            data.flow,
            node.is_block_scalar().then_some(deeper),
        )
    };
    let base = base.map(writing);
    let (mine, others) = (writing(ours), writing(theirs));
    if mine != others && base == Some(mine) {
        theirs
    } else if mine != others && base == Some(others)
        || ours.raw_with_props() >= theirs.raw_with_props()
    {
        ours
    } else {
        theirs
    }
}

/// Anchor and tag of a merged collection with what stands behind them; none if both sides changed them in different
/// ways.
pub(super) fn merged_props<'d>(
    versions: Sides<Option<NodeRef<'d>>>,
    ours: NodeRef<'d>,
    theirs: NodeRef<'d>,
) -> Option<Piece<'d>> {
    let props = trivia::pick(versions.map(|node| node.map(NodeRef::props)))?;
    let base = versions.base.map(NodeRef::props);
    if ours.props() != theirs.props() && base != Some(ours.props()) && base != Some(theirs.props())
    {
        return None;
    }
    if props.is_empty() {
        return Some(Piece::default());
    }
    let flow = (if ours.props() == props { ours } else { theirs })
        .data()
        .flow;
    let behind = versions.map(|node| {
        let node = node.filter(|node| node.props() == props && node.data().flow == flow)?;
        let data = node.data();
        let text = node.document().between(data.props.end, data.span.start);
        Some(Piece::new(text, data.parent_column))
    });
    let behind = trivia::separators(behind).unwrap_or_default();
    Some(Piece::new(format!("{props}{}", behind.text), behind.column))
}

/// A collection without entries.
pub(super) fn empty<'d>(kind: Kind, props: &Piece<'_>) -> Draft<'d> {
    let brackets = if kind == Kind::Mapping { "{}" } else { "[]" };
    let props: Vec<&str> = props
        .text
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .take_while(|word| !word.starts_with('#'))
        .collect();
    let text = match props.as_slice() {
        [] => brackets.to_owned(),
        props => format!("{} {brackets}", props.join(" ")),
    };
    Draft::Token(Cow::Owned(text))
}

/// The flow collection whose spacing the merged one follows.
pub(super) fn flow_model(versions: Sides<Option<NodeRef<'_>>>) -> Option<NodeRef<'_>> {
    let shape = |node: NodeRef<'_>| {
        let raw = node.raw();
        (
            raw.contains('\n'),
            raw.starts_with("[ ") || raw.starts_with("{ "),
        )
    };
    let filled = versions.map(|node| node.filter(|node| node.data().flow && !node.is_empty()));
    let wanted = trivia::pick(filled.map(|node| node.map(shape)))?;
    filled
        .iter()
        .copied()
        .flatten()
        .filter(|node| shape(*node) == wanted)
        .max_by(|a, b| {
            a.len()
                .min(2)
                .cmp(&b.len().min(2))
                .then_with(|| a.raw().cmp(b.raw()))
        })
}

/// A scalar of one line whose value one side changed while the other changed its anchor or tag.
pub(super) fn apart<'d>(versions: Sides<NodeRef<'d>>) -> Option<Draft<'d>> {
    let inline = |node: &NodeRef<'_>| {
        matches!(node.kind(), Kind::Scalar(style) if !matches!(style, Style::Literal | Style::Folded))
            && !node.raw_with_props().contains('\n')
    };
    if !versions.iter().all(inline) {
        return None;
    }
    let props = one_changed(versions.map(NodeRef::props))?;
    let value = one_changed(versions.map(NodeRef::raw))?;
    let text = format!("{props} {value}");
    Some(Draft::Token(Cow::Owned(text.trim().to_owned())))
}

/// What is left of three versions if the sides did not change it in different ways.
pub(super) fn one_changed<T: PartialEq>(versions: Sides<T>) -> Option<T> {
    let Sides { base, ours, theirs } = versions;
    if ours == theirs || base == theirs {
        Some(ours)
    } else {
        (base == ours).then_some(theirs)
    }
}
