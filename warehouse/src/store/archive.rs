//! The archive: original bytes of every page and file, once per SHA-256, compressed; encrypted where they carry personal columns.

use std::io::{Read, Write};
use std::path::PathBuf;
use std::str::FromStr;

use bytes::Bytes;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStoreExt, PutPayload};

use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// Where an artifact's bytes are before they are archived.
#[derive(Debug, Clone)]
pub enum ArchiveSource {
    /// In memory.
    Memory(Bytes),
    /// In a local file (a temporary copy of a large export).
    File(PathBuf),
}

/// Keys of the region's auditor, in the `age` format.
#[derive(Clone, Default)]
pub struct AuditKeys {
    /// Public recipient (`age1…`): needed to archive a file that carries personal columns.
    pub recipient: Option<String>,
    /// Secret identity (`AGE-SECRET-KEY-…`): needed only to open such a file again.
    pub identity: Option<String>,
}

impl std::fmt::Debug for AuditKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuditKeys").field("recipient", &self.recipient).field("identity", &self.identity.as_ref().map(|_| "***")).finish()
    }
}

/// Content-addressed store of original bytes below `archive/`.
#[derive(Debug, Clone)]
pub struct Archive {
    root: Root,
    keys: AuditKeys,
}

const LEVEL: i32 = 3;

impl Archive {
    /// An archive on `root` with the auditor's keys.
    #[must_use]
    pub fn new(root: Root, keys: AuditKeys) -> Self {
        Self { root, keys }
    }

    fn path(sha256: &str, personal: bool) -> String {
        let head = sha256.get(..2).unwrap_or("00");
        let ending = if personal { "zst.age" } else { "zst" };
        format!("archive/{head}/{sha256}.{ending}")
    }

    /// Stores the bytes of an artifact unless they are there already; returns whether anything was written.
    ///
    /// # Errors
    /// [`WarehouseError::Archive`] when a personal file has no recipient to encrypt to, [`WarehouseError::Store`] when the storage fails.
    pub async fn put(&self, name: &str, sha256: &str, source: ArchiveSource, personal: bool) -> Result<bool> {
        let path = Self::path(sha256, personal);
        if self.root.exists(&path).await? {
            return Ok(false);
        }
        let recipient = if personal { Some(self.recipient(name)?) } else { None };
        let owned = name.to_string();
        let packed = tokio::task::spawn_blocking(move || pack(&owned, source, recipient))
            .await
            .map_err(|e| WarehouseError::Task(e.to_string()))??;
        self.root
            .store()
            .put(&ObjectPath::from(path.as_str()), PutPayload::from(packed))
            .await
            .map_err(|source| WarehouseError::Store { path, source })?;
        Ok(true)
    }

    /// The original bytes again; `None` when they are not archived.
    ///
    /// # Errors
    /// [`WarehouseError::Archive`] when they are encrypted and no identity is configured, or do not decompress.
    pub async fn get(&self, sha256: &str) -> Result<Option<Bytes>> {
        for personal in [false, true] {
            let path = Self::path(sha256, personal);
            if let Some(packed) = self.root.get_opt(&path).await? {
                let identity = if personal { Some(self.identity(sha256)?) } else { None };
                return unpack(sha256, &packed, identity).map(Some);
            }
        }
        Ok(None)
    }

    /// Whether the auditor's identity is at hand, so that encrypted bytes can be opened.
    #[must_use]
    pub fn opens_sealed(&self) -> bool {
        self.keys.identity.is_some()
    }

    fn recipient(&self, name: &str) -> Result<age::x25519::Recipient> {
        let text = self.keys.recipient.as_deref().ok_or_else(|| WarehouseError::Archive {
            name: name.to_string(),
            why: "the file carries personal columns and no `audit.recipient` is configured to encrypt it to".to_string(),
        })?;
        age::x25519::Recipient::from_str(text)
            .map_err(|e| WarehouseError::Archive { name: name.to_string(), why: format!("`audit.recipient` is no age recipient: {e}") })
    }

