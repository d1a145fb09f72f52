//! The bytes of the first version, for all times.
