//! Rows of landing files, cut out by who knows how they are read: for explanations.

use yaojia_connectors::Artifact;
use yaojia_connectors::export::LandingFile;
use yaojia_connectors::kit::personal::{PersonalConfig, PersonalRules};
use yaojia_connectors::profile::{Profile, original_row};
use yaojia_serving::explain::FileRows;

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

impl FileRows for ProjectFiles<'_> {
    fn row(&self, dataset: &str, source: &str, bytes: &[u8], number: i64) -> Option<String> {
        let dataset = self.project.dataset(dataset)?;
        let profile = self.profiles.iter().find(|profile| profile.matches(source));
        let file = match profile {
            Some(profile) => profile.files(source, 0).into_iter().find(|file| file.dataset == dataset.name)?,
            None => LandingFile::of(source, 0)?,
        };
        let artifact = Artifact::from_bytes(source, bytes.to_vec(), true);
        original_row(dataset, profile, self.rules.as_ref()?, &file, &artifact, u64::try_from(number).ok()?).map(|row| row.to_string())
    }
}
