//! What holds for the tree of every text that can be read: its ranges tile the text, and between them stand only
//! blanks, comments and indicators.

use rhema_crdt::yaml::{Document, EntryRef, Kind, NodeRef, Part, Style};

type Check = Result<(), String>;

/// Fails with what is wrong first.
macro_rules! ensure {
    ($holds:expr, $($message:tt)*) => {
        if !$holds {
            return Err(format!($($message)*));
        }
    };
}

/// Whether all invariants hold.
pub(crate) fn check(document: &Document) -> Check {
    let mut at = 0;
    for part in document.parts() {
        let span = part.span;
        ensure!(
            span.start == at,
            "a part begins at {} instead of {at}",
            span.start
        );
        ensure!(span.end >= span.start, "a part ends before it begins");
        at = span.end;
        check_part(document, part)?;
    }
    if let Some(last) = document.parts().last() {
        let length = document.text().len();
        ensure!(
            last.span.end as usize == length,
            "the last part ends at {at} of {length}"
        );
    } else {
        let text = document.text();
        ensure!(is_outside(text), "no part, but text: {text:?}");
    }
    Ok(())
}

fn check_part(document: &Document, part: &Part) -> Check {
    let root = document.node(part.root);
    let (start, end) = outer_range(root);
    let (span, text) = (part.span, document.text());
    ensure!(
        span.start <= start && end <= span.end,
        "the root {start}..{end} leaves its part {span:?}"
    );
    let above = &text[span.start as usize..start as usize];
    let below = &text[end as usize..span.end as usize];
    ensure!(is_outside(above), "text above the root: {above:?}");
    ensure!(is_outside(below), "text below the root: {below:?}");
    check_node(root)?;
    ensure!(root.means(root), "the root does not mean itself");
    ensure!(
        root.meaning_hash() == root.meaning_hash(),
        "two hashes of one root"
    );
    Ok(())
}

fn check_node(node: NodeRef<'_>) -> Check {
    let data = node.data();
    ensure!(
        data.span.start <= data.span.end,
        "a node ends before it begins"
    );
    if !data.props.is_empty() {
        let text = node.document().text();
        let gap = &text[data.props.end as usize..data.span.start as usize];
        ensure!(is_trivia(gap), "text between properties and node: {gap:?}");
        ensure!(
            node.raw_with_props().starts_with(node.props()),
            "properties elsewhere"
        );
        for property in [data.anchor, data.tag] {
            let inside = data.props.start <= property.start && property.end <= data.props.end;
            ensure!(
                property.is_empty() || inside,
                "a property outside the properties"
            );
        }
    }
    match node.kind() {
        Kind::Scalar(style) => check_scalar(node, style),
        Kind::Alias => {
            let raw = node.raw();
            ensure!(raw.len() > 1 && raw.starts_with('*'), "no alias: {raw:?}");
            Ok(())
        }
        Kind::Mapping | Kind::Sequence if data.flow => check_flow(node),
        Kind::Mapping | Kind::Sequence => check_block(node),
    }
}

fn check_scalar(node: NodeRef<'_>, style: Style) -> Check {
    let raw = node.raw();
    ensure!(
        raw.is_empty() == (style == Style::Empty),
        "{style:?} written as {raw:?}"
    );
    let first = raw.chars().next();
    let opens = match style {
        Style::Empty => first.is_none(),
        Style::Plain => {
            first.is_some_and(|c| !c.is_ascii_whitespace() && !"#\"'[]{},|>@`%&*!".contains(c))
        }
        Style::Single => raw.len() > 1 && raw.starts_with('\'') && raw.ends_with('\''),
        Style::Double => raw.len() > 1 && raw.starts_with('"') && raw.ends_with('"'),
        Style::Literal => first == Some('|'),
        Style::Folded => first == Some('>'),
    };
    ensure!(opens, "{style:?} written as {raw:?}");
    if style == Style::Plain {
        let trimmed = raw.trim_matches([' ', '\t', '\r', '\n']);
        ensure!(raw == trimmed, "blanks around a plain scalar: {raw:?}");
        ensure!(
            !raw.contains(" #") && !raw.contains(": "),
            "two things in one scalar: {raw:?}"
        );
    }
    if node.is_block_scalar() {
        let rest = &node.document().text()[node.data().span.end as usize..];
        let ended = raw.ends_with(['\n', '\r']) || rest.is_empty();
        ensure!(ended, "a block scalar ends inside a line: {raw:?}");
    }
    // Neither may panic.
    let _ = (node.text(), node.scalar());
    Ok(())
}

fn check_block(node: NodeRef<'_>) -> Check {
    let span = node.data().span;
    ensure!(!node.is_empty(), "a block collection without entries");
    ensure!(
        node.data().props.is_empty() || node.data().props.end <= span.start,
        "properties behind the node"
    );
    let mut at = span.start;
    for entry in node.entries() {
        ensure!(
            entry.data().lead == at,
            "an entry begins at {} instead of {at}",
            entry.data().lead
        );
        at = entry.data().end;
        check_entry(entry).map_err(|wrong| format!("{wrong} in {:?}", entry.raw()))?;
        check_ownership(entry).map_err(|wrong| format!("{wrong} in {:?}", entry.raw()))?;
    }
    ensure!(
        at <= span.end,
        "the last entry ends at {at}, its collection at {}",
        span.end
    );
    let foot = node.foot();
    ensure!(is_trivia(foot), "text in the foot: {foot:?}");
    let column = node.data().column as usize;
    let comments = own_line_comments(foot);
    ensure!(
        comments.first().is_none_or(|&first| first == column)
            && comments.iter().all(|&at| at >= column),
        "comments of another column than {column} in the foot: {foot:?}"
    );
    let all: String = node.entries().map(EntryRef::raw).collect();
    ensure!(
        format!("{all}{foot}") == node.raw(),
        "entries and foot do not make up {:?}",
        node.raw()
    );
    Ok(())
}

