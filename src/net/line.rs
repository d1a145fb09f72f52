//! One conversation with one peer: frames both ways, in order, until somebody ends it.
//!
//! A frame is the length of its payload (four bytes, little endian) and the payload. What it says is not this module's
//! matter.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::ending::{Close, Ending};
use super::identity::PublicKey;
use super::limits;

/// Bytes before a payload.
const HEADER: usize = 4;

/// Room that is made ahead of bytes that come: whoever announces a long frame must send it to make us hold it.
const STEP: usize = 64 << 10;

/// A line's name, in this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LineId(u64);

impl LineId {
    pub(super) fn next() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self(NEXT.fetch_add(1, Ordering::Relaxed))
    }
}

impl fmt::Display for LineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes that went over a line so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Of frames, headers included.
    pub sent: u64,
    /// Of frames, headers included.
    pub received: u64,
    /// In UDP datagrams, without the headers of UDP and IP.
    pub udp_sent: u64,
    /// In UDP datagrams, without the headers of UDP and IP.
    pub udp_received: u64,
}

/// What carries a line: a QUIC connection, or memory in tests.
pub(super) trait Carrier: Send + Sync {
    /// Ends it now; what is under way is lost. Nothing where it has ended.
    fn close(&self, close: Close);
    /// Why it ended; `None` while it has not.
    fn ending(&self) -> Option<Ending>;
    /// Where the peer is now; a peer may move.
    fn remote(&self) -> SocketAddr;
    /// The time a packet takes there and back.
    fn rtt(&self) -> Duration;
    /// Bytes in datagrams, sent and received.
    fn udp(&self) -> (u64, u64);
    /// Whether it leaves from an address that this host does not have any more: nothing comes of it then.
    fn is_stranded(&self) -> bool;
}

/// What can be said of a line and done to it by somebody who does not talk on it. Outlives it.
#[derive(Clone)]
pub struct Gauge(Arc<Shared>);

struct Shared {
    id: LineId,
    peer: PublicKey,
    dialled: bool,
    carrier: Box<dyn Carrier>,
    sent: AtomicU64,
    received: AtomicU64,
    queued: AtomicUsize,
}

impl fmt::Debug for Gauge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (id, remote) = (self.id(), self.remote());
        write!(f, "Line({id}, {remote})")
    }
}

impl std::ops::Add for Traffic {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            sent: self.sent + other.sent,
            received: self.received + other.received,
            udp_sent: self.udp_sent + other.udp_sent,
            udp_received: self.udp_received + other.udp_received,
        }
    }
}

impl Gauge {
    /// The line's name.
    #[must_use]
    pub fn id(&self) -> LineId {
        self.0.id
    }

    /// The key that the peer proved to have.
    #[must_use]
    pub fn peer(&self) -> &PublicKey {
        &self.0.peer
    }

    /// Whether we called.
    #[must_use]
    pub fn dialled(&self) -> bool {
        self.0.dialled
    }

    /// Where the peer is now.
    #[must_use]
    pub fn remote(&self) -> SocketAddr {
        self.0.carrier.remote()
    }

    /// The time a packet takes there and back, as estimated.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        self.0.carrier.rtt()
    }

    /// What went over it so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        let (udp_sent, udp_received) = self.0.carrier.udp();
        Traffic {
            sent: self.0.sent.load(Ordering::Relaxed),
            received: self.0.received.load(Ordering::Relaxed),
            udp_sent,
            udp_received,
        }
    }

    /// Ends it now; what waits to be sent is dropped.
    pub fn close(&self, close: Close) {
        self.0.carrier.close(close);
    }

    /// Whether it leaves from an address that this host does not have any more.
    pub(super) fn is_stranded(&self) -> bool {
        self.0.carrier.is_stranded()
    }

    /// Why it has ended.
    pub(super) fn ending(&self) -> Ending {
        self.0.carrier.ending().unwrap_or(Ending::Finished)
    }
}

/// A conversation with a peer whose key is proved and admitted. Dropped, it ends at once with [`Close::Left`].
#[derive(Debug)]
pub struct Line {
    gauge: Gauge,
    reader: Reader,
    queue: mpsc::UnboundedSender<Vec<u8>>,
}

