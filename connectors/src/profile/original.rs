//! A file's own row, as it was delivered: what `explain` and the quarantine show of a file, whatever its kind.

use serde_json::{Map, Value};
use yaojia_models::contract::Dataset;

use super::Profile;
use crate::error::SourceError;
use crate::export::header::{Header, Slot};
use crate::export::read::{FileRow, Input, Kind, Visit};
use crate::export::{Int96, LandingFile, Place, ReadError};
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;

/// A row of a file.
#[derive(Debug, Clone)]
pub struct OriginalRow {
    /// Where it stands.
    pub place: Place,
    /// Its cells by title, in the file's order; text of a row that could not be split as it is.
    pub cells: Value,
}

/// Row `number` (from 1, after the header) of a file. `profile` is the one that maps the file, if one does. None where the file has no such row, or cannot be read.
#[must_use]
pub fn original_row(
    dataset: &Dataset,
    profile: Option<&Profile>,
    rules: &PersonalRules,
    file: &LandingFile,
    artifact: &Artifact,
    number: u64,
) -> Option<OriginalRow> {
    let input = Input {
        dataset: profile.map_or(dataset, Profile::layout),
        rules,
        path: &file.path,
        gzip: file.gzip,
        artifact,
        batch_rows: 1024,
        max_row_bytes: 16 << 20,
        // what does not say what its times are was refused, or somebody said it
        int96: profile.and_then(|profile| profile.rule().int96).or(Some(Int96::Utc)),
        rule: profile.map(Profile::rule),
    };
    let mut finder = Finder { layout: input.dataset, wanted: number, at: 0, found: None };
    let kind = Kind::of(&input, file.format).ok()?;
    // an early end is an error on purpose: the rest of the file is not read
    let _ = kind.scan(&input, &mut finder);
    finder.found
}

struct Finder<'a> {
    layout: &'a Dataset,
    wanted: u64,
    at: u64,
    found: Option<OriginalRow>,
}

impl Visit for Finder<'_> {
    fn header(&mut self, _: &Header) -> Result<(), ReadError> {
        Ok(())
    }

    fn aside(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.row(header, row)
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.at += 1;
        if self.at != self.wanted {
            return Ok(());
        }
        let place = Place::of(&row, None);
        let cells = match row.bad {
            Some(raw) => Value::String(raw.to_owned()),
            None => {
                let mut cells = Map::new();
                for (slot, cell) in header.slots.iter().zip(row.cells) {
                    let name = match slot {
                        Slot::Column(at) => self.layout.columns.get(*at).map(|column| column.name.clone()),
                        Slot::Extra(name) | Slot::Dropped(name) => Some(name.clone()),
                        Slot::Blank => None,
                    };
                    if let (Some(name), Some(cell)) = (name, cell) {
                        cells.entry(name).or_insert_with(|| cell.into_owned().into());
                    }
                }
                Value::Object(cells)
            }
        };
        self.found = Some(OriginalRow { place, cells });
        Err(SourceError::config("explain", "enough was read").into())
    }
}
