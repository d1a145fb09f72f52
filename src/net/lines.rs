//! Which lines there are, and which of them stay. Without input and output: it says what to do.

use std::collections::BTreeMap;

use tokio::time::Instant;

use super::ending::Close;
use super::identity::PublicKey;
use super::limits;
use super::line::LineId;

/// A peer's process, as it introduced itself on a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Process {
    /// What it drew when it began.
    pub(super) boot: u64,
    /// Whether it means to stay.
    pub(super) stays: bool,
}

/// What is known of a line.
#[derive(Clone, Debug)]
struct Entry<H> {
    peer: PublicKey,
    dialled: bool,
    since: Instant,
    process: Option<Process>,
    /// Whether what comes on it comes on other lines, too, or nothing ever came.
    is_spare: bool,
    handle: H,
}

/// The lines of a node, each with what ends it.
#[derive(Debug)]
pub(super) struct Lines<H> {
    own: PublicKey,
    all: BTreeMap<LineId, Entry<H>>,
}

impl<H: Clone> Lines<H> {
    /// None yet.
    pub(super) fn new(own: PublicKey) -> Self {
        Self {
            own,
            all: BTreeMap::new(),
        }
    }

    /// A line more; those that have to go for it, or the reason why it cannot stay.
    pub(super) fn add(
        &mut self,
        id: LineId,
        peer: PublicKey,
        dialled: bool,
        handle: H,
    ) -> Result<Vec<(H, Close)>, Close> {
        let siblings: Vec<_> = self.with(&peer).collect();
        let (out, close) = if siblings.len() >= limits::LINES_PER_KEY {
            // Whoever has the key asks for a new one, so one of its own has to go: a visit before a watcher's.
            let stays = |entry: &Entry<H>| entry.process.is_some_and(|process| process.stays);
            let oldest = siblings
                .iter()
                .find(|(_, entry)| !stays(entry))
                .or(siblings.first());
            (oldest.map(|(id, _)| *id), Close::Replaced)
        } else if self.all.len() >= limits::LINES {
            (Some(self.least_needed().ok_or(Close::Full)?), Close::Full)
        } else {
            (None, Close::Replaced)
        };
        let gone = self.remove_all(out.into_iter().collect(), close);
        self.all.insert(
            id,
            Entry {
                peer,
                dialled,
                since: Instant::now(),
                process: None,
                is_spare: false,
                handle,
            },
        );
        Ok(gone)
    }

    /// The line that has to go where there are too many: one that is spare, else the one that lasted longest. So nobody is kept
    /// out for good, and nobody has to go who just came.
    fn least_needed(&self) -> Option<LineId> {
        let now = Instant::now();
        let settled = self.all.iter();
        let settled = settled.filter(|(_, entry)| now - entry.since >= limits::SETTLED);
        settled
            .min_by_key(|(_, entry)| (!entry.is_spare, entry.since))
            .map(|(id, _)| *id)
    }

    /// Whether a line can be done without.
    pub(super) fn set_spare(&mut self, id: LineId, is_spare: bool) {
        if let Some(entry) = self.all.get_mut(&id) {
            entry.is_spare = is_spare;
        }
    }

    /// Takes out what we called, can be done without and is with nobody of those who are `wanted`, as far as enough is left.
    pub(super) fn take_spare(&mut self, is_wanted: impl Fn(&PublicKey) -> bool) -> Vec<H> {
        let now = Instant::now();
        let is_to_go = |entry: &Entry<H>| {
            entry.dialled
                && entry.is_spare
                && now - entry.since >= limits::SETTLED
                && !is_wanted(&entry.peer)
        };
        let spare = self.all.iter().filter(|(_, entry)| is_to_go(entry));
        let most = self.all.len().saturating_sub(limits::ENOUGH);
        let spare = spare.take(most).map(|(id, _)| *id).collect();
        let gone = self.remove_all(spare, Close::Left);
        gone.into_iter().map(|(line, _)| line).collect()
    }

