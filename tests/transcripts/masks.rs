//! What differs from one run to the next, and what is shown in its place.

use std::collections::HashMap;

use regex::{Captures, Regex};

/// Gives what differs each time the same names each time: the first stamp that is seen is always called the same, and so on.
pub(crate) struct Masks {
    folder: String,
    rules: Vec<(Regex, Kind)>,
    seen: HashMap<(Kind, String), String>,
    counts: HashMap<Kind, usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// An edit's name.
    Stamp,
    /// Who made it.
    Replica,
    /// A work tree's name.
    Node,
    /// An object of git, in full.
    Object,
    /// The same, in short.
    Short,
    /// A day and the time.
    Moment,
    /// A new record's name.
    Identity,
    /// How long ago something was.
    Age,
}

impl Masks {
    pub(crate) fn new(folder: &str) -> Self {
        // In the order in which they are tried at one place.
        let rules = [
            (Kind::Object, r"\b[0-9a-f]{40}\b"),
            (
                Kind::Stamp,
                r"\b[0-9a-hjkmnp-tv-z]{8}-[0-9a-hjkmnp-tv-z]{6}\b",
            ),
            (
                Kind::Identity,
                r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            ),
            (Kind::Node, r"\b[0-9a-hjkmnp-tv-z]{16}\b"),
            (
                Kind::Moment,
                r"\b20[0-9]{2}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})?",
            ),
            (Kind::Age, r"\bjust now\b|\b[0-9]+ (s|min|seconds) ago\b"),
        ];
        let rules = rules
            .into_iter()
            .map(|(kind, rule)| (Regex::new(rule).unwrap(), kind));
        Self {
            folder: folder.to_owned(),
            rules: rules.collect(),
            seen: HashMap::new(),
            counts: HashMap::new(),
        }
    }

    /// From now on this commit is shown under a name of its own.
    pub(crate) fn commit(&mut self, id: &str) {
        self.named(Kind::Object, id);
        let rule = Regex::new(&format!(r"\b{}[0-9a-f]{{0,5}}\b", &id[..7])).unwrap();
        if !self
            .rules
            .iter()
            .any(|(known, _)| known.as_str() == rule.as_str())
        {
            self.rules.push((rule, Kind::Short));
        }
    }

    /// A text as it is shown.
    pub(crate) fn apply(&mut self, text: &str) -> String {
        let mut text = text.replace(&self.folder, "~");
        for at in 0..self.rules.len() {
            let (rule, kind) = self.rules[at].clone();
            text = rule
                .replace_all(&text, |found: &Captures<'_>| self.named(kind, &found[0]))
                .into_owned();
        }
        text
    }

    fn named(&mut self, kind: Kind, text: &str) -> String {
        // A commit in short is named as it is in full.
        let key = match kind {
            Kind::Short => text[..7].to_owned(),
            _ => text.to_owned(),
        };
        if let Some(known) = self.seen.get(&(kind, key.clone())) {
            return known.clone();
        }
        let mut count = |kind| {
            let count = self.counts.entry(kind).or_default();
            *count += 1;
            *count
        };
        let name = match kind {
            Kind::Stamp => {
                let replica = text[9..].to_owned();
                let known = self.seen.get(&(Kind::Replica, replica.clone())).cloned();
                let by = known.unwrap_or_else(|| {
                    let by = format!("{:06}", count(Kind::Replica)).replace('0', "r");
                    self.seen.insert((Kind::Replica, replica), by.clone());
                    by
                });
                let count = self.counts.entry(Kind::Stamp).or_default();
                *count += 1;
                format!("6aje{count:04}-{by}")
            }
            Kind::Node => format!("n0de{:012}", count(kind)),
            Kind::Object => format!("{:040x}", count(kind) * 0x0111_1111),
            Kind::Short => format!("c0de{:03}", count(kind)),
            Kind::Identity => format!("00000000-0000-4000-8000-{:012}", count(kind)),
            Kind::Moment if text.contains('T') => "2026-11-20T14:03:00Z".to_owned(),
            Kind::Moment => "2026-11-20 14:03".to_owned(),
            Kind::Age => "just now".to_owned(),
            Kind::Replica => text.to_owned(),
        };
        self.seen.insert((kind, key), name.clone());
        name
    }
}
