//! The crate `crdts`: only its set and counter.

use crate::clock::Cpu;
use crdts::{CmRDT, GCounter, Orswot};

use super::Measured;

pub fn set(ops: &[(bool, u32)]) -> Measured {
    let mut s: Orswot<u32, u64> = Orswot::new();
    let t = Cpu::now();
    for &(add, m) in ops {
        if add {
            let ctx = s.read_ctx().derive_add_ctx(1);
            let op = s.add(m, ctx);
            s.apply(op);
        } else {
            let ctx = s.contains(&m).derive_rm_ctx();
            let op = s.rm(m, ctx);
            s.apply(op);
        }
    }
    let e = t.elapsed();
    let saved = rmp_serde::to_vec_named(&s).unwrap();
    Some((e, ops.len(), Some(saved.len())))
}

pub fn counter(n: usize) -> Measured {
    let mut c: GCounter<u64> = GCounter::new();
    let t = Cpu::now();
    for _ in 0..n {
        let op = c.inc(std::hint::black_box(1));
        c.apply(op);
    }
    let e = t.elapsed();
    let saved = rmp_serde::to_vec_named(&c).unwrap();
    Some((e, n, Some(saved.len())))
}
