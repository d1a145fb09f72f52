//! Nodes on hosts of their own: network namespaces, joined by a bridge. They find each other without being told anything.
//!
//! Making namespaces needs root; without it these tests say that they are skipped.
#![cfg(target_os = "linux")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::io::{BufRead, BufReader, Lines, Write, stdout};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rhema_crdt::net::{Hub, HubEvent, Listen, LocalNetwork, PublicKey, Settings, Sought};
use rhema_crdt::node::Node as Identity;
use tempfile::TempDir;

use crate::hosts::{Hosts, ip};

const GIT_DIR: &str = "RHEMA_TEST_NETWORK_GIT_DIR";
const PEER: &str = "RHEMA_TEST_NETWORK_PEER";

/// A node with its key, wherever it runs.
struct Someone {
    folder: TempDir,
    key: String,
}

impl Someone {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = Identity::create(folder.path())
            .unwrap()
            .0
            .key()
            .public_text();
        Self { folder, key }
    }

    /// Runs on a host and keeps a line with that other node.
    fn run(&self, host: &str, peer: &Self) -> Process {
        self.run_with(host, peer, "loss=0")
    }

    /// The same, with a network that has these faults.
    fn run_with(&self, host: &str, peer: &Self, faults: &str) -> Process {
        let mut child = Command::new("ip")
            .args(["netns", "exec", host])
            .arg(env::current_exe().unwrap())
            .args([
                "--exact",
                "namespaces::plays_its_part",
                "--ignored",
                "--nocapture",
            ])
            .env(GIT_DIR, self.folder.path())
            .env(PEER, &peer.key)
            .env("RHEMA_NET_FAULTS", faults)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        Process { child, said }
    }
}

/// A node at work, killed when it is dropped.
struct Process {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Waits until it says this.
    fn says(&mut self, word: &str) {
        let mut lines = self.said.by_ref().map_while(Result::ok);
        let said = lines.any(|line| line == word);
        assert!(said, "it ended without saying {word}");
    }
}

impl Process {
    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &process]).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Two hosts, each with a node that has a line with the other one's.
struct Pair {
    hosts: Hosts,
    one: Someone,
    other: Someone,
    first: Process,
    second: Process,
}

impl Pair {
    fn new(name: &str) -> Option<Self> {
        let hosts = Hosts::new(name, 2)?;
        let (one, other) = (Someone::new(), Someone::new());
        let mut first = one.run(hosts.name(1), &other);
        first.says("listening");
        let begun = Instant::now();
        let mut second = other.run(hosts.name(2), &one);
        second.says("up");
        first.says("up");
        println!("found each other in {:?}", begun.elapsed());
        Some(Self {
            hosts,
            one,
            other,
            first,
            second,
        })
    }

    /// How long it takes until both have a line again.
    #[track_caller]
    fn both_up_within(&mut self, seconds: u64) {
        let begun = Instant::now();
        self.first.says("up");
        self.second.says("up");
        println!("up again after {:?}", begun.elapsed());
        assert!(begun.elapsed() < Duration::from_secs(seconds));
    }
}

#[test]
fn two_hosts_find_each_other_and_one_that_was_killed_is_found_again() {
    let Some(mut pair) = Pair::new("kill") else {
        return;
    };
    let killed = std::mem::replace(
        &mut pair.second,
        pair.other.run(pair.hosts.name(2), &pair.one),
    );
    drop(killed);
    pair.both_up_within(60);
}

#[test]
fn two_hosts_meet_again_when_the_cable_is_put_in_again() {
    let Some(mut pair) = Pair::new("cable") else {
        return;
    };
    pair.hosts.cable(2, "down");
    pair.first.says("down");
    pair.second.says("down");
    pair.hosts.cable(2, "up");
    pair.both_up_within(60);
}

