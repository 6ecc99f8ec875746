//! Rows of landing files, cut out by who knows how they are read: for explanations.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_connectors::Artifact;
use yaojia_connectors::export::LandingFile;
use yaojia_connectors::kit::personal::{PersonalConfig, PersonalRules};
use yaojia_connectors::profile::{OriginalRow, Profile, original_rows};
use yaojia_serving::explain::{FilePlace, FileRow, FileRows};
use yaojia_warehouse::WarehouseError;
use yaojia_warehouse::store::Archive;

use crate::project::Project;

/// A project's files: its datasets with their aliases, and its mapping profiles, read once.
pub struct ProjectFiles<'a> {
    project: &'a Project,
    profiles: Vec<Profile>,
    rules: Option<PersonalRules>,
}

impl<'a> ProjectFiles<'a> {
    /// The files of a project. Profiles that cannot be read map nothing: the bytes are shown as they are.
    #[must_use]
    pub fn of(project: &'a Project) -> Self {
        let profiles = crate::profiles::load(&project.config.profiles.paths, &project.datasets).unwrap_or_default();
        // no hash key: nothing is hashed here, and the bytes were opened by whoever may
        let names = project.config.export().and_then(|export| export.personal.names);
        let rules = PersonalRules::new(&PersonalConfig { hash_key: None, names }).ok();
        Self { project, profiles, rules }
    }
}

impl ProjectFiles<'_> {
    fn found(&self, dataset: &str, source: &str, bytes: &[u8], numbers: &BTreeSet<u64>) -> Option<BTreeMap<u64, OriginalRow>> {
        let dataset = self.project.dataset(dataset)?;
        let profile = self.profiles.iter().find(|profile| profile.matches(source));
        let file = match profile {
            Some(profile) => profile.files(source, 0).into_iter().find(|file| file.dataset == dataset.name)?,
            None => LandingFile::of(source, 0)?,
        };
        let artifact = Artifact::from_bytes(source, bytes.to_vec(), true);
        Some(original_rows(dataset, profile, self.rules.as_ref()?, &file, &artifact, numbers))
    }

    /// Where rows of files stand: by artifact and row, of rows named by dataset, source, artifact and row. What cannot be opened (an
    /// encrypted file, without the auditor's identity) is not in the answer, nor is a page.
    ///
    /// # Errors
    /// As the archive says.
    pub async fn places(
        &self,
        archive: &Archive,
        rows: &BTreeSet<(String, String, String, i64)>,
    ) -> Result<BTreeMap<(String, i64), FilePlace>, WarehouseError> {
        let mut files: BTreeMap<(&str, &str, &str), BTreeSet<i64>> = BTreeMap::new();
        for (dataset, source, artifact, row) in rows.iter().filter(|(_, source, ..)| source.contains('/')) {
            files.entry((dataset, source, artifact)).or_default().insert(*row);
        }
        let mut places = BTreeMap::new();
        for ((dataset, source, artifact), rows) in files {
            let bytes = match archive.get(artifact).await {
                Ok(Some(bytes)) => bytes,
                Ok(None) | Err(WarehouseError::Archive { .. }) => continue,
                Err(error) => return Err(error),
            };
            let found = self.rows(dataset, source, &bytes, &rows);
            places.extend(found.into_iter().map(|(row, found)| ((artifact.to_owned(), row), found.place)));
        }
        Ok(places)
    }
}

impl FileRows for ProjectFiles<'_> {
    fn rows(&self, dataset: &str, source: &str, bytes: &[u8], numbers: &BTreeSet<i64>) -> BTreeMap<i64, FileRow> {
        let wanted = numbers.iter().filter_map(|number| u64::try_from(*number).ok()).collect();
        let found = self.found(dataset, source, bytes, &wanted).unwrap_or_default();
        let row = |row: OriginalRow| FileRow {
            place: FilePlace { sheet: row.place.sheet.as_deref().map(str::to_owned), row: row.place.line },
            text: row.cells.to_string(),
        };
        found.into_iter().filter_map(|(number, found)| Some((i64::try_from(number).ok()?, row(found)))).collect()
    }
}
