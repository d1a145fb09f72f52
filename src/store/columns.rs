//! How values stand in columns.

use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::format;
use crate::crdt::{Replica, Stamp};
use crate::overlay::{BlobId, CommitId, DocumentPath};

/// What stands in a column as its text.
macro_rules! as_text {
    ($($type:ty),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.to_string().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(FromSqlError::other)
            }
        }
    )*};
}

as_text!(Stamp, Replica);

/// What stands in a column as its bytes.
macro_rules! as_bytes {
    ($($type:ty => $from:path),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                FromSql::column_result(value).map($from)
            }
        }
    )*};
}

as_bytes!(CommitId => CommitId::from_bytes, BlobId => BlobId::from_bytes);

impl ToSql for DocumentPath {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for DocumentPath {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Ok(Self::new(value.as_blob()?))
    }
}

/// What stands in a column in the format of [`format`].
pub(super) struct Whole<T>(pub(super) T);

impl<T: Serialize> ToSql for Whole<T> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let bytes = format::encode(&self.0)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        Ok(bytes.into())
    }
}

impl<T: DeserializeOwned> FromSql for Whole<T> {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let decoded = format::decode(value.as_blob()?);
        decoded.map(Self).map_err(FromSqlError::other)
    }
}

/// How many rows at most, as SQL takes it.
pub(super) fn limit(most: usize) -> i64 {
    i64::try_from(most).unwrap_or(i64::MAX)
}

/// An enumeration that stands in a column as a number, fixed for all times.
macro_rules! as_number {
    ($type:ty { $($variant:ident = $number:literal),* $(,)? }) => {
        impl ::rusqlite::ToSql for $type {
            fn to_sql(&self) -> ::rusqlite::Result<::rusqlite::types::ToSqlOutput<'_>> {
                let number: i64 = match self {
                    $(Self::$variant => $number,)*
                };
                Ok(number.into())
            }
        }

        impl ::rusqlite::types::FromSql for $type {
            fn column_result(
                value: ::rusqlite::types::ValueRef<'_>,
            ) -> ::rusqlite::types::FromSqlResult<Self> {
                match value.as_i64()? {
                    $($number => Ok(Self::$variant),)*
                    other => Err(::rusqlite::types::FromSqlError::OutOfRange(other)),
                }
            }
        }
    };
}

pub(super) use as_number;