#[test]
fn a_host_that_gets_another_address_is_soon_heard_again() {
    let Some(mut pair) = Pair::new("move") else {
        return;
    };
    let host = pair.hosts.name(2);
    ip(&format!("-n {host} addr flush dev net"));
    ip(&format!("-n {host} addr add 10.77.0.99/24 dev net"));
    pair.both_up_within(60);
}

#[test]
fn two_hosts_with_a_bad_network_between_them_find_and_hear_each_other() {
    let Some(hosts) = Hosts::new("bad", 2) else {
        return;
    };
    let faults = "loss=30,delay=200,jitter=40,duplicate=5";
    let (one, other) = (Someone::new(), Someone::new());
    let begun = Instant::now();
    let mut first = one.run_with(hosts.name(1), &other, faults);
    let mut second = other.run_with(hosts.name(2), &one, faults);
    first.says("up");
    second.says("up");
    println!(
        "found each other over a bad network in {:?}",
        begun.elapsed()
    );
    for _ in 0..3 {
        first.says("heard");
        second.says("heard");
    }
    println!("heard each other three times in {:?}", begun.elapsed());
}

#[test]
fn a_node_whose_socket_fails_takes_another() {
    let Some(hosts) = Hosts::new("fail", 2) else {
        return;
    };
    let (one, other) = (Someone::new(), Someone::new());
    let mut first = one.run(hosts.name(1), &other);
    let mut second = other.run_with(hosts.name(2), &one, "death=4000");
    for _ in 0..2 {
        second.says("up");
        second.says("down");
    }
    second.says("up");
    for _ in 0..3 {
        first.says("up");
    }
}

#[test]
fn a_host_that_slept_is_there_again_when_it_wakes() {
    let Some(mut pair) = Pair::new("sleep") else {
        return;
    };
    pair.second.signal("STOP");
    pair.first.says("down");
    std::thread::sleep(Duration::from_secs(3));
    pair.second.signal("CONT");
    pair.both_up_within(60);
}

#[tokio::test]
#[ignore = "the other process of the tests here, which start it"]
async fn plays_its_part() {
    let git_dir = PathBuf::from(env::var_os(GIT_DIR).unwrap());
    keep_a_line(&git_dir, key(&env::var(PEER).unwrap())).await;
}

fn key(text: &str) -> PublicKey {
    let mut key = PublicKey::default();
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap();
    }
    key
}

fn say(word: &str) {
    let mut out = stdout();
    writeln!(out, "\n{word}").unwrap();
    out.flush().unwrap();
}

/// Says `up` and `down` of lines, and `heard` every other second that the peer is heard.
async fn keep_a_line(git_dir: &Path, peer: PublicKey) {
    let identity = Identity::load(git_dir).unwrap().unwrap();
    let settings = Settings {
        listen: Listen::Anywhere,
        local: Some(LocalNetwork::default()),
    };
    let trust = std::sync::Arc::new(move |key: &PublicKey| *key == peer);
    let (hub, mut events) = Hub::start(&settings, identity.key(), trust).unwrap();
    hub.seek(Sought {
        peers: BTreeMap::from([(peer, Vec::new())]),
        places: BTreeSet::new(),
        ..Sought::default()
    });
    say("listening");
    let boot = u64::from(std::process::id());
    while let Some(event) = events.recv().await {
        match event {
            HubEvent::Up(line) => {
                tokio::spawn(chat(hub.clone(), line, boot));
            }
            HubEvent::Down(..) if hub.lines().is_empty() => say("down"),
            _ => {}
        }
    }
}

async fn chat(hub: Hub, mut line: rhema_crdt::net::Line, boot: u64) {
    let mut first = true;
    line.send(&boot.to_le_bytes()).unwrap();
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            frame = line.recv() => {
                let Ok(frame) = frame else { return };
                if first {
                    let boot = u64::from_le_bytes(frame.try_into().unwrap());
                    hub.introduced(line.gauge().id(), boot, true);
                    say("up");
                } else {
                    say("heard");
                }
                first = false;
            }
            _ = tick.tick() => if line.send(b"tick").is_err() { return },
        }
    }
}