    fn identity(&self, sha256: &str) -> Result<age::x25519::Identity> {
        let bad = |why: String| WarehouseError::Archive { name: sha256.to_string(), why };
        let text = self.keys.identity.as_deref().ok_or_else(|| {
            bad("the bytes carry personal data and are encrypted: give the auditor's identity file (`audit.identity`)".to_string())
        })?;
        let line = text.lines().map(str::trim).find(|l| l.starts_with("AGE-SECRET-KEY-")).unwrap_or_default();
        age::x25519::Identity::from_str(line).map_err(|e| bad(format!("`audit.identity` holds no age identity: {e}")))
    }
}

/// Makes a new auditor key pair: (identity, recipient).
#[must_use]
pub fn new_audit_pair() -> (String, String) {
    use age::secrecy::ExposeSecret;
    let identity = age::x25519::Identity::generate();
    (identity.to_string().expose_secret().to_string(), identity.to_public().to_string())
}

fn pack(name: &str, source: ArchiveSource, recipient: Option<age::x25519::Recipient>) -> Result<Bytes> {
    let bad = |why: String| WarehouseError::Archive { name: name.to_string(), why };
    let mut zipped = Vec::new();
    let done = match source {
        ArchiveSource::Memory(bytes) => zstd::stream::copy_encode(bytes.as_ref(), &mut zipped, LEVEL),
        ArchiveSource::File(path) => std::fs::File::open(path).and_then(|f| zstd::stream::copy_encode(f, &mut zipped, LEVEL)),
    };
    done.map_err(|e| bad(e.to_string()))?;
    let Some(recipient) = recipient else { return Ok(Bytes::from(zipped)) };
    let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient)).map_err(|e| bad(e.to_string()))?;
    let mut sealed = Vec::with_capacity(zipped.len() + 1024);
    let mut writer = encryptor.wrap_output(&mut sealed).map_err(|e| bad(e.to_string()))?;
    writer.write_all(&zipped).map_err(|e| bad(e.to_string()))?;
    writer.finish().map_err(|e| bad(e.to_string()))?;
    Ok(Bytes::from(sealed))
}

fn unpack(name: &str, packed: &[u8], identity: Option<age::x25519::Identity>) -> Result<Bytes> {
    let bad = |why: String| WarehouseError::Archive { name: name.to_string(), why };
    let zipped = match identity {
        None => packed.to_vec(),
        Some(identity) => {
            let decryptor = age::Decryptor::new(packed).map_err(|e| bad(e.to_string()))?;
            let mut reader = decryptor
                .decrypt(std::iter::once(&identity as &dyn age::Identity))
                .map_err(|e| bad(format!("the configured identity does not open it: {e}")))?;
            let mut out = Vec::new();
            reader.read_to_end(&mut out).map_err(|e| bad(e.to_string()))?;
            out
        }
    };
    let mut bytes = Vec::new();
    zstd::stream::copy_decode(zipped.as_slice(), &mut bytes).map_err(|e| bad(e.to_string()))?;
    Ok(Bytes::from(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn personal_bytes_come_back_only_with_the_identity() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let (identity, recipient) = new_audit_pair();
        let public = Archive::new(root.clone(), AuditKeys { recipient: Some(recipient.clone()), identity: None });
        let bytes = Bytes::from_static("张三,P001".as_bytes());
        assert!(public.put("f.csv", "ab12", ArchiveSource::Memory(bytes.clone()), true).await.unwrap());
        assert!(!public.put("f.csv", "ab12", ArchiveSource::Memory(bytes.clone()), true).await.unwrap());
        assert!(matches!(public.get("ab12").await, Err(WarehouseError::Archive { .. })));
        let auditor = Archive::new(root.clone(), AuditKeys { recipient: Some(recipient), identity: Some(identity) });
        assert_eq!(auditor.get("ab12").await.unwrap(), Some(bytes));
        assert_eq!(auditor.get("ff").await.unwrap(), None);
        let nobody = Archive::new(root, AuditKeys::default());
        assert!(nobody.put("f.csv", "cd34", ArchiveSource::Memory(Bytes::from_static(b"x")), true).await.is_err());
    }
}
