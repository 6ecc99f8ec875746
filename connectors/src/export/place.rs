//! Where a landing folder lies: a local folder, or an object store.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};

use super::walk::{Entry, Found, walk};
use crate::error::SourceError;
use crate::kit::artifact::{Artifact, hex};
use crate::kit::kept::KeptFile;

/// Errors of a listing after which a store is no longer asked for more.
const LISTING_ERRORS: usize = 100;

/// A place.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    /// A folder, read as the file system has it: an object store cannot express every name that lies there.
    Local(PathBuf),
    /// Below a prefix of a store.
    Store(Arc<dyn ObjectStore>, Path),
}

impl Place {
    /// All that lies there.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when nothing of it can be listed.
    pub(crate) async fn list(&self, root: &str) -> Result<Found, SourceError> {
        match self {
            Self::Local(folder) => {
                let folder = folder.clone();
                let walked = tokio::task::spawn_blocking(move || walk(&folder)).await;
                walked.map_err(|error| SourceError::BrokenOff { what: error.to_string() })?.map_err(|error| match error {
                    SourceError::Landing { path, source } if path == "." => SourceError::Landing { path: root.to_owned(), source },
                    other => other,
                })
            }
            Self::Store(store, prefix) => {
                let mut found = Found::default();
                let mut listing = store.list(Some(prefix));
                while let Some(next) = listing.next().await {
                    match next {
                        Ok(meta) => {
                            let Some(parts) = meta.location.prefix_match(prefix) else { continue };
                            let path = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
                            let tag = meta.e_tag.unwrap_or_else(|| meta.last_modified.to_rfc3339());
                            found.entries.push(Entry { path, size: meta.size, stamp: format!("{}:{tag}", meta.size) });
                        }
                        Err(source) => found.failed.push(SourceError::Landing { path: root.to_owned(), source }),
                    }
                    if found.failed.len() >= LISTING_ERRORS {
                        break;
                    }
                }
                if found.entries.is_empty() && !found.failed.is_empty() {
                    return Err(found.failed.remove(0));
                }
                found.entries.sort();
                Ok(found)
            }
        }
    }

    /// A file's bytes; more than `in_memory` of them in a temporary file without a name.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when the place gives them not, [`SourceError::Io`] when they cannot be kept.
    pub(crate) async fn get(&self, path: &str, in_memory: u64) -> Result<Artifact, SourceError> {
        let landing = |source| SourceError::Landing { path: path.to_owned(), source };
        match self {
            Self::Local(folder) => {
                let (at, name) = (folder.join(path), path.to_owned());
                let read = tokio::task::spawn_blocking(move || read(&at, &name, in_memory)).await;
                read.map_err(|error| SourceError::BrokenOff { what: error.to_string() })?
            }
            Self::Store(store, prefix) => {
                let location = prefix.parts().chain(Path::parse(path).map_err(|error| landing(error.into()))?.parts()).collect();
                let mut stream = store.get(&location).await.map_err(landing)?.into_stream();
                let mut taken = Taken::new(path, in_memory);
                while let Some(part) = stream.next().await {
                    taken.take(&part.map_err(landing)?)?;
                }
                taken.done()
            }
        }
    }
}

fn read(at: &std::path::Path, path: &str, in_memory: u64) -> Result<Artifact, SourceError> {
    let failed = |error| SourceError::Landing {
        path: path.to_owned(),
        source: object_store::Error::Generic { store: "landing", source: Box::new(error) },
    };
    let mut file = std::fs::File::open(at).map_err(failed)?;
    let mut taken = Taken::new(path, in_memory);
    let mut buffer = vec![0_u8; 1 << 18];
    loop {
        let got = file.read(&mut buffer).map_err(failed)?;
        match buffer.get(..got).filter(|part| !part.is_empty()) {
            Some(part) => taken.take(part)?,
            None => return taken.done(),
        }
    }
}

/// Bytes on their way into an artifact.
struct Taken<'a> {
    path: &'a str,
    in_memory: u64,
    hasher: Sha256,
    memory: Vec<u8>,
    spilled: Option<std::fs::File>,
    size: u64,
}

impl<'a> Taken<'a> {
    fn new(path: &'a str, in_memory: u64) -> Self {
        Self { path, in_memory, hasher: Sha256::new(), memory: Vec::new(), spilled: None, size: 0 }
    }

    fn take(&mut self, part: &[u8]) -> Result<(), SourceError> {
        let path = self.path;
        let io = |source| SourceError::Io { path: path.to_owned(), source };
        self.hasher.update(part);
        self.size += part.len() as u64;
        if self.spilled.is_none() && self.size > self.in_memory {
            let mut file = tempfile::tempfile().map_err(io)?;
            file.write_all(&self.memory).map_err(io)?;
            self.memory = Vec::new();
            self.spilled = Some(file);
        }
        match &mut self.spilled {
            Some(file) => file.write_all(part).map_err(io),
            None => {
                self.memory.extend_from_slice(part);
                Ok(())
            }
        }
    }

    fn done(self) -> Result<Artifact, SourceError> {
        let io = |source| SourceError::Io { path: self.path.to_owned(), source };
        Ok(match self.spilled {
            None => Artifact::from_bytes(self.path, self.memory, false),
            Some(file) => {
                let kept = KeptFile::new(file).map_err(io)?;
                Artifact::from_kept(self.path.to_owned(), hex(&self.hasher.finalize()), self.size, kept)
            }
        })
    }
}
