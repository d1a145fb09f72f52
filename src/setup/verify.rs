//! What `verify` looks at, and what it mends.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::autostart::{AutoSync, Autostart};
use super::files::{Done, Rewrite, read};
use super::hooks::Hook;
use super::{Error, Init, Wanted};
use crate::context::{
    Annotation, Claim, Mention, Misfit, Says, Types, digest, leaf_at, lift, mentions, without,
};
use crate::git::{self, Driver, Healing, Plan, Repo};
use crate::node::{Config, Members, Node, NodeKey, Watch, address_file, state_folder};
use crate::overlay::{CommitId, Fate};
use crate::yaml::{Document, Kind, Limits, NodeRef, Scalar};

/// How far ahead a stamp may be, in milliseconds.
const MOST_AHEAD: u64 = 10 * 60 * 1000;

/// Something that was found, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The file.
    pub path: PathBuf,
    /// The line, 1-based.
    pub line: usize,
    /// The column, 1-based.
    pub column: usize,
    /// What kind of thing it is, for scripts.
    pub kind: &'static str,
    /// What it is and what to do.
    pub what: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// What is wrong.
    pub problems: Vec<Finding>,
    /// What was wrong and is mended.
    pub mended: Vec<Finding>,
    /// What is worth knowing, but not wrong.
    pub notes: Vec<Finding>,
    /// Whether `watch` is set up to start at login.
    pub auto_sync: bool,
}

/// Looks at the whole of a work tree; the time now tells which stamps come from the future. With `fix` mends what can be
/// mended without choosing: the driver, missing markers, mangled annotations, what starts `watch` at login.
///
/// # Errors
/// When the repository cannot be read, or something not mended for want of permission.
pub fn verify(
    repo: &Repo,
    driver: &Driver,
    fix: bool,
    unix_millis: u64,
) -> Result<Verified, Error> {
    let mut found = look(repo, driver, unix_millis)?;
    if !fix || found.problems.is_empty() {
        return Ok(found);
    }
    mend_annotations(repo)?;
    Init::plan(repo, driver, Wanted::default())?.carry_out(repo)?;
    let after = look(repo, driver, unix_millis)?;
    // Lines move when markers come: what is left is told from what is mended by its kind and text.
    let is_left = |finding: &Finding| {
        after.problems.iter().any(|left| {
            (&left.path, left.kind, &left.what) == (&finding.path, finding.kind, &finding.what)
        })
    };
    found.problems.retain(|finding| !is_left(finding));
    Ok(Verified {
        mended: found.problems,
        ..after
    })
}

/// The merges since a commit that lost or mixed what nobody settled: a finding for each and each file, where it is to be
/// put right. What somebody decided when a merge was committed is worth knowing, and no more.
///
/// # Errors
/// When the history cannot be read, or is cut off before that commit.
pub fn verify_merges(repo: &Repo, since: CommitId) -> Result<Verified, Error> {
    let types = Config::at_head(repo).map_or_else(|_| Types::default(), |config| config.types);
    let healing = Healing::new(repo, types);
    let now = |path: &Path| read(&repo.top().join(path)).ok().flatten();
    let mut found = Verified::default();
    for merge in repo.merges(Some(since), usize::MAX)? {
        for mistakes in healing.mistakes(&merge, &now)? {
            let places = mistakes.losses.iter();
            let of = |fate| {
                let places = places.clone().filter(move |loss| loss.fate == fate);
                let places = places.map(|loss| loss.at().to_string());
                let whole = mistakes.misread.iter();
                let whole = whole.filter(move |misread| misread.fate == fate);
                places
                    .chain(whole.map(|misread| misread.why.clone()))
                    .collect()
            };
            let finding = |places: Vec<String>, what: &str| Finding {
                path: mistakes.path.clone(),
                line: mistakes.position.0,
                column: mistakes.position.1,
                kind: "merge",
                what: format!("{}: {what}", in_words(&places)),
            };
            let (lost, decided): (Vec<String>, Vec<String>) = (of(Fate::Lost), of(Fate::Decided));
            let (commit, summary) = (&merge.short, &merge.summary);
            if !lost.is_empty() {
                found.problems.push(finding(
                    lost,
                    &format!("the merge {commit} ({summary}), made without the merge driver, lost or mixed this: `rhema crdt heal {commit}` puts it right"),
                ));
            }
            if !decided.is_empty() {
                found.notes.push(finding(
                    decided,
                    &format!("settled by hand in the merge {commit}, otherwise than both sides together have it: `rhema crdt heal --dry-run {commit}` shows it"),
                ));
            }
        }
    }
    Ok(found)
}

