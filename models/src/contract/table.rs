//! The contract of a gold table.

use indexmap::IndexMap;
use serde::Serialize;

use super::raw::RawTable;
use super::{ContractError, ReadWindow};
use crate::digest::sha256_hex;
use crate::field::{FieldType, Fields};

/// One column of a gold table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Type.
    pub ty: FieldType,
    /// Chinese title.
    pub title: String,
    /// The gold table whose key it holds: `dim_enterprise` or `dim_enterprise.org_code`.
    pub reference: Option<String>,
    /// What null means; without it the column is never null.
    pub null: Option<String>,
    /// The allowed values and what they mean.
    pub values: Option<IndexMap<String, String>>,
    /// Unit.
    pub unit: Option<String>,
    /// A sentence more.
    pub meaning: Option<String>,
}

/// The contract of a gold table.
#[derive(Clone, Debug, Serialize)]
pub struct TableContract {
    /// Name, as in `gold.<name>`.
    pub name: String,
    /// Chinese title.
    pub title: String,
    /// The columns that identify a row.
    pub grain: Vec<String>,
    /// The partition columns, `county` and `month` unless said otherwise.
    pub partition: Vec<String>,
    /// What names a row's month (empty: said in the SQL).
    pub month_of: Vec<String>,
    /// Table (`silver.ord_detl`) → months, as text; see [`TableContract::window`].
    pub reads: IndexMap<String, String>,
    /// The columns in contract order.
    pub columns: Vec<TableColumn>,
    #[serde(skip)]
    digest: String,
}

impl TableContract {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&TableColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// How far the table reads into another.
    #[must_use]
    pub fn window(&self, table: &str) -> Option<ReadWindow> {
        self.reads.get(table).and_then(|text| ReadWindow::parse(text))
    }

    /// SHA-256, hex, of the resolved contract.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    pub(super) fn resolve(file: &str, raw: RawTable, fields: &Fields) -> Result<Self, ContractError> {
        let mut columns = Vec::with_capacity(raw.columns.len());
        for (name, column) in raw.columns {
            let key = format!("columns.{name}");
            let field = fields.get(&name);
            let ty = match (column.ty, field) {
                (Some(ty), Some(field)) if ty != field.ty => {
                    let problem = "another type than in `fields.toml`: a field name means one thing";
                    return Err(ContractError::invalid(file, key, problem));
                }
                (Some(ty), _) => ty,
                (None, Some(field)) => field.ty,
                (None, None) => {
                    let problem = "give a type and a title, or an entry in `fields.toml`";
                    return Err(ContractError::invalid(file, key, problem));
                }
            };
            let title = column.title.or_else(|| field.map(|field| field.title.clone()));
            let Some(title) = title else {
                return Err(ContractError::invalid(file, key, "give a Chinese title"));
            };
            columns.push(TableColumn {
                name,
                ty,
                title,
                reference: column.reference,
                null: column.null,
                values: column.values.or_else(|| field.and_then(|field| field.values.clone())),
                unit: column.unit.or_else(|| field.and_then(|field| field.unit.clone())),
                meaning: column.meaning.or_else(|| field.and_then(|field| field.meaning.clone())),
            });
        }
        let mut table = Self {
            name: raw.name,
            title: raw.title,
            grain: raw.grain,
            partition: raw.partition.unwrap_or_else(|| vec!["county".to_owned(), "month".to_owned()]),
            month_of: raw.month_of.map(super::raw::OneOrMany::into_vec).unwrap_or_default(),
            reads: raw.reads,
            columns,
            digest: String::new(),
        };
        table.check(file)?;
        let rendered = serde_json::to_vec(&table).map_err(|source| ContractError::Render { file: file.to_owned(), source })?;
        table.digest = sha256_hex(&rendered);
        Ok(table)
    }

    fn check(&self, file: &str) -> Result<(), ContractError> {
        if self.grain.is_empty() {
            return Err(ContractError::invalid(file, "grain", "a table needs a grain"));
        }
        for name in &self.grain {
            if self.column(name).is_none() && !self.partition.contains(name) {
                let problem = format!("no such column: `{name}`");
                return Err(ContractError::invalid(file, "grain", problem));
            }
        }
        for (table, text) in &self.reads {
            let key = format!("reads.{table}");
            if ReadWindow::parse(text).is_none() {
                let problem = format!("`{text}` is no window of months");
                return Err(ContractError::invalid(file, key, problem));
            }
            if !table.contains('.') {
                let problem = "say the layer too: `silver.ord_detl`";
                return Err(ContractError::invalid(file, key, problem));
            }
        }
        Ok(())
    }
}
