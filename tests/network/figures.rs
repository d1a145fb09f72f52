//! What a line costs. Run with `cargo test --release --test network figures -- --ignored --nocapture --test-threads 1`.
#![cfg(target_os = "linux")]

use std::fs;
use std::time::{Duration, Instant};

use rhema_crdt::net::{Settings, Traffic};

use crate::support::{HELLO, Node, call, looking_around, quiet, resident_kilobytes};

/// A port of multicast that only this uses.
const PORT: u16 = 45_355;

/// The median and the slowest but one in a hundred.
fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[times.len() / 2], times[times.len() * 99 / 100])
}

#[tokio::test]
#[ignore = "measures"]
async fn a_call_and_a_word() {
    let (mut one, mut other) = Node::pair();
    let (mut calls, mut words) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let begun = Instant::now();
        let (mut near, mut far) = call(&mut one, &mut other).await;
        calls.push(begun.elapsed());
        let begun = Instant::now();
        far.send(&[0; 200]).unwrap();
        near.recv().await.unwrap();
        near.send(&[0; 200]).unwrap();
        far.recv().await.unwrap();
        words.push(begun.elapsed());
    }
    println!(
        "call until the first frame is heard: {:?}",
        quantiles(calls)
    );
    println!("200 bytes there and back: {:?}", quantiles(words));
}

/// How often this process went to sleep of itself so far: each time it was woken again.
fn wake_ups() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let status = tasks.map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap());
    let count = |status: String| -> u64 {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        line.unwrap().trim().parse().unwrap()
    };
    status.map(count).sum()
}

async fn idle_minute(settings: &Settings, name: &str) {
    let (mut one, mut other) = Node::pair_with(settings);
    one.seek(&other, &[other.address()]);
    other.seek(&one, &[]);
    let near = one.line().await;
    near.send(HELLO).unwrap();
    let far = other.line().await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (before, switches) = (near.gauge().traffic(), wake_ups());
    tokio::time::sleep(Duration::from_secs(60)).await;
    let (after, woken) = (near.gauge().traffic(), (wake_ups() - switches) / 2);
    let bytes = |traffic: Traffic| traffic.udp_sent + traffic.udp_received;
    println!(
        "{name}: {} bytes of UDP both ways, {woken} wake-ups of each node in a minute",
        bytes(after) - bytes(before)
    );
    drop(far);
}

#[tokio::test]
#[ignore = "measures"]
async fn an_idle_minute() {
    idle_minute(&quiet(0), "an idle line").await;
    idle_minute(&looking_around(PORT), "an idle line, and looking around").await;
}

#[tokio::test]
#[ignore = "measures"]
async fn memory_of_lines() {
    const LINES: usize = 60;
    let mut hub = Node::new();
    let mut others: Vec<_> = (0..LINES).map(|_| Node::new()).collect();
    for other in &others {
        hub.known.add(other);
        other.known.add(&hub);
    }
    let before = resident_kilobytes();
    let mut lines = Vec::new();
    for other in &mut others {
        lines.push(call(other, &mut hub).await);
    }
    let grown = resident_kilobytes() - before;
    println!(
        "{} kB for each end of a line",
        grown as f64 / (2 * LINES) as f64
    );
}