impl Drop for Line {
    fn drop(&mut self) {
        self.gauge.close(Close::Left);
    }
}

impl Line {
    pub(super) fn new(
        peer: PublicKey,
        dialled: bool,
        carrier: Box<dyn Carrier>,
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let gauge = Gauge(Arc::new(Shared {
            id: LineId::next(),
            peer,
            dialled,
            carrier,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
            queued: AtomicUsize::new(0),
        }));
        let (queue, waiting) = mpsc::unbounded_channel();
        tokio::spawn(write(gauge.clone(), waiting, writer));
        Self {
            gauge,
            reader: Reader {
                stream: Box::new(reader),
                buffer: Vec::new(),
                begun: None,
                allowance: Allowance::new(Instant::now()),
            },
            queue,
        }
    }

    /// What can be known of it while it is talked on.
    #[must_use]
    pub fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    /// Sends a frame with this payload, without waiting: what the peer does not take yet is queued.
    ///
    /// # Errors
    /// When the line has ended; when the peer takes nothing and too much waits, which ends it.
    pub fn send(&self, payload: &[u8]) -> Result<(), Ending> {
        let shared = &self.gauge.0;
        let length = u32::try_from(payload.len())
            .ok()
            .filter(|_| payload.len() <= limits::FRAME);
        let Some(length) = length else {
            self.gauge.close(Close::Faulty);
            return Err(self.gauge.ending());
        };
        let size = HEADER + payload.len();
        if shared.queued.fetch_add(size, Ordering::Relaxed) + size > limits::SEND_QUEUE {
            self.gauge.close(Close::Slow);
            return Err(self.gauge.ending());
        }
        let mut frame = Vec::with_capacity(size);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(payload);
        self.queue.send(frame).map_err(|_| self.gauge.ending())
    }

    /// The payload of the next frame. May be given up at any time without losing a byte.
    ///
    /// # Errors
    /// When the line has ended, or ends because the peer does not keep to the limits.
    pub async fn recv(&mut self) -> Result<Vec<u8>, Ending> {
        match self.reader.frame().await {
            Ok(payload) => {
                let size = (HEADER + payload.len()) as u64;
                self.gauge.0.received.fetch_add(size, Ordering::Relaxed);
                Ok(payload)
            }
            Err(fault) => {
                if let Some(close) = fault {
                    self.gauge.close(close);
                }
                Err(self.gauge.ending())
            }
        }
    }

    /// Ends it when the peer has taken what was sent, or has had a moment to.
    pub async fn end(self, close: Close) {
        /// How long the peer may take to hear us out.
        const PATIENCE: Duration = Duration::from_secs(1);
        let (closed, _) = mpsc::unbounded_channel();
        let mut line = self;
        // The writer writes what is left and says that it was all; the peer's answer to that is the end of its own.
        drop(std::mem::replace(&mut line.queue, closed));
        let _ = timeout(PATIENCE, async { while line.recv().await.is_ok() {} }).await;
        line.gauge.close(close);
    }
}

struct Reader {
    stream: Box<dyn AsyncRead + Send + Unpin>,
    buffer: Vec<u8>,
    /// When the frame in the buffer began.
    begun: Option<Instant>,
    allowance: Allowance,
}

/// How much of a peer is read: a bucket that fills steadily and that every frame takes from. A frame that is larger than
/// what is left is read all the same, and the next one waits.
#[derive(Debug)]
struct Allowance {
    /// What is left.
    bytes: u64,
    /// When it was counted.
    counted: Instant,
    /// When there will be some again.
    enough: Instant,
}

impl Allowance {
    fn new(now: Instant) -> Self {
        Self {
            bytes: limits::BURST,
            counted: now,
            enough: now,
        }
    }

    fn take(&mut self, bytes: u64, now: Instant) {
        let passed = now.saturating_duration_since(self.counted).as_secs_f64();
        let filled = (passed * limits::RATE as f64) as u64;
        let left = self.bytes.saturating_add(filled).min(limits::BURST);
        let lacking = bytes.saturating_sub(left);
        self.bytes = left.saturating_sub(bytes);
        self.enough = now + Duration::from_secs_f64(lacking as f64 / limits::RATE as f64);
        // What was lacking is paid for by waiting, so it does not fill the bucket too.
        self.counted = self.enough;
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({} bytes)", self.buffer.len())
    }
}

