//! What is said is heard.

use proptest::prelude::*;
use rhema_crdt::exchange::Message;
use rhema_crdt::exchange::wire::batches;

use super::edits::{edits, message};
use super::{config, frame, hear, whole};

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn whatever_is_said_is_heard_to_the_last_byte(message in message()) {
        let heard = hear(&frame(&message));
        prop_assert_eq!(heard.map(|heard| whole(&heard.unwrap())), Ok(whole(&message)));
    }

    #[test]
    fn batches_hold_all_edits_in_their_order(edits in edits(40)) {
        let batches: Result<Vec<_>, _> = batches(edits.clone()).collect();
        let again = batches.unwrap().concat();
        prop_assert_eq!(whole(&Message::Edits(again)), whole(&Message::Edits(edits)));
    }
}
