//! Who gets in, and who does not.

use rhema_crdt::net::{Close, DialError, Ending};

use crate::support::{Node, call};

#[tokio::test]
async fn two_who_admit_each_other_talk() {
    let (mut one, mut other) = Node::pair();
    let (mut near, mut far) = call(&mut one, &mut other).await;
    assert_eq!(near.gauge().peer(), &other.key());
    assert_eq!(far.gauge().peer(), &one.key());
    assert!(near.gauge().dialled() && !far.gauge().dialled());
    near.send(b"there").unwrap();
    assert_eq!(far.recv().await.unwrap(), b"there");
    far.send(b"and back").unwrap();
    assert_eq!(near.recv().await.unwrap(), b"and back");
}

#[tokio::test]
async fn a_caller_whom_they_do_not_know_is_told_so_and_they_never_hear_of_it() {
    let (caller, mut called) = (Node::new(), Node::new());
    caller.known.add(&called);
    let refused = caller.hub.dial(&called.at()).await.unwrap_err();
    assert_eq!(refused, DialError::NotAdmitted);
    assert!(called.is_quiet().await);
}

#[tokio::test]
async fn one_who_answers_and_whom_we_do_not_know_gets_nothing() {
    let (mut caller, mut called) = (Node::new(), Node::new());
    called.known.add(&caller);
    let refused = caller.hub.dial(&called.at()).await.unwrap_err();
    assert_eq!(refused, DialError::Stranger);
    assert!(called.is_quiet().await && caller.is_quiet().await);
}

#[tokio::test]
async fn nobody_talks_to_himself() {
    let node = Node::new();
    node.known.add(&node);
    let refused = node.hub.dial(&node.at()).await.unwrap_err();
    assert_eq!(refused, DialError::Ourselves);
}

#[tokio::test]
async fn a_removed_member_is_cut_off_and_not_let_in_again() {
    let (mut one, mut other) = Node::pair();
    let (_near, _far) = call(&mut one, &mut other).await;
    one.known.remove(&other);
    one.hub.trust_changed();
    assert_eq!(one.down().await.1, Ending::Here(Close::NotAdmitted));
    assert_eq!(other.down().await.1, Ending::There(Close::NotAdmitted));
    let refused = other.hub.dial(&one.at()).await.unwrap_err();
    assert_eq!(refused, DialError::NotAdmitted);
}
