//! `rhema crdt watch --json` while it runs, and waiting for what it does.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// For how long something may be waited for: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until something is so.
#[track_caller]
pub(crate) fn eventually(mut is_so: impl FnMut() -> bool, otherwise: impl FnOnce() -> String) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "{}", otherwise());
        thread::sleep(Duration::from_millis(20));
    }
}

/// Lines that a process printed so far, and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<(Instant, String)>>>);

impl Lines {
    fn collect(&self, output: impl Read + Send + 'static) {
        let lines = self.clone();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                lines.0.lock().unwrap().push((Instant::now(), line));
            }
        });
    }

    /// How many lines with these words were printed.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.matching(words, 0).len()
    }

    /// How many lines there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The lines with these words, from a number on.
    pub(crate) fn matching(&self, words: &str, from: usize) -> Vec<(Instant, String)> {
        let lines = self.0.lock().unwrap();
        let found = lines.iter().skip(from);
        found
            .filter(|(_, line)| line.contains(words))
            .cloned()
            .collect()
    }

    /// Everything that was printed.
    pub(crate) fn all(&self) -> String {
        let mut text = String::new();
        for (_, line) in self.0.lock().unwrap().iter() {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}

/// `rhema crdt watch --json`; killed when it is dropped.
pub(crate) struct Watch {
    child: Child,
    /// What it printed, warnings included.
    pub(crate) said: Lines,
}

impl Watch {
    /// Starts it, with everything else that `command` says, and waits until it listens.
    #[track_caller]
    pub(crate) fn begin(command: &mut Command, said: Lines) -> Self {
        let watch = Self::begin_unheard(command, said);
        watch.says("\"event\":\"listening\"");
        watch
    }

    /// Starts it and waits for nothing.
    #[track_caller]
    pub(crate) fn begin_unheard(command: &mut Command, said: Lines) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        said.collect(child.stdout.take().unwrap());
        said.collect(child.stderr.take().unwrap());
        Self { child, said }
    }

    /// The number of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }

    /// Whether a line with these words was printed.
    pub(crate) fn has_said(&self, words: &str) -> bool {
        self.count(words) > 0
    }

    /// How many lines with these words were printed.
    pub(crate) fn count(&self, words: &str) -> usize {
        self.said.count(words)
    }

    /// Everything that was printed.
    pub(crate) fn all(&self) -> String {
        self.said.all()
    }

    /// Waits until it says this.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        eventually(
            || self.has_said(words),
            || format!("it never said {words}:\n{}", self.all()),
        );
    }

    /// Where it listens.
    #[track_caller]
    pub(crate) fn address(&self) -> String {
        let line = &self.said.matching("\"event\":\"listening\"", 0)[0].1;
        let event: serde_json::Value = serde_json::from_str(line).unwrap();
        event["address"].as_str().unwrap().to_owned()
    }

    fn signal(&self, name: &str) {
        let process = self.process().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it comes to its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let (child, said) = (&mut self.child, &self.said);
        let mut status = None;
        eventually(
            || {
                status = child.try_wait().unwrap();
                status.is_some()
            },
            || format!("it does not end:\n{}", said.all()),
        );
        status.unwrap()
    }

    /// Whether it still runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Ends it as its user would: it has to end cleanly.
    #[track_caller]
    pub(crate) fn end(mut self, signal: &str) {
        self.signal(signal);
        let status = self.wait();
        assert!(status.success(), "{signal}: {status}:\n{}", self.all());
    }

    /// Ends it at once, as the system would.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
