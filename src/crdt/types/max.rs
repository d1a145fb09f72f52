//! A number of which the greatest stands: nobody's greater number is lost, and none lowers it.

use super::live::{Kind, Live, Put, Standing};
use crate::crdt::Stamp;

/// A register that shows the greatest number that was written into it.
pub type MaxRegister = Standing<Max>;

/// What a [`MaxRegister`] is.
pub struct Max;

impl Kind for Max {
    type State = Live<i64>;
    type View = Option<i64>;

    fn shown(live: &Live<i64>) -> Option<i64> {
        live.iter().map(|(_, number)| *number).max()
    }
}

impl MaxRegister {
    /// Raises it to a number; nothing comes of it where it is greater already.
    #[must_use]
    pub fn raise(&self, stamp: Stamp, number: i64) -> Put<i64> {
        self.state
            .replacing(stamp, number, |_, lower| *lower <= number)
    }
}
