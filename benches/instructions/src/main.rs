//! Counts instructions, and compares them with those that were counted before.
#![allow(clippy::unwrap_used)]

mod paths;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::{Command, ExitCode};

use paths::PATHS;

/// Where the counts are kept that others are compared with.
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/baseline.txt");

/// By how much a count may be greater than it was: tables of hashes, which begin with a random number, are not the same twice.
const TOLERANCE: f64 = 0.03;

/// What callgrind counts. It does nothing but the work, and nothing of it is inlined here.
#[inline(never)]
fn counted(work: &mut dyn FnMut()) {
    work();
}

/// Runs one path in a process of its own under callgrind.
fn instructions(path: &str) -> u64 {
    let program = std::env::current_exe().unwrap();
    let run = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([
            "--collect-atstart=no",
            "--toggle-collect=instructions::counted*",
        ])
        .arg(program)
        .args(["--child", path])
        .output()
        .expect("valgrind is installed");
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{path}: {told}");
    let count = told
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok());
    count
        .filter(|count| *count > 0)
        .unwrap_or_else(|| panic!("{path}: nothing was counted: {told}"))
}

/// The compiler, on whose work the counts depend.
fn compiler() -> String {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
    format!("{version}, {}", std::env::consts::ARCH)
}

fn baseline() -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(BASELINE).unwrap_or_default();
    let counts = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let (path, count) = line.split_once(' ')?;
            Some((path.to_owned(), count.trim().parse().ok()?))
        });
    counts.collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [child, path] = arguments.as_slice()
        && child == "--child"
    {
        let (_, run) = PATHS
            .iter()
            .find(|(name, _)| name == path)
            .expect("a path of that name");
        run(&mut |work| counted(work));
        return ExitCode::SUCCESS;
    }
    let accepts = arguments.iter().any(|argument| argument == "--accept");
    let mut known = baseline();
    let first = std::fs::read_to_string(BASELINE).unwrap_or_default();
    if !accepts && !first.starts_with(&format!("# {}", compiler())) {
        eprintln!(
            "the baseline was counted with another compiler: {}",
            first.lines().next().unwrap_or_default()
        );
    }
    let mut slower = false;
    for (path, _) in PATHS {
        if !arguments
            .iter()
            .all(|argument| argument == "--accept" || argument == path)
        {
            continue;
        }
        let now = instructions(path);
        let before = known.insert((*path).to_owned(), now);
        let share = before.map_or(0.0, |before| now as f64 / before as f64 - 1.0);
        let verdict = match before {
            None => "new",
            Some(_) if share > TOLERANCE => "MORE",
            Some(_) if share < -TOLERANCE => "less: accept it",
            Some(_) => "",
        };
        slower |= share > TOLERANCE;
        println!("{path:<24} {now:>14} {:>+7.2} % {verdict}", share * 100.0);
    }
    if accepts {
        let mut text = format!("# {}\n", compiler());
        for (path, count) in known
            .iter()
            .filter(|(path, _)| PATHS.iter().any(|(name, _)| name == path))
        {
            writeln!(text, "{path} {count}").unwrap();
        }
        std::fs::write(BASELINE, text).unwrap();
    } else if slower {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
