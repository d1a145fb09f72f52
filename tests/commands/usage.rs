//! The command line itself: help, exit statuses, streams.

use crate::support::{BINARY, World, run};
use std::io::Read;
use std::process::Stdio;

/// The commands that there are, in the order of the help.
const COMMANDS: [&str; 33] = [
    "demo",
    "init",
    "uninit",
    "export",
    "status",
    "verify",
    "sync",
    "watch",
    "peers",
    "invite",
    "join",
    "resolve",
    "why",
    "log",
    "blame",
    "show",
    "diff",
    "undo",
    "heal",
    "get",
    "add",
    "set",
    "increment",
    "remove",
    "move",
    "park",
    "unpark",
    "carry",
    "gc",
    "merge",
    "merge-driver",
    "completions",
    "man",
];

#[test]
fn help_shows_just_the_commands_that_there_are() {
    let world = World::new();
    let help = world.rhema(&world.path(""), &["--help"]).exits(0).stdout;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(commands, [&COMMANDS[..], &["help"]].concat());
}

#[test]
fn every_command_teaches_by_example() {
    let world = World::new();
    for command in COMMANDS {
        let help = world
            .rhema(&world.path(""), &[command, "--help"])
            .exits(0)
            .stdout;
        assert!(help.contains("\nExample"), "{command}: {help}");
        assert!(help.contains("rhema crdt"), "{command}: {help}");
    }
}

#[test]
fn wrong_usage_is_exit_2() {
    let world = World::new();
    for arguments in [
        &["nonsense"][..],
        &["status", "--nonsense"],
        &["merge", "one"],
        &["--color", "pink", "status"],
        &[],
    ] {
        let refused = world.rhema(&world.path(""), arguments).exits(2);
        assert_eq!(refused.stdout, "");
        assert!(!refused.stderr.is_empty());
    }
}

#[test]
fn a_folder_that_is_not_there_is_exit_3() {
    let world = World::new();
    let refused = world
        .rhema(&world.path(""), &["-C", "nowhere", "status"])
        .exits(3);
    assert!(
        refused
            .stderr
            .starts_with("error: cannot go to nowhere\n  caused by: "),
        "{}",
        refused.stderr
    );
}

#[test]
fn completions_and_pages_are_printed_anywhere() {
    let world = World::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = world
            .rhema(&world.path(""), &["completions", shell])
            .exits(0)
            .stdout;
        assert!(script.contains("merge-driver"), "{shell}");
        let mut shell = world.command(shell, &world.path(""));
        // Where the shell itself is at hand it must take the script.
        if let Ok(mut child) = shell
            .arg("-n")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
        {
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
            assert!(child.wait().unwrap().success());
        }
    }
    assert!(
        world
            .rhema(&world.path(""), &["man"])
            .exits(0)
            .stdout
            .contains(".TH rhema")
    );
    assert!(
        world
            .rhema(&world.path(""), &["man", "init"])
            .exits(0)
            .stdout
            .contains("dry")
    );
    world.rhema(&world.path(""), &["man", "nonsense"]).exits(3);
}

#[test]
fn colour_is_for_terminals_and_for_those_who_insist() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", "a: 1\n")]);
    let colourful = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = world.command(BINARY, &repo.top);
        run(command
            .envs(variables.iter().copied())
            .arg("crdt")
            .args(arguments))
        .exits(0)
        .stdout
        .contains('\u{1b}')
    };
    assert!(!colourful(&["status"], &[]));
    assert!(colourful(&["status", "--color", "always"], &[]));
    assert!(colourful(&["--color=always", "--help"], &[]));
    assert!(!colourful(
        &["status", "--color", "never"],
        &[("CLICOLOR_FORCE", "1")]
    ));
    assert!(!colourful(
        &["status"],
        &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]
    ));
}

#[test]
fn quiet_leaves_the_result_and_nothing_else() {
    let world = World::new();
    let repo = world.repo("repo", &[(".rhema/a.yaml", "a: 1\n")]);
    let init = repo.rhema(&["-q", "init"]).exits(0);
    assert_eq!((init.stdout.as_str(), init.stderr.as_str()), ("", ""));
    assert!(
        repo.rhema(&["status", "-q"])
            .exits(0)
            .stdout
            .contains(".rhema/a.yaml")
    );
}

#[test]
fn verbose_tells_what_happens_on_stderr() {
    let world = World::new();
    let repo = world.repo("repo", &[]);
    let init = repo.rhema(&["init", "-vv"]).exits(0);
    assert!(init.stderr.contains("git config"), "{}", init.stderr);
}

#[test]
fn a_reader_that_leaves_early_is_no_error() {
    let world = World::new();
    let files: Vec<String> = (0..3000)
        .map(|index| format!(".rhema/file-{index}.yaml"))
        .collect();
    let files: Vec<(&str, &str)> = files.iter().map(|file| (file.as_str(), "a: 1\n")).collect();
    let repo = world.repo("repo", &files);
    let mut command = world.command(BINARY, &repo.top);
    let mut child = command
        .args(["crdt", "status"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 10];
    stdout.read_exact(&mut first).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(output.status.code(), Some(0));
}