    /// A line's peer said which process it is; the lines that end by that.
    ///
    /// A process calls only where it has no line, so of two lines between the same two processes the later one stays: to the
    /// caller the other one is dead. Where both called at once, the one stays that the smaller key called. Only the side with
    /// the smaller key decides, so that the two never choose differently.
    ///
    /// A process that stays takes the place of another one that stayed: a key has one watcher.
    pub(super) fn introduced(&mut self, id: LineId, process: Process) -> Vec<(H, Close)> {
        let Some(entry) = self.all.get_mut(&id) else {
            return Vec::new();
        };
        entry.process = Some(process);
        let peer = entry.peer;
        let (mut same, mut former) = (Vec::new(), Vec::new());
        for (other, entry) in self.with(&peer) {
            match entry.process {
                Some(known) if known.boot == process.boot => same.push((other, entry)),
                Some(known) if known.stays && process.stays && other < id => former.push(other),
                _ => {}
            }
        }
        let last = same.iter().map(|(_, entry)| entry.since).max();
        let winner = same.iter().min_by_key(|(other, entry)| {
            let outdated = last.is_some_and(|last| last - entry.since > limits::AT_ONCE);
            (outdated, !entry.dialled, *other)
        });
        let duplicates = match winner {
            Some((winner, _)) if self.own < peer => {
                let all = same.iter().map(|(other, _)| *other);
                all.filter(|other| other != winner).collect()
            }
            _ => Vec::new(),
        };
        let mut gone = self.remove_all(former, Close::Replaced);
        gone.extend(self.remove_all(duplicates, Close::Duplicate));
        gone
    }

    /// A line has ended.
    pub(super) fn remove(&mut self, id: LineId) {
        self.all.remove(&id);
    }

