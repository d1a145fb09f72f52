//! Branches on which `init` was run, or was not.

use crate::team::{FILE, TODOS, Team, Way, both_ways};

const SET_UP: &str = "
    # Things to do
    _crdt: v1 todos=or_set
    todos:
      - id: tide
        title: Show the next tide
        status: pending
        priority: medium
      - id: swell
        title: Show the swell
        status: pending
        priority: high
    ";

#[test]
fn init_on_two_branches() {
    for way in [Way::Stamped, Way::Plain] {
        let team = Team::before_init(TODOS, way);
        let [ann, ben] = team.two();
        for person in [&ann, &ben] {
            person.tree.rhema(&["init", "-q"]).exits(0);
            person.tree.commit("set up");
        }
        ann.changes("title: Show the tide", "title: Show the next tide");
        ben.changes("priority: low", "priority: medium");
        let stamped = SET_UP.replace(
            "id: tide\n",
            "id: tide\n        _crdt: +~j5r @ann1 title~34g @ben1 priority~tqr\n",
        );
        team.merge(&ann, &ben).gives(&stamped);
        let members = team.desk().read(".rhema/crdt/members.yaml");
        assert_eq!(members.matches("key: ").count(), 2, "{members}");
    }
}

#[test]
fn a_branch_from_before_init() {
    for way in [Way::Stamped, Way::Plain] {
        let team = Team::before_init(TODOS, way);
        let ben = team.person("ben");
        let desk = team.desk();
        desk.rhema(&["init", "-q"]).exits(0);
        desk.commit("set up");
        let ann = team.person("ann");
        ann.changes("title: Show the tide", "title: Show the next tide");
        ben.types("priority: low", "priority: medium")
            .tree
            .commit("by hand");
        let stamped = SET_UP.replace(
            "id: tide\n",
            "id: tide\n        _crdt: +~j5r @ann1 title~34g\n",
        );
        team.merge(&ann, &ben).gives(&stamped);
    }
}

#[test]
fn the_same_leaf_on_a_branch_from_before_init() {
    let team = Team::before_init(TODOS, Way::Stamped);
    let ben = team.person("ben");
    let desk = team.desk();
    desk.rhema(&["init", "-q"]).exits(0);
    desk.commit("set up");
    let ann = team.person("ann");
    ann.changes("priority: low", "priority: medium");
    ben.types("priority: low", "priority: critical")
        .tree
        .commit("by hand");
    // Git asks the branch that is checked out for the driver, and this one knows of none: it marks the lines.
    ben.tree
        .try_git(&["merge", "-q", "--no-edit", "ann"])
        .exits(1);
    assert!(ben.tree.read(FILE).contains("<<<<<<<"));
    ben.rhema(&["resolve"]).exits(1);
    ben.tree.commit("merged");
    ann.merges(&ben);
    assert_eq!(ann.has().text, ben.has().text);
    ann.has().gives(
        "
        # Things to do
        _crdt: v1 todos=or_set
        todos:
          - id: tide
            _crdt: @ann1 priority~tqr
            _crdt_conflicts: priority~~s.critical
            title: Show the tide
            status: pending
            priority: medium
          - id: swell
            title: Show the swell
            status: pending
            priority: high
        ",
    );
}

#[test]
fn a_branch_that_was_taken_back_by_uninit() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("title: Show the tide", "title: Show the next tide");
        // Only the file: the driver is configured for all work trees of this repository.
        let bare = ben.tree.read(FILE).replace("_crdt: v1 todos=or_set\n", "");
        ben.tree
            .write(FILE, bare.replace("priority: low", "priority: medium"));
        ben.tree.commit("without the marker");
        let stamped = SET_UP.replace(
            "id: tide\n",
            "id: tide\n        _crdt: +~j5r @ann1 title~34g\n",
        );
        team.merge(&ann, &ben).gives(&stamped);
    });
}

#[test]
fn a_team_that_leaves() {
    both_ways(TODOS, |team| {
        let [ann, ben] = team.two();
        ann.changes("priority: low", "priority: medium");
        ben.types("priority: low", "priority: critical")
            .appends("- id: moon\n  title: Show the moon\n");
        ann.merges(&ben);
        let bare = ann.has().shown().replace("_crdt: v1 todos=or_set\n", "");
        let exported = ann.tree.rhema(&["export"]).exits(0).stdout;
        assert_eq!(exported, bare);
        // The first one out leaves the driver to those who stay.
        for person in [&ben, &ann] {
            person.tree.rhema(&["uninit", "-q"]).exits(0);
            assert!(!person.tree.read(FILE).contains("_crdt"));
        }
        assert_eq!(ann.tree.read(FILE), bare);
        team.desk().rhema(&["uninit", "-q"]).exits(0);
        let driver = team.desk().try_git(&["config", "--get-regexp", "rhema"]);
        assert_eq!(driver.stdout, "");
    });
}
