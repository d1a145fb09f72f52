//! Simulated runs of many replicas with everything going wrong: as many as one wants, each given by its seed.
//!
//! ```text
//! cargo run --release --example soak -- --runs 100000            # from seed 1
//! cargo run --release --example soak -- --seed 17                # one run, again
//! cargo run --release --example soak -- --seed 17 --keep 3,5,8   # these of its steps only
//! ```
//!
//! With `SOAK_TRACE=1` each step and what came of it is told, with `SOAK_TEXTS=1` beside that what files hold, and the edits.
//!
//! A run that breaks a law is made short and printed with the command that shows it again. See `docs/proving.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used
)]

#[path = "../support/broken.rs"]
mod broken;
#[macro_use]
#[path = "../support/weighed.rs"]
mod weighed;
mod desk;
mod git;
mod ground;
mod ledger;
mod plan;
mod run;
mod sky;
#[path = "../support/typing.rs"]
#[allow(dead_code)]
mod text;
mod world;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use clap::Parser;

use ground::Ground;
use plan::Plan;
use world::Counts;

/// Runs simulations until one has seen enough.
#[derive(Parser)]
struct Arguments {
    /// How many runs
    #[arg(long, default_value_t = 1_000)]
    runs: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// One run alone
    #[arg(long)]
    seed: Option<u64>,
    /// Of that, these steps alone
    #[arg(long, value_delimiter = ',', requires = "seed")]
    keep: Option<Vec<usize>>,
    /// How many runs at a time
    #[arg(long, default_value_t = std::thread::available_parallelism().map_or(1, usize::from))]
    jobs: usize,
    /// How often a run is made again to make it shorter
    #[arg(long, default_value_t = 200)]
    attempts: usize,
    /// After how many runs that break a law to stop
    #[arg(long, default_value_t = 10)]
    most: usize,
}

/// What came of all runs.
#[derive(Default)]
struct Sum {
    counts: Counts,
    broken: BTreeMap<&'static str, Vec<u64>>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if world::trace() {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::DEBUG)
            .without_time()
            .init();
    }
    let first = arguments.seed.unwrap_or(arguments.from);
    let runs = if arguments.seed.is_some() {
        1
    } else {
        arguments.runs
    };
    let next = AtomicU64::new(first);
    let sum = Mutex::new(Sum::default());
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..arguments.jobs.min(runs as usize) {
            scope.spawn(|| simulate(&arguments, &next, first + runs, &sum));
        }
    });
    let Sum { counts, broken } = sum.into_inner().unwrap();
    let done = next.load(Ordering::Relaxed).min(first + runs) - first;
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{done} runs in {seconds:.1} s: {} edits, {} looks, {} merges, {} crashes, {} messages of {} bytes, {} conflicts that are none",
        counts.edits,
        counts.looks,
        counts.merges,
        counts.crashes,
        counts.messages,
        counts.bytes,
        counts.asked_in_vain
    );
    for (law, seeds) in &broken {
        println!("broken: {law}: seeds {seeds:?}");
    }
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn simulate(arguments: &Arguments, next: &AtomicU64, end: u64, sum: &Mutex<Sum>) {
    let mut ground = Ground::new();
    loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        let is_enough = sum
            .lock()
            .unwrap()
            .broken
            .values()
            .map(Vec::len)
            .sum::<usize>()
            >= arguments.most;
        if seed >= end || is_enough {
            return;
        }
        let drawn = Plan::drawn(seed);
        let plan = match &arguments.keep {
            Some(kept) => drawn.with(kept),
            None => drawn,
        };
        match run::run(&plan, &mut ground) {
            Ok(counts) => sum.lock().unwrap().counts.add(counts),
            Err(broken) => {
                let is_first = {
                    let mut sum = sum.lock().unwrap();
                    let seeds = sum.broken.entry(broken.rule).or_default();
                    seeds.push(seed);
                    seeds.len() <= 2
                };
                println!("seed {seed}: {}", broken.rule);
                if arguments.keep.is_some() {
                    println!("{plan}{}", broken.told);
                } else if is_first {
                    let (kept, broken) =
                        run::shrunk(&plan, broken, &mut ground, arguments.attempts);
                    let list: Vec<String> = kept.iter().map(usize::to_string).collect();
                    println!(
                        "{}: --seed {seed} --keep {}\n{}{}",
                        broken.rule,
                        list.join(","),
                        plan.with(&kept),
                        broken.told
                    );
                }
            }
        }
    }
}
