//! Carries frames between a line and the keeper.

use std::sync::Arc;
use std::sync::mpsc::Sender;

use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::keeper::Note;
use crate::net::{Close, Line};

/// Frames of one line that the keeper has not looked at; then the peer has to wait.
const WAITING: usize = 4;

/// What the keeper has for a line.
pub(super) enum Out {
    /// Frames that say a message.
    Frames(Vec<Vec<u8>>),
    /// Nothing any more.
    End(Close),
}

/// A frame that came; as long as it is there the peer may not send many others.
pub(super) struct Frame {
    pub(super) payload: Vec<u8>,
    _room: OwnedSemaphorePermit,
}

/// Begins to carry what comes on a line to the keeper, and back what that has to say.
pub(super) fn carry(line: Line, notes: Sender<Note>) {
    let (out, words) = mpsc::unbounded_channel();
    let gauge = line.gauge().clone();
    if notes.send(Note::Up(gauge, out)).is_ok() {
        tokio::spawn(carry_on(line, notes, words));
    }
}

async fn carry_on(mut line: Line, notes: Sender<Note>, mut words: UnboundedReceiver<Out>) {
    let id = line.gauge().id();
    let room = Arc::new(Semaphore::new(WAITING));
    let ending = loop {
        tokio::select! {
            frame = frame(&mut line, &room) => match frame {
                Ok(frame) => {
                    if notes.send(Note::Frame(id, frame)).is_err() {
                        return;
                    }
                }
                Err(ending) => break ending,
            },
            word = words.recv() => match word {
                Some(Out::Frames(frames)) => {
                    if let Err(ending) = frames.iter().try_for_each(|frame| line.send(frame)) {
                        break ending;
                    }
                }
                Some(Out::End(close)) => {
                    line.end(close).await;
                    let _ = notes.send(Note::Closed(id));
                    return;
                }
                None => return,
            },
        }
    };
    let _ = notes.send(Note::Down(id, ending));
}

/// The next frame, once there is room for it. May be given up at any time.
async fn frame(line: &mut Line, room: &Arc<Semaphore>) -> Result<Frame, crate::net::Ending> {
    let permit = Arc::clone(room).acquire_owned().await;
    let payload = line.recv().await?;
    match permit {
        Ok(_room) => Ok(Frame { payload, _room }),
        // Nobody closes it.
        Err(_) => Err(crate::net::Ending::Finished),
    }
}

/// The way to a line.
pub(super) type Words = UnboundedSender<Out>;
