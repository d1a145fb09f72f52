//! How nodes find each other, and come back to each other.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use rhema_crdt::net::{
    Close, DialError, Ending, HubEvent, Place, Sought, Target, leave_address, take_address,
};

use crate::support::{HELLO, Node, call, looking_around};

/// Ports of multicast that only one test uses each.
const PORTS: [u16; 2] = [45_353, 45_354];

#[tokio::test]
async fn two_on_one_network_find_each_other() {
    let (mut one, mut other) = Node::pair_with(&looking_around(PORTS[0]));
    let begun = Instant::now();
    one.seek(&other, &[]);
    let near = one.line().await;
    near.send(HELLO).unwrap();
    assert_eq!(other.line().await.recv().await.unwrap(), HELLO);
    println!("found and called in {:?}", begun.elapsed());
}

#[tokio::test]
async fn one_whose_key_becomes_known_later_is_recognised_then() {
    let (mut one, other) = Node::pair_with(&looking_around(PORTS[1]));
    one.hub.seek(Sought::default());
    assert!(one.is_quiet().await);
    one.seek(&other, &[]);
    match one.event().await {
        HubEvent::Discovered(key, addresses) => {
            assert_eq!(key, other.key());
            assert!(addresses.contains(&other.address()));
        }
        event => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn a_peer_is_called_where_it_was_last() {
    let (mut one, other) = Node::pair();
    let nobody = "127.0.0.1:9".parse().unwrap();
    one.seek(&other, &[nobody, other.address()]);
    assert_eq!(one.line().await.gauge().peer(), &other.key());
}

#[tokio::test]
async fn a_sibling_is_called_at_the_address_that_it_left() {
    let (mut one, other) = Node::pair();
    let git_dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(git_dir.path().join("rhema")).unwrap();
    one.hub.seek(Sought {
        peers: BTreeMap::new(),
        places: BTreeSet::from([Place::Sibling(git_dir.path().to_path_buf())]),
        ..Sought::default()
    });
    assert!(one.is_quiet().await, "it does not run yet");
    leave_address(git_dir.path(), other.address()).unwrap();
    assert_eq!(one.line().await.gauge().peer(), &other.key());
    take_address(git_dir.path(), other.address());
}

#[tokio::test]
async fn another_one_at_the_address_of_a_peer_is_not_taken_for_it() {
    let (mut one, other) = Node::pair();
    let third = Node::new();
    one.known.add(&third);
    third.known.add(&one);
    one.seek(&other, &[third.address()]);
    match one.event().await {
        HubEvent::Unreached(Target::Peer(key), error) => {
            assert_eq!((key, error), (other.key(), DialError::Another));
        }
        event => panic!("{event:?}"),
    }
}

#[tokio::test]
async fn a_line_that_breaks_comes_again() {
    let (mut one, mut other) = Node::pair();
    one.seek(&other, &[other.address()]);
    for _ in 0..3 {
        let near = one.line().await;
        near.send(HELLO).unwrap();
        drop(other.line().await);
        assert_eq!(one.down().await.1, Ending::There(Close::Left));
    }
}

#[tokio::test]
async fn one_who_called_is_called_back_when_the_line_breaks() {
    let (mut one, mut other) = Node::pair();
    one.seek(&other, &[]);
    drop(call(&mut other, &mut one).await);
    let line = one.line().await;
    assert_eq!(line.gauge().peer(), &other.key());
    assert!(line.gauge().dialled());
}

#[tokio::test]
async fn two_who_call_each_other_at_once_end_up_with_one_line() {
    for _ in 0..4 {
        let (mut one, mut other) = Node::pair();
        one.seek(&other, &[other.address()]);
        other.seek(&one, &[one.address()]);
        let both = tokio::join!(settle(&mut one, 1), settle(&mut other, 2));
        assert_eq!(both.0, 1, "lines of one");
        assert_eq!(both.1, 1, "lines of the other");
        let (near, far) = (&one.hub.lines()[0], &other.hub.lines()[0]);
        assert_ne!(near.dialled(), far.dialled());
    }
}

/// Greets on every line, introduces whoever greets, and counts the lines when nothing happens any more.
pub(crate) async fn settle(node: &mut Node, boot: u64) -> usize {
    let mut talks = tokio::task::JoinSet::new();
    while let Ok(Some(event)) =
        tokio::time::timeout(Duration::from_millis(500), node.events.recv()).await
    {
        if let HubEvent::Up(mut line) = event {
            let hub = node.hub.clone();
            line.send(&boot.to_le_bytes()).unwrap();
            talks.spawn(async move {
                while let Ok(greeting) = line.recv().await {
                    let boot = u64::from_le_bytes(greeting.try_into().unwrap());
                    hub.introduced(line.gauge().id(), boot, true);
                }
            });
        }
    }
    let lines = node.hub.lines().len();
    talks.detach_all();
    lines
}
