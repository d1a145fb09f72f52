//! What a peer may ask of us, and how long we wait for one. Slow and hostile peers meet these first.

use std::time::Duration;

use super::circle::Degree;

/// A frame's payload in bytes. Batches of edits aim at a quarter of it; one edit of a long text must still fit.
pub const FRAME: usize = 1 << 20;

/// Bytes that wait to be written on one line: the longest message that there can be (32 MiB), and the few batches that a
/// conversation keeps under way. A peer for which more piles up does not read, and catches up later.
pub(super) const SEND_QUEUE: usize = 40 << 20;

/// How long a frame that has begun may take, so that nobody holds a buffer by sending a byte now and then.
pub(super) const FRAME_TIME: Duration = Duration::from_secs(10);

/// How long writing may make no progress before the peer counts as one that does not read.
pub(super) const WRITE_TIME: Duration = Duration::from_secs(10);

/// How long a caller may take from its first packet to its first frame: that is how long it tries.
pub(super) const HANDSHAKE_TIME: Duration = DIAL_TIME;

/// How long the first answer from an address is awaited: the system swallows "unreachable", so only time tells.
pub(super) const ADDRESS_TIME: Duration = Duration::from_secs(3);

/// How long a call may take, over all addresses of a peer: five round trips of a very bad network, each begun twice.
pub(super) const DIAL_TIME: Duration = Duration::from_secs(10);

/// How far apart two lines between the same two processes may come up if they called each other at once. Whatever comes later
/// was called by one to whom the other line is dead.
pub(super) const AT_ONCE: Duration = Duration::from_secs(2);

/// The head start that each address has on the next one.
pub(super) const STAGGER: Duration = Duration::from_millis(100);

/// A lost handshake packet is sent again after a small multiple of this. The usual guess, a third of a second, makes a
/// lossy wireless network wait for seconds; the price is a spare packet where the way is longer.
pub(super) const INITIAL_RTT: Duration = Duration::from_millis(20);

/// How often an idle line shows that it lives.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(5);

/// How long a silent line counts as alive: three lost signs of life.
pub(super) const IDLE: Duration = Duration::from_secs(15);

/// Streams that a peer may open: a conversation is one, so a second is a mistake that need not cost memory.
pub(super) const STREAMS: u8 = 1;

/// Unread bytes of a stream: the longest frame.
pub(super) const STREAM_WINDOW: u32 = 1 << 20;

/// Unread bytes of a connection.
pub(super) const RECEIVE_WINDOW: u32 = 1 << 20;

/// Unacknowledged bytes of a connection.
pub(super) const SEND_WINDOW: u64 = 1 << 20;

/// Lines at a time. Each costs some 40 kB when idle. Who has so many lets another one in all the same, and ends one that it can
/// do without.
pub(super) const LINES: usize = 64;

/// So many others are few: a line with each costs less than what is saved by passing on. `docs/benchmarks.md` has the figures.
pub(super) const FEW: usize = 12;

/// With whom lines are kept where there are more.
pub(super) const DEGREE: Degree = Degree {
    beside: 2,
    drawn: 2,
};

/// Where there are fewer lines than this, anybody is called: some whom others call come to that by themselves.
pub(super) const ENOUGH: usize = 8;

/// How many are called on, where there are more than few, by one who does not stay.
pub const CALLED_ON: usize = 8;

/// How often another one is drawn by lot, about: with a hundred others everybody has talked to everybody within an hour.
pub(super) const TURN: Duration = Duration::from_secs(60);

/// How long a line lasts at least before it has to go for another one.
pub(super) const SETTLED: Duration = Duration::from_secs(30);

/// The shortest wait before one is called again that had too many lines.
pub(super) const FULL_WAIT: Duration = Duration::from_secs(15);

/// Lines at a time with one key: its watcher's, and the two that a command's call and our own to it make for a moment.
pub(super) const LINES_PER_KEY: usize = 3;

/// Handshakes under way from addresses that nobody has proved to have; beyond, a caller must first show that it receives
/// what is sent to it.
pub(super) const UNPROVED: usize = 8;

/// Handshakes under way at all; beyond, callers are turned away.
pub(super) const HANDSHAKES: usize = 32;

/// Calls that wait for the program to look at them.
pub(super) const INCOMING: usize = 32;

/// Bytes that a call may send before it is looked at: the first flight of a handshake is two or three packets.
pub(super) const INCOMING_BUFFER: u64 = 64 << 10;

/// How long peers are given to hear that we leave.
pub(super) const GOOD_BYE: Duration = Duration::from_secs(1);

/// The longest wait before the second call of one who could not be reached; each further one is up to twice as long, to
/// this at most. The wait is drawn from nothing to that, so that many do not call at once.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(100);

/// The longest wait before any further call.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The longest wait where nothing says that the peer is there but where it was once: most members are away most of the
/// time, and each call costs some ten kilobytes.
pub(super) const LONGEST_WAIT_FOR_ABSENT: Duration = Duration::from_secs(300);

/// How long a line must have lasted for the next call to be made at once when it breaks: the other side may not want us.
pub(super) const LASTED: Duration = Duration::from_secs(30);

/// Addresses at which one peer is called.
pub(super) const ADDRESSES: usize = 16;

/// How often it is looked whether time has passed that we did not see.
pub(super) const VIGIL: Duration = Duration::from_secs(5);

/// How late that look must be to mean that the host slept.
pub(super) const SLEPT: Duration = Duration::from_secs(10);

/// Strangers at a time that say with what they were invited; more are turned away.
pub(super) const STRANGERS: usize = 4;

/// How often strangers may call from one address before calls from there go unanswered: two nodes on one host, or behind one
/// router, share an address, and one of them may be a member.
pub(super) const REFUSALS_FREE: u32 = 3;

/// How long calls from an address go unanswered after one refusal too many.
pub(super) const FIRST_PENALTY: Duration = Duration::from_secs(1);

/// How long calls from an address go unanswered at most.
pub(super) const LONGEST_PENALTY: Duration = Duration::from_secs(60);

/// Addresses that are kept in mind for that.
pub(super) const REFUSED: usize = 1024;

/// How often a peer may fail to keep to the protocol before it is shut out: a broken program would come back at once.
pub(super) const FAULTS: u32 = 3;

/// How long it is shut out after its last fault.
pub(super) const QUARANTINE: Duration = Duration::from_secs(600);

/// Bytes of frames that a peer may send at once. More than a first exchange of a large repository.
pub(super) const BURST: u64 = 20 << 20;

/// Bytes of frames that a peer may send in a second for long; beyond, it is read that slowly. Nobody edits as much.
pub(super) const RATE: u64 = (20 << 20) / 60;