/// The first of some places, and how many more there are.
fn in_words(places: &[String]) -> String {
    const MOST: usize = 3;
    let named = places.iter().take(MOST).map(String::as_str);
    let named = named.collect::<Vec<_>>().join(", ");
    match places.len().checked_sub(MOST) {
        None | Some(0) => named,
        Some(more) => format!("{named} and {more} more"),
    }
}

fn look(repo: &Repo, driver: &Driver, unix_millis: u64) -> Result<Verified, Error> {
    let types = Config::at_head(repo).map_or_else(|_| Types::default(), |config| config.types);
    let mut look = Look {
        found: Verified::default(),
        types,
        unix_millis,
    };
    look.setup(repo, driver)?;
    let files = repo.context_files()?;
    for problem in &files.problems {
        look.problem(repo.top(), (1, 1), "unreadable", problem.to_string());
    }
    for path in files.files {
        match read(&repo.top().join(&path)) {
            Ok(Some(bytes)) => {
                let head = repo.in_head(&path)?.filter(|_| repo.under_way().is_none());
                look.document(&path, &bytes, head.as_deref());
            }
            Ok(None) => {}
            Err(error) => look.problem(&path, (1, 1), "unreadable", error.to_string()),
        }
    }
    Ok(look.found)
}

/// The counters in the context files of a work tree that are full, by a look at the files alone.
///
/// # Errors
/// When the repository cannot be read.
pub fn full_counters(repo: &Repo) -> Result<Vec<Finding>, Error> {
    let types = Config::at_head(repo).map_or_else(|_| Types::default(), |config| config.types);
    let mut found = Vec::new();
    for path in repo.context_files()?.files {
        let bytes = match read(&repo.top().join(&path)) {
            Ok(Some(bytes)) => bytes,
            Ok(None) | Err(_) => continue,
        };
        let is_there = |end: &i64| memchr::memmem::find(&bytes, end.to_string().as_bytes());
        if [i64::MAX, i64::MIN].iter().find_map(is_there).is_none() {
            continue;
        }
        if let Ok(document) = Document::read(&bytes, &Limits::default()) {
            let full = types.full(&document).into_iter();
            found.extend(full.map(|misfit| unfitting(&path, misfit)));
        }
    }
    Ok(found)
}

fn unfitting(path: &Path, misfit: Misfit) -> Finding {
    Finding {
        path: path.to_path_buf(),
        line: misfit.line,
        column: misfit.column,
        kind: "type",
        what: misfit.why,
    }
}

struct Look {
    found: Verified,
    /// The types of places.
    types: Types,
    unix_millis: u64,
}

impl Look {
    fn problem(
        &mut self,
        path: &Path,
        (line, column): (usize, usize),
        kind: &'static str,
        what: impl Into<String>,
    ) {
        self.found.problems.push(Finding {
            path: path.to_path_buf(),
            line,
            column,
            kind,
            what: what.into(),
        });
    }

    fn note(
        &mut self,
        path: &Path,
        (line, column): (usize, usize),
        kind: &'static str,
        what: impl Into<String>,
    ) {
        self.found.notes.push(Finding {
            path: path.to_path_buf(),
            line,
            column,
            kind,
            what: what.into(),
        });
    }

    /// The driver, the node, the configuration, the members.
    fn setup(&mut self, repo: &Repo, driver: &Driver) -> Result<(), Error> {
        let configured = repo.driver_command()?.is_some();
        let plan = Plan::init(repo, driver)?;
        for change in plan.changes() {
            match change {
                git::Change::AddLines { path, .. } => self.problem(
                    path,
                    (1, 1),
                    "attributes",
                    "lines are missing that hand context files to the merge driver: run `rhema crdt init`",
                ),
                git::Change::SetConfig { path, key, .. } => {
                    let what = if configured {
                        format!("{key} is stale: run `rhema crdt init`")
                    } else {
                        format!("{key} is missing: run `rhema crdt init`")
                    };
                    self.problem(path, (1, 1), "driver", what);
                }
                git::Change::RemoveLines { .. } | git::Change::UnsetConfig { .. } => {}
            }
        }
        if plan.changes().is_empty() && !repo.attributes_are_set_up()? {
            self.problem(
                &repo.top().join(".gitattributes"),
                (1, 1),
                "attributes",
                "another line takes context files away from the merge driver: `git check-attr merge .rhema/any.yaml` must say rhema-crdt",
            );
        }
        self.hook(repo, driver)?;
        self.autostart(repo)?;
        self.node(repo)
    }

