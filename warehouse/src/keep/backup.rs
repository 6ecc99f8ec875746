//! A copy of a warehouse in a folder, made anew or brought up to date.
//!
//! Under the lease nothing changes, so the copy is of one moment. Files never change under their name but for a few small ones (logs'
//! pointers, reports), so only what is new is copied. The order makes a copy that was cut short the copy of an earlier moment, with files
//! that belong to nothing: data first, then the commits that name them, the ledger's last of all.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use futures::TryStreamExt as _;
use object_store::{ObjectMeta, ObjectStoreExt as _, WriteMultipart};

use super::policy::Tally;
use super::tables::LAYERS;
use crate::delta::is_as_written;
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// Bytes up to which an object is compared byte by byte where its name does not tell its contents.
const SMALL: u64 = 16 << 20;

/// The first commit of the run ledger tells warehouses apart: no log is cut so far.
pub(super) const IDENTITY: &str = "_ops/run/_delta_log/00000000000000000000.json";

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Copied {
    /// Objects of the warehouse.
    pub all: Tally,
    /// Those that had to be copied.
    pub copied: Tally,
    /// Objects of the copy that the warehouse has no more, removed from it.
    pub pruned: Tally,
}

/// Copies a warehouse.
#[derive(Debug)]
pub struct Backup<'a> {
    /// The warehouse.
    pub from: &'a Root,
    /// The copy.
    pub to: &'a Root,
    /// Whether to remove from the copy what the warehouse has no more.
    pub prune: bool,
}

impl Backup<'_> {
    /// Copies. `asked_to_stop` is heard between two objects.
    ///
    /// # Errors
    /// [`WarehouseError::Audit`] when a file is not what it was written as, [`WarehouseError::Backup`] when the folder holds another
    /// warehouse's copy; else as the storage says. Run again, it goes on.
    pub async fn run(&self, asked_to_stop: &(dyn Fn() -> bool + Sync)) -> Result<Copied> {
        let folders: Vec<&str> = ["archive"].into_iter().chain(LAYERS).collect();
        let mut source: Vec<ObjectMeta> = self.from.list(&folders).await?;
        source.retain(|meta| meta.location.as_ref() != "_ops/lease.json");
        source.sort_by_key(|meta| (rank(meta.location.as_ref()), meta.location.to_string()));
        let there: BTreeMap<String, u64> =
            self.to.list(&folders).await?.into_iter().map(|meta| (meta.location.to_string(), meta.size)).collect();
        self.same_warehouse(&there).await?;
        let mut done = Copied::default();
        let mut names = BTreeSet::new();
        for meta in &source {
            if asked_to_stop() {
                return Ok(done);
            }
            let path = meta.location.to_string();
            done.all.add(meta.size);
            if !self.is_there(meta, there.get(&path).copied()).await? {
                self.copy(&path, meta.size).await?;
                done.copied.add(meta.size);
            }
            names.insert(path);
        }
        if self.prune {
            // Commits before what they name: the other way round.
            let mut gone: Vec<(&String, &u64)> =
                there.iter().filter(|(path, _)| !names.contains(*path) && *path != "_ops/lease.json").collect();
            gone.sort_by_key(|(path, _)| std::cmp::Reverse(rank(path)));
            for (path, size) in gone {
                self.to.delete(path).await?;
                done.pruned.add(*size);
            }
        }
        Ok(done)
    }

    async fn same_warehouse(&self, there: &BTreeMap<String, u64>) -> Result<()> {
        let bad = |why: &str| WarehouseError::Backup { to: self.to.url().to_string(), why: why.to_string() };
        match (self.from.get_opt(IDENTITY).await?, self.to.get_opt(IDENTITY).await?) {
            (None, _) => Err(bad("there is no warehouse to be copied: nothing was ever written")),
            (Some(ours), Some(theirs)) if ours != theirs => Err(bad("it holds the copy of another warehouse")),
            (Some(_), None) if there.keys().any(|path| path.starts_with("_ops/run/")) => {
                Err(bad("it holds something that is no copy of this warehouse"))
            }
            _ => Ok(()),
        }
    }

    async fn is_there(&self, meta: &ObjectMeta, held: Option<u64>) -> Result<bool> {
        let path = meta.location.as_ref();
        if held != Some(meta.size) {
            return Ok(false);
        }
        if is_named_by_contents(path) || meta.size > SMALL {
            return Ok(true);
        }
        Ok(self.from.get_opt(path).await? == self.to.get_opt(path).await?)
    }

    async fn copy(&self, path: &str, size: u64) -> Result<()> {
        let failed = |source| WarehouseError::Store { path: path.to_string(), source };
        if size <= SMALL || path.ends_with(".parquet") {
            let Some(bytes) = self.from.get_opt(path).await? else { return Ok(()) };
            if is_as_written(path, &bytes) == Some(false) {
                return Err(WarehouseError::Audit {
                    what: path.to_string(),
                    why: "it was changed: its bytes are not those it was written with; it is not copied".to_string(),
                });
            }
            return self.to.put(path, bytes).await;
        }
        let object = object_store::path::Path::from(path);
        let mut parts = self.from.store().get(&object).await.map_err(failed)?.into_stream();
        let mut upload = WriteMultipart::new(self.to.store().put_multipart(&object).await.map_err(failed)?);
        while let Some(part) = parts.try_next().await.map_err(failed)? {
            upload.wait_for_capacity(2).await.map_err(failed)?;
            upload.write(&part);
        }
        upload.finish().await.map(|_| ()).map_err(failed)
    }
}

