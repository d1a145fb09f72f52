//! Values written by indentation: block scalars and block collections.

use super::super::draft::{BlockText, Collection, Piece, header_of, is_compact, props_of};
use super::super::lines::line_length;
use super::super::tree::{Kind, NodeRef};
use super::{Behind, Emitter, Holder, Place, Text};

/// What decides where a block collection begins.
struct Shape<'s, 'd> {
    kind: Kind,
    props: &'s Piece<'d>,
    /// How much deeper than the collection around it its entries stand.
    offset: i32,
    /// Whether it begins in the line of its indicator if it can.
    compact: bool,
    /// Whether a comment stands above its first entry.
    commented: bool,
}

impl<'d> Emitter<'d> {
    /// Writes a block scalar as it stands, in its new column.
    pub(super) fn keep_text(&mut self, node: NodeRef<'d>, beside: &str, place: Place) {
        let data = node.data();
        let delta = place.column - data.parent_column;
        self.continued(&props_of(node).text, delta);
        let header = header_of(node);
        let content = &node.raw()[header.len()..];
        let column = data.column as i32 + delta;
        let indicator = header[1..].split([' ', '\t', '#']).next();
        let digit = indicator.and_then(|text| text.find(|c: char| c.is_ascii_digit()));
        match digit {
            // The root has no column of its own, so an indicator there counts from another one than below it.
            Some(at) if (data.parent_column < 0) != (place.column < 0) => {
                self.out.push_str(&header[..=at]);
                self.out
                    .push_str(&(column - place.column.max(0)).to_string());
                self.out.push_str(&header[at + 2..]);
            }
            _ => self.out.push_str(header),
        }
        self.beside_header(beside);
        let first = line_length(content);
        self.out.push_str(&content[..first]);
        self.moved(&content[first..], delta);
        self.behind = Behind::Node(node, delta);
    }

    /// Writes a new block scalar.
    pub(super) fn block_text(&mut self, text: &BlockText<'_>, beside: &str, place: Place) {
        self.out.push_str(&text.props);
        self.out.push_str(&text.header);
        self.beside_header(beside);
        self.out.push_str(self.newline);
        let column = place.column.max(0) + text.offset as i32;
        for line in &text.lines {
            if !line.is_empty() {
                self.indent(column);
                self.out.push_str(line);
            }
            self.out.push_str(self.newline);
        }
        let indicators = text.header.split([' ', '\t', '#']).next();
        self.behind = Behind::Text(Text {
            column: column.max(0) as usize,
            keep: indicators.is_some_and(|text| text.contains('+')),
        });
    }

    /// Writes a comment that stood beside a value of one line behind the header of a block scalar.
    fn beside_header(&mut self, beside: &str) {
        let comment = beside.trim_end_matches(['\n', '\r']);
        if !comment.trim().is_empty() {
            self.out.push_str(comment);
        }
    }

    /// Writes a block collection as it stands, in its new column.
    pub(super) fn keep_block(
        &mut self,
        node: NodeRef<'d>,
        sep: &Piece<'d>,
        beside: &str,
        place: Place,
    ) {
        let data = node.data();
        let props = props_of(node);
        let compact = is_compact(node);
        let shape = Shape {
            kind: data.kind,
            props: &props,
            offset: data.column as i32 - data.parent_column,
            compact,
            commented: false,
        };
        let (column, in_line) = self.begin(&shape, sep, beside, place);
        if in_line != compact {
            self.entries(&Collection::of(node), column, in_line);
            return;
        }
        let delta = column - data.column as i32;
        if in_line {
            self.continued(node.raw(), delta);
        } else {
            self.moved(node.raw(), delta);
        }
        self.behind = Behind::Node(node, delta);
        self.previous = None;
    }

    /// Writes a block collection that has an entry to write.
    pub(super) fn block(
        &mut self,
        collection: &Collection<'d>,
        sep: &Piece<'d>,
        beside: &str,
        place: Place,
    ) {
        let first = collection
            .entries
            .iter()
            .find(|entry| self.is_written(entry));
        let shape = Shape {
            kind: collection.kind,
            props: &collection.props,
            offset: collection.offset,
            compact: collection.compact,
            commented: first.is_some_and(|entry| entry.lead().contains('#')),
        };
        let (column, in_line) = self.begin(&shape, sep, beside, place);
        self.entries(collection, column, in_line);
    }

    /// Writes what stands between an indicator and the first entry of a collection; says in which column its entries
    /// stand and whether the first of them continues the line.
    fn begin(
        &mut self,
        shape: &Shape<'_, 'd>,
        sep: &Piece<'d>,
        beside: &str,
        place: Place,
    ) -> (i32, bool) {
        // Only a list may stand in the column of the mapping around it.
        let least = match (place.holder, shape.kind) {
            (Holder::Mapping, Kind::Sequence) => 0,
            _ => 1,
        };
        let offset = if shape.offset < least {
            2
        } else {
            shape.offset
        };
        let column = place.column + offset;
        let delta = place.column - sep.column;
        let breaks = sep.text.contains(['\n', '\r']);
        let comment = beside.trim();
        let compact = shape.compact
            && place.holder == Holder::Sequence
            && shape.props.text.is_empty()
            && !shape.commented
            && !breaks
            && comment.is_empty()
            && offset >= 2;
        if compact {
            self.indent(offset - 1);
            return (column, true);
        }
        if shape.props.text.is_empty() {
            if breaks {
                self.continued(&sep.text, delta);
            }
        } else {
            self.sep(sep, place);
            let delta = place.column - shape.props.column;
            self.continued(&shape.props.text, delta);
        }
        self.trim_blanks();
        if !comment.is_empty() {
            if self.at_line_start() {
                self.indent(column);
                self.out.push_str(comment);
            } else {
                self.out.push_str(beside);
            }
        }
        self.start_line();
        (column, false)
    }

    fn entries(&mut self, collection: &Collection<'d>, column: i32, in_line: bool) {
        let place = Place {
            holder: Holder::of(collection.kind),
            column,
        };
        self.previous = None;
        self.behind = Behind::Other;
        let mut first = true;
        for entry in &collection.entries {
            if self.is_written(entry) {
                self.entry(entry, place, in_line && first);
                first = false;
            }
        }
        self.piece(&collection.foot, column);
    }
}
