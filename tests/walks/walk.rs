//! Random walks: how they are taken, and what is left of one that fails when it is made as short as it can be.

use crate::ground::{Broken, Ground};
use crate::steps::Step;

/// Takes the steps; at the end everybody meets.
///
/// # Errors
/// What broke; the ground tells how it came to that.
pub(crate) fn take(ground: &mut Ground, steps: &[Step]) -> Result<(), Broken> {
    for step in steps {
        ground.note(&format!("# {:?} {} {}", step.deed, step.a, step.b));
        ground.take(*step)?;
    }
    ground.note("# everybody meets");
    ground.meet()
}

/// What broke in a walk, and the shell script that shows it.
pub(crate) struct Failure {
    pub(crate) broken: Broken,
    pub(crate) script: String,
}

/// Takes a walk on new ground.
pub(crate) fn failure(steps: &[Step]) -> Option<Failure> {
    let mut ground = Ground::new();
    let broken = take(&mut ground, steps).err()?;
    Some(Failure {
        broken,
        script: ground.script(),
    })
}

/// The shortest walk found in so many attempts that fails in the same manner.
pub(crate) fn shrunk(steps: &[Step], first: Failure, mut attempts: usize) -> (Vec<Step>, Failure) {
    let (mut steps, mut failure_now) = (steps.to_vec(), first);
    let mut size = steps.len().div_ceil(2);
    while size > 0 && attempts > 0 {
        let before = steps.len();
        let mut at = 0;
        while at < steps.len() && attempts > 0 {
            let mut fewer = steps.clone();
            fewer.drain(at..(at + size).min(steps.len()));
            attempts -= 1;
            match failure(&fewer) {
                Some(failure) if failure.broken.kind == failure_now.broken.kind => {
                    (steps, failure_now) = (fewer, failure);
                }
                _ => at += size,
            }
        }
        if size > 1 {
            size /= 2;
        } else if steps.len() == before {
            break;
        }
    }
    (steps, failure_now)
}
