//! Several people edit one file by hand, and tell each other.

use rhema_crdt::crdt::Edit;
use rhema_crdt::merge::{Options, merge};

use crate::hand::{cases, edits, made_up, rendered, same_values, words_of};

/// What the merge driver makes of two branches.
fn merged(head: &str, works: &[String]) -> Option<String> {
    let [head, ours, theirs] = [head, &works[0], &works[1]].map(str::as_bytes);
    let merged = merge(head, ours, theirs, &Options::default()).ok()?;
    (merged.contested == 0).then(|| String::from_utf8(merged.bytes).unwrap())
}

fn all_edits(head: &str, works: &[String]) -> Vec<Vec<Edit>> {
    let each = works.iter().zip(1..);
    each.map(|(work, who)| edits(head, work, who).unwrap())
        .collect()
}

#[test]
fn two_people_come_to_the_same_bytes_and_to_what_the_driver_makes_of_their_commits() {
    let (mut all, mut bytes, mut values, mut fewer) = (0, 0, 0, 0);
    for seed in cases(250) {
        let (head, works) = made_up(seed, 2);
        let edits = all_edits(&head, &works);
        let text = rendered(&head, &edits.concat()).unwrap();
        let turned: Vec<Edit> = edits.iter().rev().flatten().cloned().collect();
        assert_eq!(rendered(&head, &turned).as_ref(), Ok(&text));
        let Some(merged) = merged(&head, &works) else {
            continue;
        };
        all += 1;
        bytes += usize::from(text != merged);
        values += usize::from(!same_values(&text, &merged));
        fewer += usize::from(!words_of(&merged).is_subset(&words_of(&text)));
    }
    println!("of {all}: {bytes} other bytes, {values} other values, {fewer} fewer words");
    assert!(fewer * 100 <= all, "{fewer} of {all}");
    assert!(values * 25 <= all, "{values} of {all}");
    assert!(bytes * 5 <= all, "{bytes} of {all}");
}

#[test]
fn three_people_come_to_the_same_bytes_in_any_order() {
    for seed in cases(80) {
        let (head, works) = made_up(seed, 3);
        let edits = all_edits(&head, &works);
        let order = |order: [usize; 3]| {
            let edits: Vec<Edit> = order.iter().flat_map(|who| edits[*who].clone()).collect();
            rendered(&head, &edits)
        };
        let first = order([0, 1, 2]);
        for other in [[0, 2, 1], [1, 0, 2], [2, 1, 0]] {
            assert_eq!(first, order(other), "{head}");
        }
    }
}
