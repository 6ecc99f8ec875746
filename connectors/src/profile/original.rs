//! A file's own row, as it was delivered: what `explain` and the quarantine show of a file, whatever its kind.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use yaojia_models::contract::Dataset;

use super::Profile;
use crate::error::SourceError;
use crate::export::header::{Header, Slot, nameless};
use crate::export::read::{FileRow, Input, Kind, Visit};
use crate::export::{Int96, LandingFile, ReadError, RowPlace};
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;

/// A row of a file.
#[derive(Debug, Clone)]
pub struct OriginalRow {
    /// Where it stands.
    pub place: RowPlace,
    /// Its cells by title, in the file's order; text of a row that could not be split as it is.
    pub cells: Value,
}

/// Rows of a file by their numbers (from 1, in the order they were received); `profile` is the one that maps the file, if one does. Rows
/// that the file does not have, or that cannot be read, are not in the answer.
#[must_use]
pub fn original_rows(
    dataset: &Dataset,
    profile: Option<&Profile>,
    rules: &PersonalRules,
    file: &LandingFile,
    artifact: &Artifact,
    numbers: &BTreeSet<u64>,
) -> BTreeMap<u64, OriginalRow> {
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
    let mut finder = Finder { layout: input.dataset, wanted: numbers, at: 0, found: BTreeMap::new() };
    if let Ok(kind) = Kind::of(&input, file.format) {
        // an early end is an error on purpose: the rest of the file is not read
        let _ = kind.scan(&input, &mut finder);
    }
    finder.found
}

struct Finder<'a> {
    layout: &'a Dataset,
    wanted: &'a BTreeSet<u64>,
    at: u64,
    found: BTreeMap<u64, OriginalRow>,
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
        if !self.wanted.contains(&self.at) {
            return Ok(());
        }
        let place = RowPlace::of(&row, None);
        let cells = match row.bad {
            Some(raw) => Value::String(raw.to_owned()),
            None => {
                let mut cells = Map::new();
                for (position, (slot, cell)) in header.slots.iter().zip(row.cells).enumerate() {
                    let name = match slot {
                        Slot::Column(at) => self.layout.columns.get(*at).map(|column| column.name.clone()),
                        Slot::Extra(name) | Slot::Dropped(name) => Some(name.clone()),
                        Slot::Blank => cell.as_deref().and_then(yaojia_models::text::clean).map(|_| nameless(position)),
                    };
                    if let (Some(name), Some(cell)) = (name, cell) {
                        cells.entry(name).or_insert_with(|| cell.into_owned().into());
                    }
                }
                Value::Object(cells)
            }
        };
        self.found.insert(self.at, OriginalRow { place, cells });
        if self.found.len() < self.wanted.len() {
            return Ok(());
        }
        Err(SourceError::config("explain", "enough was read").into())
    }
}
