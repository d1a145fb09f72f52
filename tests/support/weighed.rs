//! What may happen in a random walk, and how often each of it comes.

macro_rules! deeds {
    ($($(#[$doc:meta])* $name:ident $weight:literal,)*) => {
        /// What happens in a step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Deed {
            $($(#[$doc])* $name,)*
        }

        /// All of them, and how often each comes.
        const DEEDS: &[(Deed, usize)] = &[$((Deed::$name, $weight),)*];
    };
}
