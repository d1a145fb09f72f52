//! Who may write what: rules that a commit makes, kept where edits are taken, and told to both sides.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::support::{BINARY, Run, Tree, World, run};
use crate::watcher::Watcher;

/// For how long something may be waited for: never a claim about speed.
const PATIENCE: Duration = Duration::from_secs(60);

const MEMBERS: &str = ".rhema/crdt/members.yaml";
const CONFIG: &str = ".rhema/crdt/config.yaml";
const TODOS: &str = ".rhema/todos.yaml";
const NOTES: &str = ".rhema/notes.yaml";

/// Ann's repository with these rules, and the clone of an agent.
fn team<'w>(world: &'w World, rules: &str) -> (Tree<'w>, Tree<'w>) {
    let todos = "owner: ann\ntodos:\n  - id: a\n    title: One\n  - id: b\n    title: Uno\n";
    let ann = world.repo(
        "ann",
        &[
            (TODOS, todos),
            (NOTES, "notes:\n  - id: a\n    title: One\n"),
        ],
    );
    ann.rhema(&["init"]).exits(0);
    ann.commit("init");
    ann.git(&["clone", "-q", ".", "../bot"]);
    let bot = world.tree("bot");
    bot.rhema(&["init", "--no-join"]).exits(0);
    let key = bot.rhema(&["peers", "--json"]).exits(0).json()["key"].clone();
    let key = key.as_str().unwrap();
    ann.rhema(&["peers", "add", key, "--name", "Bot", "--role", "agent"])
        .exits(0);
    ann.write(CONFIG, format!("access:\n{rules}"));
    ann.git(&["add", CONFIG]);
    ann.git(&["commit", "-q", "-m", "An agent", MEMBERS, CONFIG]);
    bot.git(&["pull", "-q", "../ann", "main"]);
    (ann, bot)
}

fn status(tree: &Tree<'_>) -> Value {
    tree.rhema(&["status", "--json"]).exits(0).json()
}

fn sync(tree: &Tree<'_>, watcher: &Watcher) -> Run {
    tree.rhema(&["sync", "--peer", &watcher.address])
}

fn at(tree: &Tree<'_>, millis: i64, arguments: &[&str]) -> Run {
    let mut command = tree.world.command(BINARY, &tree.top);
    command.env("RHEMA_CLOCK_OFF_BY_MILLIS", millis.to_string());
    run(command.arg("crdt").args(arguments))
}

#[test]
fn an_agent_writes_where_it_may_and_both_are_told_of_what_it_may_not() {
    let world = World::new();
    let (ann, bot) = team(
        &world,
        "  - who: agent\n    write: [\".rhema/todos.yaml#todos\"]\n",
    );
    let watcher = Watcher::start(&ann);
    let quiet = bot.rhema(&["set", "todos/a", "title=Two"]).exits(0);
    assert_eq!(quiet.stderr, "");
    let warned = bot.rhema(&["set", "notes/a", "title=Two"]).exits(0).stderr;
    let why = "its author may not write .rhema/notes.yaml";
    assert!(warned.contains(why), "{warned}");
    let warned = bot.rhema(&["set", ".", "owner=bot"]).exits(0).stderr;
    assert!(
        warned.contains("may not write owner in .rhema/todos.yaml"),
        "{warned}"
    );

    let synced = sync(&bot, &watcher);
    assert!(synced.stderr.contains(why), "{}", synced.stderr);
    watcher.says(why);
    watcher.says("\"event\":\"rendered\"");
    let todos = ann.read(TODOS);
    assert!(
        todos.contains("title: Two") && todos.contains("owner: ann"),
        "{todos}"
    );
    assert!(!ann.read(NOTES).contains("Two"));

    // Both see it later, too.
    let untaken = status(&bot)["untaken"].clone();
    let paths: Vec<&Value> = untaken
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["path"])
        .collect();
    assert_eq!(paths, [NOTES, TODOS]);
    assert_eq!(untaken[0]["why"], why);
    assert_eq!(untaken[0]["due"], Value::Null);
    let text = bot.rhema(&["status"]).exits(0).stdout;
    assert!(text.contains("1 edit of .rhema/notes.yaml"), "{text}");
    let refused = status(&ann)["refused"].clone();
    assert_eq!(refused.as_array().unwrap().len(), 2, "{refused}");
    assert_eq!(refused[0]["name"], "Bot");
    let text = ann.rhema(&["status"]).exits(0).stdout;
    assert!(
        text.contains("1 edit of Bot not taken here: ") && text.contains(why),
        "{text}"
    );

    // Another rule, and they are taken.
    ann.write(CONFIG, "access:\n  - who: Bot\n    write: [\"**\"]\n");
    ann.git(&["commit", "-q", "-m", "The agent may", CONFIG]);
    bot.git(&["pull", "-q", "--no-rebase", "../ann", "main"]);
    let began = Instant::now();
    // One who stays sees a commit within a moment.
    while status(&ann)["refused"] != json!([]) {
        sync(&bot, &watcher);
        assert!(began.elapsed() < PATIENCE, "{}", watcher.all());
    }
    drop(watcher);
    ann.rhema(&["sync", "--timeout", "0"]).exits(0);
    assert!(
        ann.read(NOTES).contains("title: Two"),
        "{}",
        ann.read(NOTES)
    );
    assert!(ann.read(TODOS).contains("owner: bot"));
    assert_eq!(status(&bot)["untaken"], json!([]));
}

