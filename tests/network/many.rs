//! Many who all know of each other.

use std::collections::{BTreeMap, BTreeSet};

use rhema_crdt::net::{Company, PublicKey, Sought};
use tokio::task::JoinSet;

use crate::seeking::settle;
use crate::support::Node;

const NODES: usize = 24;

/// All who can be reached from one over these lines.
fn reached(lines: &BTreeMap<PublicKey, BTreeSet<PublicKey>>) -> BTreeSet<PublicKey> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<PublicKey> = lines.keys().take(1).copied().collect();
    while let Some(key) = next.pop() {
        if reached.insert(key) {
            next.extend(&lines[&key]);
        }
    }
    reached
}

#[tokio::test]
async fn each_has_lines_with_some_and_there_is_a_way_to_all() {
    let nodes: Vec<Node> = (0..NODES).map(|_| Node::new()).collect();
    for node in &nodes {
        let others = nodes.iter().filter(|other| other.key() != node.key());
        others.clone().for_each(|other| node.known.add(other));
        node.hub.seek(Sought {
            peers: others
                .map(|other| (other.key(), vec![other.address()]))
                .collect(),
            company: Company::Many,
            ..Sought::default()
        });
    }
    let mut settling = JoinSet::new();
    for (boot, mut node) in (0..).zip(nodes) {
        settling.spawn(async move {
            settle(&mut node, boot).await;
            node
        });
    }
    let nodes = settling.join_all().await;
    let mut lines = BTreeMap::new();
    for node in &nodes {
        let peers = node.hub.lines().into_iter().map(|line| *line.peer());
        lines.insert(node.key(), peers.collect::<BTreeSet<_>>());
    }
    let counts: Vec<usize> = lines.values().map(BTreeSet::len).collect();
    assert!(counts.iter().all(|count| *count >= 4), "{counts:?}");
    let mean = counts.iter().sum::<usize>() / NODES;
    assert!(mean < NODES - 4, "{counts:?}");
    assert_eq!(reached(&lines).len(), NODES);
}