    /// Whether there is a line with this key.
    pub(super) fn has(&self, peer: &PublicKey) -> bool {
        self.with(peer).next().is_some()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = (&PublicKey, &H)> {
        self.all.values().map(|entry| (&entry.peer, &entry.handle))
    }

    fn with(&self, peer: &PublicKey) -> impl Iterator<Item = (LineId, &Entry<H>)> {
        self.all
            .iter()
            .filter(move |(_, entry)| entry.peer == *peer)
            .map(|(id, entry)| (*id, entry))
    }

    fn remove_all(&mut self, ids: Vec<LineId>, close: Close) -> Vec<(H, Close)> {
        ids.into_iter()
            .filter_map(|id| Some((self.all.remove(&id)?.handle, close)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOW: PublicKey = [1; 32];
    const HIGH: PublicKey = [2; 32];

    fn watcher(boot: u64) -> Process {
        Process { boot, stays: true }
    }

    fn visitor(boot: u64) -> Process {
        Process { boot, stays: false }
    }

    /// Lines with `peer`, named by their numbers; each dialled by us or not.
    fn lines(own: PublicKey, peer: PublicKey, dialled: &[bool]) -> (Lines<usize>, Vec<LineId>) {
        let mut lines = Lines::new(own);
        let ids: Vec<_> = dialled.iter().map(|_| LineId::next()).collect();
        for ((number, id), dialled) in ids.iter().enumerate().zip(dialled) {
            assert_eq!(lines.add(*id, peer, *dialled, number), Ok(Vec::new()));
        }
        (lines, ids)
    }

    #[test]
    fn of_two_lines_the_one_stays_that_the_smaller_key_called() {
        for order in [[0, 1], [1, 0]] {
            let (mut low, ids) = lines(LOW, HIGH, &[false, true]);
            assert_eq!(low.introduced(ids[order[0]], watcher(7)), []);
            let gone = low.introduced(ids[order[1]], watcher(7));
            assert_eq!(gone, [(0, Close::Duplicate)], "its own call stays");
            assert_eq!(low.introduced(ids[1], watcher(7)), [], "once is enough");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_that_comes_long_after_another_means_that_the_other_is_dead() {
        let (mut low, mut ids) = lines(LOW, HIGH, &[true]);
        assert_eq!(low.introduced(ids[0], watcher(7)), []);
        tokio::time::advance(2 * limits::AT_ONCE).await;
        ids.push(LineId::next());
        assert_eq!(low.add(ids[1], HIGH, false, 1), Ok(Vec::new()));
        let gone = low.introduced(ids[1], watcher(7));
        assert_eq!(gone, [(0, Close::Duplicate)]);
    }

    #[test]
    fn the_greater_key_leaves_it_to_the_smaller() {
        let (mut high, ids) = lines(HIGH, LOW, &[false, true]);
        assert_eq!(high.introduced(ids[0], watcher(7)), []);
        assert_eq!(high.introduced(ids[1], watcher(7)), []);
    }

    #[test]
    fn a_peer_that_was_started_anew_takes_the_place_of_its_former_self() {
        for (own, peer) in [(LOW, HIGH), (HIGH, LOW)] {
            let (mut lines, ids) = lines(own, peer, &[true, true]);
            assert_eq!(lines.introduced(ids[0], watcher(7)), []);
            let gone = lines.introduced(ids[1], watcher(8));
            assert_eq!(gone, [(0, Close::Replaced)]);
        }
    }

    #[test]
    fn a_visit_takes_nobodys_place() {
        let (mut lines, ids) = lines(LOW, HIGH, &[true, false]);
        assert_eq!(lines.introduced(ids[0], watcher(7)), []);
        assert_eq!(lines.introduced(ids[1], visitor(8)), []);
        let third = LineId::next();
        assert_eq!(lines.add(third, HIGH, false, 2), Ok(Vec::new()));
        let fourth = lines.add(LineId::next(), HIGH, false, 3);
        assert_eq!(
            fourth,
            Ok(vec![(1, Close::Replaced)]),
            "the visit goes first"
        );
    }

    /// As many lines as there may be, each with another key, and one more key.
    fn full() -> (Lines<usize>, Vec<LineId>, PublicKey) {
        let mut lines = Lines::new(LOW);
        let key = |number: usize| [u8::try_from(number + 2).unwrap(); 32];
        let enter = |number: usize| {
            let id = LineId::next();
            assert_eq!(lines.add(id, key(number), true, number), Ok(Vec::new()));
            id
        };
        let ids = (0..limits::LINES).map(enter).collect();
        (lines, ids, key(limits::LINES))
    }

    #[tokio::test(start_paused = true)]
    async fn who_just_came_does_not_have_to_go_for_another_one() {
        let (mut lines, _, one_more) = full();
        let added = lines.add(LineId::next(), one_more, false, 99);
        assert_eq!(added, Err(Close::Full));
    }

    #[tokio::test(start_paused = true)]
    async fn where_there_are_too_many_one_goes_that_is_spare_or_else_the_oldest() {
        let (mut lines, ids, one_more) = full();
        lines.set_spare(ids[7], true);
        tokio::time::advance(limits::SETTLED).await;
        let gone = lines.add(LineId::next(), one_more, false, 99);
        assert_eq!(gone, Ok(vec![(7, Close::Full)]));
        let gone = lines.add(LineId::next(), [1; 32], false, 100);
        assert_eq!(gone, Ok(vec![(0, Close::Full)]));
        let last = lines.add(LineId::next(), [254; 32], false, 101);
        assert_eq!(last, Ok(vec![(1, Close::Full)]), "and not who just came");
    }

    #[tokio::test(start_paused = true)]
    async fn what_we_called_goes_when_it_is_spare_and_nobody_wants_it() {
        let (mut lines, ids, called_us) = full();
        lines.remove(ids[0]);
        let incoming = LineId::next();
        lines.add(incoming, called_us, false, 99).unwrap();
        lines.set_spare(incoming, true);
        ids[1..9].iter().for_each(|id| lines.set_spare(*id, true));
        let is_wanted = |peer: &PublicKey| *peer == [3; 32];
        assert!(lines.take_spare(is_wanted).is_empty(), "they just came");
        tokio::time::advance(limits::SETTLED).await;
        assert_eq!(lines.take_spare(is_wanted), (2..9).collect::<Vec<_>>());
        ids.iter().for_each(|id| lines.set_spare(*id, true));
        lines.take_spare(|_| false);
        assert_eq!(lines.len(), limits::ENOUGH);
    }
}