#[test]
fn what_is_written_out_of_hours_is_not_taken() {
    let world = World::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let hour = now.as_secs() / 3_600 % 24;
    let (from, until) = ((hour + 2) % 24, (hour + 3) % 24);
    let hours = format!("{from:02}:00-{until:02}:00");
    let rules = format!("  - who: agent\n    hours: \"{hours} Z\"\n");
    let (ann, bot) = team(&world, &rules);
    let watcher = Watcher::start(&ann);
    let warned = bot.rhema(&["set", "todos/a", "title=Two"]).exits(0).stderr;
    assert!(warned.contains(&hours), "{warned}");
    sync(&bot, &watcher);
    watcher.says(&format!("its author may write from {hours}"));
    assert!(!ann.read(TODOS).contains("Two"));
    // People may at any time.
    let quiet = ann.rhema(&["set", "todos/b", "title=Due"]).exits(0);
    assert_eq!(quiet.stderr, "");
}

#[test]
fn what_is_beyond_the_rate_comes_later_and_all_is_the_same_then() {
    let world = World::new();
    let (ann, bot) = team(&world, "  - who: agent\n    edits_per_hour: 2\n");
    let watcher = Watcher::start(&ann);
    for title in ["Two", "Three", "Four", "Five", "Six"] {
        bot.rhema(&["set", "todos/a", &format!("title={title}")])
            .exits(0);
    }
    sync(&bot, &watcher);
    watcher.says("\"event\":\"rendered\"");
    assert!(
        ann.read(TODOS).contains("title: Three"),
        "{}",
        ann.read(TODOS)
    );
    let untaken = status(&bot)["untaken"].clone();
    let dues: Vec<u64> = untaken
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| edit["due"].as_u64().unwrap())
        .collect();
    assert_eq!(dues.len(), 3, "{untaken}");
    assert!(dues[2] - dues[0] > 3_500_000, "{untaken}");
    let text = bot.rhema(&["status"]).exits(0).stdout;
    assert!(
        text.contains("3 edits of .rhema/todos.yaml others do not take yet"),
        "{text}"
    );
    drop(watcher);
    for (hours, title) in [(1, "title: Five"), (2, "title: Six")] {
        let later = hours * 3_700_000;
        let environment = [("RHEMA_CLOCK_OFF_BY_MILLIS", later.to_string())];
        let environment = environment
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let watcher = Watcher::start_at(&ann, "127.0.0.1:0", &environment);
        at(&bot, later, &["sync", "--peer", &watcher.address]);
        watcher.says("\"event\":\"rendered\"");
        assert!(ann.read(TODOS).contains(title), "{}", ann.read(TODOS));
    }
    assert_eq!(ann.read(TODOS), bot.read(TODOS));
}

#[test]
fn rules_that_cannot_be_read_let_admins_write_alone() {
    let world = World::new();
    let (ann, bot) = team(&world, "  - who: agent\n    write: [\"**\"]\n");
    ann.write(CONFIG, "access:\n  - who: agent\n    hours: at night\n");
    ann.git(&["commit", "-q", "-m", "A mistake", CONFIG]);
    let found = ann.rhema(&["verify"]).exits(1).stdout;
    assert!(found.contains(".rhema/crdt/config.yaml:3:12: "), "{found}");
    let quiet = ann.rhema(&["set", "todos/a", "title=Two"]).exits(0);
    assert_eq!(quiet.stderr, "");
    bot.git(&["pull", "-q", "../ann", "main"]);
    let warned = bot
        .rhema(&["set", "todos/a", "title=Three"])
        .exits(0)
        .stderr;
    assert!(warned.contains("cannot be read"), "{warned}");
}
