//! The landing folder itself: listing and fetching.

use std::io::Write;
use std::sync::Arc;

use arrow::array::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sha2::{Digest, Sha256};
use yaojia_models::contract::Dataset;

use super::config::ExportConfig;
use super::header::Header;
use super::landing::{LandingFile, sort};
use super::read::{FileReport, FileRow, Input, Kind, ReadError, SinkError, Visit, read};
use crate::error::SourceError;
use crate::kit::artifact::{Artifact, hex};
use crate::kit::kept::KeptFile;
use crate::kit::personal::PersonalRules;
use crate::kit::secret::SecretRef;

/// A file as delivered.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Which file.
    pub file: LandingFile,
    /// Its bytes.
    pub artifact: Artifact,
    /// Its control file's bytes.
    pub control: Option<Artifact>,
}

/// The value of a store's option, or what it refers to.
fn option(value: &str) -> Result<String, SourceError> {
    match SecretRef::parse(value) {
        Ok(reference) => Ok(reference.resolve()?.expose().to_owned()),
        Err(_) => Ok(value.to_owned()),
    }
}

/// A landing folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ExportSource {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    config: ExportConfig,
    personal: PersonalRules,
}

impl ExportSource {
    /// Checks the configuration, resolves its secrets and opens the store.
    ///
    /// # Errors
    /// [`SourceError::Config`] and [`SourceError::Secret`].
    pub fn open(config: ExportConfig) -> Result<Self, SourceError> {
        config.check()?;
        let personal = PersonalRules::new(&config.personal)?;
        let fail = |what: String| SourceError::config(&config.name, format!("`root` `{}`: {what}", config.root));
        let (store, prefix): (Arc<dyn ObjectStore>, Path) = if config.root.contains("://") {
            let url = url::Url::parse(&config.root).map_err(|error| fail(error.to_string()))?;
            let options = config.options.iter().map(|(name, value)| Ok((name.as_str(), option(value)?)));
            let options = options.collect::<Result<Vec<_>, SourceError>>()?;
            let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| fail(error.to_string()))?;
            (Arc::from(store), prefix)
        } else {
            let store = LocalFileSystem::new_with_prefix(&config.root).map_err(|error| fail(error.to_string()))?;
            (Arc::new(store), Path::ROOT)
        };
        Ok(Self { store, prefix, config, personal })
    }

    /// The landing folder below `prefix` of a store that is open already.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn ObjectStore>, prefix: Path, config: ExportConfig) -> Result<Self, SourceError> {
        let personal = PersonalRules::new(&config.personal)?;
        Ok(Self { store, prefix, config, personal })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &ExportConfig {
        &self.config
    }

    /// Landing files with their control files, in path order. Anything else that lies there is passed over.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when the store cannot be listed.
    pub async fn list(&self) -> Result<Vec<LandingFile>, SourceError> {
        let objects: Vec<(String, u64)> = self
            .store
            .list(Some(&self.prefix))
            .try_filter_map(|meta| async move {
                let parts = meta.location.prefix_match(&self.prefix);
                Ok(parts.map(|parts| {
                    let parts: Vec<String> = parts.map(|part| part.as_ref().to_owned()).collect();
                    (parts.join("/"), meta.size)
                }))
            })
            .try_collect()
            .await
            .map_err(|source| SourceError::Landing { path: self.config.root.clone(), source })?;
        let (files, strays) = sort(objects);
        for path in strays {
            tracing::debug!(%path, "not a landing file: passed over");
        }
        Ok(files)
    }

    /// The bytes of a file and of its control file.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when the store gives them not, [`SourceError::Io`] when they cannot be kept.
    pub async fn fetch(&self, dataset: &Dataset, file: &LandingFile) -> Result<Delivery, SourceError> {
        let artifact = self.get(&file.path).await?;
        let control = match &file.control {
            Some(path) => Some(self.get(path).await?),
            None => None,
        };
        let mut delivery = Delivery { file: file.clone(), artifact, control };
        delivery.artifact.personal = self.is_personal(dataset, &delivery);
        Ok(delivery)
    }

    /// Reads a delivery; see [`read`]. Pure but for the temporary file the delivery may lie in.
    ///
    /// # Errors
    /// [`ReadError::Refused`] where the file is not to be loaded.
    pub fn read(
        &self,
        dataset: &Dataset,
        delivery: &Delivery,
        sink: &mut dyn FnMut(RecordBatch) -> Result<(), SinkError>,
    ) -> Result<FileReport, ReadError> {
        read(&self.config, &self.personal, dataset, delivery, sink)
    }

    async fn get(&self, path: &str) -> Result<Artifact, SourceError> {
        let landing = |source| SourceError::Landing { path: path.to_owned(), source };
        let io = |source| SourceError::Io { path: path.to_owned(), source };
        let location = self.prefix.parts().chain(Path::parse(path).map_err(|error| landing(error.into()))?.parts()).collect();
        let mut stream = self.store.get(&location).await.map_err(landing)?.into_stream();
        let mut hasher = Sha256::new();
        let mut memory = Vec::new();
        let mut spilled: Option<std::fs::File> = None;
        let mut size = 0_u64;
        while let Some(part) = stream.next().await {
            let part = part.map_err(landing)?;
            hasher.update(&part);
            size += part.len() as u64;
            if spilled.is_none() && size > self.config.memory_bytes {
                let mut file = tempfile::tempfile().map_err(io)?;
                file.write_all(&memory).map_err(io)?;
                memory = Vec::new();
                spilled = Some(file);
            }
            match &mut spilled {
                Some(file) => file.write_all(&part).map_err(io)?,
                None => memory.extend_from_slice(&part),
            }
        }
        Ok(match spilled {
            None => Artifact::from_bytes(path, memory, false),
            Some(file) => Artifact::from_kept(path.to_owned(), hex(&hasher.finalize()), size, KeptFile::new(file).map_err(io)?),
        })
    }

    /// Whether a file is archived encrypted: its dataset has personal columns, its header names one, or a workbook speaks of personal
    /// data outside its tables (a title row, another sheet).
    fn is_personal(&self, dataset: &Dataset, delivery: &Delivery) -> bool {
        if !dataset.personal_hash.is_empty() {
            return true;
        }
        struct Headers(bool);
        impl Visit for Headers {
            fn header(&mut self, header: &Header) -> Result<(), ReadError> {
                self.0 |= header.personal;
                Ok(())
            }

            fn row(&mut self, _: &Header, _: FileRow<'_>) -> Result<(), ReadError> {
                Ok(())
            }

            fn personal_aside(&mut self) {
                self.0 = true;
            }
        }
        let input = Input {
            dataset,
            rules: &self.personal,
            path: &delivery.file.path,
            gzip: delivery.file.gzip,
            artifact: &delivery.artifact,
            batch_rows: self.config.batch_rows,
            max_row_bytes: self.config.max_row_bytes,
        };
        let mut headers = Headers(false);
        // a file that cannot be read is judged when it is: what cannot be told is treated as personal
        let readable = Kind::of(&input, delivery.file.format).and_then(|kind| kind.scan(&input, &mut headers)).is_ok();
        headers.0 || !readable
    }
}
