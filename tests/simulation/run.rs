//! A run from its beginning to its end, what is judged there, and what is left of one that fails when it is made short.

use crate::broken::{Broken, fewest, must};
use crate::ground::Ground;
use crate::ledger::Held;
use crate::plan::{Deed, HOUR, MINUTE, Plan, SECOND};
use crate::world::{Counts, World};

/// Makes a run.
///
/// # Errors
/// The law that is broken.
pub(crate) fn run(plan: &Plan, ground: &mut Ground) -> Result<Counts, Broken> {
    let mut world = World::new(plan, ground);
    world.run_script()?;
    world.run(3 * SECOND)?;
    world.heal()?;
    // What was made by a clock that was ahead is taken when it is due.
    let is_ahead = plan.script.iter().any(|step| step.deed == Deed::SetClock);
    world.run(2 * MINUTE)?;
    if is_ahead {
        world.run(25 * HOUR)?;
    }
    let mut known = world.known()?;
    for _ in 0..3 {
        if known.len() == 1 {
            break;
        }
        world.run(5 * MINUTE)?;
        known = world.known()?;
    }
    if known.len() > 1 && crate::world::trace() {
        for desk in world.everybody() {
            println!("{desk}: {:?}", world.at(desk).knowledge());
            world.at(desk).print_edits();
        }
    }
    must(known.len() == 1, "all come to know the same", || {
        format!("{known:?}")
    })?;
    shows_the_same(&mut world)?;
    for _ in 0..3 {
        world.meet()?;
        let is_clean = world
            .everybody()
            .all(|desk| world.desks[desk].git().is_clean());
        if is_clean {
            break;
        }
    }
    for desk in world.everybody() {
        must(
            world.desks[desk].git().is_clean(),
            "what is committed is all there is",
            || {
                format!(
                    "desk {desk}:\n{:?}\n{:?}",
                    world.desks[desk].text(),
                    world.desks[desk]
                        .git()
                        .text_in(world.desks[desk].git().head())
                )
            },
        )?;
    }
    shows_the_same(&mut world)?;
    let held = world.desks[0].held()?.unwrap_or_default();
    let told = || world.desks[0].text().unwrap_or_default();
    world.counts.asked_in_vain = world.ledger.judge(&held, told)?;
    for desk in world.everybody() {
        let before = world.desks[desk].text();
        let did = world.at(desk).looks()?;
        let is_quiet = did.edits == 0 && did.written == 0 && world.desks[desk].text() == before;
        must(is_quiet, "a second look is quiet", || {
            format!("desk {desk}: {did:?}")
        })?;
    }
    Ok(world.counts)
}

/// Who stands on one commit, has the same commits of others, knows the same and hides none of it shows the same bytes. Where a
/// store was lost, the same values.
fn shows_the_same(world: &mut World) -> Result<(), Broken> {
    let heads = world.everybody().flat_map(|desk| {
        let git = world.desks[desk].git();
        let tips = ["main", "side"].map(|branch| git.tip(branch));
        tips.into_iter().flatten()
    });
    let heads: Vec<git2::Oid> = heads.collect();
    let mut shown = Vec::new();
    for desk in world.everybody() {
        world.look(desk)?;
        if !world.at(desk).hides()? {
            let git = world.desks[desk].git();
            let has: Vec<bool> = heads.iter().map(|head| git.has(*head)).collect();
            let text = world.desks[desk].text().unwrap_or_default();
            shown.push((desk, (git.head(), git.branch(), has), text));
        }
    }
    for pair in shown.windows(2) {
        let [(one, here, text), (other, there, theirs)] = pair else {
            continue;
        };
        let is_same = match world.ledger.lost_stores.is_empty() {
            true => text == theirs,
            false => Held::read(text)?.said.leaves == Held::read(theirs)?.said.leaves,
        };
        must(
            here != there || is_same,
            "who knows the same shows the same",
            || format!("desk {one}:\n{text}\ndesk {other}:\n{theirs}"),
        )?;
    }
    Ok(())
}

/// The fewest steps found that break the same law.
pub(crate) fn shrunk(
    plan: &Plan,
    broken: Broken,
    ground: &mut Ground,
    attempts: usize,
) -> (Vec<usize>, Broken) {
    let all: Vec<usize> = (0..plan.script.len()).collect();
    fewest(&all, broken, attempts, &mut |fewer, before| {
        let broken = run(&plan.with(fewer), ground).err();
        broken.filter(|broken| broken.rule == before.rule)
    })
}
