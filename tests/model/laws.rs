//! The laws over random walks, and who notices when a rule is missing.

use crate::rules::Rules;
use crate::walk::{Group, Profile, Step};

/// Edits, commits, pulls and the network between two work trees.
pub(crate) const BASIC: Profile = Profile {
    name: "basic",
    groups: &[Group::Plain],
    trees: 2,
    one_without: false,
    steps: 18,
};

/// Everything that git does, between three work trees.
pub(crate) const ALL: Profile = Profile {
    name: "all",
    groups: &[
        Group::Plain,
        Group::Moves,
        Group::Undo,
        Group::Replay,
        Group::Marks,
        Group::Accidents,
        Group::Loss,
    ],
    trees: 3,
    steps: 30,
    ..BASIC
};

/// The kinds of walks.
const PROFILES: &[Profile] = &[
    BASIC,
    Profile {
        name: "moves",
        groups: &[Group::Plain, Group::Moves],
        ..BASIC
    },
    Profile {
        name: "undo",
        groups: &[Group::Plain, Group::Moves, Group::Undo],
        ..BASIC
    },
    Profile {
        name: "replay",
        groups: &[Group::Plain, Group::Moves, Group::Replay],
        ..BASIC
    },
    Profile {
        name: "marks",
        groups: &[Group::Plain, Group::Moves, Group::Marks],
        ..BASIC
    },
    Profile {
        name: "accidents",
        groups: &[Group::Plain, Group::Accidents],
        ..BASIC
    },
    Profile {
        name: "loss",
        groups: &[Group::Plain, Group::Loss],
        ..BASIC
    },
    Profile {
        name: "lines",
        groups: &[Group::Plain, Group::Moves, Group::Lines],
        trees: 3,
        one_without: true,
        ..BASIC
    },
    Profile {
        name: "team",
        groups: &[
            Group::Plain,
            Group::Moves,
            Group::Undo,
            Group::Replay,
            Group::Marks,
        ],
        trees: 3,
        steps: 40,
        ..BASIC
    },
    Profile {
        name: "long",
        groups: &[Group::Plain, Group::Replay],
        steps: 50,
        ..BASIC
    },
    ALL,
];

/// How many walks are asked for.
fn asked() -> Option<u64> {
    std::env::var("PROPTEST_CASES").ok()?.parse().ok()
}

/// Whether a name is in a list of the environment, or there is none.
fn is_chosen(list: &str, name: &str) -> bool {
    let names = std::env::var(list).unwrap_or_default();
    names.is_empty() || names.split(',').any(|chosen| chosen == name)
}

/// The profiles that are asked for by name.
fn chosen() -> impl Iterator<Item = &'static Profile> {
    PROFILES
        .iter()
        .filter(|profile| is_chosen("PROFILES", profile.name))
}

/// Walks of a profile keep the laws: the first ones, which are always the same, or as many as are asked for.
fn keeps_the_laws(name: &str) {
    let Some(profile) = PROFILES.iter().find(|profile| profile.name == name) else {
        panic!("no such walks: {name}");
    };
    for seed in 0..asked().unwrap_or(100) {
        let walk = profile.walk(seed);
        if profile.run(Rules::ALL, &walk).is_err() {
            let short = profile.shrink(&walk, |steps| profile.run(Rules::ALL, steps).is_err());
            panic!(
                "walk {seed} of {name}\n{}",
                profile.tell(Rules::ALL, &short)
            );
        }
    }
}

macro_rules! keep_the_laws {
    ($($test:ident $name:literal,)*) => {
        $(#[test]
        fn $test() {
            keeps_the_laws($name);
        })*
    };
}

keep_the_laws! {
    edits_commits_and_pulls_keep_the_laws "basic",
    moves_of_head_keep_the_laws "moves",
    what_takes_edits_out_of_the_file_keeps_the_laws "undo",
    picks_reverts_and_rebases_keep_the_laws "replay",
    parking_keeps_the_laws "marks",
    crashes_and_racing_editors_keep_the_laws "accidents",
    people_without_the_tool_keep_the_laws "lines",
    a_team_keeps_the_laws "team",
}

/// How many walks fail, by kind: `PROPTEST_CASES=10000 PROFILES=all,loss cargo test --test model -- --ignored --nocapture figures`.
#[test]
#[ignore = "prints figures"]
#[allow(clippy::print_stdout)]
fn figures() {
    for profile in chosen() {
        let walks = asked().unwrap_or(1000);
        let fails = |seed: &u64| profile.run(Rules::ALL, &profile.walk(*seed)).is_err();
        println!(
            "{:10} {} of {walks}",
            profile.name,
            (0..walks).filter(fails).count()
        );
    }
}

/// For each rule: in how many walks somebody notices that it is missing, and the shortest of them.
#[test]
#[ignore = "prints figures"]
#[allow(clippy::print_stdout)]
fn who_notices_a_missing_rule() {
    let walks = asked().unwrap_or(1000);
    for (name, off) in Rules::each_off()
        .into_iter()
        .filter(|(name, _)| is_chosen("RULES", name))
    {
        let mut shortest: Option<(&Profile, Vec<Step>)> = None;
        let mut counts = Vec::new();
        for profile in chosen() {
            let notices = |steps: &[Step]| {
                profile.run(off, steps).is_err() && profile.run(Rules::ALL, steps).is_ok()
            };
            let noticed = (0..walks)
                .map(|seed| profile.walk(seed))
                .filter(|walk| notices(walk));
            let noticed: Vec<Vec<Step>> = noticed.collect();
            counts.push(format!("{} {}", profile.name, noticed.len()));
            for walk in noticed.iter().take(8) {
                let short = profile.shrink(walk, notices);
                if shortest
                    .as_ref()
                    .is_none_or(|(_, other)| short.len() < other.len())
                {
                    shortest = Some((profile, short));
                }
            }
        }
        println!("{name}: {}", counts.join(", "));
        if let Some((profile, steps)) = shortest {
            println!("  {} {steps:?}", profile.name);
        }
    }
}
