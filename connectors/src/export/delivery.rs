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

use super::aside::PersonalScan;
use super::config::ExportConfig;
use super::landing::{Format, LandingFile, sort};
use super::read::{FileReport, Input, Kind, ReadError, SinkError, read};
use super::workbook_words::speak_of_person;
use crate::error::SourceError;
use crate::kit::artifact::{Artifact, hex};
use crate::kit::kept::KeptFile;
use crate::kit::personal::PersonalRules;
use crate::kit::secret::SecretRef;
use crate::profile::{Profile, ProfileError};

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
    profiles: Arc<Vec<Profile>>,
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
        Ok(Self { store, prefix, config, personal, profiles: Arc::default() })
    }

    /// This landing folder, with profiles for files of other layouts.
    ///
    /// # Errors
    /// [`ProfileError`] where two profiles have one name, or one would let personal data through.
    pub fn with_profiles(mut self, profiles: Vec<Profile>) -> Result<Self, ProfileError> {
        for (at, profile) in profiles.iter().enumerate() {
            profile.check_personal(&self.personal)?;
            if profiles.iter().take(at).any(|other| other.name() == profile.name()) {
                return Err(ProfileError::Ambiguous(format!("two profiles are named `{}`", profile.name())));
            }
        }
        self.profiles = Arc::new(profiles);
        Ok(self)
    }

    /// The profile that maps a file.
    #[must_use]
    pub fn profile(&self, file: &LandingFile) -> Option<&Profile> {
        let name = file.profile.as_deref()?;
        self.profiles.iter().find(|profile| profile.name() == name)
    }

    /// What the file at a path is to a dataset: mapped by a profile, or in the contract's own layout; none: nothing.
    #[must_use]
    pub fn file_at(&self, path: &str, size: u64, dataset: &str) -> Option<LandingFile> {
        let mapped = self.profiles.iter().find(|profile| profile.matches(path)).map(|profile| profile.files(path, size));
        let files = mapped.unwrap_or_else(|| LandingFile::of(path, size).into_iter().collect());
        files.into_iter().find(|file| file.dataset == dataset)
    }

    /// The profiles, in the order of their paths.
    #[must_use]
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// The landing folder below `prefix` of a store that is open already.
    #[cfg(test)]
    pub(crate) fn over(store: Arc<dyn ObjectStore>, prefix: Path, config: ExportConfig) -> Result<Self, SourceError> {
        let personal = PersonalRules::new(&config.personal)?;
        Ok(Self { store, prefix, config, personal, profiles: Arc::default() })
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
        for (path, _) in &objects {
            let names: Vec<&str> = self.profiles.iter().filter(|profile| profile.matches(path)).map(Profile::name).collect();
            if names.len() > 1 {
                return Err(ProfileError::Ambiguous(format!("`{path}` is matched by the profiles {}", names.join(", "))).into());
            }
        }
        let mapped = |path: &str, size| Some(self.profiles.iter().find(|profile| profile.matches(path))?.files(path, size));
        let (files, strays) = sort(objects, &mapped);
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
        match self.profile(&delivery.file) {
            Some(profile) => profile.read_dataset(&self.config, &self.personal, &dataset.name, delivery, sink),
            None => read(&self.config, &self.personal, dataset, delivery, sink),
        }
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

    /// Whether a file is archived encrypted: its dataset has personal columns, its header names one, or it speaks of a person anywhere
    /// else: in an unknown column, above, beside or below the table, on another sheet, in a comment, in the document's properties.
    fn is_personal(&self, dataset: &Dataset, delivery: &Delivery) -> bool {
        let profile = self.profile(&delivery.file);
        if profile.map_or(!dataset.personal_hash.is_empty(), Profile::is_personal) {
            return true;
        }
        let input = Input {
            dataset: profile.map_or(dataset, Profile::layout),
            rules: &self.personal,
            path: &delivery.file.path,
            gzip: delivery.file.gzip,
            artifact: &delivery.artifact,
            batch_rows: self.config.batch_rows,
            max_row_bytes: self.config.max_row_bytes,
            rule: profile.map(Profile::rule),
        };
        if delivery.file.format == Format::Xlsx && speak_of_person(&input.artifact.bytes, input.rules) {
            return true;
        }
        let mut scan = PersonalScan::new(&input);
        // a file that cannot be read is judged when it is: what cannot be told is treated as personal
        let readable = Kind::of(&input, delivery.file.format).and_then(|kind| kind.scan(&input, &mut scan)).is_ok();
        scan.personal || !readable
    }
}
