//! The program that stays listens to commands.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};

use super::message::{self, Greeting, HEADER, LONGEST_ANSWER, LONGEST_GREETING, LONGEST_QUESTION};
use super::{Asked, Question, place};
use crate::git::Repo;

/// How many commands may ask at a time; others wait until the system has no room for them either.
const MOST: usize = 16;

/// How long a command may take to say its question, or to hear its answer.
const SLOW: Duration = Duration::from_secs(5);

/// How long no command is let in after one could not be.
const PAUSE: Duration = Duration::from_millis(100);

/// A socket to which commands come, until it is dropped.
pub(crate) struct Socket {
    listener: UnixListener,
    greeting: Arc<[u8]>,
    git_dir: PathBuf,
    path: PathBuf,
}

impl Socket {
    /// Makes the socket of a work tree. Only who holds the [`Watch`](crate::node::Watch) of it may: whatever lies there was
    /// left by one who is gone. Must be called on a runtime of tokio.
    ///
    /// # Errors
    /// When there is no place that is the user's alone, or the system refuses.
    pub(crate) fn open(repo: &Repo) -> io::Result<Self> {
        let git_dir = repo.git_dir().to_path_buf();
        let path = place::choose(&git_dir.canonicalize()?)?;
        let greeting = message::encode(&Greeting::of(repo), LONGEST_GREETING);
        let greeting = greeting.ok_or(io::ErrorKind::InvalidFilename)?.into();
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let socket = Self {
            listener: UnixListener::bind(&path)?,
            greeting,
            git_dir,
            path,
        };
        fs::set_permissions(&socket.path, Permissions::from_mode(0o600))?;
        place::record(&socket.git_dir, &socket.path)?;
        Ok(socket)
    }

    /// Hands on what is asked, for as long as `hand_on` takes it.
    pub(crate) async fn serve(self, hand_on: impl Fn(Asked) -> bool + Clone + Send + 'static) {
        let room = Arc::new(Semaphore::new(MOST));
        loop {
            let Ok(place) = room.clone().acquire_owned().await else {
                return;
            };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let client = client(stream, place, self.greeting.clone(), hand_on.clone());
                    tokio::spawn(client);
                }
                Err(error) => {
                    tracing::info!("a command cannot ask: {error}");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        place::forget(&self.git_dir, &self.path);
    }
}

async fn client(
    mut stream: UnixStream,
    _place: OwnedSemaphorePermit,
    greeting: Arc<[u8]>,
    hand_on: impl Fn(Asked) -> bool,
) {
    if let Err(error) = converse(&mut stream, &greeting, hand_on).await {
        tracing::info!("a command that asked: {error}");
    }
}

/// Hears one question and says what is answered, unless whoever asked is gone by then.
async fn converse(
    stream: &mut UnixStream,
    greeting: &[u8],
    hand_on: impl Fn(Asked) -> bool,
) -> io::Result<()> {
    if stream.peer_cred()?.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    let question = timeout(SLOW, async {
        stream.write_all(greeting).await?;
        question(stream).await
    });
    let (reply, answer) = oneshot::channel();
    let question = question.await??;
    if !hand_on(Asked { question, reply }) {
        return Ok(());
    }
    // Nothing more is said by one who waits: what can be read is that it is gone.
    let mut more = [0; 1];
    let answer = tokio::select! {
        answer = answer => answer,
        _ = stream.read(&mut more) => return Ok(()),
    };
    let Ok(answer) = answer else {
        return Ok(());
    };
    let frame = message::encode(&answer, LONGEST_ANSWER).ok_or(io::ErrorKind::InvalidData)?;
    timeout(SLOW, stream.write_all(&frame)).await?
}

async fn question(stream: &mut UnixStream) -> io::Result<Question> {
    let mut header = [0; HEADER];
    stream.read_exact(&mut header).await?;
    let mut payload = vec![0; message::length(header, LONGEST_QUESTION)?];
    stream.read_exact(&mut payload).await?;
    message::decode(&payload)
}
