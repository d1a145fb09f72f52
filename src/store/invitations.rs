//! The invitations that were made here, and what became of them. What proves a request is kept, what makes one is not.

use super::columns::as_number;
use super::{Error, Key, Moment, Reading, Writing};
use crate::node::{InvitationKey, Role};
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef};

as_number!(Role {
    Admin = 0,
    Writer = 1,
    Agent = 2,
    Reader = 3,
    Removed = 4,
});

impl ToSql for InvitationKey {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.as_bytes())))
    }
}

impl FromSql for InvitationKey {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        FromSql::column_result(value).map(Self::from_bytes)
    }
}

/// For how long after its end an invitation is remembered, in milliseconds.
const REMEMBERED: u64 = 90 * 86_400_000;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// What it is known by.
    pub key: InvitationKey,
    /// What who comes with it may do.
    pub role: Role,
    /// What who comes with it is to be called; its own name where there is none.
    pub name: Option<String>,
    /// When it was made.
    pub made: Moment,
    /// From when on it is of no use.
    pub expires: Moment,
    /// When it was taken back.
    pub revoked: Option<Moment>,
    /// Who joined with it.
    pub used: Option<Joined>,
}

/// Somebody who joined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The public key of its node.
    pub key: Key,
    /// What it is called.
    pub name: String,
    /// When.
    pub at: Moment,
    /// Whether it was written into the list of members.
    pub listed: bool,
}

/// How an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Somebody may come with it.
    Open,
    /// Somebody did.
    Used,
    /// It was taken back.
    Revoked,
    /// Its time is over.
    Expired,
}

impl Standing {
    /// For people and scripts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Used => "used",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
        }
    }
}

impl Invitation {
    /// How it stands at this moment.
    #[must_use]
    pub fn stands(&self, now: Moment) -> Standing {
        if self.used.is_some() {
            Standing::Used
        } else if self.revoked.is_some() {
            Standing::Revoked
        } else if now >= self.expires {
            Standing::Expired
        } else {
            Standing::Open
        }
    }
}

impl Reading<'_> {
    /// All invitations that were made here, the oldest first.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn invitations(&self) -> Result<Vec<Invitation>, Error> {
        let sql = "SELECT key, role, name, made, expires, revoked, used, joiner, joined, listed
            FROM invitations ORDER BY made, key";
        self.all(sql, [], |row| {
            let used: Option<Moment> = row.get(6)?;
            let joined = |at| {
                Ok::<_, rusqlite::Error>(Joined {
                    key: row.get(7)?,
                    name: row.get(8)?,
                    at,
                    listed: row.get(9)?,
                })
            };
            Ok(Invitation {
                key: row.get(0)?,
                role: row.get(1)?,
                name: row.get(2)?,
                made: row.get(3)?,
                expires: row.get(4)?,
                revoked: row.get(5)?,
                used: used.map(joined).transpose()?,
            })
        })
    }
}

