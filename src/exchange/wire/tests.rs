use proptest::prelude::*;

use super::messages;
use super::reader::Reader;
use super::writer::Writer;

#[path = "../../../tests/support/edits.rs"]
mod edits;

proptest! {
    /// What one side counts as too much and the other does not would be said, refused and said again.
    #[test]
    fn both_sides_count_the_same_room(message in edits::message()) {
        let mut writer = Writer::default();
        messages::write(&message, &mut writer);
        let room = writer.room();
        let body = writer.finish().unwrap();
        let mut reader = Reader::new(&body);
        messages::read(&mut reader).unwrap();
        prop_assert_eq!(reader.room(), room);
    }
}
