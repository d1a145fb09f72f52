//! The laws of replicated types, one function for all of them, and those of the numbers of documents.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod documents;
mod history;
mod shown;
mod types;
mod whole;

use proptest::test_runner::{Config, RngSeed};

/// The same cases every time, unless a longer search is asked for: `PROPTEST_CASES=100000`.
pub(crate) fn config(cases: u32) -> Config {
    let mut config = Config::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
        config.rng_seed = RngSeed::Fixed(20_261_122);
    }
    config
}
