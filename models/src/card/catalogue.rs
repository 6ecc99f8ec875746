//! All indicators of a project: from a list of files, an embedded folder or a folder on disk.

use std::collections::BTreeMap;
use std::path::Path;

use super::{CardError, Indicator};

/// The SQL files of an indicator.
const SQL: [&str; 3] = ["rows.sql", "value.sql", "evidence.sql"];

/// The indicators of a project, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    indicators: Vec<Indicator>,
}

impl Catalogue {
    /// Reads files given as (path relative to `sql/indicators`, text); files that are none of an indicator's own are passed over.
    ///
    /// # Errors
    /// The first file that does not fit.
    pub fn from_files<P: AsRef<str>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Result<Self, CardError> {
        let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for (path, text) in files {
            let path = path.as_ref().replace('\\', "/");
            let Some((folder, name)) = path.rsplit_once('/') else {
                continue;
            };
            if !folder.contains('/') && ["indicator.toml", "rules.toml", "rows.sql", "value.sql", "evidence.sql"].contains(&name) {
                folders.entry(folder.to_owned()).or_default().insert(name.to_owned(), text.as_ref().to_owned());
            }
        }
        let mut indicators = Vec::with_capacity(folders.len());
        for (folder, files) in &folders {
            let file = |name: &str| files.get(name).map(String::as_str);
            let card = file("indicator.toml")
                .ok_or_else(|| CardError::Missing { folder: folder.clone(), why: "`indicator.toml` is missing".to_owned() })?;
            let twin = match shared(card) {
                None => files,
                Some(name) => {
                    let missing = |why: String| CardError::Missing { folder: folder.clone(), why };
                    if SQL.iter().any(|sql| files.contains_key(*sql)) {
                        return Err(missing(format!("it names the SQL of `{name}` and has SQL of its own: only one of both")));
                    }
                    folders.get(&name).ok_or_else(|| missing(format!("there is no folder `{name}` whose SQL it could share")))?
                }
            };
            let sql = |name: &str| twin.get(name).map(String::as_str);
            indicators.push(Indicator::read(folder, card, file("rules.toml"), sql(SQL[0]), sql(SQL[1]), sql(SQL[2]))?);
        }
        indicators.sort_by(|a, b| a.card.id.cmp(&b.card.id));
        for (one, next) in indicators.iter().zip(indicators.iter().skip(1)) {
            if one.card.id == next.card.id {
                return Err(CardError::Duplicate {
                    file: format!("{}/indicator.toml", next.folder),
                    id: next.card.id.clone(),
                    other: format!("{}/indicator.toml", one.folder),
                });
            }
        }
        Ok(Self { indicators })
    }

    /// Reads a `sql/indicators` folder on disk.
    ///
    /// # Errors
    /// The first file that cannot be read or does not fit.
    pub fn load(dir: &Path) -> Result<Self, CardError> {
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| CardError::Io { path, source }
        };
        let mut files = Vec::new();
        for folder in std::fs::read_dir(dir).map_err(io(dir))? {
            let folder = folder.map_err(io(dir))?.path();
            if !folder.is_dir() {
                continue;
            }
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            for entry in std::fs::read_dir(&folder).map_err(io(&folder))? {
                let path = entry.map_err(io(&folder))?.path();
                let wanted = path.extension().is_some_and(|kind| kind == "toml" || kind == "sql");
                if path.is_file() && wanted {
                    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                    files.push((format!("{name}/{file}"), std::fs::read_to_string(&path).map_err(io(&path))?));
                }
            }
        }
        Self::from_files(files)
    }

    /// All indicators, in the order of their ids.
    #[must_use]
    pub fn indicators(&self) -> &[Indicator] {
        &self.indicators
    }

    /// The indicator of an id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Indicator> {
        self.indicators.iter().find(|indicator| indicator.card.id == id)
    }
}

/// The twin whose SQL a card shares; a card that does not parse is reported where it is read.
fn shared(card: &str) -> Option<String> {
    card.parse::<toml::Table>().ok()?.get("sql")?.as_str().map(str::to_owned)
}
