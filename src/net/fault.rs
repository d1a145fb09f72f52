//! A bad network for tests of the real program, where the system has no means to make one: what is sent gets lost, late,
//! doubled or out of order. Release builds do not have it.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use quinn::udp::{EcnCodepoint, RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use tokio::time::{Instant, sleep};

/// Names what goes wrong, as in `loss=30,delay=200,jitter=40,duplicate=5,seed=1,death=5000`.
const VARIABLE: &str = "RHEMA_NET_FAULTS";

/// What goes wrong with what is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Faults {
    /// Datagrams that are lost, in percent.
    loss: u64,
    /// Datagrams that are sent twice, in percent.
    duplicate: u64,
    /// How late each datagram is, in milliseconds.
    delay: u64,
    /// How much later than that it may be, in milliseconds: within it datagrams overtake each other.
    jitter: u64,
    /// Where the lots begin.
    seed: u64,
    /// After how many milliseconds the socket fails for good; 0 for never.
    death: u64,
}

impl Faults {
    fn parse(text: &str) -> Option<Self> {
        let mut faults = Self::default();
        for item in text.split(',') {
            let (name, number) = item.split_once('=')?;
            *match name {
                "loss" => &mut faults.loss,
                "duplicate" => &mut faults.duplicate,
                "delay" => &mut faults.delay,
                "jitter" => &mut faults.jitter,
                "seed" => &mut faults.seed,
                "death" => &mut faults.death,
                _ => return None,
            } = number.parse().ok()?;
        }
        Some(faults)
    }
}

/// The socket with the faults that the environment names.
pub(super) fn wrap(socket: Arc<dyn AsyncUdpSocket>) -> io::Result<Arc<dyn AsyncUdpSocket>> {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Ok(socket);
    };
    let faults = Faults::parse(&text).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{VARIABLE} is not understood: {text}"),
        )
    })?;
    Ok(Arc::new(Faulty::new(socket, faults)))
}

struct Faulty {
    socket: Arc<dyn AsyncUdpSocket>,
    faults: Faults,
    lots: AtomicU64,
    opened: Instant,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.faults.fmt(f)
    }
}

/// A datagram on its way.
struct Datagram {
    destination: SocketAddr,
    ecn: Option<EcnCodepoint>,
    contents: Vec<u8>,
    src_ip: Option<IpAddr>,
}

impl Faulty {
    fn new(socket: Arc<dyn AsyncUdpSocket>, faults: Faults) -> Self {
        Self {
            socket,
            faults,
            lots: AtomicU64::new(faults.seed),
            opened: Instant::now(),
        }
    }

    /// A number below the bound: SplitMix64, which needs no more state than a counter.
    fn lot(&self, bound: u64) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut drawn = self.lots.fetch_add(STEP, Ordering::Relaxed);
        drawn = (drawn ^ (drawn >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        drawn = (drawn ^ (drawn >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (drawn ^ (drawn >> 31)) % bound
    }

    fn send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let late = self.faults.delay + self.lot(self.faults.jitter + 1);
        if late == 0 {
            return self.socket.try_send(transmit);
        }
        let (socket, datagram) = (self.socket.clone(), Datagram::from(transmit));
        tokio::spawn(async move {
            sleep(Duration::from_millis(late)).await;
            // Where there is no room for it now, it is lost: networks do that.
            let _ = socket.try_send(&datagram.transmit());
        });
        Ok(())
    }
}

impl Datagram {
    fn from(transmit: &Transmit<'_>) -> Self {
        Self {
            destination: transmit.destination,
            ecn: transmit.ecn,
            contents: transmit.contents.to_vec(),
            src_ip: transmit.src_ip,
        }
    }

    fn transmit(&self) -> Transmit<'_> {
        Transmit {
            destination: self.destination,
            ecn: self.ecn,
            contents: &self.contents,
            segment_size: None,
            src_ip: self.src_ip,
        }
    }
}

impl AsyncUdpSocket for Faulty {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        self.socket.clone().create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        if self.lot(100) < self.faults.duplicate {
            let _ = self.send(transmit);
        }
        if self.lot(100) < self.faults.loss {
            return Ok(());
        }
        self.send(transmit)
    }

    fn poll_recv(
        &self,
        context: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let death = Duration::from_millis(self.faults.death);
        if !death.is_zero() && self.opened.elapsed() >= death {
            return Poll::Ready(Err(io::Error::other("the socket fails, as it was told to")));
        }
        self.socket.poll_recv(context, buffers, meta)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    // Each datagram has a fate of its own, so none are sent together.
    fn max_transmit_segments(&self) -> usize {
        1
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

#[cfg(test)]
mod tests {
    use quinn::{Runtime as _, TokioRuntime};
    use tokio::net::UdpSocket;
    use tokio::time::timeout;

    use super::*;

    /// The numbers that arrive of a hundred that are sent.
    async fn arriving(faults: &str) -> Vec<u8> {
        let receiver = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let socket = TokioRuntime.wrap_udp_socket(socket).unwrap();
        let faulty = Faulty::new(socket, Faults::parse(faults).unwrap());
        let destination = receiver.local_addr().unwrap();
        // Once it can be written to.
        tokio::task::yield_now().await;
        sleep(Duration::from_millis(5)).await;
        for number in 0..100 {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: &[number],
                segment_size: None,
                src_ip: None,
            };
            faulty.try_send(&transmit).unwrap();
        }
        let mut arrived = Vec::new();
        let mut byte = [0];
        let patience = Duration::from_millis(200);
        while let Ok(Ok(_)) = timeout(patience, receiver.recv(&mut byte)).await {
            arrived.push(byte[0]);
        }
        arrived
    }

    #[tokio::test]
    async fn datagrams_are_lost_doubled_and_overtake_each_other_as_told() {
        let all: Vec<u8> = (0..100).collect();
        assert_eq!(arriving("loss=0").await, all);
        assert!(arriving("loss=100").await.is_empty());
        assert_eq!(arriving("duplicate=100").await.len(), 200);
        let lossy = arriving("loss=30,seed=7").await;
        assert!((55..=85).contains(&lossy.len()), "{lossy:?}");
        let mut late = arriving("delay=20,jitter=20,seed=7").await;
        assert_ne!(late, all);
        late.sort_unstable();
        assert_eq!(late, all);
    }

    #[test]
    fn what_is_not_understood_is_no_fault() {
        assert_eq!(Faults::parse("loss"), None);
        assert_eq!(Faults::parse("loss=many"), None);
        assert_eq!(Faults::parse("lose=1"), None);
    }
}
