//! How much a session takes and says. What is beyond that no honest replica says.

/// Milliseconds: of time that passes, or since the Unix epoch.
pub type Millis = u64;

/// A second.
pub(super) const SECOND: Millis = 1_000;

/// The protocol versions that are spoken here, oldest and newest. Version 1 said what an edit saw stamp by stamp; version 2 proved
/// nobody's edits.
pub const VERSIONS: (u16, u16) = (3, 3);

/// Edits in one message that is said: so many that what surrounds them does not matter, and so few that a shelf has them
/// stored within a blink.
pub const MOST_EDITS_SAID: usize = 1_024;

/// Messages with edits that may be under way at one time: enough that a link with a round trip of 200 ms carries 5 MB a
/// second, and not more than the other side can hold.
pub const WINDOW: usize = 4;

/// Edits in one message that is taken: others may cut their messages in another way.
pub(super) const MOST_EDITS: usize = 16 * MOST_EDITS_SAID;

/// Introductions in one message.
pub(super) const MOST_INTRODUCTIONS: usize = MOST_EDITS;

/// Keys that are tried for a replica's name: honest replicas have names of their own, or nearly so.
pub(super) const MOST_KEYS: usize = 8;

/// Replicas of which a message tells, and islands of them all together: a work tree takes a new name only when it is
/// copied or loses its store.
pub(super) const MOST_CHAINS: usize = 1 << 18;

/// Commits without parents in a history.
pub(super) const MOST_ROOTS: usize = 256;

/// Bases that are asked for in one message, and ancestors that are told of one base.
pub const MOST_BASES: usize = 256;

/// Commits that are told of so that a common one is found: ever wider apart, they span any history.
pub const MOST_COMMITS: usize = 1_024;

/// Characters of what another replica says in its own words: it goes to a log.
pub(super) const MOST_WORDS: usize = 1_024;

/// How often the time between two pulses is doubled where nothing happens.
pub(super) const MOST_CALM: u32 = 6;

/// How long on a lazy line what comes to be known is gathered: longer than an edit takes over all the lines that it takes as
/// a rule, so that nobody asks for what is about to come, and much shorter than the time between two pulses.
pub(super) const NOTICE: Millis = 500;

/// How long edits that were told of on a lazy line may take on another one at least, and half as long as at most: of those
/// who could be asked for them not all are.
pub(super) const GRACE: Millis = 250;
