//! Where the warehouse lies: one root on a local folder or any object-store URL.

mod archive;
mod lease;
mod pack;
mod percent;
mod read_only;
mod upload;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use deltalake::DeltaTableBuilder;
use futures::TryStreamExt as _;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use url::Url;

pub use archive::{Archive, ArchiveSource, AuditKeys, new_audit_pair};
pub use lease::Lease;
pub(crate) use read_only::{ReadOnly, refused};

use crate::delta::Shelf;
use crate::error::{Result, WarehouseError};

/// The root of a warehouse: URL, options and the object store opened on it.
#[derive(Clone)]
pub struct Root {
    url: Url,
    options: HashMap<String, String>,
    store: Arc<dyn ObjectStore>,
    /// What Delta opens tables with, and the root's URL there, where the root's own path would be decoded twice.
    renamed: Option<(Arc<dyn ObjectStore>, Url)>,
    shelf: Shelf,
    writable: bool,
}

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Options may hold credentials: never shown.
        f.debug_struct("Root").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Root {
    /// Opens (and for a local folder creates) the root at `location`, to read and write.
    ///
    /// # Errors
    /// [`WarehouseError::Location`] when it is neither a folder nor a URL we know, or cannot be created.
    pub fn open(location: &str, options: HashMap<String, String>) -> Result<Self> {
        Self::at(location, options, true)
    }

    /// The root at `location` for readers: nothing is created, and nothing can be written through it. Where no folder is yet it holds
    /// nothing.
    ///
    /// # Errors
    /// [`WarehouseError::Location`] when it is neither a folder nor a URL we know.
    pub fn existing(location: &str, options: HashMap<String, String>) -> Result<Self> {
        Self::at(location, options, false)
    }

    fn at(location: &str, options: HashMap<String, String>, writable: bool) -> Result<Self> {
        let bad = |why: String| WarehouseError::Location { location: location.to_string(), why };
        let make = |path: &Path| if writable { std::fs::create_dir_all(path) } else { Ok(()) };
        let url = if location.contains("://") {
            let text = if location.ends_with('/') { location.to_string() } else { format!("{location}/") };
            Url::parse(&text).map_err(|e| bad(e.to_string()))?
        } else {
            let path = Path::new(location);
            make(path).map_err(|e| bad(e.to_string()))?;
            let full = match path.canonicalize() {
                // A folder that is not there is a warehouse without tables; anything else in the way is an error.
                Err(error) if !writable && error.kind() == std::io::ErrorKind::NotFound => std::path::absolute(path),
                other => other,
            };
            let full = full.map_err(|e| bad(e.to_string()))?;
            if full.exists() && !full.is_dir() {
                return Err(bad("it is a file".to_string()));
            }
            Url::from_directory_path(&full).map_err(|()| bad("the path is not absolute".to_string()))?
        };
        if let Ok(path) = url.to_file_path() {
            make(&path).map_err(|e| bad(e.to_string()))?;
        }
        let renamed = match url.to_file_path() {
            Ok(folder) if folder.is_dir() => percent::Renamed::of(&folder).map_err(|e| bad(e.to_string()))?,
            // No folder, no tables in it.
            Ok(_) | Err(()) => None,
        };
        let renamed = renamed.map(|(store, url)| (Arc::new(store) as Arc<dyn ObjectStore>, url));
        let log_store = DeltaTableBuilder::from_url(url.clone())
            .and_then(|b| b.with_storage_options(options.clone()).build_storage())
            .map_err(|e| bad(e.to_string()))?;
        let store = log_store.object_store(None);
        let store = if writable { store } else { Arc::new(ReadOnly(store)) };
        Ok(Self { url, options, store, renamed, shelf: Shelf::default(), writable })
    }

    /// Whether anything may be written through it.
    pub(crate) fn is_writable(&self) -> bool {
        self.writable
    }

    /// The root URL, with a slash at its end.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The local folder, when the root is one.
    #[must_use]
    pub fn local(&self) -> Option<PathBuf> {
        self.url.to_file_path().ok()
    }

    /// Storage options (credentials, endpoint) for Delta.
    #[must_use]
    pub fn options(&self) -> &HashMap<String, String> {
        &self.options
    }

    /// The object store, prefixed with the root.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.store
    }

    /// The tables opened before.
    pub(crate) fn shelf(&self) -> &Shelf {
        &self.shelf
    }

    /// What opens or creates a table with Delta.
    ///
    /// # Errors
    /// [`WarehouseError::Location`] when the name does not form a URL, [`WarehouseError::Delta`] when Delta does not take it.
    pub(crate) fn builder(&self, layer: &str, name: &str) -> Result<DeltaTableBuilder> {
        let failed = |source| WarehouseError::Delta { table: format!("{layer}.{name}"), source: Box::new(source) };
        let Some((store, root)) = &self.renamed else {
            let builder = DeltaTableBuilder::from_url(self.table_url(layer, name)?).map_err(failed)?;
            return Ok(builder.with_storage_options(self.options.clone()));
        };
        let url = root
            .join(&format!("{layer}/{name}/"))
            .map_err(|e| WarehouseError::Location { location: format!("{}{layer}/{name}", self.url), why: e.to_string() })?;
        let builder = DeltaTableBuilder::from_url(url.clone()).map_err(failed)?;
        Ok(builder.with_storage_backend(Arc::clone(store), url).with_storage_options(self.options.clone()))
    }

    /// URL of a table's folder.
    ///
    /// # Errors
    /// [`WarehouseError::Location`] when the name does not form a URL.
    pub fn table_url(&self, layer: &str, name: &str) -> Result<Url> {
        self.url
            .join(&format!("{layer}/{name}/"))
            .map_err(|e| WarehouseError::Location { location: format!("{}{layer}/{name}", self.url), why: e.to_string() })
    }

    /// Reads a small object; `None` when it does not exist.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] on any other failure.
    pub async fn get_opt(&self, path: &str) -> Result<Option<bytes::Bytes>> {
        match self.store.get(&ObjectPath::from(path)).await {
            Ok(got) => got.bytes().await.map(Some).map_err(|source| WarehouseError::Store { path: path.to_string(), source }),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(source) => Err(WarehouseError::Store { path: path.to_string(), source }),
        }
    }

    /// Writes a small object, replacing it.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] on failure.
    pub async fn put(&self, path: &str, bytes: bytes::Bytes) -> Result<()> {
        self.store
            .put(&ObjectPath::from(path), bytes.into())
            .await
            .map(|_| ())
            .map_err(|source| WarehouseError::Store { path: path.to_string(), source })
    }

    /// Every object below the folders, in the order of the paths. Unfinished uploads of a local folder (`name#1`) are none yet.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] when a folder cannot be listed.
    pub async fn list(&self, folders: &[&str]) -> Result<Vec<ObjectMeta>> {
        let mut all = Vec::new();
        for folder in folders {
            let failed = |source| WarehouseError::Store { path: (*folder).to_string(), source };
            let found: Vec<ObjectMeta> = self.store.list(Some(&ObjectPath::from(*folder))).try_collect().await.map_err(failed)?;
            all.extend(found);
        }
        all.sort_by(|a, b| a.location.cmp(&b.location));
        Ok(all)
    }

    /// Removes an object; one that is gone already is removed.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] when the storage refuses.
    pub async fn delete(&self, path: &str) -> Result<()> {
        match self.store.delete(&ObjectPath::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(WarehouseError::Store { path: path.to_string(), source }),
        }
    }

    /// Whether an object exists.
    ///
    /// # Errors
    /// [`WarehouseError::Store`] when the storage cannot be asked.
    pub async fn exists(&self, path: &str) -> Result<bool> {
        match self.store.head(&ObjectPath::from(path)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(WarehouseError::Store { path: path.to_string(), source }),
        }
    }
}