fn check_flow(node: NodeRef<'_>) -> Check {
    let (span, text) = (node.data().span, node.document().text());
    let raw = node.raw();
    let brackets = raw.starts_with(['[', '{']) && raw.ends_with([']', '}']);
    // A pair inside `[…]` is a mapping without brackets.
    let pair = !brackets
        || (node.len() == 1 && node.entries().all(|entry| entry.data().lead == span.start));
    let (mut at, close) = if pair {
        (span.start, span.end)
    } else {
        (span.start + 1, span.end - 1)
    };
    for entry in node.entries() {
        ensure!(
            entry.data().lead == at,
            "an element begins at {} instead of {at}",
            entry.data().lead
        );
        at = entry.data().end;
        check_entry(entry).map_err(|wrong| format!("{wrong} in {:?}", entry.raw()))?;
    }
    ensure!(
        at <= close,
        "the last element ends at {at}, its collection at {close}"
    );
    let rest = &text[at as usize..close as usize];
    ensure!(is_trivia(rest), "text behind the last element: {rest:?}");
    Ok(())
}

fn check_entry(entry: EntryRef<'_>) -> Check {
    let (data, text) = (entry.data(), entry.parent().document().text());
    let flow = entry.parent().data().flow;
    let (value_start, value_end) = outer_range(entry.value());
    let marks = [
        data.lead,
        data.start,
        data.after,
        value_start,
        value_end,
        data.end,
    ];
    ensure!(marks.is_sorted(), "marks out of order: {marks:?}");

    let (lead, sep, tail) = (entry.lead(), entry.sep(), entry.tail());
    let indentation = &text[data.lead as usize + lead.len()..data.start as usize];
    let whole = [
        lead,
        indentation,
        entry.head(),
        sep,
        entry.value().raw_with_props(),
        tail,
    ]
    .concat();
    ensure!(
        whole == entry.raw(),
        "pieces {whole:?} of {:?}",
        entry.raw()
    );
    ensure!(
        indentation.bytes().all(|byte| byte == b' '),
        "indentation {indentation:?}"
    );
    ensure!(
        flow || lead.is_empty() || lead.ends_with(['\n', '\r']),
        "a lead of half lines: {lead:?}"
    );
    ensure!(is_trivia(lead), "text in the lead: {lead:?}");
    ensure!(is_trivia(sep), "text before the value: {sep:?}");
    let behind = if flow {
        tail.strip_suffix(',').unwrap_or(tail)
    } else {
        tail
    };
    ensure!(is_trivia(behind), "text in the tail: {tail:?}");

    if let Some(key) = entry.key() {
        let (start, end) = outer_range(key);
        ensure!(
            data.start <= start && end <= data.after,
            "the key leaves the head"
        );
        check_node(key)?;
    }
    check_node(entry.value())
}

/// Which comments an entry of a block collection may own.
fn check_ownership(entry: EntryRef<'_>) -> Check {
    let column = entry.parent().data().column as usize;
    let (lead, tail) = (entry.lead(), entry.tail());
    // The first line of a tail stands beside the value, those below it are its own.
    let below = match entry.value().raw_with_props().ends_with(['\n', '\r']) {
        true => tail,
        false => tail.split_once(['\n', '\r']).map_or("", |(_, below)| below),
    };
    let deeper = own_line_comments(below).iter().all(|&at| at > column);
    ensure!(deeper, "a comment of the next entry in the tail: {tail:?}");
    let first = entry.data().lead == entry.parent().data().span.start;
    if !first {
        let comments = own_line_comments(lead);
        ensure!(
            comments.first().is_none_or(|&at| at <= column),
            "a comment of the entry before in the lead: {lead:?}"
        );
    }
    Ok(())
}

/// From the properties on, or from the node itself.
fn outer_range(node: NodeRef<'_>) -> (u32, u32) {
    let data = node.data();
    let start = if data.props.is_empty() {
        data.span.start
    } else {
        data.props.start
    };
    (start, data.span.end)
}

/// The columns of the comments that have a line of their own; `text` begins with a line.
fn own_line_comments(text: &str) -> Vec<usize> {
    lines(text)
        .filter_map(|line| {
            let content = line.trim_start_matches([' ', '\t']);
            content.starts_with('#').then(|| line.len() - content.len())
        })
        .collect()
}

/// Whether nothing but blanks, line breaks and comments stands in `text`.
fn is_trivia(text: &str) -> bool {
    lines(text).all(|line| {
        let content = line.trim_start_matches([' ', '\t']);
        content.is_empty() || content.starts_with('#')
    })
}

/// The same for what stands around a document's root: directives and markers too.
fn is_outside(text: &str) -> bool {
    lines(text).all(|line| {
        let line = line.trim_start_matches('\u{feff}');
        let directive = line.starts_with('%');
        let rest = line
            .strip_prefix("---")
            .or_else(|| line.strip_prefix("..."));
        directive || is_trivia(rest.unwrap_or(line))
    })
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split(['\n', '\r'])
}
