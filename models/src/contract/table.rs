//! The contract of a gold table.

use indexmap::IndexMap;
use serde::Serialize;

use super::raw::RawTable;
use super::{ContractError, ReadWindow, Reconcile};
use crate::card::Decimal;
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
    /// What a value means that the referenced table does not have; without it every value must be there.
    pub unknown: Option<String>,
    /// What null means; without it the column is never null.
    pub null: Option<String>,
    /// The least accepted number, as text.
    pub min: Option<String>,
    /// The greatest accepted number, as text.
    pub max: Option<String>,
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
    /// Numbers that must be those of a table it is made from.
    pub reconcile: Vec<Reconcile>,
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
                unknown: column.unknown,
                null: column.null,
                min: column.min,
                max: column.max,
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
            reconcile: raw.reconcile,
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
        for column in &self.columns {
            let key = format!("columns.{}", column.name);
            for (bound, text) in [("min", &column.min), ("max", &column.max)] {
                let Some(text) = text else { continue };
                let Some(places) = column.places() else {
                    return Err(ContractError::invalid(file, format!("{key}.{bound}"), "only decimals and whole numbers have a range"));
                };
                if text.parse::<Decimal>().ok().and_then(|limit| limit.at_places(places)).is_none() {
                    let problem = format!("`{text}` is no number with {places} places or fewer");
                    return Err(ContractError::invalid(file, format!("{key}.{bound}"), problem));
                }
            }
            if column.unknown.is_some() && column.reference.is_none() {
                return Err(ContractError::invalid(file, format!("{key}.unknown"), "only a column with `ref` can hold an unknown member"));
            }
        }
        for reconcile in &self.reconcile {
            let key = format!("reconcile.{}", reconcile.with);
            if reconcile.equal.is_empty() {
                return Err(ContractError::invalid(file, key, "name at least one number that must be equal"));
            }
            // What is compared must also make the cell stale, or the comparison would come too late.
            if !self.reads.contains_key(&reconcile.with) {
                return Err(ContractError::invalid(file, key, "the table is not among `reads`"));
            }
        }
        Ok(())
    }
}

impl TableColumn {
    /// Places behind the point of a number; `None` where the column holds none that has a range.
    #[must_use]
    pub fn places(&self) -> Option<u8> {
        match self.ty {
            FieldType::Int => Some(0),
            ty => ty.decimal().and_then(|(_, scale)| u8::try_from(scale).ok()),
        }
    }

    /// A bound as a whole number of the column's smallest unit.
    #[must_use]
    pub fn bound(&self, text: Option<&String>) -> Option<i128> {
        text?.parse::<Decimal>().ok()?.at_places(self.places()?)
    }
}
