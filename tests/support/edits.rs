//! Messages and edits of every kind, for tests that hold for any.

use std::collections::BTreeSet;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use rhema_crdt::crdt::{
    Act, Atom, Birth, Change, Digest, Form, Map, Node, Observed, Part, Path, Record, Replica, Run,
    Stamp, StampSet, Step,
};
use rhema_crdt::exchange::{
    Denial, EditDigest, Hello, Introduction, Link, Message, Refusal, Run as Sealed, Signature,
    Voucher,
};
use rhema_crdt::overlay::{Chain, CommitId, Deed, DocumentPath, Knowledge, Known};
use rhema_crdt::yaml::double_quoted;

/// The first time that a stamp can hold, and the last, in milliseconds since the Unix epoch.
const TIMES: std::ops::RangeInclusive<u64> = 1_577_836_800_000..=1_577_836_800_000 + (1 << 40) - 1;

/// One of a few, so that many name the same, or any.
pub(crate) fn replica() -> impl Strategy<Value = Replica> {
    prop_oneof![4 => 0u32..4, 1 => any::<u32>()].prop_map(Replica::from_bits)
}

/// Times close to each other, as those of most edits are, or any.
pub(crate) fn stamp() -> impl Strategy<Value = Stamp> {
    let near = 1_800_000_000_000u64..1_800_000_100_000;
    let time =
        prop_oneof![8 => near, 1 => TIMES, 1 => Just(*TIMES.end()), 1 => Just(*TIMES.start())];
    (time, replica()).prop_map(|(time, replica)| Stamp::from_unix_millis(time, replica).unwrap())
}

pub(crate) fn commit() -> impl Strategy<Value = CommitId> {
    let few = (0u8..4).prop_map(|byte| [byte; 20]);
    prop_oneof![4 => few, 1 => any::<[u8; 20]>()].prop_map(CommitId::from_bytes)
}

/// Texts of a few letters and of all that makes spelling hard.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{0,3}",
        2 => "[a-z \\n\\t\\r\"\\\\\u{7}\u{85}\u{2028}\u{feff}äß😀]{0,20}",
        1 => any::<String>(),
    ]
}

pub(crate) fn digest() -> impl Strategy<Value = Digest> {
    (0u16..=0x7fff).prop_map(|bits| Digest::from_bits(bits).unwrap())
}

/// Values: numbers and the like, texts as they are spelled, and texts that are spelled in another way.
pub(crate) fn atom() -> BoxedStrategy<Atom> {
    prop_oneof![
        2 => prop_oneof![text(), Just("null".to_owned()), Just("[]".to_owned())].prop_map(Atom::new),
        6 => text().prop_map(|text| Atom::text(double_quoted(&text), text)),
        1 => (text(), text()).prop_map(|(canonical, text)| Atom::text(canonical, text)),
    ].boxed()
}

fn step() -> BoxedStrategy<Step> {
    prop_oneof![
        text().prop_map(Step::Entry),
        (atom(), digest()).prop_map(|(name, birth)| Step::Record(name, birth)),
    ]
    .boxed()
}

/// Ways that often begin alike.
pub(crate) fn path() -> BoxedStrategy<Path> {
    let begin = prop_oneof![
        Just(vec![]),
        Just(vec![
            Step::Entry("todos".to_owned()),
            Step::Record(Atom::new("1".to_owned()), Digest::of(b"1")),
        ]),
        // Equal to the one above, and yet another value.
        Just(vec![
            Step::Entry("todos".to_owned()),
            Step::Record(Atom::text("1".to_owned(), "1".to_owned()), Digest::of(b"1")),
        ]),
    ];
    (begin, vec(step(), 0..4))
        .prop_map(|(begin, end)| begin.into_iter().chain(end).collect())
        .boxed()
}

fn stamps() -> impl Strategy<Value = BTreeSet<Stamp>> {
    prop_oneof![3 => Just(BTreeSet::new()), 1 => btree_set(stamp(), 0..4)]
}

/// Runs of stamps, most of them of one.
fn runs() -> impl Strategy<Value = StampSet> {
    let run = (stamp(), prop_oneof![Just(0), 1u64..1 << 20]);
    let run = run.prop_map(|(first, millis)| Run::over(first, millis).unwrap_or(first.into()));
    let runs = vec(run, 0..4).prop_map(|runs| runs.into_iter().collect());
    prop_oneof![3 => Just(StampSet::default()), 1 => runs]
}

pub(crate) fn observed() -> BoxedStrategy<Observed> {
    let digests = prop_oneof![Just(BTreeSet::new()), btree_set(digest(), 0..4)];
    (runs(), digests)
        .prop_map(|(stamps, digests)| Observed::new(stamps, digests))
        .boxed()
}

fn leaf() -> BoxedStrategy<Node> {
    prop_oneof![
        (atom(), stamps()).prop_map(|(value, stamps)| Node::Register(value, stamps)),
        (vec(atom(), 0..4), stamps()).prop_map(|(members, stamps)| Node::List(members, stamps)),
    ]
    .boxed()
}

