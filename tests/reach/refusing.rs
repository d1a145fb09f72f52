//! Hosts that take no refs of ours, or nothing at all, and remotes that are not there.

use std::time::{Duration, Instant};

use crate::support::{Tree, World, run};
use crate::team::{TODOS, add, origin, refs, same, sync, sync_all, team};
use crate::watch::eventually;

/// A hook of the host that lets in only the refs that `pattern` (of `case`) names.
fn only(origin: &Tree<'_>, pattern: &str) {
    let hook = format!(
        "#!/bin/sh\ncase \"$1\" in {pattern}) exit 0;; esac\necho 'not on this host' >&2\nexit 1\n"
    );
    origin.write("hooks/update", hook);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let path = origin.path("hooks/update");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_host_that_hides_custom_refs_gets_a_branch() {
    let world = World::new();
    let clones = team(&world, 2);
    origin(&world).git(&["config", "transfer.hideRefs", "refs/rhema"]);
    add(&clones[0], "b");
    let said = clones[0].rhema(&["sync"]).exits(0);
    assert!(
        said.stderr.contains("does not take refs/rhema/"),
        "{}",
        said.stderr
    );
    assert!(said.stderr.contains("the branch rhema/"), "{}", said.stderr);
    add(&clones[1], "c");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: b") && shown.contains("id: c"),
        "{shown}"
    );
    let refs = refs(&origin(&world));
    assert!(
        refs.iter()
            .all(|name| name.starts_with("refs/heads/rhema/")),
        "{refs:?}"
    );
    // It is told once, not at every sync.
    add(&clones[0], "d");
    let said = clones[0].rhema(&["sync"]).exits(0);
    assert_eq!(said.stderr, "");
}

#[test]
fn a_hook_that_refuses_custom_refs_gets_a_branch() {
    let world = World::new();
    let clones = team(&world, 2);
    only(&origin(&world), "refs/heads/*");
    add(&clones[0], "b");
    add(&clones[1], "c");
    sync_all(&clones);
    let shown = same(&clones);
    assert!(
        shown.contains("id: b") && shown.contains("id: c"),
        "{shown}"
    );
}

#[test]
fn a_host_that_takes_neither_is_told_of_and_nothing_is_lost() {
    let world = World::new();
    let clones = team(&world, 2);
    only(&origin(&world), "refs/heads/main");
    add(&clones[0], "b");
    let said = clones[0].rhema(&["sync"]).exits(1);
    assert!(
        said.stdout
            .contains("git remote origin: origin takes neither refs/rhema/"),
        "{}",
        said.stdout
    );
    assert!(said.stdout.contains("hook declined"), "{}", said.stdout);
    assert!(clones[0].read(TODOS).contains("id: b"));
    std::fs::remove_file(origin(&world).path("hooks/update")).unwrap();
    sync_all(&clones);
    assert!(same(&clones).contains("id: b"));
}

#[test]
fn a_remote_that_is_away_costs_nothing_but_a_word() {
    let world = World::new();
    let clones = team(&world, 2);
    let (here, away) = (origin(&world).top, world.path("away.git"));
    std::fs::rename(&here, &away).unwrap();
    add(&clones[0], "b");
    let report = clones[0].rhema(&["sync", "--json"]).exits(1).json();
    let error = report["remote"]["error"].as_str().unwrap();
    assert!(
        error.contains("does not appear to be a git repository")
            || error.contains("Could not read"),
        "{error}"
    );
    assert_eq!(report["remote"]["name"], "origin");
    std::fs::rename(&away, &here).unwrap();
    sync_all(&clones);
    assert!(same(&clones).contains("id: b"));
}

#[test]
fn a_remote_that_may_only_be_read_is_read() {
    let world = World::new();
    let clones = team(&world, 2);
    add(&clones[0], "b");
    sync(&clones[0]);
    only(&origin(&world), "nothing");
    add(&clones[1], "c");
    let report = clones[1].rhema(&["sync", "--json"]).exits(1).json();
    assert_eq!(report["remote"]["received"], 1, "{report}");
    assert!(clones[1].read(TODOS).contains("id: b"));
}

#[test]
fn without_a_remote_it_is_said_what_to_do() {
    let world = World::new();
    let alone = world.repo("alone", &[(TODOS, "todos:\n  - id: a\n    title: A\n")]);
    alone.rhema(&["init", "--discovery", "git"]).exits(0);
    alone.commit("init");
    let said = alone.rhema(&["sync"]).exits(1);
    assert!(
        said.stdout.contains("`git remote add origin URL`"),
        "{}",
        said.stdout
    );
    alone.git(&["remote", "add", "one", "../one.git"]);
    alone.git(&["remote", "add", "two", "../two.git"]);
    let said = alone.rhema(&["sync"]).exits(1);
    assert!(said.stdout.contains("`remote: NAME`"), "{}", said.stdout);
    let config = alone.read(".rhema/crdt/config.yaml");
    alone.write(".rhema/crdt/config.yaml", format!("{config}remote: two\n"));
    alone.git(&["init", "-q", "--bare", "../two.git"]);
    add(&alone, "b");
    assert_eq!(sync(&alone)["name"], "two");
    alone.write(
        ".rhema/crdt/config.yaml",
        format!("{config}remote: three\n"),
    );
    let said = alone.rhema(&["sync"]).exits(1);
    assert!(
        said.stdout.contains("there is no git remote three"),
        "{}",
        said.stdout
    );
}

