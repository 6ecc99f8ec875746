//! The runner: finds the cases, reads them, fills tables, runs the model, compares.

pub mod compare;
pub mod file;
mod print;
mod tables;
mod under_test;

use std::fs;
use std::path::{Path, PathBuf};

use file::{Case, Step};
use under_test::UnderTest;

/// What goes wrong, in words for the person who wrote the case.
pub type Why = String;

/// A case that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Path below `sql/`.
    pub label: String,
    /// The file.
    pub path: PathBuf,
    /// `D05` or `fact_receipt`.
    pub model: String,
    /// The SQL of a fact or dimension; none for an indicator.
    pub sql: Option<PathBuf>,
}

/// The project's `sql` folder.
pub fn sql_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../sql")
}

/// Whether the expected rows are to be written anew (`UPDATE_SLT=1`).
pub fn bless() -> bool {
    std::env::var_os("UPDATE_SLT").is_some_and(|value| value == "1")
}

/// Finds `indicators/<ID>_<name>/tests/<case>.slt` and `tests/<table>/<case>.slt`, in path order.
pub fn find() -> Result<Vec<Found>, Why> {
    let root = sql_folder();
    let mut found = Vec::new();
    for folder in folders(&root.join("indicators"))? {
        let model = name(&folder).split('_').next().unwrap_or_default().to_owned();
        for path in cases(&folder.join("tests"))? {
            found.push(Found { label: label(&root, &path), path, model: model.clone(), sql: None });
        }
    }
    for folder in folders(&root.join("tests"))? {
        let model = name(&folder);
        let layer = model.split('_').next().unwrap_or_default();
        for path in cases(&folder)? {
            let sql = root.join(layer).join(format!("{model}.sql"));
            found.push(Found { label: label(&root, &path), path, model: model.clone(), sql: Some(sql) });
        }
    }
    Ok(found)
}

/// Runs a case; gives the number of its queries, or what differs.
pub async fn run(found: &Found, bless: bool) -> Result<usize, Why> {
    let text = fs::read_to_string(&found.path).map_err(|e| e.to_string())?;
    let case = Case::parse(&text)?;
    let (mut under_test, mut session) = UnderTest::open(found, &case)?;
    let mut answered = false;
    let mut failed = Vec::new();
    let mut fresh = Vec::new();
    for step in &case.steps {
        match step {
            Step::Insert { line, sql } if answered => return Err(format!("line {line}: rows come before the first query\n{sql}")),
            Step::Insert { line, sql } => session.insert(sql).await.map_err(|why| format!("line {line}: {why}"))?,
            Step::Query(query) => {
                if !answered {
                    under_test.answer(&mut session).await?;
                    answered = true;
                }
                let rows = session.query(&query.sql, &query.types).await.map_err(|why| format!("line {}: {why}", query.line))?;
                if bless {
                    fresh.push((query.clone(), rows));
                } else if let Some(difference) = compare::difference(query, rows) {
                    failed.push(difference);
                }
            }
        }
    }
    if !fresh.is_empty() {
        fs::write(&found.path, file::rewritten(&text, &fresh)).map_err(|e| e.to_string())?;
    }
    if failed.is_empty() { Ok(case.queries()) } else { Err(failed.join("\n")) }
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn label(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}

fn folders(below: &Path) -> Result<Vec<PathBuf>, Why> {
    Ok(entries(below)?.into_iter().filter(|path| path.is_dir()).collect())
}

fn cases(below: &Path) -> Result<Vec<PathBuf>, Why> {
    Ok(entries(below)?.into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "slt")).collect())
}

/// What a folder holds, in order; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, Why> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let read = fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut paths = read.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string())?;
    paths.sort();
    Ok(paths)
}
