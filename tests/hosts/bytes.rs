//! What goes over the network.

use std::process::Command;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::host::{Host, Team};
use crate::processes::Cost;

/// What one call said and heard: bytes of the protocol, and of UDP.
fn cost(report: &Value) -> (u64, u64) {
    let peer = &report["peers"][0];
    assert!(peer["error"].is_null(), "{report}");
    let bytes = |name: &str| peer[name].as_u64().unwrap();
    (
        bytes("bytes_sent") + bytes("bytes_received"),
        bytes("udp_bytes_sent") + bytes("udp_bytes_received"),
    )
}

/// The most that an edit of one field may cost between two who know the same, in bytes of the protocol.
const BOUND: u64 = 1_024;

#[test]
fn one_field_costs_little() {
    let Some(team) = Team::new("bytes", 2) else {
        return;
    };
    let (ann, ben) = (&team.hosts[0], &team.hosts[1]);
    let watch = ann.watch();
    ben.set("todos/b", "title=Bravo");
    let call = ["--peer", &ann.node()];
    ben.sync(&call);
    // Where both call each other at once there are two lines for a moment, each with a greeting.
    let calls = [(); 3].map(|()| cost(&ben.sync(&call)));
    let idle = calls.iter().map(|(bytes, _)| *bytes).min().unwrap();
    let idle_udp = calls.iter().map(|(_, udp)| *udp).min().unwrap();
    for title in ["Bet", "Beth"] {
        ben.edit("title: B", &format!("title: {title} B"));
        let report = ben.sync(&call);
        assert_eq!(report["peers"][0]["sent"], 1, "{report}");
        let (edit, edit_udp) = cost(&report);
        println!(
            "one field: {} bytes of the protocol, {} of UDP; a call without any edit: {idle} and {idle_udp}",
            edit - idle,
            edit_udp.saturating_sub(idle_udp)
        );
        assert!(edit - idle <= BOUND, "{} bytes", edit - idle);
    }
    watch.end("TERM");
}

/// Bytes and packets that came and went at a host, with the headers of Ethernet.
fn carried(host: &Host) -> [u64; 2] {
    let count = |what: &str| -> u64 {
        let both = ["rx", "tx"].map(|way| {
            let path = format!("/sys/class/net/net/statistics/{way}_{what}");
            let read = Command::new("ip")
                .args(["netns", "exec", &host.namespace, "cat", &path])
                .output()
                .unwrap();
            let text = String::from_utf8(read.stdout).unwrap();
            text.trim().parse::<u64>().unwrap()
        });
        both.iter().sum()
    };
    [count("bytes"), count("packets")]
}

fn since<const N: usize>(before: [u64; N], now: [u64; N]) -> [u64; N] {
    std::array::from_fn(|at| now[at] - before[at])
}

/// `cargo test --test hosts idle -- --ignored --nocapture`
#[test]
#[ignore = "it takes more than a minute"]
fn an_idle_pair_says_little() {
    let Some(team) = Team::new("idle", 2) else {
        return;
    };
    let ann = &team.hosts[0];
    let watches = team.all_watch();
    ann.set("todos/a", "title=Aleph");
    team.agree_on(&["title: Aleph"]);
    // Announcements are repeated for a while.
    thread::sleep(Duration::from_secs(10));
    let (bytes, work) = (carried(ann), Cost::of(watches[0].process()));
    thread::sleep(Duration::from_secs(60));
    let [bytes, packets] = since(bytes, carried(ann));
    let now = Cost::of(watches[0].process());
    println!(
        "an idle pair, a minute: {bytes} bytes in {packets} packets; at one host {} wake-ups, {} ms of computing",
        now.waits - work.waits,
        now.computed - work.computed
    );
    let before = carried(ann);
    ann.set("todos/a", "title=Alif");
    team.agree_on(&["title: Alif"]);
    thread::sleep(Duration::from_millis(300));
    let [bytes, packets] = since(before, carried(ann));
    println!("an edit of one field while both watch: {bytes} bytes in {packets} packets");
    assert!(bytes < 16 * BOUND, "{bytes}");
    for watch in watches {
        watch.end("TERM");
    }
}
