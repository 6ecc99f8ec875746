//! All indicators of a project, with the relations they share: from a list of files or a folder on disk.

use std::collections::BTreeMap;
use std::path::Path;

use super::relation::Relations;
use super::{CardError, Files, Indicator};

/// The SQL files of an indicator.
const SQL: [&str; 4] = ["rows.sql", "value.sql", "evidence.sql", "basis.sql"];

/// The indicators of a project, by id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    indicators: Vec<Indicator>,
}

impl Catalogue {
    /// Reads files given as (path below `sql/`, text): the folders of `indicators/` and the relations of `ask/`; all others are passed over.
    ///
    /// # Errors
    /// The first file that does not fit.
    pub fn from_files<P: AsRef<str>, T: AsRef<str>>(files: impl IntoIterator<Item = (P, T)>) -> Result<Self, CardError> {
        let mut folders: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        let mut shared = BTreeMap::new();
        for (path, text) in files {
            let path = path.as_ref().replace('\\', "/");
            match path.split('/').collect::<Vec<_>>().as_slice() {
                ["ask", file] if file.ends_with(".sql") => {
                    shared.insert(file.trim_end_matches(".sql").to_owned(), text.as_ref().to_owned());
                }
                ["indicators", folder, file] if ["indicator.toml", "rules.toml"].contains(file) || SQL.contains(file) => {
                    folders.entry((*folder).to_owned()).or_default().insert((*file).to_owned(), text.as_ref().to_owned());
                }
                _ => {}
            }
        }
        let shared = Relations::new(shared)?;
        let mut indicators = Vec::with_capacity(folders.len());
        for (folder, files) in &folders {
            let file = |name: &str| files.get(name).map(String::as_str);
            let missing = |why: String| CardError::Missing { folder: folder.clone(), why };
            let card = file("indicator.toml").ok_or_else(|| missing("`indicator.toml` is missing".to_owned()))?;
            let twin = match twin(card) {
                None => files,
                Some(name) => {
                    if SQL.iter().any(|sql| files.contains_key(*sql)) {
                        return Err(missing(format!("it names the SQL of `{name}` and has SQL of its own: only one of both")));
                    }
                    folders.get(&name).ok_or_else(|| missing(format!("there is no folder `{name}` whose SQL it could share")))?
                }
            };
            let sql = |name: &str| twin.get(name).map(String::as_str);
            let files = Files {
                card,
                rules: file("rules.toml"),
                rows: sql("rows.sql"),
                value: sql("value.sql"),
                evidence: sql("evidence.sql"),
                basis: sql("basis.sql"),
            };
            indicators.push(Indicator::of_files(folder, files, &shared)?);
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

    /// Reads a `sql` folder on disk.
    ///
    /// # Errors
    /// The first file that cannot be read or does not fit.
    pub fn load(dir: &Path) -> Result<Self, CardError> {
        let mut files = Vec::new();
        for part in ["ask", "indicators"] {
            collect(dir, &dir.join(part), &mut files)?;
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
fn twin(card: &str) -> Option<String> {
    card.parse::<toml::Table>().ok()?.get("sql")?.as_str().map(str::to_owned)
}

/// The TOML and SQL files below a folder, with paths relative to `root`; a folder that is not there has none.
fn collect(root: &Path, dir: &Path, files: &mut Vec<(String, String)>) -> Result<(), CardError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| CardError::Io { path, source }
    };
    if !dir.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir).map_err(io(dir))? {
        let path = entry.map_err(io(dir))?.path();
        if path.is_dir() {
            collect(root, &path, files)?;
        } else if path.extension().is_some_and(|kind| kind == "toml" || kind == "sql") {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((name, std::fs::read_to_string(&path).map_err(io(&path))?));
        }
    }
    Ok(())
}
