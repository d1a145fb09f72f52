//! What is said is heard.

use proptest::prelude::*;
use rhema_crdt::exchange::wire::fitting;

use super::edits::{message, sealed_runs};
use super::{config, frame, hear, whole};

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn whatever_is_said_is_heard_to_the_last_byte(message in message()) {
        let heard = hear(&frame(&message));
        prop_assert_eq!(heard.map(|heard| whole(&heard.unwrap())), Ok(whole(&message)));
    }

    /// As long as it is small.
    #[test]
    fn all_edits_fit_into_one_message(runs in sealed_runs(40)) {
        prop_assert_eq!(fitting(&runs), Ok(runs.len()));
    }
}
