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
];

/// What was said between two moments.
fn between(before: Said, after: Said) -> Said {
    Said {
        messages: after.messages - before.messages,
        bytes: after.bytes - before.bytes,
        edits: after.edits - before.edits,
        edits_bytes: after.edits_bytes - before.edits_bytes,
    }
}

/// How long after it was made each edit came to each node, and to the last one.
fn lengths(world: &World, since: u64) -> (Vec<u64>, Vec<u64>) {
    let (mut each, mut last) = (Vec::new(), Vec::new());
    for (stamp, made) in world.made.iter().filter(|(_, made)| **made >= since) {
        let lengths: Vec<u64> = world.learned[stamp].iter().map(|at| at - made).collect();
        last.extend(lengths.iter().max());
        each.extend(lengths);
    }
    each.sort_unstable();
    last.sort_unstable();
    (each, last)
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
    world.run(MINUTE);
    for node in 0..nodes {
        world.edit(node);
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
    let (each, last) = lengths(&world, since);
    // Many at a time: ten a second.
    let (before, since) = (world.said, world.now);
    for _ in 0..10 * edits {
        let node = world.draw(nodes as u64) as usize;
        world.edit(node);
        world.run(100);
    }
    world.run(2 * SECOND);
    let busy = between(before, world.said);
    let (busy_each, busy_last) = lengths(&world, since);
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
        "| {nodes} | {name} | {:.1} / {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {} / {} / {} | {:.0} | {:.0} | {} / {} / {} | {:.0} | {} |",
        degrees.iter().sum::<usize>() as f64 / nodes as f64,
        degrees.iter().max().unwrap_or(&0),
        100 * lazy / lines.max(1),
        alone.edits as f64 / edits as f64,
        alone.messages as f64 / edits as f64,
        alone.bytes as f64 / edits as f64,
        alone.bytes as f64 / (edits * n) as f64,
        percentile(&each, 50),
        percentile(&each, 99),
        last.last().unwrap_or(&0),
        busy.edits as f64 / (10 * edits) as f64,
        busy.bytes as f64 / (10 * edits) as f64,
        percentile(&busy_each, 50),
        percentile(&busy_each, 99),
        busy_last.last().unwrap_or(&0),
        idle.bytes as f64 / 10.0 / nodes as f64,
        world.marks(0),
    );
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn figures() {
    println!(
        "| nodes | shape | lines of each, mean / most | % lazy | alone: edits said | messages | bytes | bytes of each | ms p50 / p99 / last | \
         busy: edits said | bytes | ms p50 / p99 / last | idle: bytes a minute of each | marks, bytes |"
    );
    println!("|{}", "---:|".repeat(14));
    for nodes in nodes() {
        for (name, shape, lulling) in SHAPES {
            if nodes <= 200 || *shape != MESH {
                row(name, nodes, *shape, *lulling);
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
    let (each, last) = lengths(&world, since);
    println!(
        "| {nodes} | {name} | {:.0} | {:.0} | {} / {} / {} |",
        said.messages as f64 / edits as f64,
        said.bytes as f64 / edits as f64,
        percentile(&each, 50),
        percentile(&each, 99),
        last.last().unwrap_or(&0),
    );
}

#[test]
#[ignore = "it takes minutes and gives figures"]
fn trouble() {
    println!(
        "| nodes | shape and trouble | messages | bytes | ms p50 / p99 / last |\n|---:|---|---:|---:|---:|"
    );
    for nodes in nodes() {
        for (name, shape, lulling) in SHAPES {
            if nodes > 32 && *shape == MESH && *lulling == Lulling::Never {
                continue;
            }
            for (what, trouble) in [
                ("nothing", Trouble::Nothing),
                ("5 % of lines", Trouble::Lines(5)),
                ("30 % of lines", Trouble::Lines(30)),
                ("5 % of nodes", Trouble::Nodes(5)),
                ("30 % of nodes", Trouble::Nodes(30)),
            ] {
                troubled(&format!("{name}; {what}"), nodes, *shape, *lulling, trouble);
            }
        }
    }
}