    fn autostart(&mut self, repo: &Repo) -> Result<(), Error> {
        let plan = Autostart::plan(repo, AutoSync::AsItIs)?;
        self.found.auto_sync = plan.is_some();
        if let Some((path, what)) = plan.as_ref().and_then(Autostart::problem) {
            self.problem(path, (1, 1), "auto-sync", what);
        }
        Ok(())
    }

    fn hook(&mut self, repo: &Repo, driver: &Driver) -> Result<(), Error> {
        let hook = match Hook::find(repo) {
            Err(Error::Git(git::Error::SharedHooks { .. })) => return Ok(()),
            found => found?,
        };
        let path = hook.path().to_path_buf();
        if hook.is_displaced() {
            self.problem(
                &path,
                (1, 1),
                "hook",
                "another hook took the place of the one that stamps what is committed: let it run `rhema crdt pre-commit`, or take it away and run `rhema crdt init --hooks`",
            );
        } else if hook.install(driver, false)?.is_some() {
            self.problem(
                &path,
                (1, 1),
                "hook",
                "the hook that stamps what is committed is stale: run `rhema crdt init`",
            );
        }
        Ok(())
    }

    fn node(&mut self, repo: &Repo) -> Result<(), Error> {
        let folder = state_folder(repo.git_dir());
        let key = NodeKey::path(&folder);
        let node = match Node::load(repo.git_dir()) {
            Ok(node) => node,
            Err(error) => {
                self.problem(&key, (1, 1), "node", error.to_string());
                None
            }
        };
        #[cfg(unix)]
        if let Ok(metadata) = key.metadata() {
            use std::os::unix::fs::PermissionsExt;
            if metadata.permissions().mode() & 0o077 != 0 {
                self.problem(
                    &key,
                    (1, 1),
                    "node",
                    "others may read the key of this node: `chmod 600` it",
                );
            }
        }
        let address = address_file(repo.git_dir());
        if address.exists() && !Watch::is_kept(repo.git_dir()) {
            self.note(
                &address,
                (1, 1),
                "address",
                "nobody listens there any more: the next `rhema crdt watch` writes it anew",
            );
        }
        self.config(repo);
        self.members(repo, node.as_ref())
    }

    /// How the repository is synced: as the work tree has it, which `watch` goes by.
    fn config(&mut self, repo: &Repo) {
        if let Err(error) = Config::in_work_tree(repo) {
            self.malformed(&Config::path(repo.top()), "config", error);
        }
    }

    /// Who may sync: as the work tree has it, which is to be committed, and whether HEAD has this node.
    fn members(&mut self, repo: &Repo, node: Option<&Node>) -> Result<(), Error> {
        let path = Members::path(repo.top());
        let Some(bytes) = read(&path)? else {
            return Ok(());
        };
        let text = String::from_utf8_lossy(&bytes);
        let members = match Members::read(&path, &text) {
            Ok(members) => members,
            Err(error) => {
                self.malformed(&path, "members", error);
                return Ok(());
            }
        };
        for name in members.by_key().1 {
            let is_it = |line: &str| line.trim_matches(['"', '\'']).starts_with(name);
            let line = text.lines().position(is_it).map_or(1, |index| index + 1);
            self.problem(
                &path,
                (line, 1),
                "members",
                format!("{name} is no fingerprint of the key beside it and is passed over: `rhema crdt peers add KEY` names a member rightly"),
            );
        }
        let Some(node) = node else {
            return Ok(());
        };
        let is_in = |members: &Members| members.all.contains_key(&node.id().to_string());
        if !is_in(&members) {
            let what = "this node is no member: `rhema crdt init` joins";
            self.note(&path, (1, 1), "members", what);
        } else if !Members::at_head(repo).is_ok_and(|members| is_in(&members)) {
            let what = "this node is no member at HEAD, and others do not let it in before it is: commit the file, and have them pull it";
            self.note(&path, (1, 1), "members", what);
        }
        Ok(())
    }

    /// A file of ours that does not hold what it should.
    fn malformed(&mut self, path: &Path, kind: &'static str, error: crate::node::Error) {
        match error {
            crate::node::Error::Malformed {
                line, column, what, ..
            } => self.problem(path, (line, column), kind, what),
            error => self.problem(path, (1, 1), kind, error.to_string()),
        }
    }

