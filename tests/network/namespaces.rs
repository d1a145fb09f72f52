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

const GIT_DIR: &str = "RHEMA_TEST_NETWORK_GIT_DIR";
const PEER: &str = "RHEMA_TEST_NETWORK_PEER";

/// Namespaces that are gone when it is dropped.
struct Hosts {
    bridge: String,
    all: Vec<String>,
}

fn ip(arguments: &str) {
    let run = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    assert!(run.status.success(), "ip {arguments}: {run:?}");
}

impl Hosts {
    /// That many hosts on one network; nothing where there may be none.
    fn new(name: &str, count: usize) -> Option<Self> {
        let name = format!("rhema-{}-{name}", std::process::id());
        let bridge = format!("{name}-bridge");
        let made = Command::new("ip").args(["netns", "add", &bridge]).output();
        if !made.is_ok_and(|run| run.status.success()) {
            println!("skipped: no network namespaces can be made here (they need root)");
            return None;
        }
        let mut hosts = Self {
            bridge,
            all: Vec::new(),
        };
        let bridge = &hosts.bridge;
        ip(&format!(
            "-n {bridge} link add bridge type bridge mcast_snooping 0"
        ));
        ip(&format!("-n {bridge} link set bridge up"));
        for number in 1..=count {
            let host = format!("{name}-{number}");
            ip(&format!("netns add {host}"));
            ip(&format!(
                "-n {bridge} link add port{number} type veth peer name net netns {host}"
            ));
            ip(&format!(
                "-n {bridge} link set port{number} master bridge up"
            ));
            ip(&format!("-n {host} addr add 10.77.0.{number}/24 dev net"));
            ip(&format!("-n {host} link set lo up"));
            ip(&format!("-n {host} link set net up"));
            hosts.all.push(host);
        }
        Some(hosts)
    }

    /// Pulls a host's cable, or puts it in again.
    fn cable(&self, number: usize, state: &str) {
        ip(&format!("-n {} link set port{number} {state}", self.bridge));
    }

    fn name(&self, number: usize) -> &str {
        &self.all[number - 1]
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for host in self.all.iter().chain([&self.bridge]) {
            let _ = Command::new("ip").args(["netns", "del", host]).status();
        }
    }
}

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
        let lines = self.said.by_ref().map_while(Result::ok);
        let said = lines.filter(|line| line == word).next();
        assert!(said.is_some(), "it ended without saying {word}");
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
    pair.both_up_within(5);
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
    pair.both_up_within(10);
}

#[test]
fn a_host_that_gets_another_address_is_soon_heard_again() {
    let Some(mut pair) = Pair::new("move") else {
        return;
    };
    let host = pair.hosts.name(2);
    ip(&format!("-n {host} addr flush dev net"));
    ip(&format!("-n {host} addr add 10.77.0.99/24 dev net"));
    pair.both_up_within(10);
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
    pair.both_up_within(10);
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
    });
    say("listening");
    let boot = u64::from(std::process::id());
    while let Some(event) = events.recv().await {
        match event {
            HubEvent::Up(line) => {
                tokio::spawn(chat(hub.clone(), line, boot));
            }
            HubEvent::Down(_, ending) => {
                eprintln!("{ending:?}");
                if hub.lines().is_empty() {
                    say("down");
                }
            }
            other => eprintln!("{other:?}"),
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
