//! Git's graph, as far as it tells which edits a commit contains.

use std::fmt;

/// A commit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct CommitId([u8; 20]);

/// The content of a file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "node", derive(serde::Serialize, serde::Deserialize))]
pub struct BlobId([u8; 20]);

macro_rules! object_id {
    ($id:ident) => {
        impl $id {
            /// The object with this name.
            #[must_use]
            pub fn from_bytes(bytes: [u8; 20]) -> Self {
                Self(bytes)
            }

            /// Its name.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 20] {
                &self.0
            }
        }

        impl AsRef<[u8; 20]> for $id {
            fn as_ref(&self) -> &[u8; 20] {
                &self.0
            }
        }

        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }
    };
}

object_id!(CommitId);
object_id!(BlobId);

/// A commit that changed a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The commit.
    pub commit: CommitId,
    /// The file in each of its parents; none where that has no such file. Empty for a commit without parents.
    pub before: Vec<Option<BlobId>>,
    /// The file in it; none where it has no such file.
    pub after: Option<BlobId>,
}

impl Version {
    /// Whether the file is not what it is in every parent. A merge that takes one parent's version as it is changes the
    /// file, too, if another parent has a different one: in that branch something happens to it.
    #[must_use]
    pub fn is_change(&self) -> bool {
        match self.before.as_slice() {
            [] => self.after.is_some(),
            before => before.iter().any(|before| *before != self.after),
        }
    }
}

/// Where commits and the versions of one document are looked up.
pub trait History {
    /// What can go wrong while reading.
    type Error;

    /// Whether `ancestor` is `of` or one of its ancestors; nothing where one of them, or what lies between, is not at hand.
    ///
    /// # Errors
    /// When the repository cannot be read.
    fn is_ancestor(&self, ancestor: CommitId, of: CommitId) -> Result<Option<bool>, Self::Error>;

    /// The commits in the ancestry of `of` (itself included) and not in that of `without`, in which the document is not what
    /// it is in every parent ([`Version::is_change`]). Each comes before its ancestors, otherwise the newest first. Nothing where
    /// one of the two or what lies between is not at hand.
    ///
    /// # Errors
    /// When the repository cannot be read.
    fn versions(
        &self,
        of: CommitId,
        without: Option<CommitId>,
    ) -> Result<Option<Vec<Version>>, Self::Error>;

    /// The document in a commit; nothing where it has none, or the commit is not at hand.
    ///
    /// # Errors
    /// When the repository cannot be read.
    fn version_in(&self, commit: CommitId) -> Result<Option<BlobId>, Self::Error>;

    /// The bytes of a version, as the repository holds them.
    ///
    /// # Errors
    /// When they cannot be read.
    fn bytes(&self, blob: BlobId) -> Result<Vec<u8>, Self::Error>;
}
