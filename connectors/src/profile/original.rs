//! A file's own row, as it was delivered: what `explain` and the quarantine show of a file, whatever its kind.

use serde_json::{Map, Value};
use yaojia_models::contract::Dataset;

use super::Profile;
use crate::error::SourceError;
use crate::export::header::{Header, Slot, nameless};
use crate::export::read::{FileRow, Input, Kind, Visit};
use crate::export::{LandingFile, ReadError};
use crate::kit::artifact::Artifact;
use crate::kit::personal::PersonalRules;

/// Row `number` (from 1, after the header) of a file: its cells by title, in the file's order; text of a row that could not be
/// split as it is. `profile` is the one that maps the file, if one does. None where the file has no such row, or cannot be read.
#[must_use]
pub fn original_row(
    dataset: &Dataset,
    profile: Option<&Profile>,
    rules: &PersonalRules,
    file: &LandingFile,
    artifact: &Artifact,
    number: u64,
) -> Option<Value> {
    let input = Input {
        dataset: profile.map_or(dataset, Profile::layout),
        rules,
        path: &file.path,
        gzip: file.gzip,
        artifact,
        batch_rows: 1024,
        max_row_bytes: 16 << 20,
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
    found: Option<Value>,
}

impl Visit for Finder<'_> {
    fn header(&mut self, _: &Header) -> Result<(), ReadError> {
        Ok(())
    }

    fn row(&mut self, header: &Header, row: FileRow<'_>) -> Result<(), ReadError> {
        self.at += 1;
        if self.at != self.wanted {
            return Ok(());
        }
        self.found = Some(match row.bad {
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
        });
        Err(SourceError::config("explain", "enough was read").into())
    }
}
