//! The exemption register (豁免登记).

use arrow::array::RecordBatch;

use super::columns::Texts;
use super::{EngineError, RowKey};

/// One row of the register; an empty column matches everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exemption {
    /// Its number.
    pub exempt_id: String,
    /// The indicator.
    pub indicator_id: String,
    /// The measure, or blank.
    pub measure: String,
    /// The subject, or blank.
    pub subject_code: String,
    /// The product, or blank.
    pub product_code: String,
    /// The batch, or blank.
    pub batch_code: String,
    /// The group, or blank.
    pub group_code: String,
    /// The first month.
    pub begn_month: String,
    /// The last month.
    pub end_month: String,
}

/// The register, in the order of its numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exemptions(Vec<Exemption>);

impl Exemptions {
    /// Reads `silver.exemption`.
    ///
    /// # Errors
    /// When a column is missing.
    pub fn read(batches: &[RecordBatch]) -> Result<Self, EngineError> {
        let mut rows = Vec::new();
        for batch in batches {
            let text = |name: &str| Texts::of(batch, name).map_err(|why| EngineError::table("silver.exemption", why));
            let (id, indicator, measure, subject) = (text("exempt_id")?, text("indicator_id")?, text("measure")?, text("subject_code")?);
            let (product, group_batch, group) = (text("prod_code")?, text("btch_code")?, text("grp_code")?);
            let (begin, end) = (text("begn_month")?, text("end_month")?);
            rows.extend((0..batch.num_rows()).map(|row| Exemption {
                exempt_id: id.or_blank(row),
                indicator_id: indicator.or_blank(row),
                measure: measure.or_blank(row),
                subject_code: subject.or_blank(row),
                product_code: product.or_blank(row),
                batch_code: group_batch.or_blank(row),
                group_code: group.or_blank(row),
                begn_month: begin.or_blank(row),
                end_month: end.or_blank(row),
            }));
        }
        Ok(Self::new(rows))
    }

    /// A register of rows.
    #[must_use]
    pub fn new(mut rows: Vec<Exemption>) -> Self {
        rows.sort();
        Self(rows)
    }

    /// The first row of the register that covers a value row.
    #[must_use]
    pub fn covering(&self, indicator: &str, key: &RowKey) -> Option<&Exemption> {
        let fits = |wanted: &str, given: &str| wanted.is_empty() || wanted == given;
        self.0.iter().find(|row| {
            row.indicator_id == indicator
                && fits(&row.measure, &key.measure)
                && fits(&row.subject_code, &key.subject_code)
                && fits(&row.product_code, &key.product_code)
                && fits(&row.batch_code, &key.batch_code)
                && fits(&row.group_code, &key.group_code)
                && row.begn_month <= key.month
                && key.month <= row.end_month
        })
    }
}
