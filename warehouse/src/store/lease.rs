//! One writer per warehouse.
//!
//! On a local folder the lease is an operating-system file lock: it ends with the process that held it, however that
//! process ended. On an object store it is an object created conditionally, with an owner and an expiry.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStoreExt, PutMode, PutOptions, PutPayload};
use serde::{Deserialize, Serialize};

use crate::error::{Result, WarehouseError};
use crate::store::Root;

const PATH: &str = "_ops/lease.json";
/// A lease on an object store is good for this long (seconds); a longer run renews it.
const TERM_SECONDS: i64 = 6 * 3600;

#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    pid: u32,
    verb: String,
    since: String,
    expires_unix: i64,
}

impl Owner {
    fn describe(&self) -> String {
        format!("process {} running `{}` since {}", self.pid, self.verb, self.since)
    }
}

/// A held lease; dropping a local one releases it, [`Lease::release`] releases any.
#[derive(Debug)]
pub struct Lease {
    root: Root,
    local: Option<File>,
}

impl Lease {
    /// Takes the lease or says who holds it. `now_unix` and `since` come from the run's clock.
    ///
    /// # Errors
    /// [`WarehouseError::Leased`] when another live run holds it, [`WarehouseError::Store`] when the storage fails.
    pub async fn take(root: &Root, verb: &str, since: &str, now_unix: i64) -> Result<Self> {
        let owner =
            Owner { pid: std::process::id(), verb: verb.to_string(), since: since.to_string(), expires_unix: now_unix + TERM_SECONDS };
        let text = serde_json::to_string(&owner).map_err(|e| WarehouseError::Ledger { table: PATH.to_string(), why: e.to_string() })?;
        match root.local() {
            Some(folder) => {
                let failed = |e: std::io::Error| WarehouseError::Store {
                    path: PATH.to_string(),
                    source: object_store::Error::Generic { store: "local", source: Box::new(e) },
                };
                let path = folder.join(PATH);
                if let Some(parent) = path.parent() {
                    std::fs::create_dir_all(parent).map_err(failed)?;
                }
                let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
                match file.try_lock() {
                    Ok(()) => {}
                    Err(TryLockError::WouldBlock) => {
                        let mut held = String::new();
                        let _ = file.read_to_string(&mut held);
                        let owner =
                            serde_json::from_str::<Owner>(&held).map_or_else(|_| "an unnamed process".to_string(), |o| o.describe());
                        return Err(WarehouseError::Leased { owner });
                    }
                    Err(TryLockError::Error(e)) => return Err(failed(e)),
                }
                file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(text.as_bytes())).map_err(failed)?;
                Ok(Self { root: root.clone(), local: Some(file) })
            }
            None => Self::take_remote(root, &text, now_unix).await,
        }
    }

    async fn take_remote(root: &Root, text: &str, now_unix: i64) -> Result<Self> {
        let path = ObjectPath::from(PATH);
        let failed = |source| WarehouseError::Store { path: PATH.to_string(), source };
        let create = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let payload = || PutPayload::from(Bytes::from(text.to_string()));
        match root.store().put_opts(&path, payload(), create.clone()).await {
            Ok(_) => return Ok(Self { root: root.clone(), local: None }),
            Err(object_store::Error::AlreadyExists { .. }) => {}
            Err(source) => return Err(failed(source)),
        }
        let got = root.store().get(&path).await.map_err(failed)?;
        let meta = got.meta.clone();
        let held = got.bytes().await.map_err(failed)?;
        let owner: Option<Owner> = serde_json::from_slice(&held).ok();
        if let Some(owner) = owner.filter(|o| o.expires_unix > now_unix) {
            return Err(WarehouseError::Leased { owner: owner.describe() });
        }
        // Expired: replace exactly the version we read, so that of two takers one wins.
        let update = PutOptions {
            mode: PutMode::Update(object_store::UpdateVersion { e_tag: meta.e_tag, version: meta.version }),
            ..PutOptions::default()
        };
        match root.store().put_opts(&path, payload(), update).await {
            Ok(_) => Ok(Self { root: root.clone(), local: None }),
            Err(object_store::Error::Precondition { .. }) => {
                Err(WarehouseError::Leased { owner: "a run that took it a moment ago".to_string() })
            }
            Err(source) => Err(failed(source)),
        }
    }

    /// Gives the lease back, after what was written under it was put on record in `_ops.head`. Where that fails nothing is lost: the next
    /// lease puts it on record, and until then `doctor --deep` misses it.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] when the storage fails.
    pub async fn release(self) -> Result<()> {
        if let Err(error) = crate::audit::put_on_record(&self.root).await {
            tracing::warn!(%error, "what was written could not be put on record in `_ops.head`; the next run does");
        }
        if self.local.is_some() {
            return Ok(()); // the lock ends with the file handle
        }
        let path = ObjectPath::from(PATH);
        match self.root.store().delete(&path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(WarehouseError::Store { path: PATH.to_string(), source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_taker_is_told_who_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let first = Lease::take(&root, "nightly", "2024-01-01T00:00:00", 0).await.unwrap();
        let second = Lease::take(&root, "build", "2024-01-01T00:00:01", 1).await;
        assert!(matches!(second, Err(WarehouseError::Leased { ref owner }) if owner.contains("nightly")));
        first.release().await.unwrap();
        Lease::take(&root, "build", "2024-01-01T00:00:02", 2).await.unwrap();
    }
}
