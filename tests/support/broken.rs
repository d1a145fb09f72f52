//! What breaks in a random walk, and what is left of the walk when it is made short.

/// A rule that is broken.
#[derive(Clone, Debug)]
pub(crate) struct Broken {
    /// Which.
    pub(crate) rule: &'static str,
    /// How it shows.
    pub(crate) told: String,
}

/// Nothing if it `holds`.
///
/// # Errors
/// The rule is broken.
pub(crate) fn must(
    holds: bool,
    rule: &'static str,
    told: impl FnOnce() -> String,
) -> Result<(), Broken> {
    match holds {
        true => Ok(()),
        false => Err(Broken { rule, told: told() }),
    }
}

/// The fewest steps found in so many attempts that still fail, and how these do. `again` says how those fail that it is given,
/// if they fail as those before.
pub(crate) fn fewest<S: Clone, F>(
    steps: &[S],
    failure: F,
    mut attempts: usize,
    again: &mut dyn FnMut(&[S], &F) -> Option<F>,
) -> (Vec<S>, F) {
    let (mut kept, mut failure) = (steps.to_vec(), failure);
    let mut size = kept.len().div_ceil(2);
    while size > 0 && attempts > 0 {
        let before = kept.len();
        let mut at = 0;
        while at < kept.len() && attempts > 0 {
            let mut fewer = kept.clone();
            fewer.drain(at..(at + size).min(kept.len()));
            attempts -= 1;
            match again(&fewer, &failure) {
                Some(other) => (kept, failure) = (fewer, other),
                None => at += size,
            }
        }
        if size > 1 {
            size /= 2;
        } else if kept.len() == before {
            break;
        }
    }
    (kept, failure)
}
