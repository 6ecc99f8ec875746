//! Names of subjects, from the dimensions.

use std::collections::BTreeMap;

use datafusion::common::TableReference;
use datafusion::prelude::SessionContext;
use yaojia_models::card::SubjectKind;

use super::EngineError;
use super::columns::Texts;

/// Names by kind of subject and code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(BTreeMap<(SubjectKind, String), String>);

/// Dimension, code column, name column and kinds.
const DIMENSIONS: [(&str, &str, &str, &[SubjectKind]); 4] = [
    ("dim_institution", "org_code", "org_name", &[SubjectKind::Institution, SubjectKind::Pharmacy]),
    ("dim_enterprise", "org_code", "org_name", &[SubjectKind::Enterprise]),
    ("dim_product", "prod_code", "prod_name", &[SubjectKind::Product]),
    ("dim_admdvs", "admdvs", "admdvs_name", &[SubjectKind::Area]),
];

impl Names {
    /// Reads the names of `gold.dim_institution`, `dim_enterprise`, `dim_product` and `dim_admdvs`, as far as they are registered.
    ///
    /// # Errors
    /// When a dimension cannot be read.
    pub async fn load(ctx: &SessionContext) -> Result<Self, EngineError> {
        let mut names = Self::default();
        for (table, code, name, kinds) in DIMENSIONS {
            let full = format!("gold.{table}");
            let failed = |e: datafusion::error::DataFusionError| EngineError::table(&full, e);
            if !ctx.table_exist(TableReference::partial("gold", table)).unwrap_or(false) {
                continue;
            }
            let sql = format!("SELECT \"{code}\" AS code, MAX(\"{name}\") AS name FROM {full} GROUP BY \"{code}\"");
            for batch in ctx.sql(&sql).await.map_err(failed)?.collect().await.map_err(failed)? {
                let wrong = |why: String| EngineError::table(&full, why);
                let (codes, texts) = (Texts::of(&batch, "code").map_err(wrong)?, Texts::of(&batch, "name").map_err(wrong)?);
                for row in 0..batch.num_rows() {
                    for kind in kinds {
                        names.add(*kind, &codes.or_blank(row), &texts.or_blank(row));
                    }
                }
            }
        }
        Ok(names)
    }

    /// Adds a name.
    pub fn add(&mut self, kind: SubjectKind, code: &str, name: &str) {
        self.0.insert((kind, code.to_owned()), name.to_owned());
    }

    /// Whether a subject of a kind in words (`institution`) has this name now.
    #[must_use]
    pub fn is(&self, kind: &str, code: &str, name: &str) -> bool {
        let kinds = DIMENSIONS.iter().flat_map(|(.., kinds)| kinds.iter());
        kinds.copied().find(|known| known.as_str() == kind).is_none_or(|known| self.name(known, code) == name)
    }

    /// The name of a subject, blank when it is not known.
    #[must_use]
    pub fn name(&self, kind: SubjectKind, code: &str) -> &str {
        self.0.get(&(kind, code.to_owned())).map_or("", String::as_str)
    }
}