impl Writing<'_> {
    /// Notes an invitation that nobody used yet. Those that are long over are forgotten.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn invite(&self, invitation: &Invitation) -> Result<(), Error> {
        let long_ago = invitation.made.unix_millis().saturating_sub(REMEMBERED);
        let sql = "DELETE FROM invitations WHERE expires < ?1 AND (used IS NULL OR listed = 1)";
        self.run(sql, [Moment::from_unix_millis(long_ago)])?;
        let Invitation {
            key,
            role,
            name,
            made,
            expires,
            ..
        } = invitation;
        self.run(
            "INSERT INTO invitations (key, role, name, made, expires) VALUES (?1, ?2, ?3, ?4, ?5)",
            (key, role, name, made, expires),
        )?;
        Ok(())
    }

    /// Takes an invitation back; says whether it still stood open.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn revoke(&self, key: InvitationKey, at: Moment) -> Result<bool, Error> {
        let sql = "UPDATE invitations SET revoked = ?2 WHERE key = ?1
            AND used IS NULL AND revoked IS NULL AND expires > ?2";
        Ok(self.run(sql, (key, at))? > 0)
    }

    /// Notes that somebody joins with an invitation; says whether that stood open, which it does for one only.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn use_invitation(
        &self,
        key: InvitationKey,
        joiner: &Key,
        name: &str,
        at: Moment,
    ) -> Result<bool, Error> {
        let sql = "UPDATE invitations SET used = ?2, joiner = ?3, joined = ?4 WHERE key = ?1
            AND used IS NULL AND revoked IS NULL AND expires > ?2";
        Ok(self.run(sql, (key, at, joiner, name))? > 0)
    }

    /// Notes that who joined with an invitation stands in the list of members.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn listed(&self, key: InvitationKey) -> Result<(), Error> {
        self.run("UPDATE invitations SET listed = 1 WHERE key = ?1", [key])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::samples::store;
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_unix_millis(1_800_000_000_000 + 1_000 * seconds)
    }

    fn invitation(number: u8) -> Invitation {
        Invitation {
            key: InvitationKey::from_bytes([number; 32]),
            role: Role::Agent,
            name: number.is_multiple_of(2).then(|| "Ben".to_owned()),
            made: at(number.into()),
            expires: at(100),
            revoked: None,
            used: None,
        }
    }

    #[test]
    fn an_invitation_is_used_once() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let (first, second) = (invitation(1), invitation(2));
        writing.invite(&second).unwrap();
        writing.invite(&first).unwrap();
        let all = writing.invitations().unwrap();
        assert_eq!(all, [first.clone(), second.clone()]);
        let key = first.key;
        assert!(writing.use_invitation(key, &[7; 32], "Ben", at(5)).unwrap());
        assert!(!writing.use_invitation(key, &[8; 32], "Eve", at(5)).unwrap());
        assert!(!writing.revoke(key, at(6)).unwrap());
        let joined = |listed| {
            Some(Joined {
                key: [7; 32],
                name: "Ben".to_owned(),
                at: at(5),
                listed,
            })
        };
        let found = writing.invitations().unwrap().remove(0);
        assert_eq!(found.stands(at(200)), Standing::Used);
        assert_eq!(found.used, joined(false));
        writing.listed(key).unwrap();
        let found = writing.invitations().unwrap();
        assert_eq!(found[0].used, joined(true));
        assert_eq!(found[1], second);
    }

    #[test]
    fn what_is_long_over_is_forgotten_once_all_is_done_that_it_led_to() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let [first, second, third] = [1, 2, 3].map(invitation);
        for invitation in [&first, &second] {
            writing.invite(invitation).unwrap();
        }
        let joiner = [7; 32];
        assert!(
            writing
                .use_invitation(second.key, &joiner, "", at(5))
                .unwrap()
        );
        let later = Invitation {
            made: at(100 * 86_400),
            expires: at(101 * 86_400),
            ..third
        };
        writing.invite(&later).unwrap();
        let keys = |writing: &Writing<'_>| {
            let all = writing.invitations().unwrap().into_iter();
            all.map(|invitation| invitation.key).collect::<Vec<_>>()
        };
        assert_eq!(keys(&writing), [second.key, later.key]);
    }

    #[test]
    fn what_is_over_or_taken_back_is_not_used() {
        let (_git_dir, mut store) = store();
        let writing = store.write(Durability::Process).unwrap();
        let (first, second) = (invitation(1), invitation(2));
        writing.invite(&first).unwrap();
        writing.invite(&second).unwrap();
        let joiner = [7; 32];
        assert!(
            !writing
                .use_invitation(first.key, &joiner, "", at(100))
                .unwrap()
        );
        assert!(writing.revoke(second.key, at(99)).unwrap());
        assert!(
            !writing
                .use_invitation(second.key, &joiner, "", at(99))
                .unwrap()
        );
        assert!(!writing.revoke(first.key, at(100)).unwrap(), "it is over");
        let found = writing.invitations().unwrap();
        assert_eq!(found[0].stands(at(99)), Standing::Open);
        assert_eq!(found[0].stands(at(100)), Standing::Expired);
        assert_eq!(found[1].stands(at(1)), Standing::Revoked);
    }
}
