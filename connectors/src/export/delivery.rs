//! The landing folder itself: listing and fetching.

use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::RecordBatch;
#[cfg(test)]
use object_store::{ObjectStore, path::Path};
use yaojia_models::contract::Dataset;

use super::aside::PersonalScan;
use super::config::ExportConfig;
use super::control::Control;
use super::landing::{Format, Landing, LandingFile, sort};
use super::place::Place;
use super::read::{FileReport, Input, Kind, ReadError, SinkError, read};
use super::walk::Entry;
use super::workbook_words::speak_of_person;
use crate::error::SourceError;
use crate::kit::artifact::Artifact;
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

impl Delivery {
    /// Rows that its control file announces; none where there is none, or it does not say.
    #[must_use]
    pub fn declared(&self) -> Option<u64> {
        Control::parse(&self.control.as_ref()?.read_all().ok()?).ok()?.rows
    }
}

/// The value of a store's option, or what it refers to.
fn option(value: &str) -> Result<String, SourceError> {
    match SecretRef::parse(value) {
        Ok(reference) => Ok(reference.resolve()?.expose().to_owned()),
        Err(_) => Ok(value.to_owned()),
    }
}

/// The local folder that a root names; none: an object store.
fn folder(root: &str) -> Option<PathBuf> {
    if !root.contains("://") {
        return Some(PathBuf::from(root));
    }
    url::Url::parse(root).ok().filter(|url| url.scheme() == "file")?.to_file_path().ok()
}

/// A landing folder. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ExportSource {
    place: Place,
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
        let place = match folder(&config.root) {
            Some(folder) => {
                std::fs::metadata(&folder).map_err(|error| fail(error.to_string()))?;
                Place::Local(folder)
            }
            None => {
                let url = url::Url::parse(&config.root).map_err(|error| fail(error.to_string()))?;
                let options = config.options.iter().map(|(name, value)| Ok((name.as_str(), option(value)?)));
                let options = options.collect::<Result<Vec<_>, SourceError>>()?;
                let (store, prefix) = object_store::parse_url_opts(&url, options).map_err(|error| fail(error.to_string()))?;
                Place::Store(Arc::from(store), prefix)
            }
        };
        Ok(Self { place, config, personal, profiles: Arc::default() })
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
        Ok(Self { place: Place::Store(store, prefix), config, personal, profiles: Arc::default() })
    }

    /// The configuration in force.
    #[must_use]
    pub fn config(&self) -> &ExportConfig {
        &self.config
    }

    /// What lies there: landing files with their control files in path order, and by name whatever is none.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when nothing can be listed, [`SourceError::Config`] when two profiles map one path.
    pub async fn list(&self) -> Result<Landing, SourceError> {
        let found = self.place.list(&self.config.root).await?;
        for Entry { path, .. } in &found.entries {
            let names: Vec<&str> = self.profiles.iter().filter(|profile| profile.matches(path)).map(Profile::name).collect();
            if names.len() > 1 {
                return Err(ProfileError::Ambiguous(format!("`{path}` is matched by the profiles {}", names.join(", "))).into());
            }
        }
        let mapped = |path: &str, size| Some(self.profiles.iter().find(|profile| profile.matches(path))?.files(path, size));
        Ok(sort(found, &mapped))
    }

    /// What a control file says.
    ///
    /// # Errors
    /// [`SourceError::Landing`] when it cannot be had; the inner error is what is wrong with it.
    pub async fn control(&self, path: &str) -> Result<Result<Control, String>, SourceError> {
        let bytes = self.get(path).await?.read_all().map_err(|source| SourceError::Io { path: path.to_owned(), source })?;
        Ok(Control::parse(&bytes))
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
        self.place.get(path, self.config.memory_bytes).await
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
            int96: profile.and_then(|profile| profile.rule().int96).or(self.config.int96),
            rule: profile.map(Profile::rule),
        };
        // what an old workbook says of who made it is not read: it is treated as personal
        let named = match delivery.file.format {
            Format::Xls => true,
            Format::Xlsx => speak_of_person(&input.artifact.bytes, input.rules),
            Format::Csv | Format::Txt | Format::Parquet => false,
        };
        if named {
            return true;
        }
        let mut scan = PersonalScan::new(&input);
        // a file that cannot be read is judged when it is: what cannot be told is treated as personal
        let readable = Kind::of(&input, delivery.file.format).and_then(|kind| kind.scan(&input, &mut scan)).is_ok();
        scan.personal || !readable
    }
}
