//! Reads arbitrary text as what stands under `_crdt` and `_crdt_conflicts`: nothing may panic, and what can be read says the same
//! when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhema_crdt::context::{Annotation, Conflicts, Marker};

fuzz_target!(|text: &str| {
    if let Ok(annotation) = Annotation::parse(text) {
        assert_eq!(Annotation::parse(&annotation.to_string()), Ok(annotation));
    }
    let _ = Marker::parse(text);
    if let Ok(conflicts) = Conflicts::parse(text) {
        assert_eq!(Conflicts::parse(&conflicts.to_string()), Ok(conflicts));
    }
});
