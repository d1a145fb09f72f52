//! Hosts of their own for tests: network namespaces, joined by a bridge. Making them needs root.

use std::process::Command;

/// Namespaces that are gone when it is dropped.
pub(crate) struct Hosts {
    bridge: String,
    all: Vec<String>,
}

/// `ip ARGUMENTS`, which must succeed.
#[track_caller]
pub(crate) fn ip(arguments: &str) {
    let run = Command::new("ip")
        .args(arguments.split(' '))
        .output()
        .unwrap();
    assert!(run.status.success(), "ip {arguments}: {run:?}");
}

impl Hosts {
    /// That many hosts on one network; nothing where there may be none.
    pub(crate) fn new(name: &str, count: usize) -> Option<Self> {
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
    pub(crate) fn cable(&self, number: usize, state: &str) {
        ip(&format!("-n {} link set port{number} {state}", self.bridge));
    }

    /// The namespace of a host; they are counted from 1.
    pub(crate) fn name(&self, number: usize) -> &str {
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
