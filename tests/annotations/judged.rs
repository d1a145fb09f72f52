//! What must hold of any text that stands under `_crdt` and `_crdt_conflicts`. Shared with the fuzzer.

use rhema_crdt::context::{Annotation, Conflicts, Marker};

/// Nothing panics, and what can be read says the same when it is written and read again. Whether any of it could be read.
pub(crate) fn judged(text: &str) -> bool {
    let annotation = Annotation::parse(text);
    if let Ok(annotation) = &annotation {
        assert_eq!(
            Annotation::parse(&annotation.to_string()).as_ref(),
            Ok(annotation)
        );
    }
    let conflicts = Conflicts::parse(text);
    if let Ok(conflicts) = &conflicts {
        assert_eq!(
            Conflicts::parse(&conflicts.to_string()).as_ref(),
            Ok(conflicts)
        );
    }
    annotation.is_ok() | conflicts.is_ok() | Marker::parse(text).is_ok()
}
