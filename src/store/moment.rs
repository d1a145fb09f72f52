//! Wall clock time.

use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};
use serde::{Deserialize, Serialize};

use crate::surroundings;

/// A moment, in milliseconds since the Unix epoch; what lies before it counts as the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Moment(u64);

impl Moment {
    /// By the clock of this machine.
    #[must_use]
    pub fn now() -> Self {
        Self::from(surroundings::now()).shifted()
    }

    /// As a clock that is off shows it: in a debug build the environment may say by how many milliseconds, for tests.
    fn shifted(self) -> Self {
        if cfg!(debug_assertions)
            && let Ok(shift) = std::env::var("RHEMA_CLOCK_OFF_BY_MILLIS")
        {
            return Self(self.0.saturating_add_signed(shift.parse().unwrap_or(0)));
        }
        self
    }

    /// The moment so many milliseconds after the Unix epoch.
    #[must_use]
    pub fn from_unix_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Its milliseconds since the Unix epoch.
    #[must_use]
    pub fn unix_millis(self) -> u64 {
        self.0
    }
}

impl From<SystemTime> for Moment {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(since.as_millis().try_into().unwrap_or(u64::MAX))
    }
}

impl ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::try_from(self.0).unwrap_or(i64::MAX).into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self(value.as_i64()?.try_into().unwrap_or_default()))
    }
}
