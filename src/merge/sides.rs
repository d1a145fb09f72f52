//! Three versions of one thing.

/// Base, ours and theirs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sides<T> {
    pub(super) base: T,
    pub(super) ours: T,
    pub(super) theirs: T,
}

impl<T> Sides<T> {
    pub(super) fn map<U>(self, mut f: impl FnMut(T) -> U) -> Sides<U> {
        Sides {
            base: f(self.base),
            ours: f(self.ours),
            theirs: f(self.theirs),
        }
    }

    pub(super) fn as_ref(&self) -> Sides<&T> {
        Sides {
            base: &self.base,
            ours: &self.ours,
            theirs: &self.theirs,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> + Clone {
        [&self.base, &self.ours, &self.theirs].into_iter()
    }
}
