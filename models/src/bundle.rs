//! The SQL bundle: model SQL and indicator folders, embedded in the binary, with a project's own files over them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use crate::card::{CardError, Catalogue};
use crate::digest::sha256_hex;
use crate::fault::{Fault, FaultKind};

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../sql");

/// The folders of model SQL, and the layer their tables are in.
const MODELS: [&str; 2] = ["dim", "fact"];

/// SQL that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// A file or folder cannot be read.
    #[error("SQL file `{}`: {source}", .path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Two files make one table.
    #[error("table `{table}` is made by `{first}` and by `{second}`")]
    Twice {
        /// The table.
        table: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// An indicator folder does not fit.
    #[error(transparent)]
    Card(#[from] CardError),
}

impl Fault for SqlError {
    fn code(&self) -> &'static str {
        match self {
            Self::Read { .. } => "E-SQL-010",
            Self::Twice { .. } => "E-SQL-011",
            Self::Card(error) => error.code(),
        }
    }

    fn kind(&self) -> FaultKind {
        FaultKind::Usage
    }

    fn hint(&self) -> Option<Cow<'static, str>> {
        match self {
            Self::Card(error) => error.hint(),
            Self::Read { .. } | Self::Twice { .. } => Some("see `sql.paths` and the project's `sql` folder".into()),
        }
    }
}

/// A gold model: the SQL of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// The table, without its layer: `fact_receipt`.
    pub table: String,
    /// The file, relative to `sql/`.
    pub path: String,
    /// One SELECT.
    pub text: String,
}

/// Everything below `sql/`.
#[derive(Debug, Clone)]
pub struct SqlBundle {
    files: BTreeMap<String, String>,
    models: BTreeMap<String, Model>,
    catalogue: Catalogue,
}

impl SqlBundle {
    /// The bundle built into the binary.
    ///
    /// # Errors
    /// As [`SqlBundle::load`].
    pub fn embedded() -> Result<Self, SqlError> {
        Self::load(&[])
    }

    /// The built-in bundle with folders laid out as `sql/` over it, the later over the earlier. A file takes the place of the one of its
    /// path; an indicator folder with a card of its own takes the place of the whole folder.
    ///
    /// # Errors
    /// [`SqlError`]: a folder that cannot be read, a table made twice, a card that does not fit.
    pub fn load(overlays: &[PathBuf]) -> Result<Self, SqlError> {
        let mut files = BTreeMap::new();
        collect(&EMBEDDED, &mut files);
        for overlay in overlays {
            let mut over = BTreeMap::new();
            read(overlay, overlay, &mut over)?;
            let replaced: Vec<String> = over
                .keys()
                .filter_map(|path| path.strip_suffix("indicator.toml"))
                .filter(|folder| folder.starts_with("indicators/"))
                .map(str::to_owned)
                .collect();
            files.retain(|path, _| !replaced.iter().any(|folder| path.starts_with(folder.as_str())));
            files.append(&mut over);
        }
        Self::from_files(files)
    }

    /// A bundle of given files: path below `sql/` → text.
    ///
    /// # Errors
    /// As [`SqlBundle::load`].
    pub fn from_files(files: BTreeMap<String, String>) -> Result<Self, SqlError> {
        let mut models: BTreeMap<String, Model> = BTreeMap::new();
        for (path, text) in &files {
            let Some((folder, file)) = path.split_once('/') else { continue };
            let Some(table) = file.strip_suffix(".sql").filter(|table| MODELS.contains(&folder) && !table.contains('/')) else { continue };
            let model = Model { table: table.to_owned(), path: path.clone(), text: text.clone() };
            if let Some(first) = models.insert(table.to_owned(), model) {
                return Err(SqlError::Twice { table: table.to_owned(), first: first.path, second: path.clone() });
            }
        }
        let catalogue = Catalogue::from_files(&files)?;
        Ok(Self { files, models, catalogue })
    }

    /// The text of a file, by its path below `sql/`.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// All files, by path.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// The SQL of a table, by its name without layer.
    #[must_use]
    pub fn model(&self, table: &str) -> Option<&Model> {
        self.models.get(table)
    }

    /// All models, by table.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.values()
    }

    /// The indicators.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// SHA-256 over all paths and texts: equal bundles, equal digests.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut all = String::new();
        for (path, text) in &self.files {
            all.push_str(&format!("{} {path}\n", sha256_hex(text.as_bytes())));
        }
        sha256_hex(all.as_bytes())
    }
}

fn collect(dir: &Dir<'_>, files: &mut BTreeMap<String, String>) {
    for file in dir.files() {
        if let Some(text) = file.contents_utf8() {
            files.insert(file.path().to_string_lossy().replace('\\', "/"), text.to_owned());
        }
    }
    dir.dirs().for_each(|below| collect(below, files));
}

fn read(root: &Path, dir: &Path, files: &mut BTreeMap<String, String>) -> Result<(), SqlError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| SqlError::Read { path, source }
    };
    for entry in std::fs::read_dir(dir).map_err(failed(dir))? {
        let path = entry.map_err(failed(dir))?.path();
        if path.is_dir() {
            read(root, &path, files)?;
        } else if path.extension().is_some_and(|kind| ["sql", "toml", "md", "slt"].iter().any(|known| kind == *known)) {
            let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            files.insert(name, std::fs::read_to_string(&path).map_err(failed(&path))?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_project_file_takes_the_place_of_the_built_in_one() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("fact")).unwrap();
        std::fs::write(dir.path().join("fact/fact_receipt.sql"), "SELECT 1").unwrap();
        let plain = SqlBundle::load(&[]).unwrap();
        let over = SqlBundle::load(&[dir.path().to_owned()]).unwrap();
        assert_eq!(over.model("fact_receipt").unwrap().text, "SELECT 1");
        assert_eq!(plain.models().count(), over.models().count());
        assert_ne!(plain.digest(), over.digest());
        assert_eq!(plain.digest(), SqlBundle::load(&[]).unwrap().digest());
    }

    #[test]
    fn one_table_has_one_file() {
        let files = [("dim/x.sql", "SELECT 1"), ("fact/x.sql", "SELECT 2")];
        let files = files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect();
        assert!(matches!(SqlBundle::from_files(files), Err(SqlError::Twice { .. })));
    }
}
