//! Peers that are killed, started again, or move to another address.

use std::net::SocketAddr;
use std::time::Duration;

use rhema_crdt::net::{Close, Ending, HubEvent};
use tokio::net::UdpSocket;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::support::{HELLO, Node, call, quiet};

/// A computer of its own: what runs on it ends with it, without a word to anybody.
fn computer() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap()
}

/// Ends like a power cut.
fn cut_off(computer: Runtime) {
    computer.shutdown_timeout(Duration::from_secs(5));
}

#[test]
fn a_peer_that_was_killed_and_started_again_is_noticed_by_the_next_packet() {
    let (here, there) = (computer(), computer());
    let mut one = here.block_on(async { Node::new() });
    let mut other = there.block_on(async { Node::new() });
    one.known.add(&other);
    other.known.add(&one);
    let (mut near, far) = here.block_on(call(&mut one, &mut other));
    cut_off(there);
    drop(far);
    let there = computer();
    let _other = there.block_on(async { other.restart() });
    near.send(b"still there?").unwrap();
    let ending = here.block_on(near.recv()).unwrap_err();
    assert_eq!(ending, Ending::Restarted, "nobody waited for it in vain");
}

#[test]
fn a_peer_that_was_started_again_and_calls_takes_the_place_of_its_former_line() {
    let (here, there) = (computer(), computer());
    let mut one = here.block_on(async { Node::new() });
    let mut other = there.block_on(async { Node::new() });
    one.known.add(&other);
    other.known.add(&one);
    let (near, far) = here.block_on(call(&mut one, &mut other));
    one.hub.introduced(near.gauge().id(), 1, true);
    cut_off(there);
    drop(far);
    let there = computer();
    let mut other = there.block_on(async { other.restart() });
    let (_near, anew) = there.block_on(call(&mut other, &mut one));
    one.hub.introduced(anew.gauge().id(), 2, true);
    let (line, ending) = here.block_on(one.down());
    assert_eq!(line.id(), near.gauge().id());
    assert!(
        matches!(ending, Ending::Here(Close::Replaced) | Ending::Restarted),
        "{ending:?}"
    );
    assert_eq!(one.hub.lines().len(), 1);
}

/// A router that gives its guests another address when it is told to.
struct Router {
    address: SocketAddr,
    switch: mpsc::Sender<()>,
}

impl Router {
    async fn to(server: SocketAddr) -> Self {
        let front = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = front.local_addr().unwrap();
        let (switch, mut switched) = mpsc::channel(1);
        tokio::spawn(async move {
            let mut back = UdpSocket::bind("127.0.0.1:0").await.unwrap();
            let mut guest = None;
            let (mut out, mut home) = ([0; 2048], [0; 2048]);
            loop {
                tokio::select! {
                    got = front.recv_from(&mut out) => {
                        let (size, from) = got.unwrap();
                        guest = Some(from);
                        back.send_to(&out[..size], server).await.unwrap();
                    }
                    got = back.recv(&mut home) => {
                        let size = got.unwrap();
                        front.send_to(&home[..size], guest.unwrap()).await.unwrap();
                    }
                    Some(()) = switched.recv() => back = UdpSocket::bind("127.0.0.1:0").await.unwrap(),
                }
            }
        });
        Self { address, switch }
    }
}

#[tokio::test]
async fn a_peer_whose_address_changes_keeps_its_line() {
    let (mut one, mut other) = Node::pair();
    let router = Router::to(other.address()).await;
    one.hub.dial(&router.address.to_string()).await.unwrap();
    let mut near = one.line().await;
    near.send(HELLO).unwrap();
    let mut far = other.line().await;
    assert_eq!(far.recv().await.unwrap(), HELLO);
    let before = far.gauge().remote();
    router.switch.send(()).await.unwrap();
    for number in 0..20 {
        near.send(&[number]).unwrap();
        assert_eq!(far.recv().await.unwrap(), [number]);
        far.send(&[number]).unwrap();
        assert_eq!(near.recv().await.unwrap(), [number]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_ne!(far.gauge().remote(), before);
}

#[tokio::test]
async fn one_whose_port_was_taken_listens_at_another() {
    let taken = UdpSocket::bind("[::]:0").await.unwrap();
    let port = taken.local_addr().unwrap().port();
    let mut settings = quiet(0);
    settings.listen = rhema_crdt::net::Listen::Remembered(port);
    let node = Node::with(settings.clone());
    assert_ne!(node.address().port(), port);
    drop(taken);
    let free = Node::with(settings);
    assert_eq!(free.address().port(), port);
}

#[tokio::test]
async fn a_host_with_both_families_is_called_by_either() {
    let mut settings = quiet(0);
    settings.listen = rhema_crdt::net::Listen::Anywhere;
    let (mut one, other) = Node::pair_with(&settings);
    let port = other.address().port();
    for ip in ["127.0.0.1", "[::1]", "localhost"] {
        one.hub.dial(&format!("{ip}:{port}")).await.unwrap();
        let line = one.line().await;
        assert!(
            line.gauge().remote().ip().is_loopback(),
            "{:?}",
            line.gauge()
        );
    }
    while let Ok(event) = one.events.try_recv() {
        assert!(!matches!(event, HubEvent::Warning(_)), "{event:?}");
    }
}