impl Reader {
    /// The next payload; why the line is to be closed where the stream is fine and the peer is not.
    async fn frame(&mut self) -> Result<Vec<u8>, Option<Close>> {
        if self.begun.is_none() {
            sleep_until(self.allowance.enough).await;
            // The beginning of a frame that came with the last one waited for us, not we for it.
            self.begun = (!self.buffer.is_empty()).then(Instant::now);
        }
        loop {
            let mut missing = HEADER.saturating_sub(self.buffer.len());
            if let Some((header, rest)) = self.buffer.split_first_chunk::<HEADER>() {
                let length = u32::from_le_bytes(*header) as usize;
                if length > limits::FRAME {
                    return Err(Some(Close::Faulty));
                }
                if let Some(payload) = rest.get(..length) {
                    let payload = payload.to_vec();
                    self.buffer.drain(..HEADER + length);
                    if self.buffer.is_empty() {
                        self.buffer = Vec::new();
                    }
                    let size = (HEADER + length) as u64;
                    self.allowance.take(size, Instant::now());
                    self.begun = None;
                    return Ok(payload);
                }
                missing = length - rest.len();
            }
            self.buffer.reserve(missing.clamp(HEADER, STEP));
            let read = self.stream.read_buf(&mut self.buffer);
            let read = match self.begun {
                Some(begun) => timeout_at(begun + limits::FRAME_TIME, read)
                    .await
                    .map_err(|_| Some(Close::Slow))?,
                None => read.await,
            };
            if read.map_err(|_| None)? == 0 {
                return Err(None);
            }
            self.begun.get_or_insert_with(Instant::now);
        }
    }
}

