//! Lines in memory: what talks on lines can be tried without a network.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, DuplexStream, ReadBuf, ReadHalf, duplex, split};
use tokio::sync::watch;

use super::ending::{Close, Ending};
use super::identity::PublicKey;
use super::line::{Carrier, Line};

/// Bytes that one side may be ahead of the other.
const WINDOW: usize = 64 << 10;

/// Who ended a conversation and why; the caller or not.
type End = Option<(bool, Close)>;

/// The two ends of a conversation: the caller's, who has the first key, and the other's. Must be called on a runtime of
/// tokio.
#[must_use]
pub fn conversation(caller: PublicKey, called: PublicKey) -> (Line, Line) {
    let end = Arc::new(watch::Sender::new(None));
    let (near, far) = duplex(WINDOW);
    (
        line(called, true, near, &end),
        line(caller, false, far, &end),
    )
}

fn line(
    peer: PublicKey,
    dialled: bool,
    stream: DuplexStream,
    end: &Arc<watch::Sender<End>>,
) -> Line {
    let (reader, writer) = split(stream);
    let mut ended = end.subscribe();
    let reader = Cut {
        reader,
        ended: Box::pin(async move {
            let _ = ended.wait_for(Option::is_some).await;
        }),
    };
    let end = end.clone();
    Line::new(
        peer,
        dialled,
        Box::new(Memory { end, dialled }),
        reader,
        writer,
    )
}

struct Memory {
    end: Arc<watch::Sender<End>>,
    dialled: bool,
}

impl Carrier for Memory {
    fn close(&self, close: Close) {
        self.end.send_if_modified(|end| {
            let first = end.is_none();
            end.get_or_insert((self.dialled, close));
            first
        });
    }

    fn ending(&self) -> Option<Ending> {
        let (by_caller, close) = (*self.end.borrow())?;
        Some(if by_caller == self.dialled {
            Ending::Here(close)
        } else {
            Ending::There(close)
        })
    }

    fn remote(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
    }

    fn rtt(&self) -> Duration {
        Duration::ZERO
    }

    fn udp(&self) -> (u64, u64) {
        (0, 0)
    }
}

/// A stream that breaks when the conversation ends, as a connection's does.
struct Cut {
    reader: ReadHalf<DuplexStream>,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl AsyncRead for Cut {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.ended.as_mut().poll(context) {
            Poll::Ready(()) => {
                // It will not be asked again what has come to its end.
                self.ended = Box::pin(std::future::ready(()));
                Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()))
            }
            Poll::Pending => Pin::new(&mut self.reader).poll_read(context, buffer),
        }
    }
}
