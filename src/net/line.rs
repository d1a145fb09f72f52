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
use tokio::time::{Instant, timeout, timeout_at};

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
    fn next() -> Self {
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
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reader({} bytes)", self.buffer.len())
    }
}

impl Reader {
    /// The next payload; why the line is to be closed where the stream is fine and the peer is not.
    async fn frame(&mut self) -> Result<Vec<u8>, Option<Close>> {
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
                        self.begun = None;
                    } else {
                        self.begun = Some(Instant::now());
                    }
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