/// Writes what is queued until nobody queues any more or the peer takes nothing.
async fn write(
    gauge: Gauge,
    mut waiting: mpsc::UnboundedReceiver<Vec<u8>>,
    mut stream: impl AsyncWrite + Unpin,
) {
    while let Some(frame) = waiting.recv().await {
        let mut rest = frame.as_slice();
        while !rest.is_empty() {
            match timeout(limits::WRITE_TIME, stream.write(rest)).await {
                Ok(Ok(0) | Err(_)) => return,
                Ok(Ok(written)) => rest = rest.get(written..).unwrap_or_default(),
                Err(_) => {
                    gauge.close(Close::Slow);
                    return;
                }
            }
        }
        gauge.0.queued.fetch_sub(frame.len(), Ordering::Relaxed);
        let size = frame.len() as u64;
        gauge.0.sent.fetch_add(size, Ordering::Relaxed);
    }
    // A peer that is gone needs no good-bye.
    let _ = stream.shutdown().await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::memory::{conversation, with_bare_stream};

    fn frame(payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap();
        [&length.to_le_bytes(), payload].concat()
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_is_whole_in_whatever_pieces_it_comes() {
        let (mut line, mut stream) = with_bare_stream();
        let bytes = [frame(b"one"), frame(b""), frame(&[7; 70_000])].concat();
        tokio::spawn(async move {
            for piece in bytes.chunks(3) {
                stream.write_all(piece).await.unwrap();
            }
            stream
        });
        assert_eq!(line.recv().await.unwrap(), b"one");
        assert_eq!(line.recv().await.unwrap(), b"");
        assert_eq!(line.recv().await.unwrap(), vec![7; 70_000]);
    }

    #[tokio::test(start_paused = true)]
    async fn receiving_loses_nothing_when_it_is_given_up() {
        let (mut line, mut stream) = with_bare_stream();
        let bytes = frame(b"payload");
        for piece in bytes.chunks(2) {
            stream.write_all(piece).await.unwrap();
            let given_up = timeout(Duration::from_millis(10), line.recv()).await;
            if let Ok(payload) = given_up {
                assert_eq!(payload.unwrap(), b"payload");
                return;
            }
        }
        panic!("nothing came");
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_is_too_long_ends_the_line_before_it_takes_memory() {
        for length in [u32::try_from(limits::FRAME).unwrap() + 1, u32::MAX] {
            let (mut line, mut stream) = with_bare_stream();
            stream.write_all(&length.to_le_bytes()).await.unwrap();
            assert_eq!(line.recv().await, Err(Ending::Here(Close::Faulty)));
            assert!(line.reader.buffer.capacity() < 2 * STEP);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_was_only_announced_takes_little_memory() {
        let (mut line, mut stream) = with_bare_stream();
        let length = u32::try_from(limits::FRAME).unwrap();
        stream.write_all(&length.to_le_bytes()).await.unwrap();
        assert!(timeout(Duration::from_secs(1), line.recv()).await.is_err());
        assert!(line.reader.buffer.capacity() <= 2 * STEP);
    }

    #[tokio::test(start_paused = true)]
    async fn a_frame_that_trickles_ends_the_line() {
        let (mut line, mut stream) = with_bare_stream();
        let begun = Instant::now();
        tokio::spawn(async move {
            let bytes = frame(&[0; 1000]);
            for byte in bytes {
                // Not often enough to finish, often enough to look alive.
                let _ = stream.write_all(&[byte]).await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(line.recv().await, Err(Ending::Here(Close::Slow)));
        assert_eq!(begun.elapsed(), limits::FRAME_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_between_frames_is_no_fault() {
        let (mut line, mut stream) = with_bare_stream();
        stream.write_all(&frame(b"now")).await.unwrap();
        assert_eq!(line.recv().await.unwrap(), b"now");
        assert!(timeout(10 * limits::FRAME_TIME, line.recv()).await.is_err());
        stream.write_all(&frame(b"and then")).await.unwrap();
        assert_eq!(line.recv().await.unwrap(), b"and then");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_sends_without_end_is_read_slowly() {
        let (mut line, mut stream) = with_bare_stream();
        tokio::spawn(async move {
            let frame = frame(&vec![0; limits::FRAME]);
            while stream.write_all(&frame).await.is_ok() {}
        });
        let begun = Instant::now();
        for _ in 0..30 {
            assert_eq!(line.recv().await.unwrap().len(), limits::FRAME);
        }
        let seconds = begun.elapsed().as_secs();
        assert!((25..=35).contains(&seconds), "{seconds} s");
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_does_not_read_is_dropped() {
        let (mut line, _stream) = with_bare_stream();
        let begun = Instant::now();
        line.send(&vec![0; 4 * STEP]).unwrap();
        assert_eq!(line.recv().await, Err(Ending::Here(Close::Slow)));
        assert_eq!(begun.elapsed(), limits::WRITE_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn a_peer_that_reads_slowly_is_kept() {
        let (line, mut stream) = with_bare_stream();
        line.send(&vec![0; 4 * STEP]).unwrap();
        let mut left = HEADER + 4 * STEP;
        while left > 0 {
            tokio::time::sleep(limits::WRITE_TIME / 2).await;
            let mut bytes = vec![0; left.min(STEP / 2)];
            left -= stream.read(&mut bytes).await.unwrap();
        }
        assert_eq!(line.gauge().traffic().sent, (HEADER + 4 * STEP) as u64);
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_a_peer_is_bounded() {
        let (line, _stream) = with_bare_stream();
        let mut waiting = 0;
        let refused = loop {
            match line.send(&vec![0; limits::FRAME]) {
                Ok(()) => waiting += limits::FRAME,
                Err(ending) => break ending,
            }
        };
        assert_eq!(refused, Ending::Here(Close::Slow));
        assert!(waiting <= limits::SEND_QUEUE);
    }

    #[tokio::test(start_paused = true)]
    async fn both_ends_learn_why_a_conversation_ended() {
        let (near, mut far) = conversation([1; 32], [2; 32]);
        near.gauge().close(Close::Faulty);
        near.gauge().close(Close::Left);
        assert_eq!(far.recv().await, Err(Ending::There(Close::Faulty)));
        assert_eq!(near.gauge().ending(), Ending::Here(Close::Faulty));
    }
}
