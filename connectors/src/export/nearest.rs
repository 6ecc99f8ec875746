//! Why a file has no header: which required columns the row that comes nearest to one lacks, and the titles that may be meant.

use yaojia_models::contract::Dataset;
use yaojia_models::text;

use super::header::{column_of, plain};
use crate::kit::personal::PersonalRules;

/// How alike a title found must be to the one looked for, to be named: below that it may be a value.
const ALIKE: f64 = 0.5;
/// Missing columns named at most.
const NAMED: usize = 6;
/// Rows looked at.
const ROWS: usize = 64;

/// Looks at rows that are no header.
pub(crate) struct Nearest<'a> {
    dataset: &'a Dataset,
    rules: &'a PersonalRules,
    seen: usize,
    best: Option<Row>,
}

/// A row that may have been meant as the header.
struct Row {
    place: String,
    found: Vec<bool>,
    count: usize,
    others: Vec<String>,
}

impl<'a> Nearest<'a> {
    pub(crate) fn new(dataset: &'a Dataset, rules: &'a PersonalRules) -> Self {
        Self { dataset, rules, seen: 0, best: None }
    }

    /// Takes a row into account; `place` says where it stands.
    pub(crate) fn see<'c>(&mut self, place: impl FnOnce() -> String, cells: impl IntoIterator<Item = Option<&'c str>>) {
        self.seen += 1;
        if self.seen > ROWS {
            return;
        }
        let mut found = vec![false; self.dataset.columns.len()];
        let mut others = Vec::new();
        for cell in cells.into_iter().filter_map(|cell| cell.and_then(text::clean)) {
            match column_of(self.dataset, cell).and_then(|column| found.get_mut(column)) {
                Some(found) => *found = true,
                None if self.rules.mentions_personal(cell) => {}
                None => others.push(cell.to_owned()),
            }
        }
        let count = found.iter().filter(|found| **found).count();
        if self.best.as_ref().is_none_or(|best| count > best.count) {
            self.best = Some(Row { place: place(), found, count, others });
        }
    }

    /// What is missing, in words; names of columns and titles, never a value of a row.
    pub(crate) fn words(&self) -> String {
        let Some(best) = &self.best else { return "it has no row at all".to_owned() };
        let required = self.dataset.columns.iter().zip(&best.found).filter(|(column, _)| column.required);
        let missing: Vec<&str> = required.filter(|(_, found)| !**found).map(|(column, _)| column.name.as_str()).collect();
        if best.count == 0 {
            let all: Vec<&str> = missing.iter().take(NAMED).copied().collect();
            return format!("no row holds a title of the contract; required are {}{}", all.join(", "), more(&missing));
        }
        if missing.is_empty() {
            return format!("{} holds the required columns, but none of a group of which one is needed", best.place);
        }
        let one = |name: &&str| {
            let title = self.titles(name).next().map(|title| format!(" ({title})")).unwrap_or_default();
            let near = self.near(name, &best.others).map(|near| format!(", the nearest title found is `{near}`")).unwrap_or_default();
            format!("`{name}`{title}{near}")
        };
        let named: Vec<String> = missing.iter().take(NAMED).map(one).collect();
        format!(
            "{} lacks the required column{} {}{}",
            best.place,
            if missing.len() == 1 { "" } else { "s" },
            named.join("; "),
            more(&missing)
        )
    }

    /// The titles of a column.
    fn titles<'t>(&'t self, column: &'t str) -> impl Iterator<Item = &'t str> {
        self.dataset.file_titles.iter().filter(move |(_, of)| of.as_str() == column).map(|(title, _)| title.as_str())
    }

    /// The title found that is most like a name or title of the column.
    fn near<'t>(&self, column: &str, others: &'t [String]) -> Option<&'t str> {
        let wanted: Vec<String> = std::iter::once(column).chain(self.titles(column)).map(|title| plain(title).to_lowercase()).collect();
        let alike = |other: &str| {
            let other = plain(other).to_lowercase();
            wanted.iter().map(|title| strsim::normalized_damerau_levenshtein(title, &other)).fold(0.0, f64::max)
        };
        let rated = others.iter().map(|other| (alike(other), other.as_str())).filter(|(rate, _)| *rate >= ALIKE);
        rated.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1))).map(|(_, other)| other)
    }
}

fn more(missing: &[&str]) -> String {
    if missing.len() > NAMED { format!(" and {} more", missing.len() - NAMED) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use yaojia_models::contract::Registry;

    use super::*;
    use crate::kit::personal::PersonalConfig;

    fn words(dataset: &str, rows: &[&[&str]]) -> String {
        let registry = Registry::embedded().unwrap();
        let rules = PersonalRules::new(&PersonalConfig::default()).unwrap();
        let mut nearest = Nearest::new(registry.dataset(dataset).unwrap(), &rules);
        for (n, row) in rows.iter().enumerate() {
            nearest.see(|| format!("row {}", n + 1), row.iter().map(|cell| Some(*cell)));
        }
        nearest.words()
    }

    #[test]
    fn the_missing_column_and_the_nearest_title_are_named() {
        let row = ["定点医药机构编号", "医疗目录编码", "库存月份", "月末库存量", "数据更新时间"];
        let said = words("stock_month", &[&["库存表"], &row]);
        assert!(said.starts_with("row 2") && said.contains("`inv_end_cnt`") && said.contains("`月末库存量`"), "{said}");
        assert!(!said.contains("inv_month"), "{said}");
    }

    #[test]
    fn no_value_of_a_row_is_named() {
        let said = words("stock_month", &[&["H65280100001", "XA01AAA001A001010100001", "2024-01", "12", "2024-02-01 00:00:00", "张三"]]);
        assert!(said.contains("inv_end_cnt") && !said.contains("H652801") && !said.contains("张三"), "{said}");
        assert_eq!(words("stock_month", &[]), "it has no row at all");
    }
}