/// Whether equal names mean equal bytes. Of ours only logs, reports and the like do not.
fn is_named_by_contents(path: &str) -> bool {
    let name = Path::new(path);
    let parquet = name.extension().is_some_and(|ending| ending == "parquet") && !path.contains("/_delta_log/");
    parquet || path.starts_with("archive/") || path.starts_with("_ops/texts/")
}

/// Data, then what says that they are there, then the ledger, which says what was done.
fn rank(path: &str) -> u8 {
    let ledger = path.starts_with("_ops/");
    match (ledger, path.contains("/_delta_log/")) {
        (_, true) if path.ends_with("/_last_checkpoint") => 6,
        (true, true) if path.starts_with("_ops/release/") => 5,
        (true, true) => 4,
        (false, true) => 3,
        (true, false) => 2,
        (false, false) => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(dir: &tempfile::TempDir) -> Root {
        Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap()
    }

    #[tokio::test]
    async fn only_what_is_new_is_copied_and_a_changed_file_never() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (from, to) = (root(&one), root(&two));
        let copy = |prune| {
            let (from, to) = (from.clone(), to.clone());
            async move { Backup { from: &from, to: &to, prune }.run(&|| false).await }
        };
        assert!(copy(false).await.is_err());
        let put = |path: &'static str, text: &'static str| {
            let from = from.clone();
            async move { from.put(path, bytes::Bytes::from_static(text.as_bytes())).await.unwrap() }
        };
        put("_ops/run/_delta_log/00000000000000000000.json", "first").await;
        put("archive/ab/ab12.zst", "page").await;
        put("gold/t/_delta_log/_last_checkpoint", "10").await;
        assert_eq!(copy(false).await.unwrap().copied.files, 3);
        assert_eq!(copy(false).await.unwrap().copied.files, 0);
        put("gold/t/_delta_log/_last_checkpoint", "20").await;
        put("archive/ab/ab13.zst", "page").await;
        from.delete("archive/ab/ab12.zst").await.unwrap();
        let done = copy(true).await.unwrap();
        assert_eq!((done.all.files, done.copied.files, done.pruned.files), (3, 2, 1));
        assert_eq!(to.get_opt("gold/t/_delta_log/_last_checkpoint").await.unwrap().unwrap(), "20");
        assert!(to.get_opt("archive/ab/ab12.zst").await.unwrap().is_none());
        put("gold/t/a-0123456789abcdef.parquet", "not what its name says").await;
        assert!(matches!(copy(false).await, Err(WarehouseError::Audit { .. })));
        from.delete("gold/t/a-0123456789abcdef.parquet").await.unwrap();
        put("_ops/run/_delta_log/00000000000000000000.json", "other").await;
        assert!(matches!(copy(false).await, Err(WarehouseError::Backup { why, .. }) if why.contains("another warehouse")));
    }
}
