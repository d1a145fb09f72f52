//! What must hold of any payload. Shared with the fuzzer.

use rhema_crdt::exchange::wire::{Assembly, encode};

/// It is refused, passed over, or says what says the same when it is said again. Whether it says anything.
pub(crate) fn judged(payload: &[u8]) -> bool {
    let Ok(Some(heard)) = Assembly::default().add(payload) else {
        return false;
    };
    let again = encode(&heard).unwrap();
    let mut assembly = Assembly::default();
    let again = again
        .iter()
        .map(|frame| assembly.add(frame).unwrap())
        .last();
    // Equal values can still differ in what they say.
    assert_eq!(
        format!("{:?}", again.flatten().unwrap()),
        format!("{heard:?}")
    );
    true
}
