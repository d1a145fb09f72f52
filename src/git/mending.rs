//! Files that git merged line by line and left with conflict markers, or did not merge at all because the driver could
//! not be run: merged again by structure, from the versions that the index holds.

use std::fs;
use std::path::Path;

use super::documents::marked_places;
use super::marked::{Lines, settled};
use super::text_merge::{TextMerge, text_merge};
use super::versions::with_line_ends_of;
use super::walk::git_path;
use super::{Ending, Error, Repo, Settings, Sides, merge_files};
use crate::context::Types;

/// The stages of an unmerged file in the index that hold both sides.
const OURS: i32 = 2;
const THEIRS: i32 = 3;

/// The side whose lines stand where both changed the very same thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Favour {
    /// Ours.
    Ours,
    /// Theirs.
    Theirs,
}

impl From<Favour> for Lines {
    fn from(favour: Favour) -> Self {
        match favour {
            Favour::Ours => Self::Ours,
            Favour::Theirs => Self::Theirs,
        }
    }
}

/// What became of a file that git may have left unmerged.
#[derive(Debug, PartialEq, Eq)]
pub enum Mended {
    /// It has no markers, and nothing is to be merged.
    Unmarked,
    /// None is left.
    Clean,
    /// So many places are left for people.
    Marked(usize),
    /// It was left as it is, and why.
    Left(&'static str),
}

impl Repo {
    /// Merges a file, with places of these types, again that holds git's markers, or our version although git could not merge it; the index is left
    /// as it is.
    ///
    /// # Errors
    ///
    /// When the file, the index or its objects cannot be read, or the file not be written.
    pub fn mend(
        &self,
        path: &Path,
        favour: Option<Favour>,
        types: &Types,
    ) -> Result<Mended, Error> {
        let settings = Settings {
            types: types.clone(),
            ..Settings::default()
        };
        let full = self.top().join(path);
        let bytes = fs::read(&full).map_err(|source| Error::Read { path: full, source })?;
        let places = marked_places(&bytes);
        if places == 0 && !self.is_left_unmerged(path, &bytes, &settings)? {
            return Ok(Mended::Unmarked);
        }
        let Some([base, ours, theirs]) = self.stages(path)? else {
            return Ok(Mended::Left(
                "the index does not hold both versions: settle the marked places by hand",
            ));
        };
        let sides = Sides {
            base: &base,
            ours: &ours,
            theirs: &theirs,
        };
        let merged = match merge_files(&sides, &settings).ending {
            Ending::Clean(merged) => merged,
            Ending::Marked { bytes, .. } => match favour {
                Some(favour) => settled(&bytes, settings.marker_size, favour.into()),
                None => bytes,
            },
            Ending::Binary => {
                return Ok(Mended::Left("it is binary: choose one of the two versions"));
            }
        };
        let left = marked_places(&merged);
        let by_lines = match text_merge(&sides, &settings) {
            TextMerge::Merged { conflicts, .. } => conflicts,
            TextMerge::Binary => 0,
        };
        // Whoever has settled some of the places keeps that.
        if places > 0 && places < by_lines.min(left.max(1)) {
            return Ok(Mended::Left(
                "some of its places are settled already: settle the others by hand",
            ));
        }
        if merged != bytes {
            self.replace_unchanged(path, &bytes, &merged)?;
        }
        Ok(match left {
            0 => Mended::Clean,
            left => Mended::Marked(left),
        })
    }

    /// Whether a file without markers, which holds `bytes`, still is our version of it although the index says that it
    /// is unmerged, and merging changes it: that is what git leaves behind where the driver cannot be run.
    pub(super) fn is_left_unmerged(
        &self,
        path: &Path,
        bytes: &[u8],
        settings: &Settings,
    ) -> Result<bool, Error> {
        let index = self
            .inner
            .index()
            .map_err(|source| Error::UnsupportedIndex { source })?;
        if index.get_path(path, OURS).is_none() {
            return Ok(false);
        }
        let Some([base, ours, theirs]) = self.stages(path)? else {
            return Ok(false);
        };
        let sides = Sides {
            base: &base,
            ours: &ours,
            theirs: &theirs,
        };
        let is_ours = with_line_ends_of(bytes, ours.clone()) == bytes;
        Ok(is_ours && merge_files(&sides, settings).ending != Ending::Clean(ours))
    }

    /// Whether the index holds one side's version of an unmerged file and not the other's.
    pub(super) fn is_half_deleted(&self, path: &Path) -> bool {
        let Ok(index) = self.inner.index() else {
            return false;
        };
        index.get_path(path, OURS).is_some() != index.get_path(path, THEIRS).is_some()
    }

    /// The three versions that the index holds of an unmerged file; the ancestor is empty where there is none.
    fn stages(&self, path: &Path) -> Result<Option<[Vec<u8>; 3]>, Error> {
        let index = self
            .inner
            .index()
            .map_err(|source| Error::UnsupportedIndex { source })?;
        let wanted = git_path(path);
        let mut stages: [Option<Vec<u8>>; 3] = Default::default();
        for entry in index.iter().filter(|entry| entry.path == wanted) {
            let stage = usize::from((entry.flags >> 12) & 3);
            if let Some(slot) = stage.checked_sub(1).and_then(|stage| stages.get_mut(stage)) {
                let reading = Error::libgit2("read the versions of an unmerged file");
                let blob = self.inner.find_blob(entry.id).map_err(reading)?;
                *slot = Some(blob.content().to_vec());
            }
        }
        let [base, ours, theirs] = stages;
        Ok(match (ours, theirs) {
            (Some(ours), Some(theirs)) => Some([base.unwrap_or_default(), ours, theirs]),
            _ => None,
        })
    }
}
