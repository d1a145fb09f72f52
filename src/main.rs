//! The `rhema` binary.

fn main() {}