    /// A document, and HEAD's version of it where that is what it came from.
    fn document(&mut self, path: &Path, bytes: &[u8], head: Option<&[u8]>) {
        let document = match Document::read(bytes, &Limits::default()) {
            Ok(document) => document,
            Err(error) => {
                let place = (error.line(), error.column());
                self.problem(path, place, "unparsable", error.problem().to_string());
                return;
            }
        };
        if git::lacks_marker(&document) {
            self.problem(
                path,
                (1, 1),
                "marker",
                "the marker `_crdt` is missing: run `rhema crdt init`",
            );
        }
        for mention in mentions(&document) {
            self.mention(path, &mention);
        }
        self.types(path, &document, head);
        for part in document.parts() {
            self.duplicates(path, document.node(part.root));
        }
    }

    /// What does not fit the type of its place, in itself or after what HEAD holds there.
    fn types(&mut self, path: &Path, document: &Document, head: Option<&[u8]>) {
        let mut misfits = self.types.misfits(document);
        let head = head.and_then(|head| Document::read(head, &Limits::default()).ok());
        let changed = head.and_then(|head| self.types.misfit(&lift(&head), document));
        if let Some(changed) = changed
            && misfits.iter().all(|misfit| misfit.at != changed.at)
        {
            misfits.push(changed);
        }
        let found = misfits.into_iter().map(|misfit| unfitting(path, misfit));
        self.found.problems.extend(found);
    }

    fn mention(&mut self, path: &Path, mention: &Mention<'_>) {
        let place = mention.position();
        let key = mention
            .entry
            .key()
            .map(|key| key.text().into_owned())
            .unwrap_or_default();
        match mention.claim {
            Claim::Ours => {}
            Claim::OtherVersion => self.problem(
                path,
                place,
                "version",
                "the marker is of a version that this program does not know: update it",
            ),
            Claim::Mangled => self.problem(
                path,
                place,
                "annotation",
                format!("`{key}` cannot be understood: `rhema crdt verify --fix` removes it"),
            ),
            Claim::Foreign => self.note(
                path,
                place,
                "foreign",
                format!("`{key}` holds something else than an annotation and is left alone"),
            ),
        }
        let annotation = match &mention.says {
            Some(Says::Annotation(annotation)) => annotation,
            Some(Says::Marker(marker)) => &marker.annotation,
            _ => return,
        };
        let latest = self.unix_millis.saturating_add(MOST_AHEAD);
        for stamp in annotation
            .named()
            .filter(|stamp| stamp.unix_millis() > latest)
        {
            let what = format!("the stamp {stamp} comes from the future: a clock was wrong there");
            self.note(path, place, "future", what);
        }
        for (leaf, stamps) in &annotation.leaves {
            let now = leaf_at(mention.entry.parent(), &Annotation::names(leaf));
            if let Some(now) = now.map(|entry| digest(entry.value()))
                && stamps.iter().all(|stamped| stamped.digest != now)
            {
                let what =
                    format!("`{leaf}` was edited since it was stamped: it counts as unstamped");
                self.note(path, place, "unfitting", what);
            }
        }
    }

    /// Records of one list with the same id.
    fn duplicates(&mut self, path: &Path, node: NodeRef<'_>) {
        // Which line it is takes as long as everything before it is long: it is only asked where it is told.
        let mut known: HashMap<Scalar<'_>, u32> = HashMap::new();
        for entry in node.entries() {
            let value = entry.value();
            if node.kind() == Kind::Sequence
                && value.kind() == Kind::Mapping
                && let Some(id) = value.get("id")
                && let Some(scalar) = id.value().scalar()
                && scalar != Scalar::Null
            {
                let start = id.data().start;
                match known.get(&scalar) {
                    Some(first) => {
                        let place = node.document().position(start);
                        let (first, _) = node.document().position(*first);
                        let what = format!(
                            "the id `{}` stands twice in one list (first in line {first}): give one of the records another",
                            id.value().raw()
                        );
                        self.problem(path, place, "duplicate", what);
                    }
                    None => {
                        known.insert(scalar, start);
                    }
                }
            }
            if value.is_collection() {
                self.duplicates(path, value);
            }
        }
    }
}

/// Removes what cannot be understood any more.
fn mend_annotations(repo: &Repo) -> Result<(), Error> {
    let mut done = Done::default();
    for path in repo.context_files()?.files {
        let path = repo.top().join(path);
        let Some(before) = read(&path)? else { continue };
        let Ok(document) = Document::read(&before, &Limits::default()) else {
            continue;
        };
        if let Some(after) = without(&document, |mention| mention.claim == Claim::Mangled) {
            let rewritten = done.rewrite(&Rewrite {
                path,
                before: Some(before),
                after: Some(after.into_bytes()),
            });
            if let Err(error) = rewritten {
                done.undo();
                return Err(error);
            }
        }
    }
    Ok(())
}
