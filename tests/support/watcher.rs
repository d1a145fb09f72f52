//! A program that stays, over loopback.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{BINARY, Tree};

/// For how long something may be waited for: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(90);

/// `rhema crdt watch`, which ends with this.
pub(crate) struct Watcher {
    child: Child,
    /// Where it listens.
    pub(crate) address: String,
    said: Arc<Mutex<Vec<String>>>,
}

impl Watcher {
    pub(crate) fn start(tree: &Tree<'_>) -> Self {
        Self::start_at(tree, "127.0.0.1:0", &[])
    }

    /// One that listens there, with more in its environment.
    pub(crate) fn start_at(tree: &Tree<'_>, listen: &str, environment: &[(&str, &str)]) -> Self {
        let mut child = tree
            .world
            .command(BINARY, &tree.top)
            .args(["crdt", "watch", "--discovery", "off", "--json"])
            .args(["--listen", listen])
            .envs(environment.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line).unwrap();
        let listening: Value = serde_json::from_str(&line).unwrap();
        // What comes later is read so that the program is never held up by it.
        let said = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&said);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                heard.lock().unwrap().push(line);
            }
        });
        Self {
            child,
            address: listening["address"].as_str().unwrap().to_owned(),
            said,
        }
    }

    /// How many events it told of with these words.
    pub(crate) fn count(&self, words: &str) -> usize {
        let said = self.said.lock().unwrap();
        said.iter().filter(|line| line.contains(words)).count()
    }

    /// Everything that it told of since it listens.
    pub(crate) fn all(&self) -> String {
        self.said.lock().unwrap().join("\n")
    }

    /// Waits until it ends by itself.
    #[allow(dead_code, reason = "shared; not all of it is used everywhere")]
    pub(crate) fn ends(&mut self) {
        self.child.wait().unwrap();
    }

    /// Waits until it tells of something with these words.
    #[track_caller]
    pub(crate) fn says(&self, words: &str) {
        let began = Instant::now();
        while self.count(words) == 0 {
            assert!(began.elapsed() < PATIENCE, "no {words} in\n{}", self.all());
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Watcher {
    /// Kills it: nothing is tidied up.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
