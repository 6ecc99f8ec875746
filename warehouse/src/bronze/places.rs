//! Where a received row belongs (county and month), told from its own text and from rows received before.
//!
//! This only decides in which partition of bronze a row lies, so that later reads find it cheaply; silver judges again.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{Array, AsArray, StringArray};
use arrow::record_batch::RecordBatch;
use yaojia_models::contract::{CountyRule, Dataset};
use yaojia_models::field::FieldType;
use yaojia_models::text::{self, Form};

use crate::delta::{Cell, Table, UNKNOWN, read_file};
use crate::error::Result;
use crate::silver::{Counties, KeyIndex};
use crate::store::Root;

/// A code as silver compares it.
fn code(text: &str) -> Option<Cow<'_, str>> {
    Form::Code.clean(text).value
}

/// Tells rows their cells.
pub(crate) struct Places {
    dataset: Arc<Dataset>,
    region: String,
    counties: Counties,
    index: KeyIndex,
}

impl Places {
    pub(crate) async fn load(root: &Root, dataset: &Dataset, region: &str) -> Result<Self> {
        let mut new = Self {
            dataset: Arc::new(dataset.clone()),
            region: region.to_string(),
            counties: Counties::default(),
            index: KeyIndex::default(),
        };
        match &dataset.county {
            CountyRule::Org(_) => new.institutions(root).await?,
            CountyRule::Parent { dataset: parent, via } => new.parents(root, parent, via).await?,
            CountyRule::Column(_) | CountyRule::Region => {}
        }
        Ok(new)
    }

    async fn institutions(&mut self, root: &Root) -> Result<()> {
        let Some(table) = Table::open(root, "bronze", "institution").await? else { return Ok(()) };
        let wanted = ["org_code".to_string(), "admdvs".to_string()];
        for file in table.files()? {
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                let column = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
                let (Some(orgs), Some(counties)) = (column("org_code"), column("admdvs")) else { continue };
                for (org, county) in orgs.iter().zip(counties.iter()) {
                    if let (Some(org), Some(county)) = (org.and_then(code), county.and_then(code)) {
                        let number = self.counties.number(&county);
                        self.index.insert(&org, number);
                    }
                }
            }
        }
        Ok(())
    }

    async fn parents(&mut self, root: &Root, parent: &str, via: &str) -> Result<()> {
        let Some(table) = Table::open(root, "bronze", parent).await? else { return Ok(()) };
        let wanted = [via.to_string()];
        for file in table.files()? {
            let number = self.counties.number(&file.part("county"));
            if number == 0 {
                continue;
            }
            for batch in read_file(&table.store(), table.label(), &file.path, Some(&wanted)).await? {
                if let Some(values) = batch.column_by_name(via).and_then(|c| c.as_string_opt::<i32>()) {
                    values.iter().flatten().filter_map(code).for_each(|v| self.index.insert(&v, number));
                }
            }
        }
        Ok(())
    }

    /// The cell of every row of a text batch.
    pub(crate) fn cells(&self, batch: &RecordBatch) -> Vec<Cell> {
        let column = |name: &str| batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let county = match &self.dataset.county {
            CountyRule::Org(c) | CountyRule::Column(c) | CountyRule::Parent { via: c, .. } => column(c),
            CountyRule::Region => None,
        };
        months_of(&self.dataset, batch)
            .into_iter()
            .enumerate()
            .map(|(row, month)| {
                let at = |array: Option<&StringArray>| -> Option<String> {
                    array.filter(|a| !a.is_null(row)).and_then(|a| code(a.value(row))).map(Cow::into_owned)
                };
                let place = match &self.dataset.county {
                    CountyRule::Region => self.region.clone(),
                    CountyRule::Column(_) => {
                        at(county).filter(|c| c.len() <= 12 && c.bytes().all(|b| b.is_ascii_digit())).unwrap_or_else(|| UNKNOWN.to_string())
                    }
                    CountyRule::Org(_) | CountyRule::Parent { .. } => {
                        let number = at(county).and_then(|v| self.index.get(&v)).unwrap_or(0);
                        self.counties.code(number).to_string()
                    }
                };
                Cell::new(place, month)
            })
            .collect()
    }
}

/// The month of bronze that every row of a text batch lies in; told from the row alone.
#[must_use]
pub fn months_of(dataset: &Dataset, batch: &RecordBatch) -> Vec<String> {
    let months: Vec<(Option<&StringArray>, FieldType)> = dataset
        .month_of
        .iter()
        .map(|name| {
            let array = batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            (array, dataset.column(name).map_or(FieldType::Timestamp, |c| c.ty))
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            let month = months.iter().find_map(|(array, ty)| {
                let text = array.filter(|a| !a.is_null(row)).and_then(|a| Form::Time.clean(a.value(row)).value)?;
                month_of(&text, *ty)
            });
            month.unwrap_or_else(|| UNKNOWN.to_string())
        })
        .collect()
}

fn month_of(value: &str, ty: FieldType) -> Option<String> {
    if ty == FieldType::Month {
        return text::parse_month(value).ok().flatten();
    }
    let micros = text::parse_timestamp(value).ok().flatten()?;
    let at = chrono::DateTime::from_timestamp_micros(micros)?;
    Some(at.format("%Y-%m").to_string())
}
