//! The contract of a source dataset; bronze and silver are both derived from it.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::raw::RawDataset;
use super::{ContractError, Reason};
use crate::digest::sha256_hex;
use crate::field::{FieldType, Fields};
use crate::text::Form;

/// Where a dataset comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// The procurement platform's API.
    Platform,
    /// Export files in a landing folder.
    Export,
}

/// How a row finds its county.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CountyRule {
    /// `institution.admdvs` of the institution in this column.
    Org(String),
    /// The county of the parent row.
    Parent {
        /// The parent dataset.
        dataset: String,
        /// The column of this dataset that holds the parent's key.
        via: String,
    },
    /// This column.
    Column(String),
    /// The region's own code: reference data.
    Region,
}

/// A column is required when another column has one of these values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// The other column.
    pub column: String,
    /// Its values.
    pub values: Vec<String>,
}

impl Column {
    /// A column of a [`Dataset::layout`], by its title in the file.
    #[must_use]
    pub fn titled(title: &str, ty: FieldType, required: bool) -> Self {
        Self {
            name: title.to_owned(),
            ty,
            required,
            required_when: None,
            values: None,
            meanings: IndexMap::new(),
            title: title.to_owned(),
            unit: None,
        }
    }
}

/// The columns of the warning `amount_mismatch`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountCheck {
    /// Amount.
    pub amount: String,
    /// Count.
    pub count: String,
    /// Unit price.
    pub price: String,
}

/// A column of another dataset, by its silver name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The dataset.
    pub dataset: String,
    /// The column, silver name.
    pub column: String,
}

/// A row must find its value in one of the targets' accepted rows, or it is quarantined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reference {
    /// The column of this dataset (always one), bronze name.
    pub columns: Vec<String>,
    /// Where the value may be found: any of them.
    pub to: Vec<Target>,
    /// The reason when it is not.
    pub reason: Reason,
}

/// One column of a dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Name in bronze; see [`Dataset::silver_name`].
    pub name: String,
    /// Type in silver.
    pub ty: FieldType,
    /// A row without it is quarantined.
    pub required: bool,
    /// Required only then.
    pub required_when: Option<When>,
    /// The allowed values.
    pub values: Option<Vec<String>>,
    /// What the values mean, by value.
    pub meanings: IndexMap<String, String>,
    /// Chinese title.
    pub title: String,
    /// Unit.
    pub unit: Option<String>,
}

/// Text columns that hold words, beside those named `*_name`: their insides are left as they are.
const PROSE: [&str; 7] = ["genname", "dosform", "prod_spec", "prod_pac", "mcs_mol", "unt", "reason"];

impl Column {
    /// What its text is, by type and name: how much of a value is cleaned before it is compared.
    #[must_use]
    pub fn form(&self) -> Form {
        match self.ty {
            FieldType::Timestamp | FieldType::Date | FieldType::Month => Form::Time,
            FieldType::Int | FieldType::Double => Form::Number,
            ty if ty.decimal().is_some() => Form::Number,
            _ if self.name.ends_with("_name") || PROSE.contains(&self.name.as_str()) => Form::Prose,
            _ => Form::Code,
        }
    }
}

/// The contract of a source dataset.
#[derive(Clone, Debug, Serialize)]
pub struct Dataset {
    /// Name, as in `bronze.<name>` and `silver.<name>`.
    pub name: String,
    /// Chinese title.
    pub title: String,
    /// Platform or export.
    pub source: SourceKind,
    /// Key columns, bronze names.
    pub key: Vec<String>,
    /// The first non-null one is the event of `future_date`.
    pub event: Vec<String>,
    /// The first non-null one names the month.
    pub month_of: Vec<String>,
    /// How a row finds its county.
    pub county: CountyRule,
    /// A winning row with `0` here removes its key.
    pub void: Option<String>,
    /// Checked in this order.
    pub references: Vec<Reference>,
    /// Bronze name → silver name.
    pub rename: IndexMap<String, String>,
    /// All columns, in silver order.
    pub columns: Vec<Column>,
    /// Columns that silver adds behind them (`fee_list.convrat`).
    pub derived: Vec<Column>,
    /// Datasets to build before this one, beyond references and county.
    pub after: Vec<String>,
    /// Look-alike JSON key → column.
    pub json_aliases: IndexMap<String, String>,
    /// Chinese title in a file → column.
    pub file_titles: IndexMap<String, String>,
    /// Replaced by a keyed hash before any row is written.
    pub personal_hash: Vec<String>,
    /// Negative quantities and amounts are meant (reversals).
    pub negative_ok: bool,
    /// For the warning `amount_mismatch`.
    pub amount_check: Option<AmountCheck>,
    /// The warnings judged on accepted rows.
    pub warnings: Vec<String>,
    #[serde(skip)]
    digest: String,
}

impl Dataset {
    /// The column of this bronze name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// What a bronze column is called from silver on.
    #[must_use]
    pub fn silver_name<'a>(&'a self, bronze: &'a str) -> &'a str {
        self.rename.get(bronze).map_or(bronze, String::as_str)
    }

    /// JSON keys of the platform → position in [`Dataset::columns`]: camelCase names first, then aliases.
    #[must_use]
    pub fn json_keys(&self) -> IndexMap<String, usize> {
        let mut keys: IndexMap<String, usize> =
            self.columns.iter().enumerate().map(|(position, column)| (camel_case(&column.name), position)).collect();
        for (alias, name) in &self.json_aliases {
            if let Some(position) = self.columns.iter().position(|column| &column.name == name) {
                keys.insert(alias.clone(), position);
            }
        }
        keys
    }

