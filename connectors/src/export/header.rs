//! Headers: which file column is which column of the contract.

use yaojia_models::contract::Dataset;
use yaojia_models::text;

use crate::kit::personal::{PersonalRules, label};

/// What a file column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Slot {
    /// A column of the contract.
    Column(usize),
    /// Unknown: kept in `_extra` under its name.
    Extra(String),
    /// Unknown and personal-looking: dropped.
    Dropped(String),
    /// Without a name.
    Blank,
}

/// A header that holds all required columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub slots: Vec<Slot>,
    /// Whether any column is personal.
    pub personal: bool,
}

impl Header {
    /// Reads a header row; none where a required column is missing.
    pub(crate) fn of<'c>(dataset: &Dataset, rules: &PersonalRules, cells: impl IntoIterator<Item = Option<&'c str>>) -> Option<Self> {
        let mut personal = false;
        let mut found = vec![false; dataset.columns.len()];
        let mut slots = Vec::new();
        for cell in cells {
            let Some(name) = cell.and_then(text::clean) else {
                slots.push(Slot::Blank);
                continue;
            };
            slots.push(match column_of(dataset, name) {
                Some(column) => {
                    if let Some(found) = found.get_mut(column) {
                        *found = true;
                    }
                    personal |= dataset.columns.get(column).is_some_and(|column| dataset.personal_hash.contains(&column.name));
                    Slot::Column(column)
                }
                None if rules.looks_personal(name) => {
                    personal = true;
                    // not what stands behind a colon: a name goes to the report, a value must not
                    Slot::Dropped(label(name).to_owned())
                }
                None => Slot::Extra(name.to_owned()),
            });
        }
        let whole = dataset.columns.iter().zip(found).all(|(column, found)| found || !column.required);
        whole.then_some(Self { slots, personal })
    }
}

/// The column a header cell names: by name or title, as written or loosely.
pub(crate) fn column_of(dataset: &Dataset, name: &str) -> Option<usize> {
    dataset.file_column(name).or_else(|| loosely(dataset, name))
}

/// A title in which blanks and full-width signs differ.
fn loosely(dataset: &Dataset, name: &str) -> Option<usize> {
    let plain = plain(name);
    if let Some(column) = dataset.file_column(&plain) {
        return Some(column);
    }
    let column = dataset.file_titles.iter().find(|(title, _)| self::plain(title) == plain)?.1;
    dataset.columns.iter().position(|held| &held.name == column)
}

/// Without blanks, full-width signs as ASCII.
pub(crate) fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '！'..='～' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use yaojia_models::contract::Registry;

    use super::*;
    use crate::kit::personal::PersonalConfig;

    fn header(dataset: &str, cells: &[&str]) -> Option<Header> {
        let registry = Registry::embedded().unwrap();
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        Header::of(registry.dataset(dataset).unwrap(), &rules, cells.iter().map(|cell| Some(*cell)))
    }

    #[test]
    fn names_in_any_case_and_titles() {
        let names = header("list_map", &["FIXMEDINS_CODE", " Medins_List_Codg", "med_list_codg", "CONVRAT", "UPDT_TIME", "RMK", "TEL", ""])
            .unwrap();
        assert_eq!(names.slots.get(1), Some(&Slot::Column(1)));
        assert_eq!(names.slots.get(5), Some(&Slot::Extra("RMK".to_owned())));
        assert_eq!(names.slots.get(6), Some(&Slot::Dropped("TEL".to_owned())));
        assert_eq!(names.slots.get(7), Some(&Slot::Blank));
        assert!(names.personal);
        let titles =
            header("serv_cost", &["定点医药机构编号", "项目编码", "项目名称", "成本月份", "单位成本（元）", "数据更新时间"]).unwrap();
        assert!(!titles.personal && titles.slots.iter().all(|slot| matches!(slot, Slot::Column(_))));
    }

    #[test]
    fn a_required_column_must_be_there() {
        assert!(header("list_map", &["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "UPDT_TIME"]).is_none());
        assert!(header("list_map", &["填报单位"]).is_none());
    }
}
