//! What was published for the systems that this one grew from, and what we do: operations a second, one edit each.

use std::hint::black_box;

use rhema_crdt::crdt::types::{GCounter, GSet, LwwRegister, OrSet, PnCounter, Replicated};
use rhema_crdt::crdt::{Clock, Replica, Stamp};

use crate::clock::Cpu;
use crate::data::{self, Edit};
use crate::engines::Engine;
use crate::engines::ours::Ours;
use crate::workloads::{BASE, ms, put};

/// Operations of each type.
const OPERATIONS: u32 = 100_000;
/// Members of the sets.
const MEMBERS: u32 = 1_000;
/// Updates that are told together.
const BATCH: usize = 1_000;

fn rate(name: &str, mut operation: impl FnMut(Stamp, u32)) {
    let mut clock = Clock::new(Replica::from_bits(1), None);
    let time = Cpu::now();
    for number in 0..OPERATIONS {
        operation(clock.tick(1_800_000_000_000).unwrap(), black_box(number));
    }
    put(
        &format!("{name}_per_second"),
        f64::from(OPERATIONS) / time.elapsed().as_secs_f64(),
    );
}

pub fn floors() {
    let mut counter = GCounter::default();
    rate("g_counter", |stamp, _| {
        let edit = counter.increment(stamp, 1).unwrap();
        counter.apply(&edit);
    });
    let mut counter = PnCounter::default();
    rate("pn_counter", |stamp, number| {
        let edit = counter.increment(stamp, i64::from(number % 3) - 1).unwrap();
        counter.apply(&edit);
    });
    let mut set = GSet::default();
    rate("g_set", |stamp, number| {
        let edit = set.add(stamp, number % MEMBERS);
        set.apply(&edit);
    });
    let mut set = OrSet::default();
    rate("or_set", |stamp, number| {
        let member = number * 7 % MEMBERS;
        let edit = match number % 5 {
            0 | 1 => set.remove(stamp, &member),
            _ => set.add(stamp, member),
        };
        set.apply(&edit);
    });
    let mut register = LwwRegister::default();
    rate("lww_register", |stamp, number| {
        let edit = register.write(stamp, number);
        register.apply(&edit);
    });
    let items = data::todos(42, BASE);
    let mut here = Ours::new(1);
    let mut there = Ours::new(2);
    Ours::link(&mut here, &mut there);
    let births: Vec<Edit> = items.iter().cloned().map(Edit::Insert).collect();
    let time = Cpu::now();
    Ours::apply(&mut here, &births);
    let told = Ours::sync(&mut (), &mut here, &mut there);
    put("records_synced_ms", ms(time.elapsed()));
    put("record_bytes", told.bytes as f64 / BASE as f64);
    Ours::apply(&mut here, &data::updates(7, &items, BATCH));
    let told = Ours::sync(&mut (), &mut here, &mut there);
    put("update_bytes_in_batch", told.bytes as f64 / BATCH as f64);
}
