//! Where the contract files lie: in the binary, or in a folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use include_dir::{Dir, include_dir};

use super::ContractError;

static EMBEDDED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/contracts");
static EMBEDDED_FIELDS: &str = include_str!("../../fields.toml");

/// File name → text, of the three kinds.
pub(super) struct Files {
    pub fields: String,
    pub bronze: BTreeMap<String, String>,
    pub gold: BTreeMap<String, String>,
}

impl Files {
    pub(super) fn embedded() -> Result<Self, ContractError> {
        Ok(Self { fields: EMBEDDED_FIELDS.to_owned(), bronze: embedded_folder("bronze")?, gold: embedded_folder("gold")? })
    }

    /// A folder that holds `fields.toml` and `contracts/{bronze,gold}/*.toml`.
    pub(super) fn read(root: &Path) -> Result<Self, ContractError> {
        Ok(Self { fields: read_text(&root.join("fields.toml"))?, bronze: read_folder(root, "bronze")?, gold: read_folder(root, "gold")? })
    }
}

fn embedded_folder(layer: &str) -> Result<BTreeMap<String, String>, ContractError> {
    let mut files = BTreeMap::new();
    let Some(folder) = EMBEDDED.get_dir(layer) else {
        return Ok(files);
    };
    for file in folder.files().filter(|file| is_toml(file.path())) {
        let name = format!("contracts/{}", file.path().display());
        let text = file.contents_utf8().ok_or_else(|| ContractError::NotText { file: name.clone() })?;
        files.insert(name, text.to_owned());
    }
    Ok(files)
}

fn read_folder(root: &Path, layer: &str) -> Result<BTreeMap<String, String>, ContractError> {
    let mut files = BTreeMap::new();
    let folder = root.join("contracts").join(layer);
    if !folder.exists() {
        return Ok(files);
    }
    let failed = |source| ContractError::Read { path: folder.clone(), source };
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_toml(&path) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.insert(format!("contracts/{layer}/{name}"), read_text(&path)?);
        }
    }
    Ok(files)
}

fn is_toml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

fn read_text(path: &Path) -> Result<String, ContractError> {
    let failed = |source| ContractError::Read { path: path.to_owned(), source };
    let bytes = fs::read(path).map_err(failed)?;
    String::from_utf8(bytes).map_err(|_| ContractError::NotText { file: path.display().to_string() })
}
