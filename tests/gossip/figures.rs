//! What an edit costs, and how long it takes.

use rhema_crdt::exchange::Lulling;
use rhema_crdt::net::Degree;

use crate::world::{MINUTE, Plan, SECOND, Said, Shape, World};

/// A number from the environment, or what holds otherwise.
fn number(name: &str, otherwise: u64) -> u64 {
    let asked = std::env::var(name).ok();
    asked.map_or(otherwise, |asked| asked.parse().expect(name))
}

fn nodes() -> Vec<usize> {
    let asked = std::env::var("GOSSIP_NODES").unwrap_or("8,16,32,100".to_owned());
    asked
        .split(',')
        .map(|count| count.parse().expect("GOSSIP_NODES"))
        .collect()
}

const MESH: Shape = Shape::Mesh;

const fn circle(beside: usize, drawn: usize) -> Shape {
    Shape::Circle(Degree { beside, drawn })
}

/// Every shape with its name, and after how many repetitions a line becomes lazy.
const SHAPES: &[(&str, Shape, Lulling)] = &[
    ("each to each", MESH, Lulling::Never),
    ("each to each, lazy", MESH, Lulling::After(1)),
    ("1 beside, 1 drawn", circle(1, 1), Lulling::Never),
    ("1 beside, 1 drawn, lazy", circle(1, 1), Lulling::After(1)),
    ("1 beside, 2 drawn", circle(1, 2), Lulling::Never),
    ("1 beside, 2 drawn, lazy", circle(1, 2), Lulling::After(1)),
    ("2 beside, 2 drawn", circle(2, 2), Lulling::Never),
    ("2 beside, 2 drawn, lazy", circle(2, 2), Lulling::After(1)),
    (
        "2 beside, 2 drawn, lazy after 3",
        circle(2, 2),
        Lulling::After(3),
    ),
    ("2 beside, 3 drawn", circle(2, 3), Lulling::Never),
    ("2 beside, 3 drawn, lazy", circle(2, 3), Lulling::After(1)),
    (
        "1 beside, 2 drawn, lazy after 3",
        circle(1, 2),
        Lulling::After(3),
    ),
    (
        "2 beside, 4 drawn, lazy after 3",
        circle(2, 4),
        Lulling::After(3),
    ),
    (
        "2 beside, 8 drawn, lazy after 3",
        circle(2, 8),
        Lulling::After(3),
    ),
];

/// So many may have a line with each: both ends of each line hold what the other one knows of each, so that memory grows with
/// the cube of their number.
const MOST_IN_MESH: usize = 300;

/// What was said between two moments.
fn between(before: Said, after: Said) -> Said {
    Said {
        messages: after.messages - before.messages,
        bytes: after.bytes - before.bytes,
        edits: after.edits - before.edits,
        edits_bytes: after.edits_bytes - before.edits_bytes,
    }
}

/// How edits came to everybody: how long after they were made, and over how many lines one after the other. Sorted.
struct Ways {
    each: Vec<u64>,
    /// The last one to hear of each edit.
    last: Vec<u64>,
    lines: Vec<u64>,
}

impl Ways {
    fn of(world: &World, since: u64) -> Self {
        let (mut each, mut last, mut lines) = (Vec::new(), Vec::new(), Vec::new());
        for (stamp, made) in world.made.iter().filter(|(_, made)| **made >= since) {
            let learned = world.learned[stamp].values();
            last.extend(learned.clone().map(|learned| learned.at - made).max());
            each.extend(learned.clone().map(|learned| learned.at - made));
            lines.extend(learned.map(|learned| learned.lines as u64));
        }
        for sorted in [&mut each, &mut last, &mut lines] {
            sorted.sort_unstable();
        }
        Self { each, last, lines }
    }

    /// Until half, until 99 of a hundred and until all have an edit, in milliseconds.
    fn times(&self) -> String {
        let [half, most] = [50, 99].map(|percent| percentile(&self.each, percent));
        format!("{half} / {most} / {}", self.last.last().unwrap_or(&0))
    }

    /// The same in lines.
    fn rounds(&self) -> String {
        let [half, most] = [50, 99].map(|percent| percentile(&self.lines, percent));
        format!("{half} / {most} / {}", self.lines.last().unwrap_or(&0))
    }
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied().unwrap_or(0)
}

/// What goes wrong, every minute.
#[derive(Clone, Copy)]
enum Trouble {
    Nothing,
    /// So many of a hundred lines break.
    Lines(u64),
    /// So many of a hundred nodes leave, and come back half a minute later.
    Nodes(u64),
}

/// A team that has long been together and known each other's edits.
fn settled(nodes: usize, shape: Shape, lulling: Lulling) -> World {
    let mut world = World::new(Plan {
        nodes,
        shape,
        lulling,
        seed: number("GOSSIP_SEED", 1),
    });
    world.acquaint();
    world.run(MINUTE);
    // Enough for every line to be lazy that is to be.
    for node in 0..100 {
        world.edit(node * nodes / 100);
        world.run(200);
    }
    world.run(2 * MINUTE);
    assert!(world.all_know_all());
    world
}

