//! Which columns an indicator's query gives, and how the engine reads them.

use arrow::datatypes::{DataType, Schema};
use yaojia_models::card::{Indicator, Operand, SubjectKind};

use super::EngineError;
use super::value::Fold;

/// The key columns of a row, in the order of [`super::RowKey`].
pub(super) const KEY: [&str; 8] = ["measure", "month", "county", "level", "subject_code", "product_code", "batch_code", "group_code"];
/// The columns of `rows.sql` besides the key and the inputs.
const ROWS: [&str; 8] = ["num", "den", "amount", "mark", "source_table", "row_key", "excluded_reason", "note"];
/// The columns of `evidence.sql` besides the key.
const EVIDENCE: [&str; 6] = ["source_table", "row_key", "num", "den", "amount", "note"];
/// The columns of `value.sql` besides the key and the inputs.
const VALUES: [&str; 8] = ["numerator", "denominator", "value", "amount_at_risk", "mark", "sample_n", "na", "insufficient"];

/// An input column: its name in SQL, its own name, and how it folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct InputColumn {
    /// `max_overdue`.
    pub(super) column: String,
    /// `overdue`.
    pub(super) name: String,
    /// What the prefix says.
    pub(super) fold: Fold,
}

/// The checked columns of one query.
#[derive(Debug)]
pub(super) struct Shape<'a> {
    indicator: &'a Indicator,
    file: &'a str,
    schema: &'a Schema,
    /// The input columns, in the order of their names.
    pub(super) inputs: Vec<InputColumn>,
}

impl<'a> Shape<'a> {
    /// Checks the columns of `rows.sql`.
    pub(super) fn of_rows(indicator: &'a Indicator, schema: &'a Schema) -> Result<Self, EngineError> {
        let shape = Self::checked(indicator, "rows.sql", schema, &ROWS, true)?;
        shape.require(&["month", "county", "subject_code", "num", "source_table", "row_key"])?;
        if schema.column_with_name("level").is_some() {
            return Err(shape.bad("column `level`: rows are always those of subjects"));
        }
        Ok(shape)
    }

    /// Checks the columns of `value.sql`.
    pub(super) fn of_values(indicator: &'a Indicator, schema: &'a Schema) -> Result<Self, EngineError> {
        let shape = Self::checked(indicator, "value.sql", schema, &VALUES, true)?;
        shape.require(&["month", "county", "subject_code"])?;
        Ok(shape)
    }

    /// Checks the columns of `evidence.sql`.
    pub(super) fn of_evidence(indicator: &'a Indicator, schema: &'a Schema) -> Result<Self, EngineError> {
        let shape = Self::checked(indicator, "evidence.sql", schema, &EVIDENCE, false)?;
        shape.require(&["month", "county", "subject_code", "source_table", "row_key"])?;
        Ok(shape)
    }

    /// Checks that every column is known and every number exact.
    fn checked(
        indicator: &'a Indicator,
        file: &'a str,
        schema: &'a Schema,
        known: &[&str],
        with_inputs: bool,
    ) -> Result<Self, EngineError> {
        let mut shape = Self { indicator, file, schema, inputs: Vec::new() };
        for field in schema.fields() {
            let column = field.name().as_str();
            if field.data_type().is_floating() {
                return Err(shape.bad(format!("column `{column}` is a binary float: cast it to DECIMAL")));
            }
            if KEY.contains(&column) || known.contains(&column) {
                continue;
            }
            let folds: &[(&str, Fold)] = if file == "value.sql" {
                &[("max_", Fold::Max), ("sum_", Fold::Sum), ("in_", Fold::None)]
            } else {
                &[("max_", Fold::Max), ("sum_", Fold::Sum)]
            };
            let input = folds.iter().find_map(|(prefix, fold)| column.strip_prefix(prefix).map(|name| (name, *fold)));
            let Some((name, fold)) = input.filter(|_| with_inputs) else {
                return Err(shape.bad(format!("column `{column}` is not one the engine knows")));
            };
            if Operand::RESERVED.contains(&name) || name.is_empty() {
                return Err(shape.bad(format!("column `{column}`: `{name}` cannot be the name of an input")));
            }
            if shape.inputs.iter().any(|other| other.name == name) {
                return Err(shape.bad(format!("two columns give the input `{name}`")));
            }
            if fold == Fold::Sum && !is_number(field.data_type()) {
                return Err(shape.bad(format!("column `{column}` is no number")));
            }
            shape.inputs.push(InputColumn { column: column.to_owned(), name: name.to_owned(), fold });
        }
        shape.inputs.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(shape)
    }

    /// Checks that columns are there.
    fn require(&self, columns: &[&str]) -> Result<(), EngineError> {
        columns
            .iter()
            .find(|column| self.schema.column_with_name(column).is_none())
            .map_or(Ok(()), |column| Err(self.bad(format!("column `{column}` is missing"))))
    }

    /// An error of this query.
    fn bad(&self, why: impl Into<String>) -> EngineError {
        EngineError::shape(self.indicator.id(), self.file, why)
    }

    /// The SQL expression of a key column, with what it means to leave it out.
    pub(super) fn key(&self, column: &str) -> String {
        let given = self.schema.column_with_name(column).is_some();
        match column {
            "measure" if given => "COALESCE(CAST(\"measure\" AS VARCHAR), 'main')".to_owned(),
            "measure" => "'main'".to_owned(),
            "level" if given => "COALESCE(CAST(\"level\" AS VARCHAR), 'subject')".to_owned(),
            "level" => "'subject'".to_owned(),
            "product_code" if !given && self.indicator.card.subject_kind == SubjectKind::Product => {
                "CAST(\"subject_code\" AS VARCHAR)".to_owned()
            }
            "month" | "county" | "subject_code" => format!("CAST(\"{column}\" AS VARCHAR)"),
            _ if given => format!("COALESCE(CAST(\"{column}\" AS VARCHAR), '')"),
            _ => "''".to_owned(),
        }
    }

    /// The SQL expression of a text column, null where it is left out or blank.
    pub(super) fn text(&self, column: &str) -> String {
        match self.schema.column_with_name(column) {
            Some(_) => format!("NULLIF(CAST(\"{column}\" AS VARCHAR), '')"),
            None => "CAST(NULL AS VARCHAR)".to_owned(),
        }
    }

    /// The SQL expression of a number, null where it is left out; whole numbers are taken as decimals so that no sum wraps.
    pub(super) fn number(&self, column: &str) -> Result<String, EngineError> {
        match self.schema.column_with_name(column).map(|(_, field)| field.data_type()) {
            None | Some(DataType::Null) => Ok("CAST(NULL AS DECIMAL(38, 6))".to_owned()),
            Some(kind) if kind.is_integer() => Ok(format!("CAST(\"{column}\" AS DECIMAL(38, 6))")),
            Some(kind) if is_number(kind) => Ok(format!("\"{column}\"")),
            Some(kind) => Err(self.bad(format!("column `{column}` is {kind}, not a number"))),
        }
    }

    /// The condition that a row counts.
    pub(super) fn counts(&self) -> &'static str {
        if self.schema.column_with_name("excluded_reason").is_some() { "\"excluded_reason\" IS NULL" } else { "TRUE" }
    }
}

/// Whether a type is an exact number.
fn is_number(kind: &DataType) -> bool {
    kind.is_integer() || kind.is_decimal() || *kind == DataType::Null
}
