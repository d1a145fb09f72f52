//! Many who begin a handshake and never finish it.
#![cfg(target_os = "linux")]

use std::collections::HashMap;
use std::env;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{Node, call, resident_kilobytes};

/// Handshakes that are begun.
const BEGUN: usize = 2000;

/// Memory that may be in use for all of them, in kilobytes.
const MEMORY: u64 = 16 << 10;

/// How long a member waits for its line meanwhile: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(60);

const FILE: &str = "RHEMA_TEST_NETWORK_PACKETS";

/// First packets of that many different handshakes, made by another process: what it takes is not to be counted here.
fn first_packets() -> Vec<Vec<u8>> {
    let file = tempfile::NamedTempFile::new().unwrap();
    let run = Command::new(env::current_exe().unwrap())
        .args(["--exact", "flood::writes_first_packets", "--ignored"])
        .env(FILE, file.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{run:?}");
    serde_json::from_slice(&fs::read(file.path()).unwrap()).unwrap()
}

#[tokio::test]
#[ignore = "the other process of the test here, which starts it"]
async fn writes_first_packets() {
    let packets = serde_json::to_vec(&call_nobody().await).unwrap();
    fs::write(env::var_os(FILE).unwrap(), packets).unwrap();
}

/// First packets as real callers send them.
async fn call_nobody() -> Vec<Vec<u8>> {
    let caller = Node::new();
    let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap().to_string();
    let mut calls = JoinSet::new();
    for _ in 0..BEGUN {
        let (hub, address) = (caller.hub.clone(), address.clone());
        calls.spawn(async move { hub.dial(&address).await.map(drop) });
    }
    let mut packets = HashMap::new();
    let mut packet = [0; 2048];
    while packets.len() < BEGUN {
        let (size, _) = timeout(PATIENCE, nobody.recv_from(&mut packet))
            .await
            .unwrap()
            .unwrap();
        let packet = &packet[..size];
        // Behind the first byte and the version stand the length and the id that the caller drew (RFC 9000, 17.2).
        let drawn = packet[6..6 + usize::from(packet[5])].to_vec();
        packets.entry(drawn).or_insert_with(|| packet.to_vec());
    }
    packets.into_values().collect()
}

#[tokio::test]
async fn thousands_of_half_open_handshakes_cost_little_and_keep_no_member_out() {
    let packets = first_packets();
    let (mut member, mut besieged) = Node::pair();
    let target = besieged.address();
    let before = resident_kilobytes();
    let mut spoofed = Vec::new();
    for last in 2..100 {
        let from = SocketAddr::from((Ipv4Addr::new(127, 0, 1, last), 0));
        spoofed.push(UdpSocket::bind(from).await.unwrap());
    }
    for (number, packet) in packets.iter().enumerate() {
        let from = &spoofed[number % spoofed.len()];
        from.send_to(packet, target).await.unwrap();
        if number % 16 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let begun = Instant::now();
    timeout(PATIENCE, call(&mut member, &mut besieged))
        .await
        .expect("a member was kept out");
    let grown = resident_kilobytes().saturating_sub(before);
    println!(
        "a member's line came in {:?}, memory grew by {grown} kB",
        begun.elapsed()
    );
    assert!(grown < MEMORY, "{grown} kB");
}
