//! Headers: which file column is which column of the contract.

use std::borrow::Cow;

use yaojia_models::contract::Dataset;
use yaojia_models::text::{Form, half_width, is_invisible};

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
    /// Without a name: kept in `_extra` under its place ([`nameless`]) where it holds anything.
    Blank,
}

/// A header that holds all required columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    pub slots: Vec<Slot>,
    /// Whether any column is personal.
    pub personal: bool,
    /// File columns that mean one column of the contract; the first of them counts where it is filled.
    pub doubles: Vec<Double>,
}

/// Two file columns that mean one column of the contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Double {
    /// Their positions.
    pub at: [usize; 2],
    /// Their titles.
    pub titles: [String; 2],
}

impl Header {
    /// Reads a header row; none where a required column is missing.
    pub(crate) fn of<'c>(dataset: &Dataset, rules: &PersonalRules, cells: impl IntoIterator<Item = Option<&'c str>>) -> Option<Self> {
        let mut personal = false;
        let mut found: Vec<Option<(usize, String)>> = vec![None; dataset.columns.len()];
        let (mut slots, mut doubles) = (Vec::new(), Vec::new());
        for (position, cell) in cells.into_iter().enumerate() {
            let Some(name) = cell.and_then(|cell| Form::Prose.clean(cell).value) else {
                slots.push(Slot::Blank);
                continue;
            };
            slots.push(match column_of(dataset, &name) {
                Some(column) => {
                    match found.get_mut(column) {
                        Some(Some((first, title))) => {
                            doubles.push(Double { at: [*first, position], titles: [title.clone(), name.to_string()] })
                        }
                        Some(first) => *first = Some((position, name.to_string())),
                        None => {}
                    }
                    personal |= dataset.columns.get(column).is_some_and(|column| dataset.personal_hash.contains(&column.name));
                    Slot::Column(column)
                }
                None if rules.looks_personal(&name) => {
                    personal = true;
                    // not what stands behind a colon: a name goes to the report, a value must not
                    Slot::Dropped(label(&name).to_owned())
                }
                // nor a value that stands where a title should
                None if rules.mentions_personal(&name) => {
                    personal = true;
                    Slot::Dropped(nameless(position))
                }
                None if slots.contains(&Slot::Extra(name.as_ref().to_owned())) => Slot::Extra(format!("{name}（{}）", nameless(position))),
                None => Slot::Extra(name.into_owned()),
            });
        }
        let whole = dataset.columns.iter().zip(found).all(|(column, found)| found.is_some() || !column.required);
        whole.then_some(Self { slots, personal, doubles })
    }

    /// The name in `_extra` of the column at a position, where it has none of the contract and is kept.
    pub(crate) fn extra_name(&self, position: usize) -> Option<Cow<'_, str>> {
        match self.slots.get(position) {
            Some(Slot::Extra(name)) => Some(Cow::Borrowed(name)),
            Some(Slot::Blank) | None => Some(Cow::Owned(nameless(position))),
            Some(Slot::Column(_) | Slot::Dropped(_)) => None,
        }
    }
}

/// The name of a column without one: its place, from 1.
pub(crate) fn nameless(position: usize) -> String {
    format!("第{}列", position + 1)
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

/// Without blanks and what nobody sees, full-width signs as ASCII.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace() && !is_invisible(*c)).map(half_width).collect()
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
    fn columns_that_mean_the_same_and_columns_without_a_name_are_told_apart() {
        let cells =
            ["FIXMEDINS_CODE", "医药机构\u{200b}目录编码", "MED_LIST_CODG", "转换比", "UPDT_TIME", "convrat", "备注", "备注", "\u{200b}"];
        let found = header("list_map", &cells).unwrap();
        assert_eq!(found.doubles, [Double { at: [3, 5], titles: ["转换比".to_owned(), "convrat".to_owned()] }]);
        let names: Vec<_> = (5..10).map(|position| found.extra_name(position).map(Cow::into_owned)).collect();
        assert_eq!(names, [None, Some("备注"), Some("备注（第8列）"), Some("第9列"), Some("第10列")].map(|name| name.map(str::to_owned)));
    }

    #[test]
    fn no_column_of_a_contract_is_taken_for_personal() {
        let registry = Registry::embedded().unwrap();
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let mut fields = std::collections::BTreeSet::new();
        for dataset in registry.datasets() {
            for column in dataset.columns.iter().filter(|column| !dataset.personal_hash.contains(&column.name)) {
                fields.extend([
                    column.name.clone(),
                    column.name.to_uppercase(),
                    column.title.clone(),
                    yaojia_models::contract::camel_case(&column.name),
                ]);
            }
            let titles =
                dataset.file_titles.iter().chain(&dataset.json_aliases).filter(|(_, column)| !dataset.personal_hash.contains(column));
            fields.extend(titles.map(|(title, _)| title.clone()));
        }
        fields.extend(
            registry.gold().iter().flat_map(|table| table.columns.iter().flat_map(|column| [column.name.clone(), column.title.clone()])),
        );
        let taken: Vec<_> = fields.iter().filter(|name| rules.looks_personal(name) || rules.mentions_personal(name)).collect();
        assert!(taken.is_empty(), "{taken:?}");
    }

    #[test]
    fn a_required_column_must_be_there() {
        assert!(header("list_map", &["FIXMEDINS_CODE", "MEDINS_LIST_CODG", "MED_LIST_CODG", "UPDT_TIME"]).is_none());
        assert!(header("list_map", &["填报单位"]).is_none());
    }
}
