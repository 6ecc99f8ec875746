//! A small append-only table of texts and whole numbers.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use arrow::record_batch::RecordBatch;

use crate::delta::{Change, NewFile, Table, read_file, write_file};
use crate::error::{Result, WarehouseError};
use crate::store::Root;

/// Type of a ledger column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// 64-bit integer.
    Int,
}

/// A ledger value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text.
    Text(String),
    /// Integer.
    Int(i64),
    /// Nothing known.
    Null,
}

impl From<Option<u64>> for Value {
    fn from(v: Option<u64>) -> Self {
        v.map_or(Self::Null, Self::from)
    }
}

impl From<&str> for Value {
    fn from(v: &str) -> Self {
        Self::Text(v.to_string())
    }
}

impl From<String> for Value {
    fn from(v: String) -> Self {
        Self::Text(v)
    }
}

impl From<i64> for Value {
    fn from(v: i64) -> Self {
        Self::Int(v)
    }
}

impl From<u64> for Value {
    fn from(v: u64) -> Self {
        Self::Int(i64::try_from(v).unwrap_or(i64::MAX))
    }
}

impl Value {
    /// The text, empty for a number.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(t) => t,
            Self::Int(_) | Self::Null => "",
        }
    }

    /// The number, 0 for a text.
    #[must_use]
    pub fn int(&self) -> i64 {
        match self {
            Self::Int(n) => *n,
            Self::Text(_) | Self::Null => 0,
        }
    }

    /// The number, where one is known.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            Self::Text(_) | Self::Null => None,
        }
    }
}

/// A ledger table's declaration.
#[derive(Debug)]
pub struct Sheet {
    /// Table name below `_ops`.
    pub name: &'static str,
    /// Chinese title.
    pub title: &'static str,
    /// Columns: name, type, Chinese comment.
    pub columns: &'static [(&'static str, Kind, &'static str)],
}

impl Sheet {
    fn schema(&self) -> Schema {
        Schema::new(
            self.columns
                .iter()
                .map(|(name, kind, comment)| {
                    let ty = match kind {
                        Kind::Text => DataType::Utf8,
                        Kind::Int => DataType::Int64,
                    };
                    Field::new(*name, ty, true).with_metadata(std::iter::once(("comment".to_string(), (*comment).to_string())).collect())
                })
                .collect::<Vec<_>>(),
        )
    }

    /// Appends rows in one commit; no rows, no commit.
    ///
    /// # Errors
    /// As the storage says.
    pub async fn append(&self, root: &Root, run_seq: i64, rows: &[Vec<Value>]) -> Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut table = Table::open_or_create(root, "_ops", self.name, &self.schema(), &[], self.title).await?;
        let label = table.label().to_string();
        let columns: Vec<ArrayRef> = self
            .columns
            .iter()
            .enumerate()
            .map(|(i, (_, kind, _))| -> ArrayRef {
                match kind {
                    Kind::Text => Arc::new(rows.iter().map(|r| r.get(i).map(Value::text)).collect::<StringArray>()),
                    Kind::Int => Arc::new(rows.iter().map(|r| r.get(i).and_then(Value::number)).collect::<Int64Array>()),
                }
            })
            .collect();
        let schema = Arc::new(self.schema());
        let batch =
            RecordBatch::try_new(schema.clone(), columns).map_err(|source| WarehouseError::Arrow { table: label.clone(), source })?;
        // Versions only grow, so the name is new in every commit.
        let path = format!("part-{run_seq:06}-{:06}.parquet", table.version() + 1);
        let (path, size) = write_file(&table.store(), &label, &path, &schema, vec![batch]).await?;
        let file = NewFile { path, partition: Vec::new(), rows: rows.len() as u64, size };
        table.commit(Change { add: vec![file], ..Change::default() }).await?;
        Ok(())
    }

    /// All rows, in order of writing; none when the table does not exist.
    ///
    /// # Errors
    /// As the storage says, [`WarehouseError::Ledger`] when a column is not as declared.
    pub async fn read(&self, root: &Root) -> Result<Vec<Vec<Value>>> {
        let Some(table) = Table::open(root, "_ops", self.name).await? else { return Ok(Vec::new()) };
        let mut rows = Vec::new();
        for file in table.files()? {
            for batch in read_file(&table.store(), table.label(), &file.path, None).await? {
                self.rows_of(&batch, &mut rows)?;
            }
        }
        Ok(rows)
    }

    fn rows_of(&self, batch: &RecordBatch, rows: &mut Vec<Vec<Value>>) -> Result<()> {
        let bad = |why: String| WarehouseError::Ledger { table: self.name.to_string(), why };
        let columns = self
            .columns
            .iter()
            .map(|(name, kind, _)| {
                let column = batch.column_by_name(name).ok_or_else(|| bad(format!("no column `{name}`")))?;
                let fits = match kind {
                    Kind::Text => column.as_string_opt::<i32>().is_some(),
                    Kind::Int => column.as_primitive_opt::<Int64Type>().is_some(),
                };
                if fits { Ok((column, kind)) } else { Err(bad(format!("column `{name}` has another type"))) }
            })
            .collect::<Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            rows.push(
                columns
                    .iter()
                    .map(|(column, kind)| match kind {
                        Kind::Text if column.is_null(row) => Value::Text(String::new()),
                        Kind::Text => Value::Text(column.as_string::<i32>().value(row).to_string()),
                        Kind::Int if column.is_null(row) => Value::Null,
                        Kind::Int => Value::Int(column.as_primitive::<Int64Type>().value(row)),
                    })
                    .collect(),
            );
        }
        Ok(())
    }
}
