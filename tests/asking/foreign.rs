//! Whoever is not the watcher of this very work tree, or speaks otherwise, is not asked; and who asks nonsense is not answered.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::thread;
use std::time::{Duration, Instant};

use rhema_crdt::node::Watch;

use crate::support::{World, run};
use crate::watcher::{FILE, Watcher, asks, set_up};

#[test]
fn a_copied_work_tree_does_not_ask_the_watcher_of_the_first() {
    let world = World::new();
    let first = set_up(&world, "first");
    let _watcher = Watcher::begin(&first);
    run(world
        .command("cp", &world.path(""))
        .args(["-r", "first", "second"]))
    .exits(0);
    let second = world.tree("second");
    // Somebody stays in the copy, too, and takes no questions; all that tells where to ask came with the copy.
    let _stays = Watch::begin(&second.path(".git")).unwrap().unwrap();
    let before = first.read(FILE);
    second.rhema(&["set", "todos/a", "title=Copied"]).exits(0);
    assert!(second.read(FILE).contains("Copied"));
    assert_eq!(first.read(FILE), before);
}

#[test]
fn whoever_listens_there_and_is_no_watcher_of_this_version_is_not_asked() {
    type Answer = fn(UnixStream);
    let answers: [(&str, Answer); 5] = [
        ("hangs up", drop),
        ("says nothing", |stream| {
            thread::sleep(Duration::from_secs(3));
            drop(stream);
        }),
        ("says nonsense", |mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }),
        ("says more than anybody hears", |mut stream| {
            let _ = stream.write_all(&[0xff; 8]);
        }),
        ("is of another version", |mut stream| {
            let _ = stream.write_all(&[4, 0, 0, 0, 9, 0, 0, 0]);
            let mut question = Vec::new();
            let _ = stream.read_to_end(&mut question);
            assert!(question.is_empty(), "nothing was asked");
        }),
    ];
    for (about, answer) in answers {
        let world = World::new();
        let tree = set_up(&world, "repo");
        let _stays = Watch::begin(&tree.path(".git")).unwrap().unwrap();
        let folder = world.path("run");
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        let record = tree.path(".git/rhema/socket");
        fs::write(record, format!("{}\n", socket.display())).unwrap();
        let listening = thread::spawn(move || answer(listener.accept().unwrap().0));
        tree.rhema(&["set", "todos/a", "title=Alone"]).exits(0);
        assert!(tree.read(FILE).contains("Alone"), "{about}");
        listening.join().unwrap();
    }
}

#[test]
fn what_a_watcher_left_that_was_killed_is_not_asked_and_the_next_one_takes_its_place() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let mut watcher = Watcher::begin(&tree);
    let socket = watcher.socket();
    watcher.kill();
    assert!(socket.exists(), "nobody took it away");
    tree.rhema(&["set", "todos/a", "title=Alone"]).exits(0);
    fs::remove_file(tree.path(".git/rhema/socket")).unwrap();
    let next = Watcher::begin(&tree);
    assert_eq!(next.socket(), socket);
    asks(&tree, &["set", "todos/a", "title=Asked"]).exits(0);
}

#[test]
fn the_socket_is_the_users_alone_and_gone_when_the_watcher_ends() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let mut watcher = Watcher::begin(&tree);
    let socket = watcher.socket();
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&socket), 0o600);
    assert_eq!(mode(socket.parent().unwrap()), 0o700);
    watcher.signal("-TERM");
    crate::watcher::until("it ends", || watcher.has_ended());
    assert!(!socket.exists());
    assert!(!tree.path(".git/rhema/socket").exists());
}

#[test]
fn who_asks_nonsense_or_nothing_keeps_nobody_from_asking() {
    let world = World::new();
    let tree = set_up(&world, "repo");
    let watcher = Watcher::begin(&tree);
    let socket = watcher.socket();
    for nonsense in [
        &[][..],
        &[0xff; 64],
        &[1, 0, 0, 0, 200],
        &[3, 0, 0, 0, 0, 1, 2],
    ] {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.write_all(nonsense).unwrap();
        drop(stream);
    }
    let silent: Vec<_> = (0..8)
        .map(|_| UnixStream::connect(&socket).unwrap())
        .collect();
    asks(&tree, &["set", "todos/a", "title=Asked"]).exits(0);
    let began = Instant::now();
    for mut stream in silent {
        let mut said = Vec::new();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream.read_to_end(&mut said).unwrap();
    }
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "they are let go of"
    );
}
