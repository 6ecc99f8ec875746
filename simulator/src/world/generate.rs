//! Makes a world, lays it out as a folder, and tells what must come of it.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use super::aliases::aliases_json;
use super::cast::Cast;
use super::orders::{Ids, purchase};
use super::platform::Platform;
use super::truth::{DatasetTruth, FilesTruth, Truth};
use super::{fees, noise, reference};
use crate::config::WorldConfig;
use crate::error::SimError;
use crate::export::{Content, ExportFile, Verdict, plan};
use crate::platform_data::PlatformData;
use crate::row::Row;
use crate::schema::export_datasets;

/// A generated world: the rows the platform publishes and the files that are exported.
///
/// Fee lines, the bulk of a world, are made only while their file is written.
#[derive(Debug)]
pub struct World {
    cast: Cast,
    platform: Platform,
    files: Vec<ExportFile>,
}

/// Generates a world. Equal configurations give equal worlds, on every machine.
///
/// # Errors
/// If the configuration makes no world.
pub fn generate(cfg: &WorldConfig) -> Result<World, SimError> {
    let cast = Cast::new(cfg)?;
    let mut platform = Platform::new(cfg.seed, cfg.noise, cast.horizon());
    let mut ids = Ids::default();
    reference::publish(&cast, &mut platform, &mut ids);
    let received = purchase(&cast, &mut platform, &mut ids);
    if cfg.noise {
        noise::dirty_platform(&mut platform, cast.horizon());
    }
    platform.settle();
    let files = plan(&cast, &received);
    Ok(World { cast, platform, files })
}

impl World {
    /// The configuration it was made from.
    #[must_use]
    pub fn config(&self) -> &WorldConfig {
        &self.cast.cfg
    }

    /// The rows of the platform as text, one JSON object each, in order of publication.
    pub fn platform_rows(&self, dataset: &str) -> impl Iterator<Item = &str> {
        self.platform.lines.get(dataset).into_iter().flatten().map(|l| l.text.as_str())
    }

    /// What the simulated platform serves of this world.
    #[must_use]
    pub fn platform_data(&self) -> PlatformData {
        let mut data = PlatformData::with_default_aliases();
        for (dataset, lines) in &self.platform.lines {
            data.add(dataset, lines.iter().map(|l| l.text.as_bytes().to_vec()));
        }
        data
    }

    /// The table of look-alike keys and Chinese titles that occur (`aliases.json`).
    #[must_use]
    pub fn aliases_json(&self) -> String {
        aliases_json()
    }

    /// What silver must count once everything has arrived. Files are made on the way and thrown away.
    ///
    /// # Errors
    /// If a file cannot be encoded.
    pub fn truth(&self) -> Result<Truth, SimError> {
        let mut truth = self.start_truth();
        for file in &self.files {
            count(&mut truth, file, &self.rows_of(file));
        }
        Ok(truth)
    }

    /// Lays the world out: `platform/*.jsonl`, `exports/…`, `aliases.json`, `expected_silver.json`.
    /// One file is held in memory at a time. What lies in the folder already stays: begin with an
    /// empty one.
    ///
    /// # Errors
    /// If the folder cannot be written or a file not be encoded.
    pub fn write(&self, dir: &Path) -> Result<Truth, SimError> {
        let platform = dir.join("platform");
        fs::create_dir_all(&platform).map_err(SimError::io(&platform))?;
        for (dataset, lines) in &self.platform.lines {
            let path = platform.join(format!("{dataset}.jsonl"));
            let file = fs::File::create(&path).map_err(SimError::io(&path))?;
            let mut out = std::io::BufWriter::with_capacity(1 << 20, file);
            for line in lines {
                out.write_all(line.text.as_bytes()).and_then(|()| out.write_all(b"\n")).map_err(SimError::io(&path))?;
            }
            out.flush().map_err(SimError::io(&path))?;
        }
        let mut truth = self.start_truth();
        for file in &self.files {
            let rows = self.rows_of(file);
            count(&mut truth, file, &rows);
            let set = file.encode(&rows)?;
            lay(dir, &set.path, &set.bytes)?;
            if let Some((path, text)) = &set.control {
                lay(dir, path, text.as_bytes())?;
            }
        }
        lay(dir, Path::new("aliases.json"), aliases_json().as_bytes())?;
        let path = dir.join("expected_silver.json");
        let text = serde_json::to_string_pretty(&truth).map_err(|source| SimError::Json { path: path.clone(), source })?;
        fs::write(&path, text).map_err(SimError::io(&path))?;
        Ok(truth)
    }

    fn start_truth(&self) -> Truth {
        let mut datasets: BTreeMap<String, DatasetTruth> = self.platform.truth.clone();
        datasets.extend(export_datasets().map(|d| (d.to_owned(), DatasetTruth::default())));
        Truth { files: FilesTruth::default(), datasets }
    }

    fn rows_of(&self, file: &ExportFile) -> Vec<Row> {
        match &file.content {
            Content::Rows(rows) => rows.clone(),
            Content::Fees { county, month, late, extra } => {
                let mut rows = fees::county_month(&self.cast, *county, self.cast.first.plus(month.cast_signed()));
                rows.retain(|r| r.late == *late);
                rows.extend(extra.iter().cloned());
                rows
            }
            Content::Bytes(_) => Vec::new(),
        }
    }
}

fn count(truth: &mut Truth, file: &ExportFile, rows: &[Row]) {
    match file.verdict {
        Verdict::Loads => {
            truth.files.loaded += 1;
            let set = truth.datasets.entry(file.dataset.to_owned()).or_default();
            rows.iter().for_each(|r| set.count(r));
        }
        Verdict::Refused(reason) => truth.files.refused.push((file.path(), reason.to_owned())),
        Verdict::SameContent => truth.files.same_content.push(file.path()),
    }
}

fn lay(dir: &Path, below: &Path, bytes: &[u8]) -> Result<(), SimError> {
    let path = dir.join(below);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(SimError::io(parent))?;
    }
    fs::write(&path, bytes).map_err(SimError::io(&path))
}