fn record_of(fields: impl Strategy<Value = Map> + 'static) -> impl Strategy<Value = Record> {
    let birth = (proptest::option::of(stamp()), digest())
        .prop_map(|(stamp, digest)| Birth { stamp, digest });
    (atom(), birth, fields).prop_map(|(name, birth, fields)| Record {
        name,
        birth,
        fields,
    })
}

/// Values that nest a few levels deep.
pub(crate) fn node() -> BoxedStrategy<Node> {
    leaf()
        .prop_recursive(4, 16, 4, |node| {
            let map = || btree_map(text(), node.clone(), 0..4);
            prop_oneof![
                map().prop_map(Node::Map),
                vec(record_of(map()), 0..3).prop_map(|records| Node::Set(records.into())),
            ]
        })
        .boxed()
}

pub(crate) fn record() -> BoxedStrategy<Record> {
    record_of(btree_map(text(), node(), 0..4)).boxed()
}

fn form() -> BoxedStrategy<Form> {
    let part = prop::sample::select(vec![
        Part::Whole,
        Part::Place,
        Part::Lead,
        Part::Head,
        Part::Gap,
        Part::Value,
        Part::Beside,
        Part::Below,
        Part::Shape,
        Part::Foot,
        Part::Frame,
    ]);
    (part, text(), text())
        .prop_map(|(part, before, after)| Form {
            part,
            before,
            after,
        })
        .boxed()
}

pub(crate) fn act() -> BoxedStrategy<Act> {
    let maybe = || proptest::option::of(atom());
    prop_oneof![
        4 => atom().prop_map(Act::Write),
        1 => vec(atom(), 0..4).prop_map(Act::Replace),
        1 => Just(Act::Remove),
        2 => (record(), maybe()).prop_map(|(record, behind)| Act::Add { record, behind }),
        1 => maybe().prop_map(|behind| Act::Move { behind }),
        1 => maybe().prop_map(Act::Lose),
        1 => maybe().prop_map(Act::Settle),
        2 => form().prop_map(Act::Form),
    ]
    .boxed()
}

pub(crate) fn change() -> BoxedStrategy<Change> {
    let change =
        (path(), act(), observed()).prop_map(|(at, act, observed)| Change { at, act, observed });
    // The record that a birth's way leads to is mostly the one that is born.
    (change, any::<bool>())
        .prop_map(|(mut change, leads_to_it)| {
            if let (Act::Add { record, .. }, true) = (&change.act, leads_to_it) {
                change.at = change.at.record(record);
            }
            change
        })
        .boxed()
}

fn deed() -> BoxedStrategy<Deed> {
    prop_oneof![
        6 => vec(change(), 0..4).prop_map(Deed::Change),
        1 => vec(stamp(), 0..4).prop_map(Deed::Retract),
    ]
    .boxed()
}

/// An edit of any kind; nothing about it has to make sense.
pub(crate) fn known() -> BoxedStrategy<Known> {
    let document = prop_oneof![Just(b".rhema/todos.yaml".to_vec()), vec(any::<u8>(), 0..20),];
    let branch = prop_oneof![
        3 => Just(Some("main".to_owned())),
        1 => proptest::option::of(text()),
    ];
    (
        stamp(),
        proptest::option::of(stamp()),
        document,
        proptest::option::of(commit()),
        vec(commit(), 0..3),
        branch,
        deed(),
    )
        .prop_map(
            |(stamp, previous, document, base, published, branch, deed)| {
                let mut edit = Known {
                    stamp,
                    previous,
                    document: DocumentPath::new(document),
                    base,
                    published,
                    branch,
                    deed,
                };
                give_births(&mut edit);
                edit
            },
        )
        .boxed()
}

/// Has the edit give some of the records that it adds their births.
fn give_births(edit: &mut Known) {
    if let Deed::Change(changes) = &mut edit.deed {
        for change in changes {
            if let Act::Add { record, .. } = &mut change.act
                && record.birth.digest.bits() % 2 == 0
            {
                record.birth.stamp = Some(edit.stamp);
            }
        }
    }
}

/// Edits some of which follow the one before them.
pub(crate) fn edits(most: usize) -> BoxedStrategy<Vec<Known>> {
    vec((known(), any::<bool>()), 0..most)
        .prop_map(|edits| {
            let mut last = None;
            let chain = edits.into_iter().map(|(mut edit, follows)| {
                if follows {
                    edit.previous = last;
                }
                last = Some(edit.stamp);
                edit
            });
            chain.collect()
        })
        .boxed()
}

