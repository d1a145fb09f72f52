//! Strangers who were invited, and those who were not.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use rhema_crdt::net::{DialError, HubEvent, Listen, Reply, Settings};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::support::{HELLO, Node, PATIENCE, quiet};

/// Strangers that come at once.
const MANY: usize = 100;

/// Of so many of them at most a node hears while it lets a member in: four at a time, and those from one address after
/// ever longer pauses.
const HEARD: usize = 16;

#[tokio::test]
async fn a_stranger_is_heard_and_answered_while_somebody_is_invited() {
    let (stranger, mut inviter) = (Node::new(), Node::new());
    inviter.known.expect_strangers(true);
    let (key, at) = (inviter.key(), inviter.at());
    let answered = async {
        let knock = inviter.knocked().await;
        assert_eq!(knock.key, stranger.key());
        assert_eq!(knock.said, b"please");
        knock
            .reply
            .send(Reply::Welcome(b"come in".to_vec()))
            .unwrap();
    };
    let (answer, ()) = tokio::join!(stranger.knock(key, &at, b"please"), answered);
    assert_eq!(answer, Ok(b"come in".to_vec()));
    // Talking is another matter.
    stranger.known.add(&inviter);
    let refused = stranger.hub.dial(&at).await.unwrap_err();
    assert_eq!(refused, DialError::NotAdmitted);
    assert!(inviter.is_quiet().await);
}

#[tokio::test]
async fn where_nobody_is_invited_nobody_is_heard() {
    let (stranger, mut other) = (Node::new(), Node::new());
    let (key, at) = (other.key(), other.at());
    let refused = stranger.knock(key, &at, b"please").await;
    assert_eq!(refused, Err(DialError::Protocol));
    // An invitation that is over is as good as none.
    other.known.expect_strangers(true);
    other.known.expect_strangers(false);
    let refused = stranger.knock(key, &at, b"please").await;
    assert_eq!(refused, Err(DialError::Protocol));
    assert!(other.is_quiet().await);
}

#[tokio::test]
async fn a_stranger_asks_whom_it_was_invited_by_and_nobody_else() {
    let (stranger, inviter, mut other) = (Node::new(), Node::new(), Node::new());
    other.known.expect_strangers(true);
    let refused = stranger.knock(inviter.key(), &other.at(), b"please").await;
    assert_eq!(refused, Err(DialError::Another));
    assert!(other.is_quiet().await);
}

#[tokio::test]
async fn who_says_too_much_is_not_heard() {
    let (stranger, mut inviter) = (Node::new(), Node::new());
    inviter.known.expect_strangers(true);
    let said = vec![7; 100_000];
    let refused = stranger.knock(inviter.key(), &inviter.at(), &said).await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(inviter.is_quiet().await);
}

#[tokio::test]
async fn strangers_who_come_in_crowds_keep_no_member_out() {
    let mut besieged = Node::new();
    besieged.known.expect_strangers(true);
    // Whoever shares an address with them has to wait for it as ever.
    let elsewhere = Settings {
        listen: Listen::At(SocketAddr::from((Ipv4Addr::new(127, 0, 0, 2), 0))),
        ..quiet(0)
    };
    let mut member = Node::with(elsewhere);
    besieged.known.add(&member);
    member.known.add(&besieged);
    let (key, at) = (besieged.key(), besieged.at());
    let mut crowd = JoinSet::new();
    for _ in 0..MANY {
        let at = at.clone();
        crowd.spawn(async move {
            let stranger = Node::new();
            // Some say nonsense, and some nothing that anybody answers.
            let _ = stranger.knock(key, &at, b"let me in").await;
        });
    }
    let first = timeout(PATIENCE, besieged.knocked()).await.unwrap();
    let mut heard = vec![first];
    let began = Instant::now();
    let calling = async {
        member.hub.dial(&at).await.unwrap();
        let near = member.line().await;
        near.send(HELLO).unwrap();
        near
    };
    let letting_in = async {
        loop {
            match besieged.event().await {
                HubEvent::Up(line) => return line,
                HubEvent::Knocked(knock) => heard.push(knock),
                _ => {}
            }
            // Every other one is refused, the others are left waiting.
            if heard.len() % 2 == 0
                && let Some(knock) = heard.pop()
            {
                let _ = knock.reply.send(Reply::Refused(b"no".to_vec()));
            }
        }
    };
    let (_near, mut far) = timeout(PATIENCE, async { tokio::join!(calling, letting_in) })
        .await
        .expect("a member was kept out");
    assert_eq!(far.recv().await.unwrap(), HELLO);
    println!("a member's line came in {:?}", began.elapsed());
    tokio::time::sleep(Duration::from_millis(500)).await;
    while let Ok(event) = besieged.events.try_recv() {
        if let HubEvent::Knocked(knock) = event {
            heard.push(knock);
        }
    }
    assert!(heard.len() <= HEARD, "{} were heard", heard.len());
}
