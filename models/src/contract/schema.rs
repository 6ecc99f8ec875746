//! Arrow schemas of the contracts. Titles travel as field metadata `comment`.

use std::collections::HashMap;

use arrow_schema::{DataType, Field, Schema, TimeUnit};

use super::{Column, Dataset, TableContract};

fn text(name: &str) -> Field {
    Field::new(name, DataType::Utf8, true)
}

fn int(name: &str) -> Field {
    Field::new(name, DataType::Int64, true)
}

fn titled(field: Field, title: &str, unit: Option<&str>) -> Field {
    let mut metadata = HashMap::from([("comment".to_owned(), title.to_owned())]);
    if let Some(unit) = unit {
        metadata.insert("unit".to_owned(), unit.to_owned());
    }
    field.with_metadata(metadata)
}

fn partitions() -> [Field; 2] {
    [titled(text("county"), "医保区划", None), titled(text("month"), "月份", None)]
}

impl Dataset {
    /// What a connector yields: the columns as text, then `_extra`, `_note`, `_raw`, `_row`.
    #[must_use]
    pub fn batch_schema(&self) -> Schema {
        Schema::new(self.batch_fields())
    }

    /// Bronze: the text batch, then `_run_id _run_seq _first_seq _ingested_at _source _artifact _part`, `county`, `month`. `_run_seq` is
    /// the run that parsed the row, `_first_seq` and `_ingested_at` are of the run that first received its artifact.
    #[must_use]
    pub fn bronze_schema(&self) -> Schema {
        let mut fields = self.batch_fields();
        fields.extend([
            text("_run_id"),
            int("_run_seq"),
            int("_first_seq"),
            Field::new("_ingested_at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
            text("_source"),
            text("_artifact"),
            int("_part"),
        ]);
        fields.extend(partitions());
        Schema::new(fields)
    }

    /// Silver: the columns typed under their silver names, derived ones, `warnings`,
    /// `_source _artifact _row _run_id`, `county`, `month`. All nullable: what may be null is judged
    /// by validation, not by the storage.
    #[must_use]
    pub fn silver_schema(&self) -> Schema {
        let typed = |column: &Column, name: &str| {
            let field = Field::new(name, column.ty.arrow(), true);
            titled(field, &column.title, column.unit.as_deref())
        };
        let mut fields: Vec<Field> = self.columns.iter().map(|c| typed(c, self.silver_name(&c.name))).collect();
        fields.extend(self.derived.iter().map(|c| typed(c, &c.name)));
        fields.push(titled(text("warnings"), "提示", None));
        fields.extend([text("_source"), text("_artifact"), int("_row"), text("_run_id")]);
        fields.extend(partitions());
        Schema::new(fields)
    }

    fn batch_fields(&self) -> Vec<Field> {
        let mut fields: Vec<Field> = self.columns.iter().map(|c| titled(text(&c.name), &c.title, c.unit.as_deref())).collect();
        fields.extend([text("_extra"), text("_note"), text("_raw"), int("_row")]);
        fields
    }
}

impl TableContract {
    /// The columns in contract order, then the partition columns that are not among them.
    #[must_use]
    pub fn arrow_schema(&self) -> Schema {
        let mut fields: Vec<Field> =
            self.columns.iter().map(|c| titled(Field::new(&c.name, c.ty.arrow(), true), &c.title, c.unit.as_deref())).collect();
        for name in self.partition.iter().filter(|name| self.column(name).is_none()) {
            let title = match name.as_str() {
                "county" => "医保区划",
                "month" => "月份",
                other => other,
            };
            fields.push(titled(text(name), title, None));
        }
        Schema::new(fields)
    }
}
