//! A real `rhema crdt watch` as a child process, which never outlives the demo: it ends when its standard input does, and
//! the system closes that whatever becomes of the demo.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// How long a watcher may take to start, to meet the other one, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often is looked whether it has ended.
const LOOK: Duration = Duration::from_millis(2);

/// A watcher that runs.
pub(super) struct Watcher {
    child: Child,
    /// Closed to end it.
    input: Option<ChildStdin>,
    events: Receiver<Value>,
    address: String,
}

impl Watcher {
    /// Starts one that prints its events, and waits until it listens; or says why it does not.
    pub(super) fn start(command: &mut Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let (tell, events) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || {
                let lines = BufReader::new(stdout).lines().map_while(Result::ok);
                let events = lines.filter_map(|line| serde_json::from_str(&line).ok());
                // Read to the end even when nobody wants to know: a full pipe would hold it up.
                events.for_each(|event| drop(tell.send(event)));
            });
        }
        let (complain, complaints) = mpsc::channel();
        if let Some(mut stderr) = child.stderr.take() {
            thread::spawn(move || {
                let mut text = Vec::new();
                let _ = stderr.read_to_end(&mut text);
                let _ = complain.send(String::from_utf8_lossy(&text).into_owned());
            });
        }
        let mut watcher = Self {
            input: child.stdin.take(),
            child,
            events,
            address: String::new(),
        };
        let listens = watcher.event(|event| event["event"] == "listening");
        match listens.as_ref().map(|event| &event["address"]) {
            Some(Value::String(address)) => {
                watcher.address.clone_from(address);
                Ok(watcher)
            }
            _ => {
                drop(watcher);
                let complaint = complaints.recv_timeout(PATIENCE).unwrap_or_default();
                let line = complaint.lines().next().unwrap_or_default();
                let line = line.strip_prefix("error: ").unwrap_or(line);
                Err(match line {
                    "" => "`rhema crdt watch` does not start".to_owned(),
                    line => line.to_owned(),
                })
            }
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Waits until it is connected with another one that had nothing more to say; whether that came to pass.
    pub(super) fn is_in_step(&self) -> bool {
        self.event(|event| event["event"] == "peer" && event["state"] == "in step")
            .is_some()
    }

    /// The next event that is the one that is looked for, if it comes in time.
    fn event(&self, is_it: impl Fn(&Value) -> bool) -> Option<Value> {
        let start = Instant::now();
        loop {
            let left = PATIENCE.checked_sub(start.elapsed())?;
            match self.events.recv_timeout(left) {
                Ok(event) if is_it(&event) => return Some(event),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    /// Ends it; whether it went by itself and content.
    pub(super) fn end(mut self) -> bool {
        self.input = None;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => thread::sleep(LOOK),
                Err(_) => return false,
            }
        }
        false
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // No matter if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn script(text: &str) -> Result<Watcher, String> {
        Watcher::start(Command::new("sh").args(["-c", text]))
    }

    const LISTENING: &str = r#"echo '{"event":"listening","address":"127.0.0.1:1"}'"#;

    #[test]
    fn one_that_cannot_start_says_why() {
        let why = |text| script(text).err().unwrap();
        assert_eq!(why("echo 'error: no network' >&2; exit 3"), "no network");
        assert_eq!(why("exit 0"), "`rhema crdt watch` does not start");
        assert!(Watcher::start(&mut Command::new("/no/such/program")).is_err());
    }

    #[test]
    fn it_ends_with_its_input() {
        let watcher = script(&format!("{LISTENING}; cat")).unwrap();
        assert_eq!(watcher.address(), "127.0.0.1:1");
        assert!(!watcher.is_in_step(), "it is gone, or never meets anybody");
        let watcher = script(&format!("{LISTENING}; cat")).unwrap();
        assert!(watcher.end());
        let watcher = script(&format!("{LISTENING}; cat; exit 1")).unwrap();
        assert!(!watcher.end());
    }

    #[test]
    fn one_that_is_dropped_is_gone() {
        let watcher = script(&format!("{LISTENING}; exec sleep 100")).unwrap();
        let id = watcher.child.id();
        drop(watcher);
        let alive = Command::new("kill")
            .args(["-0", &id.to_string()])
            .output()
            .unwrap();
        assert!(!alive.status.success());
    }
}