fn row(name: &str, nodes: usize, shape: Shape, lulling: Lulling) {
    let mut world = settled(nodes, shape, lulling);
    let edits = number("GOSSIP_EDITS", 30);
    // One at a time.
    let (before, since) = (world.said, world.now);
    for _ in 0..edits {
        let node = world.draw(nodes as u64) as usize;
        world.edit(node);
        world.run(12 * SECOND);
    }
    let alone = between(before, world.said);
    let alone_ways = Ways::of(&world, since);
    // Many at a time: ten a second.
    let (before, since) = (world.said, world.now);
    for _ in 0..10 * edits {
        let node = world.draw(nodes as u64) as usize;
        world.edit(node);
        world.run(100);
    }
    world.run(2 * SECOND);
    let busy = between(before, world.said);
    let busy_ways = Ways::of(&world, since);
    // Nothing.
    world.run(15 * MINUTE);
    assert!(world.all_know_all());
    let before = world.said;
    world.run(10 * MINUTE);
    let idle = between(before, world.said);
    let degrees = world.degrees();
    let (lazy, lines) = world.lazy();
    let n = nodes as u64;
    println!(
        "| {nodes} | {name} | {:.1} / {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} | {} | {:.0} | {:.0} | {:.0} | {} | {} | {:.0} | {} |",
        degrees.iter().sum::<usize>() as f64 / nodes as f64,
        degrees.iter().max().unwrap_or(&0),
        100 * lazy / lines.max(1),
        alone.edits as f64 / edits as f64,
        alone.messages as f64 / edits as f64,
        alone.bytes as f64 / edits as f64,
        alone.bytes as f64 / (edits * n) as f64,
        alone_ways.times(),
        alone_ways.rounds(),
        busy.edits as f64 / (10 * edits) as f64,
        busy.bytes as f64 / (10 * edits) as f64,
        busy.bytes as f64 / (10 * edits * n) as f64,
        busy_ways.times(),
        busy_ways.rounds(),
        idle.bytes as f64 / 10.0 / nodes as f64,
        world.marks(0),
    );
}

/// The shapes whose names hold what `GOSSIP_SHAPES` says, or all.
fn shapes() -> impl Iterator<Item = (&'static str, Shape, Lulling)> {
    let asked = std::env::var("GOSSIP_SHAPES").unwrap_or_default();
    let shapes = SHAPES.iter().copied();
    shapes.filter(move |(name, ..)| name.contains(&asked))
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn figures() {
    println!(
        "| nodes | shape | lines of each, mean / most | % lazy | alone: edits said | messages | bytes | bytes of each | ms p50 / p99 / last | \
         rounds | busy: edits said | bytes | bytes of each | ms p50 / p99 / last | rounds | idle: bytes a minute of each | marks, bytes |"
    );
    println!("|{}", "---:|".repeat(17));
    for nodes in nodes() {
        for (name, shape, lulling) in shapes() {
            if nodes <= MOST_IN_MESH || shape != MESH {
                row(name, nodes, shape, lulling);
            }
        }
    }
}

fn troubled(name: &str, nodes: usize, shape: Shape, lulling: Lulling, trouble: Trouble) {
    let mut world = settled(nodes, shape, lulling);
    let edits = 4 * number("GOSSIP_EDITS", 30);
    let (before, since) = (world.said, world.now);
    let mut down = Vec::new();
    for number in 0..edits {
        if number % 30 == 0 {
            match trouble {
                Trouble::Nothing => {}
                Trouble::Lines(percent) => world.break_lines(percent),
                Trouble::Nodes(percent) => {
                    for node in 0..nodes {
                        if world.draw(100) < percent {
                            world.set_up(node, false);
                            down.push(node);
                        }
                    }
                }
            }
        }
        if number % 30 == 15 {
            down.drain(..).for_each(|node| world.set_up(node, true));
        }
        let node = world.draw(nodes as u64) as usize;
        if world.is_up(node) {
            world.edit(node);
        }
        world.run(2 * SECOND);
    }
    down.drain(..).for_each(|node| world.set_up(node, true));
    world.run(MINUTE);
    let said = between(before, world.said);
    assert!(world.all_know_all(), "{name}");
    // Whoever was away learned of what it missed when it came back: that is no delay of the lines.
    let ways = Ways::of(&world, since);
    println!(
        "| {nodes} | {name} | {:.0} | {:.0} | {} | {} |",
        said.messages as f64 / edits as f64,
        said.bytes as f64 / edits as f64,
        ways.times(),
        ways.rounds(),
    );
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn trouble() {
    println!(
        "| nodes | shape and trouble | messages | bytes | ms p50 / p99 / last | rounds |\n|---:|---|---:|---:|---:|---:|"
    );
    for nodes in nodes() {
        for (name, shape, lulling) in shapes() {
            if nodes > 32 && shape == MESH && lulling == Lulling::Never {
                continue;
            }
            for (what, trouble) in [
                ("nothing", Trouble::Nothing),
                ("5 % of lines", Trouble::Lines(5)),
                ("30 % of lines", Trouble::Lines(30)),
                ("5 % of nodes", Trouble::Nodes(5)),
                ("30 % of nodes", Trouble::Nodes(30)),
            ] {
                troubled(&format!("{name}; {what}"), nodes, shape, lulling, trouble);
            }
        }
    }
}