/// Chains as stores keep them: in order, without overlaps.
pub(crate) fn knowledge() -> BoxedStrategy<Knowledge> {
    let times = btree_set(TIMES, 0..8);
    let chain = (times, any::<bool>(), any::<bool>());
    btree_map(replica(), chain, 0..5)
        .prop_map(|chains| {
            let chains = chains
                .into_iter()
                .map(|(replica, (times, has_upto, is_single))| {
                    let mut stamps = times
                        .into_iter()
                        .map(|time| Stamp::from_unix_millis(time, replica).unwrap());
                    let upto = has_upto.then(|| stamps.next()).flatten();
                    let mut islands = Vec::new();
                    while let Some(start) = stamps.next() {
                        let end = if is_single { None } else { stamps.next() };
                        islands.push(start..=end.unwrap_or(start));
                    }
                    (replica, Chain { upto, islands })
                });
            chains.collect()
        })
        .boxed()
}

fn introduction() -> impl Strategy<Value = Introduction> {
    (any::<[u8; 32]>(), any::<u32>(), replica()).prop_map(|(key, incarnation, replica)| {
        Introduction {
            key,
            incarnation,
            replica,
        }
    })
}

fn hello() -> BoxedStrategy<Hello> {
    let says = (
        any::<u64>(),
        vec(commit(), 0..3),
        any::<u64>(),
        any::<(bool, bool, bool)>(),
    );
    (any::<(u16, u16)>(), introduction(), says)
        .prop_map(
            |(versions, introduction, (boot, roots, now, (stays, takes_edits, sends_edits)))| {
                Hello {
                    versions,
                    introduction,
                    boot,
                    roots,
                    now,
                    stays,
                    takes_edits,
                    sends_edits,
                }
            },
        )
        .boxed()
}

fn refusal() -> BoxedStrategy<Refusal> {
    prop_oneof![
        any::<(u16, u16)>().prop_map(|(oldest, newest)| Refusal::Version(oldest, newest)),
        Just(Refusal::OtherRepository),
        Just(Refusal::ReadsOnly),
        (vec(stamp(), 0..4), any::<u64>()).prop_map(|(from, now)| Refusal::Future { from, now }),
        vec(stamp(), 0..4).prop_map(Refusal::Document),
        text().prop_map(Refusal::Protocol),
        vec(stamp(), 0..4).prop_map(Refusal::Unproved),
        (vec(stamp(), 0..4), denial()).prop_map(|(edits, why)| Refusal::Denied { edits, why }),
        (vec(stamp(), 0..4), any::<u64>())
            .prop_map(|(from, millis)| Refusal::Early { from, millis }),
    ]
    .boxed()
}

fn denial() -> impl Strategy<Value = Denial> {
    prop_oneof![
        Just(Denial::Stranger),
        Just(Denial::Reads),
        Just(Denial::Removed),
        text().prop_map(Denial::Rule),
    ]
}

pub(crate) fn signature() -> impl Strategy<Value = Signature> {
    any::<[[u8; 32]; 2]>().prop_map(|halves| halves.concat().try_into().unwrap())
}

fn voucher() -> impl Strategy<Value = Voucher> {
    (any::<[[u8; 32]; 2]>(), signature()).prop_map(|([key, by], signature)| Voucher {
        key,
        by,
        signature,
    })
}

/// Edits in runs, some of them left out.
pub(crate) fn sealed_runs(most: usize) -> BoxedStrategy<Vec<Sealed>> {
    let link = |edits: Vec<Known>| {
        let link = |edit: Known| {
            let digest = any::<[u8; 32]>();
            (Just(edit), proptest::option::weighted(0.2, digest)).prop_map(|(edit, digest)| {
                match digest {
                    Some(digest) => Link::Digest(edit.stamp, EditDigest(digest)),
                    None => Link::Edit(edit),
                }
            })
        };
        edits.into_iter().map(link).collect::<Vec<_>>()
    };
    let run = (edits(most), proptest::option::of(stamp()), signature());
    let run = run.prop_flat_map(move |(edits, before, signature)| {
        (link(edits), Just(before), Just(signature))
    });
    let run = run.prop_filter_map("a run of nothing", |(links, before, signature)| {
        let before = match links.first()? {
            Link::Edit(edit) => edit.previous,
            Link::Digest(..) => before,
        };
        Some(Sealed {
            before,
            links,
            signature,
        })
    });
    vec(run, 0..3).boxed()
}

/// Anything that can be said.
pub(crate) fn message() -> BoxedStrategy<Message> {
    let commits = || vec(commit(), 0..4);
    prop_oneof![
        1 => hello().prop_map(Message::Hello),
        1 => (vec(introduction(), 0..4), vec(voucher(), 0..3))
            .prop_map(|(replicas, vouchers)| Message::Introductions { replicas, vouchers }),
        1 => knowledge().prop_map(Message::Marks),
        6 => sealed_runs(5).prop_map(Message::Edits),
        1 => knowledge().prop_map(Message::Stored),
        1 => any::<u64>().prop_map(Message::Pulse),
        1 => (commits(), commits()).prop_map(|(bases, have)| Message::Lost { bases, have }),
        1 => vec((commit(), commits()), 0..4).prop_map(Message::Found),
        2 => refusal().prop_map(Message::Refused),
        1 => Just(Message::Done),
        1 => Just(Message::Reconsidered),
    ]
    .boxed()
}
