//! What a replica takes from the world around it: the time, randomness, and that it may end at any moment.
//!
//! All of the program that needs one of these asks here, so that a simulation can run many replicas in one thread, each with a
//! clock of its own, and the same again from the same seed. Outside of one the system answers. Depends on nothing.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::SystemTime;

/// A world that is simulated.
pub trait Surroundings {
    /// The time, as the clock at hand shows it.
    fn now(&self) -> SystemTime;

    /// Fills these bytes with what nobody can guess, or what a seed gives.
    fn fill(&self, bytes: &mut [u8]);

    /// A point is passed at which a loss of power would be felt.
    fn reached(&self, point: &str);
}

thread_local! {
    static SIMULATED: RefCell<Option<Rc<dyn Surroundings>>> = const { RefCell::new(None) };
}

/// The simulated world of this thread, until this is dropped.
#[derive(Debug)]
pub struct Simulation(());

impl Drop for Simulation {
    fn drop(&mut self) {
        SIMULATED.set(None);
    }
}

/// Puts a simulated world around everything that this thread does, in the place of one that was there.
#[must_use]
pub fn simulate(surroundings: Rc<dyn Surroundings>) -> Simulation {
    SIMULATED.set(Some(surroundings));
    Simulation(())
}

fn simulated() -> Option<Rc<dyn Surroundings>> {
    SIMULATED.with_borrow(Clone::clone)
}

/// The time.
pub(crate) fn now() -> SystemTime {
    simulated().map_or_else(SystemTime::now, |world| world.now())
}

/// Fills these bytes with randomness.
///
/// # Errors
/// When the system has none.
#[cfg(feature = "node")]
pub(crate) fn fill(bytes: &mut [u8]) -> Result<(), getrandom::Error> {
    match simulated() {
        Some(world) => {
            world.fill(bytes);
            Ok(())
        }
        None => getrandom::fill(bytes),
    }
}

/// Tells a simulated world that this point is passed.
pub(crate) fn reached(point: &str) {
    if let Some(world) = simulated() {
        world.reached(point);
    }
}
