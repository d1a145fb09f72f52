//! Our core beside other CRDT engines: one command, one table. Every cell runs in a process of its own, so that the memory of
//! one engine never touches another; the medians are printed, and how many times as much the best of the others takes.
#![allow(clippy::unwrap_used)]

mod clock;
mod data;
mod engines;
mod floors;
mod workloads;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use engines::automerge::Automerge;
use engines::dson::Dson;
use engines::loro::Loro;
use engines::ours::Ours;
use engines::plain::Plain;
use engines::yrs::Yrs;

const WORKLOADS: [&str; 11] = [
    "inserts",
    "updates",
    "merge",
    "one_update",
    "load",
    "types",
    "memory",
    "copied",
    "cold",
    "floor",
    "floors",
];

/// Runs a workload for the engine of that name. A further engine is one more line.
macro_rules! engines {
    ($name:expr, $workload:ident) => {
        match $name {
            "ours" => workloads::$workload::<Ours>(),
            "automerge" => workloads::$workload::<Automerge>(),
            "loro" => workloads::$workload::<Loro>(),
            "yrs" => workloads::$workload::<Yrs>(),
            "dson" => workloads::$workload::<Dson>(),
            "plain" => workloads::$workload::<Plain>(),
            other => panic!("there is no engine {other}"),
        }
    };
}

const ENGINES: [&str; 7] = ["ours", "automerge", "loro", "yrs", "dson", "crdts", "plain"];

/// Those that we are compared with.
const PEERS: [&str; 5] = ["automerge", "loro", "yrs", "dson", "crdts"];

fn child(workload: &str, engine: &str) {
    match (workload, engine) {
        ("inserts", engine) => engines!(engine, inserts),
        ("updates", engine) => engines!(engine, updates),
        ("merge", engine) => engines!(engine, merge),
        ("one_update", engine) => engines!(engine, one_update),
        ("load", engine) => engines!(engine, load),
        ("types", "crdts") => workloads::types_of_crdts(),
        ("types", engine) => engines!(engine, types),
        ("memory", engine) => engines!(engine, memory),
        ("copied", engine) => engines!(engine, copied),
        ("cold", _) => workloads::cold(),
        ("floor", _) => workloads::floor(),
        ("floors", _) => floors::floors(),
        (other, _) => panic!("there is no workload {other}"),
    }
}

/// Whether an engine has a part in a workload.
fn takes_part(workload: &str, engine: &str) -> bool {
    match workload {
        "cold" | "floor" | "floors" => engine == "ours",
        "types" => true,
        _ => engine != "crdts",
    }
}

/// Figures by their names, one for each repetition.
type Figures = BTreeMap<String, Vec<f64>>;

fn measured(workload: &str, engine: &str, repetitions: usize) -> Figures {
    let mut figures = Figures::new();
    let program = std::env::current_exe().unwrap();
    for _ in 0..repetitions {
        eprintln!("{workload} {engine}");
        let run = Command::new(&program)
            .args(["--child", workload, engine])
            .output()
            .unwrap();
        if !run.status.success() {
            eprintln!("{}", String::from_utf8_lossy(&run.stderr));
            break;
        }
        for line in String::from_utf8_lossy(&run.stdout).lines() {
            if let Some((name, Ok(figure))) = line
                .split_once(' ')
                .map(|(name, figure)| (name, figure.parse()))
            {
                figures.entry(name.to_owned()).or_default().push(figure);
            }
        }
    }
    figures
}

fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// A figure for people: three digits at least, thousands apart.
fn spelled(figure: f64) -> String {
    let digits = match figure.abs() {
        100.0.. => 0,
        10.0.. => 1,
        _ => 2,
    };
    let plain = format!("{figure:.digits$}");
    let (whole, rest) = plain
        .split_once('.')
        .map_or((plain.as_str(), String::new()), |(whole, rest)| {
            (whole, format!(".{rest}"))
        });
    let mut apart = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % 3 == 0 && !apart.ends_with('-') {
            apart.push(',');
        }
        apart.push(digit);
    }
    apart + &rest
}

/// How much the best of the others takes, in terms of what we take.
fn ratio(name: &str, medians: &BTreeMap<&str, f64>) -> Option<String> {
    let is_cost = ["ms", "_us", "_ns", "bytes", "_mb", "after_deletes"]
        .iter()
        .any(|unit| name.ends_with(unit));
    let ours = medians.get("ours").filter(|_| is_cost)?;
    let others = PEERS
        .iter()
        .filter_map(|peer| medians.get(peer).map(|cost| (*cost, *peer)));
    let (best, peer) = others.min_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(format!("{:.1}x {peer}", best / ours))
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [child_of, workload, engine] = arguments.as_slice()
        && child_of == "--child"
    {
        return child(workload, engine);
    }
    let option = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1).cloned()
    };
    let repetitions: usize = option("--repetitions").map_or(3, |number| {
        number.parse().expect("--repetitions takes a number")
    });
    let only = option("--only");
    let engine = option("--engine");
    println!(
        "| workload | {} | best of the others |",
        ENGINES.join(" | ")
    );
    println!("|---|{}", "---:|".repeat(ENGINES.len() + 1));
    for workload in WORKLOADS
        .iter()
        .filter(|workload| only.as_deref().is_none_or(|only| only == **workload))
    {
        let engines = ENGINES.iter().filter(|name| {
            takes_part(workload, name) && engine.as_deref().is_none_or(|engine| engine == **name)
        });
        let figures: BTreeMap<&str, Figures> = engines
            .map(|engine| (*engine, measured(workload, engine, repetitions)))
            .collect();
        let names: BTreeSet<&String> = figures.values().flat_map(BTreeMap::keys).collect();
        for name in names {
            let medians: BTreeMap<&str, f64> = figures
                .iter()
                .filter_map(|(engine, figures)| Some((*engine, median(figures.get(name)?))))
                .collect();
            let cells: Vec<String> = ENGINES
                .iter()
                .map(|engine| {
                    medians
                        .get(engine)
                        .map_or("-".into(), |figure| spelled(*figure))
                })
                .collect();
            let ratio = ratio(name, &medians).unwrap_or_default();
            println!("| {workload} {name} | {} | {ratio} |", cells.join(" | "));
        }
    }
}
