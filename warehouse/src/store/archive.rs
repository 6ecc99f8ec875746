//! The archive: original bytes of every page and file, once per SHA-256, compressed; encrypted where they carry personal columns.

use std::io::Read;
use std::str::FromStr;

use bytes::Bytes;
use futures::TryStreamExt as _;
use object_store::ObjectStoreExt as _;
use object_store::path::Path as ObjectPath;
use sha2::{Digest as _, Sha256};
use yaojia_models::digest::Digest;

use crate::error::{Result, WarehouseError};
use crate::store::{Root, pack, upload};

/// An artifact's bytes before they are archived.
pub enum ArchiveSource {
    /// In memory.
    Memory(Bytes),
    /// As a stream (a large export, in a temporary file).
    Stream(Box<dyn Read + Send>),
}

impl ArchiveSource {
    /// The bytes as a stream.
    pub(crate) fn reader(self) -> Box<dyn Read + Send> {
        match self {
            Self::Memory(bytes) => Box::new(std::io::Cursor::new(bytes)),
            Self::Stream(reader) => reader,
        }
    }
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
        upload::remove_leftover(&self.root, &path);
        let (parts, packing) = pack::start(source.reader(), recipient);
        let uploaded = upload::upload(&self.root, &path, parts).await;
        let packed = packing.await.map_err(|e| WarehouseError::Task(e.to_string()))?;
        uploaded?;
        packed.map_err(|e| WarehouseError::Archive { name: name.to_string(), why: e.to_string() })?;
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

    /// SHA-256 of the original bytes, without holding them: they are read, opened and hashed as a stream. `None` when they are not archived.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn sha256(&self, sha256: &str, personal: bool) -> Result<Option<String>> {
        let path = Self::path(sha256, personal);
        let failed = |source| WarehouseError::Store { path: path.clone(), source };
        let identity = if personal { Some(self.identity(sha256)?) } else { None };
        let mut parts = match self.root.store().get(&ObjectPath::from(path.as_str())).await {
            Ok(got) => got.into_stream(),
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        let name = sha256.to_string();
        let hashing = tokio::task::spawn_blocking(move || -> Result<String> {
            let bad = |e: std::io::Error| WarehouseError::Archive { name: name.clone(), why: e.to_string() };
            let mut reader = opened(&name, pack::Received::new(receiver), identity)?;
            let (mut hasher, mut part) = (Sha256::new(), vec![0; 1 << 16]);
            loop {
                let count = reader.read(&mut part).map_err(bad)?;
                if count == 0 {
                    break;
                }
                hasher.update(part.get(..count).unwrap_or_default());
            }
            Ok(Digest(hasher.finalize().into()).hex())
        });
        while let Some(part) = parts.try_next().await.map_err(failed)? {
            // Who reads ends early where the bytes cannot be opened, and says so.
            if sender.send(part).await.is_err() {
                break;
            }
        }
        drop(sender);
        hashing.await.map_err(|e| WarehouseError::Task(e.to_string()))?.map(Some)
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

fn unpack(name: &str, packed: &[u8], identity: Option<age::x25519::Identity>) -> Result<Bytes> {
    let bad = |why: String| WarehouseError::Archive { name: name.to_string(), why };
    let mut bytes = Vec::new();
    opened(name, packed, identity)?.read_to_end(&mut bytes).map_err(|e| bad(e.to_string()))?;
    Ok(Bytes::from(bytes))
}

/// The original bytes as a stream, decrypted where an identity is given and decompressed.
fn opened<'a>(name: &str, packed: impl Read + 'a, identity: Option<age::x25519::Identity>) -> Result<Box<dyn Read + 'a>> {
    let bad = |why: String| WarehouseError::Archive { name: name.to_string(), why };
    let Some(identity) = identity else {
        return Ok(Box::new(zstd::Decoder::new(packed).map_err(|e| bad(e.to_string()))?));
    };
    let decryptor = age::Decryptor::new(packed).map_err(|e| bad(e.to_string()))?;
    let open = decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let open = open.map_err(|e| bad(format!("the configured identity does not open it: {e}")))?;
    Ok(Box::new(zstd::Decoder::new(open).map_err(|e| bad(e.to_string()))?))
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

    /// Bytes that do not compress, from a stream, and an error after them where one is asked for.
    fn noise(len: usize, fails: bool) -> (Vec<u8>, Box<dyn Read + Send>) {
        struct Fails;
        impl Read for Fails {
            fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
                Err(std::io::Error::other("the disk is gone"))
            }
        }
        let mut state = 7_u64;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .take(len)
        .collect();
        let stream = std::io::Cursor::new(bytes.clone());
        (bytes, if fails { Box::new(stream.chain(Fails)) } else { Box::new(stream) })
    }

    #[tokio::test]
    async fn large_streams_come_back_and_failed_ones_leave_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let root = Root::open(dir.path().to_str().unwrap(), std::collections::HashMap::new()).unwrap();
        let (identity, recipient) = new_audit_pair();
        let archive = Archive::new(root, AuditKeys { recipient: Some(recipient), identity: Some(identity) });
        for (sha256, personal) in [("aa01", false), ("aa02", true)] {
            // what a killed run left
            let folder = dir.path().join("archive/aa");
            std::fs::create_dir_all(&folder).unwrap();
            let leftover = folder.join(format!("{sha256}.{}#1", if personal { "zst.age" } else { "zst" }));
            std::fs::write(&leftover, b"half").unwrap();
            let (bytes, stream) = noise(20 << 20, false);
            assert!(archive.put("f", sha256, ArchiveSource::Stream(stream), personal).await.unwrap());
            assert!(archive.get(sha256).await.unwrap().unwrap() == bytes);
            assert_eq!(archive.sha256(sha256, personal).await.unwrap(), Some(yaojia_models::digest::sha256_hex(&bytes)));
            assert_eq!(archive.sha256("cc", personal).await.unwrap(), None);
            assert!(!leftover.exists());
        }
        for (sha256, len) in [("bb01", 100), ("bb02", 9 << 20), ("bb03", 30 << 20)] {
            let (_, stream) = noise(len, true);
            assert!(matches!(archive.put("f", sha256, ArchiveSource::Stream(stream), false).await, Err(WarehouseError::Archive { .. })));
            assert_eq!(archive.get(sha256).await.unwrap(), None);
        }
        let left = std::fs::read_dir(dir.path().join("archive/bb")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "files of failed uploads");
    }
}