    /// The position in [`Dataset::columns`] of a file's header cell (blanks cut): a dictionary name in any
    /// case, or a Chinese title.
    #[must_use]
    pub fn file_column(&self, header: &str) -> Option<usize> {
        let name = self.file_titles.get(header).map_or(header, String::as_str);
        self.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The datasets that must be built before this one, sorted.
    #[must_use]
    pub fn needs(&self) -> BTreeSet<&str> {
        let mut needs: BTreeSet<&str> = self.after.iter().map(String::as_str).collect();
        needs.extend(self.references.iter().flat_map(|r| r.to.iter()).map(|target| target.dataset.as_str()));
        match &self.county {
            CountyRule::Org(_) => {
                needs.insert("institution");
            }
            CountyRule::Parent { dataset, .. } => {
                needs.insert(dataset);
            }
            CountyRule::Column(_) | CountyRule::Region => {}
        }
        needs
    }

    /// SHA-256, hex, of the resolved contract: equal contracts, equal digests.
    #[must_use]
    pub fn digest(&self) -> String {
        self.digest.clone()
    }

    /// The layout of a file that follows no contract: text-like columns by their titles, in a file's own words. It has no key, no
    /// references, no partition: readers of files find their columns by it, and nothing else is made of it.
    #[must_use]
    pub fn layout(name: &str, columns: Vec<Column>) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            source: SourceKind::Export,
            key: Vec::new(),
            event: Vec::new(),
            month_of: Vec::new(),
            county: CountyRule::Region,
            void: None,
            references: Vec::new(),
            rename: IndexMap::new(),
            columns,
            derived: Vec::new(),
            after: Vec::new(),
            json_aliases: IndexMap::new(),
            file_titles: IndexMap::new(),
            personal_hash: Vec::new(),
            negative_ok: true,
            amount_check: None,
            warnings: Vec::new(),
            digest: String::new(),
        }
    }

    pub(super) fn resolve(file: &str, raw: RawDataset, fields: &Fields) -> Result<Self, ContractError> {
        let county = raw.county.rule().ok_or_else(|| {
            ContractError::invalid(file, "county", "give exactly one of `org`, `parent` with `via`, `column`, `region = true`")
        })?;
        let mut columns = Vec::with_capacity(raw.columns.len());
        for (name, column) in raw.columns {
            let values = column.values;
            let mut resolved = field_column(file, "columns", &name, fields)?;
            resolved.required = column.required;
            resolved.required_when = column.required_when;
            if let Some(values) = values {
                resolved.values = Some(values.keys().cloned().collect());
                resolved.meanings = values;
            }
            columns.push(resolved);
        }
        let derived = raw.derived.iter().map(|name| field_column(file, "derived", name, fields)).collect::<Result<Vec<_>, _>>()?;
        let references = raw
            .references
            .into_iter()
            .map(|reference| {
                let to = reference.to.iter().map(|text| target(file, text)).collect::<Result<_, _>>()?;
                Ok(Reference { columns: reference.columns, to, reason: reference.reason })
            })
            .collect::<Result<Vec<_>, ContractError>>()?;
        let month_of = if raw.month_of.is_empty() { raw.event.clone() } else { raw.month_of };
        let mut dataset = Self {
            name: raw.name,
            title: raw.title,
            source: raw.source,
            key: raw.key,
            event: raw.event,
            month_of,
            county,
            void: raw.void,
            references,
            rename: raw.rename,
            columns,
            derived,
            after: raw.after,
            json_aliases: raw.json_aliases,
            file_titles: raw.file_titles,
            personal_hash: raw.personal_hash,
            negative_ok: raw.negative_ok,
            amount_check: raw.amount_check,
            warnings: raw.warnings,
            digest: String::new(),
        };
        dataset.check(file)?;
        let rendered = serde_json::to_vec(&dataset).map_err(|source| ContractError::Render { file: file.to_owned(), source })?;
        dataset.digest = sha256_hex(&rendered);
        Ok(dataset)
    }
}

fn field_column(file: &str, key: &str, name: &str, fields: &Fields) -> Result<Column, ContractError> {
    let field = fields.get(name).ok_or_else(|| ContractError::invalid(file, key, format!("`{name}` is not in `fields.toml`")))?;
    Ok(Column {
        name: name.to_owned(),
        ty: field.ty,
        required: false,
        required_when: None,
        values: field.values.as_ref().map(|values| values.keys().cloned().collect()),
        meanings: field.values.clone().unwrap_or_default(),
        title: field.title.clone(),
        unit: field.unit.clone(),
    })
}

fn target(file: &str, text: &str) -> Result<Target, ContractError> {
    match text.split_once('.') {
        Some((dataset, column)) if !dataset.is_empty() && !column.is_empty() => {
            Ok(Target { dataset: dataset.to_owned(), column: column.to_owned() })
        }
        _ => {
            let problem = format!("`{text}` is not `dataset.column`");
            Err(ContractError::invalid(file, "references", problem))
        }
    }
}

/// `ord_detl_id` → `ordDetlId`: the platform's JSON key of a column.
#[must_use]
pub fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for c in name.chars() {
        if c == '_' {
            upper = true;
        } else if upper {
            out.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}
