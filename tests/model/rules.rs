//! The rules that can be switched off, one by one, to see who notices.

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// Which rules hold.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct Rules {
            $($(#[$doc])* pub(crate) $name: bool,)*
        }

        impl Rules {
            /// All of them.
            pub(crate) const ALL: Rules = Rules { $($name: true,)* };

            /// All but one, each.
            pub(crate) fn each_off() -> Vec<(&'static str, Rules)> {
                vec![$((stringify!($name), Rules { $name: false, ..Rules::ALL }),)*]
            }
        }
    };
}

rules! {
    /// F2: only commits that the base of an edit does not contain can contain the edit.
    base,
    /// F2: a commit contains a removal only if its history holds what the removal observed.
    removal_observed,
    /// Nothing was taken out of the file where it is as it was.
    as_before,
    /// F3: true merges ask the ancestries.
    ancestry,
    /// F3: of what has no stamp they ask for the value.
    bare_stood,
    /// F5, S2: a stamp counts only beside the value that it was made for.
    digests,
    /// S1: the file lists what an edit superseded and no commit holds.
    superseded,
    /// S3: an edit names what its predecessors observed, too.
    transitive,
    /// S6: edits of one's own that git took out of the file are taken back.
    retraction,
    /// S6: but not those that a HEAD since the last look contains.
    witness,
    /// S7: what a racing writer started from.
    window,
    /// S9: what a shown edit builds on is shown.
    builds_on,
    /// Peers' edits that git took out of the file stay out until HEAD moves.
    parked,
    /// What a HEAD contained once and this one does not stays there.
    elsewhere,
    /// S14: commits made before we looked are edits.
    own_commits,
    /// S14: who makes the same change contains it.
    effect,
    /// A contained edit still supersedes what it observed.
    contained_supersedes,
    /// A stamp in the text that nobody knows is observed by an edit of our own.
    found,
    /// What stands beside a value that it does not fit was seen by who typed the value.
    stale_seen,
    /// What lost, and stands in the file and in no commit, is an edit, too.
    losers,
    /// Containment is told leaf by leaf.
    by_leaf,
    /// The edits of an amended commit observe the one that it replaced, and are not made again.
    amended,
    /// What an edit put into the file, and is still there when HEAD has moved, is no new edit.
    not_again,
    /// What an edit that is elsewhere did, and stands in the file without a stamp, is that edit.
    bare,
    /// The index tells when git wrote the file.
    git_wrote,
    /// S7: what a racing writer left as it was in the rendering before is no edit, and what it has as the current one neither.
    three_way,
    /// A rendering is current when the file has been written, not before.
    intended,
    /// The effect of an edit is told from the value that its base has.
    base_value,
    /// Where an own commit changed something, others' edits are not parked.
    touched,
    /// Elsewhere is only what a HEAD contained that is not in this one's history.
    aside,
    /// An edit that was told from the file is not elsewhere because of a HEAD from before.
    made_since,
    /// Names that stand in the store only are observed with the value that they stand for.
    named,
    /// What HEAD has as where it and the edit's base parted was seen by the edit.
    parting,
    /// An edit was made on everything that its base contains.
    on_base,
    /// What was shown as somebody's edit is not born here.
    not_born,
    /// A removal saw what was shown of the record last.
    removal_saw,
    /// What has a stamp is observed by its digest, too.
    both_names,
    /// A commit in which a stamp stands beside another, new value contains its edit: it was typed over.
    typed_over,
}
