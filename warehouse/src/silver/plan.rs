//! A dataset's contract compiled for judging rows: which column is what, by position.

use std::collections::BTreeSet;

use yaojia_models::contract::{CountyRule, Dataset, Reason};
use yaojia_models::field::FieldType;
use yaojia_models::text::Form;

use crate::error::{Result, WarehouseError};

/// What a column's text must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Decimal { precision: u8, scale: i8, signed: bool },
    Timestamp,
    Date,
    Month,
}

impl Kind {
    pub(crate) fn is_temporal(self) -> bool {
        matches!(self, Self::Timestamp | Self::Date | Self::Month)
    }
}

/// One contract column.
#[derive(Debug, Clone)]
pub(crate) struct ColumnPlan {
    pub name: String,
    pub kind: Kind,
    /// How much of its text is cleaned.
    pub form: Form,
    pub required: bool,
    /// Required when the column at this position holds one of these values.
    pub required_when: Option<(usize, BTreeSet<String>)>,
    pub values: Option<BTreeSet<String>>,
    pub convrat: bool,
}

/// Which accepted rows a row must find, and the reason when it does not.
#[derive(Debug, Clone)]
pub(crate) struct ReferencePlan {
    pub column: usize,
    /// Indexes by `dataset.column`; one of them must hold the value.
    pub targets: Vec<String>,
    pub reason: Reason,
}

/// How a row's county is told.
#[derive(Debug, Clone)]
pub(crate) enum CountyPlan {
    Region,
    Column(usize),
    /// Lookup of the value at the position in the named index.
    Lookup(usize, String),
}

/// A dataset compiled.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub dataset: String,
    pub columns: Vec<ColumnPlan>,
    pub key: Vec<usize>,
    pub updt_time: usize,
    pub event: Vec<usize>,
    pub month_of: Vec<usize>,
    pub county: CountyPlan,
    pub void: Option<usize>,
    pub references: Vec<ReferencePlan>,
    pub negative_ok: bool,
    /// Positions of amount, count and price for `amount_mismatch`.
    pub amount: Option<(usize, usize, usize)>,
    /// Fee lines only: positions of institution, own code, national code and list type.
    pub fee: Option<FeePlan>,
}

/// Columns a fee line is converted by.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FeePlan {
    pub org: usize,
    pub own_code: usize,
    pub national_code: usize,
    pub list_type: usize,
}

impl Plan {
    pub(crate) fn new(dataset: &Dataset) -> Result<Self> {
        let bad = |why: String| WarehouseError::Contract { table: format!("bronze.{}", dataset.name), why };
        let at =
            |name: &str| dataset.columns.iter().position(|c| c.name == name).ok_or_else(|| bad(format!("there is no column `{name}`")));
        let all = |names: &[String]| names.iter().map(|n| at(n)).collect::<Result<Vec<_>>>();
        let columns = dataset
            .columns
            .iter()
            .map(|c| {
                let required_when = match &c.required_when {
                    Some(when) => Some((at(&when.column)?, when.values.iter().cloned().collect())),
                    None => None,
                };
                Ok(ColumnPlan {
                    name: c.name.clone(),
                    kind: kind(c.ty),
                    form: c.form(),
                    required: c.required,
                    required_when,
                    values: c.values.as_ref().map(|v| v.iter().cloned().collect()),
                    convrat: c.name.ends_with("convrat"),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let mut references = Vec::new();
        for reference in &dataset.references {
            for column in &reference.columns {
                let targets = reference.to.iter().map(|t| format!("{}.{}", t.dataset, t.column)).collect();
                references.push(ReferencePlan { column: at(column)?, targets, reason: reference.reason });
            }
        }
        // The reasons' own order, not the contract's.
        references.sort_by_key(|r| r.reason);
        let county = match &dataset.county {
            CountyRule::Region => CountyPlan::Region,
            CountyRule::Column(c) => CountyPlan::Column(at(c)?),
            CountyRule::Org(c) => CountyPlan::Lookup(at(c)?, "institution.org_code".to_string()),
            CountyRule::Parent { dataset: parent, via } => CountyPlan::Lookup(at(via)?, format!("{parent}.{via}")),
        };
        let fee = if dataset.warnings.iter().any(|w| w == "unit_assumed") {
            Some(FeePlan {
                org: at("fixmedins_code")?,
                own_code: at("medins_list_codg")?,
                national_code: at("med_list_codg")?,
                list_type: at("list_type")?,
            })
        } else {
            None
        };
        let amount = match &dataset.amount_check {
            Some(a) => Some((at(&a.amount)?, at(&a.count)?, at(&a.price)?)),
            None => None,
        };
        Ok(Self {
            dataset: dataset.name.clone(),
            key: all(&dataset.key)?,
            updt_time: at("updt_time")?,
            event: all(&dataset.event)?,
            month_of: all(&dataset.month_of)?,
            void: dataset.void.as_deref().map(at).transpose()?,
            county,
            references,
            negative_ok: dataset.negative_ok,
            amount,
            fee,
            columns,
        })
    }

    /// Names of the indexes this dataset needs, `dataset.column`, sorted.
    pub(crate) fn needs(&self) -> Vec<String> {
        let mut names: Vec<String> = self.references.iter().flat_map(|r| r.targets.iter().cloned()).collect();
        if let CountyPlan::Lookup(_, name) = &self.county {
            names.push(name.clone());
        }
        if self.fee.is_some() {
            names.extend(["drug_listing.prod_code".to_string(), "mcs_listing.prod_code".to_string()]);
        }
        names.sort();
        names.dedup();
        names
    }
}

fn kind(ty: FieldType) -> Kind {
    match ty {
        FieldType::Money => Kind::Decimal { precision: 18, scale: 2, signed: true },
        FieldType::Amount => Kind::Decimal { precision: 38, scale: 2, signed: true },
        FieldType::UnitPrice => Kind::Decimal { precision: 18, scale: 6, signed: true },
        FieldType::Quantity => Kind::Decimal { precision: 18, scale: 4, signed: true },
        FieldType::Ratio => Kind::Decimal { precision: 18, scale: 6, signed: false },
        FieldType::Decimal38 => Kind::Decimal { precision: 38, scale: 6, signed: false },
        FieldType::Int => Kind::Decimal { precision: 18, scale: 0, signed: false },
        FieldType::Timestamp => Kind::Timestamp,
        FieldType::Date => Kind::Date,
        FieldType::Month => Kind::Month,
        _ => Kind::Text,
    }
}