#[test]
#[cfg(unix)]
fn a_host_that_does_not_answer_is_not_waited_for_longer_than_was_said() {
    let world = World::new();
    let clones = team(&world, 1);
    let clone = &clones[0];
    clone.git(&["remote", "set-url", "origin", "ssh://host.invalid/repo.git"]);
    let ssh = format!(
        "sh -c 'echo $$ > {}; exec sleep 600' #",
        world.path("ssh-process").display()
    );
    clone.git(&["config", "core.sshCommand", &ssh]);
    add(clone, "b");
    let began = Instant::now();
    let report = clone
        .rhema(&["sync", "--timeout", "2", "--json"])
        .exits(1)
        .json();
    let error = report["remote"]["error"].as_str().unwrap();
    assert!(error.contains("took too long"), "{error}");
    // Far from the minutes that the host takes; how fast it is is measured elsewhere.
    assert!(began.elapsed() < Duration::from_secs(120));
    let process = std::fs::read_to_string(world.path("ssh-process")).unwrap();
    let is_there = || {
        let mut kill = world.command("kill", &clone.top);
        run(kill.args(["-0", process.trim()])).status == 0
    };
    eventually(|| !is_there(), || "what git ran is left behind".to_owned());
}

#[test]
#[cfg(unix)]
fn nobody_is_asked_for_a_password_in_a_pipe() {
    let world = World::new();
    let clones = team(&world, 1);
    let clone = &clones[0];
    clone.write(
        "ssh.sh",
        "#!/bin/sh\necho \"$@\" >> ssh-was-called\nexit 1\n",
    );
    clone.git(&["remote", "set-url", "origin", "ssh://host.invalid/repo.git"]);
    // `ssh` itself is the first on PATH.
    std::fs::create_dir(world.path("bin")).unwrap();
    std::fs::rename(clone.path("ssh.sh"), world.path("bin/ssh")).unwrap();
    std::fs::set_permissions(
        world.path("bin/ssh"),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let path = std::env::var("PATH").unwrap();
    let mut command = world.command(crate::support::BINARY, &clone.top);
    command.args(["crdt", "sync", "--json"]);
    command.env("PATH", format!("{}:{path}", world.path("bin").display()));
    crate::support::run(&mut command).exits(1);
    let called = clone.read("ssh-was-called");
    assert!(called.contains("-oBatchMode=yes"), "{called}");
}

#[test]
fn a_host_that_hides_custom_refs_from_one_side_only_gets_a_branch() {
    for which in ["uploadpack.hideRefs", "receive.hideRefs"] {
        let world = World::new();
        let clones = team(&world, 2);
        add(&clones[0], "b");
        sync_all(&clones);
        origin(&world).git(&["config", which, "refs/rhema"]);
        add(&clones[0], "c");
        add(&clones[1], "d");
        sync_all(&clones);
        let shown = same(&clones);
        assert!(
            shown.contains("id: c") && shown.contains("id: d"),
            "{which}: {shown}"
        );
    }
}

#[test]
fn what_a_hook_says_is_told() {
    let world = World::new();
    let clones = team(&world, 1);
    only(&origin(&world), "refs/heads/main");
    add(&clones[0], "b");
    let said = clones[0].rhema(&["sync"]).exits(1).stdout;
    assert!(said.contains("not on this host"), "{said}");
}

#[test]
fn no_password_is_ever_told() {
    let world = World::new();
    let clones = team(&world, 1);
    add(&clones[0], "b");
    for url in [
        "git://ann:hunter22@127.0.0.1:1/x",
        "https://ann:hunter22@127.0.0.1:1/x?token=hunter22",
        "ssh://ann:hunter22@127.0.0.1:1/x",
    ] {
        clones[0].git(&["remote", "set-url", "origin", url]);
        for arguments in [
            &["sync", "--timeout", "10"][..],
            &["sync", "--json", "-vv", "--timeout", "10"],
            &["status", "-v"],
        ] {
            let said = clones[0].rhema(arguments);
            let all = format!("{}{}", said.stdout, said.stderr);
            assert!(!all.contains("hunter22"), "{url}: {all}");
        }
    }
}
