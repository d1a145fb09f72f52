//! What goes over a line, and how it ends.

use rhema_crdt::net::{Close, Ending, FRAME};

use crate::support::{HELLO, Node, call};

#[tokio::test]
async fn frames_of_every_size_come_as_they_were_sent_and_in_order() {
    let (mut one, mut other) = Node::pair();
    let (near, mut far) = call(&mut one, &mut other).await;
    let sizes = [0, 1, 3, 4, 1200, 65_536, FRAME, 7];
    for (byte, size) in (0..).zip(sizes) {
        near.send(&vec![byte; size]).unwrap();
    }
    for (byte, size) in (0..).zip(sizes) {
        assert_eq!(far.recv().await.unwrap(), vec![byte; size]);
    }
    let headers = 4 * (1 + sizes.len());
    let bytes = (HELLO.len() + sizes.iter().sum::<usize>() + headers) as u64;
    assert_eq!(near.gauge().traffic().sent, bytes);
    assert_eq!(far.gauge().traffic().received, bytes);
    assert!(far.gauge().traffic().udp_received > bytes);
}

#[tokio::test]
async fn what_was_said_before_the_end_is_heard() {
    let (mut one, mut other) = Node::pair();
    let (near, mut far) = call(&mut one, &mut other).await;
    near.send(&vec![7; FRAME]).unwrap();
    let end = tokio::spawn(near.end(Close::Left));
    assert_eq!(far.recv().await.unwrap().len(), FRAME);
    assert_eq!(far.recv().await.unwrap_err(), Ending::Finished);
    drop(far);
    end.await.unwrap();
}

#[tokio::test]
async fn a_node_that_shuts_down_says_so() {
    let (mut one, mut other) = Node::pair();
    let (_near, mut far) = call(&mut one, &mut other).await;
    one.hub.shutdown().await;
    assert_eq!(far.recv().await.unwrap_err(), Ending::There(Close::Left));
    assert_eq!(other.down().await.1, Ending::There(Close::Left));
}
