//! Certificates: do all sources that an indicator needs have delivered, for its county and months?
//!
//! One answer serves both `_ops.completeness` and the column `completeness` of values and alerts, so that they cannot differ.

use std::collections::{BTreeMap, BTreeSet};

use yaojia_models::card::Indicator;
use yaojia_models::contract::{Registry, SourceKind};
use yaojia_models::value::Month;

use crate::delta::{Cell, UNKNOWN};
use crate::error::{Result, WarehouseError};
use crate::gold::window::months_back;
use crate::ledger::{CertificateKey, CertificateRow, LoadMark};
use crate::silver::CellCounts;

/// Stands for all counties, and for all months.
const ALL: &str = "*";

/// `complete`: every needed source declared what it had and all of it arrived; `incomplete`: something declared is missing or was
/// refused; `undeclared`: nobody said how much there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Certificate {
    Complete,
    Undeclared,
    Incomplete,
}

impl Certificate {
    fn text(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Undeclared => "undeclared",
            Self::Incomplete => "incomplete",
        }
    }
}

/// Why something is not complete, as a bureau reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why<'a> {
    Complete,
    File(&'a str),
    NoFile,
    NoFolder,
    NotRead,
    ReadTo(i64),
    Windows(u64, u64),
}

impl std::fmt::Display for Why<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => Ok(()),
            Self::File(why) => f.write_str(why),
            Self::NoFile => f.write_str("没有文件"),
            Self::NoFolder => f.write_str("该区划该月没有文件"),
            Self::NotRead => f.write_str("平台数据尚未读取"),
            Self::ReadTo(instant) => {
                let at = chrono::DateTime::from_timestamp_micros(*instant).unwrap_or_default();
                write!(f, "平台数据只读到{}", at.format("%Y-%m-%d %H:%M:%S"))
            }
            Self::Windows(declared, given) => write!(f, "各窗口申报{declared}行，收到{given}行"),
        }
    }
}

/// The worst of some files.
#[derive(Debug, Clone)]
struct Worst {
    certificate: Certificate,
    why: String,
}

impl Worst {
    fn of(load: &LoadMark) -> Self {
        let declared = u64::try_from(load.declared).ok();
        let (certificate, why) = match (load.state.as_str(), declared) {
            ("missing", Some(n)) => (Certificate::Incomplete, format!("控制文件{}申报{n}行，数据文件未到", load.name)),
            ("missing", None) => (Certificate::Incomplete, format!("控制文件{}申报的数据文件未到", load.name)),
            ("refused", _) => (Certificate::Incomplete, format!("文件{}被拒收（{}）", load.name, load.reason)),
            (_, None) => (Certificate::Undeclared, format!("文件{}没有控制文件", load.name)),
            (_, Some(n)) if n == load.rows => (Certificate::Complete, String::new()),
            (_, Some(n)) => (Certificate::Incomplete, format!("文件{}申报{n}行，收到{}行", load.name, load.rows)),
        };
        Self { certificate, why }
    }

    fn as_why(&self) -> (Certificate, Why<'_>) {
        let why = if self.why.is_empty() { Why::Complete } else { Why::File(&self.why) };
        (self.certificate, why)
    }
}

/// The files of one folder (county and month) of the landing root.
#[derive(Debug, Clone)]
struct Folder {
    worst: Worst,
    /// Rows declared; none as soon as one file declares none.
    declared: Option<u64>,
    delivered: u64,
}

impl Folder {
    fn new(load: &LoadMark) -> Self {
        Self { worst: Worst::of(load), declared: u64::try_from(load.declared).ok(), delivered: load.rows }
    }

    fn add(&mut self, load: &LoadMark) {
        let worst = Worst::of(load);
        if worst.certificate > self.worst.certificate {
            self.worst = worst;
        }
        self.declared = self.declared.zip(u64::try_from(load.declared).ok()).map(|(sum, n)| sum + n);
        self.delivered += load.rows;
    }
}

/// What the load ledger says, by dataset.
#[derive(Debug, Default)]
pub struct Completeness {
    /// Platform dataset → the last instant (microseconds) up to which every window was read whole.
    platform: BTreeMap<String, i64>,
    /// Platform dataset → rows its windows declared and gave.
    windows: BTreeMap<String, (u64, u64)>,
    /// Export dataset → (county, month) of the landing folder → its files.
    export: BTreeMap<String, BTreeMap<(String, String), Folder>>,
    /// Export datasets that lie once for the region → the worst of their files.
    registers: BTreeMap<String, Worst>,
    datasets: Vec<String>,
    platform_datasets: BTreeSet<String>,
    /// Datasets whose rows belong to a county.
    by_county: BTreeSet<String>,
    region: String,
    /// Counties that deliver files.
    counties: Vec<String>,
    first_month: Option<Month>,
    instant: i64,
}

impl Completeness {
    /// Reads the ledger's rows; `cursors` are the committed positions of the platform's datasets in microseconds.
    #[must_use]
    pub fn new(
        registry: &Registry,
        region: &str,
        first_month: Month,
        instant: i64,
        loads: &[LoadMark],
        cursors: BTreeMap<String, i64>,
    ) -> Self {
        let named = |kind| registry.datasets().iter().filter(move |d| d.source == kind).map(|d| d.name.clone());
        let by_county = registry.datasets().iter().filter(|d| d.county != yaojia_models::contract::CountyRule::Region);
        let mut new = Self {
            platform: cursors,
            datasets: registry.datasets().iter().map(|d| d.name.clone()).collect(),
            platform_datasets: named(SourceKind::Platform).collect(),
            by_county: by_county.map(|d| d.name.clone()).collect(),
            region: region.to_string(),
            first_month: Some(first_month),
            instant,
            ..Self::default()
        };
        // The last word on a file counts: a refused one may have been delivered again.
        let mut files: BTreeMap<(&str, &str), &LoadMark> = BTreeMap::new();
        for load in loads.iter().filter(|l| l.state != "same_content") {
            if load.state == "taken_back" {
                continue;
            }
            if new.platform_datasets.contains(&load.dataset) {
                let sums = new.windows.entry(load.dataset.clone()).or_default();
                sums.0 += u64::try_from(load.declared).unwrap_or_default();
                sums.1 += load.rows;
            } else {
                files.insert((&load.dataset, &load.name), load);
            }
        }
        // An announcement that is kept no more says nothing.
        files.retain(|_, load| load.state != "withdrawn");
        let mut counties = BTreeSet::new();
        for ((dataset, name), load) in files {
            let mut parts = name.split('/').skip_while(|p| *p != dataset).skip(1);
            let (Some(county), Some(month)) = (parts.next(), parts.next()) else { continue };
            let month = match (month.get(..4), month.get(4..6)) {
                (Some(y), Some(m)) => format!("{y}-{m}"),
                _ => continue,
            };
            let folders = new.export.entry(dataset.to_string()).or_default();
            folders.entry((county.to_string(), month)).and_modify(|folder| folder.add(load)).or_insert_with(|| Folder::new(load));
            if county != region {
                counties.insert(county.to_string());
            }
        }
        new.counties = counties.into_iter().collect();
        for (dataset, folders) in &new.export {
            let of_region = folders.iter().filter(|((county, _), _)| *county == new.region).map(|(_, folder)| &folder.worst);
            if let Some(worst) = worst_of(of_region) {
                new.registers.insert(dataset.clone(), worst.clone());
            }
        }
        new
    }

    /// The certificate of a dataset's county and month, and why it is not complete.
    fn certificate(&self, dataset: &str, county: &str, month: &str) -> (Certificate, Why<'_>) {
        if self.platform_datasets.contains(dataset) {
            // What a window says holds for all counties; of a month that cannot be told, all that is published may be.
            let end = Month::parse(month).map_or(self.instant, |month| month.next().first_micros());
            return match self.platform.get(dataset) {
                Some(cursor) if *cursor + 1_000_000 >= self.instant.min(end) => (Certificate::Complete, Why::Complete),
                Some(cursor) => (Certificate::Incomplete, Why::ReadTo(*cursor)),
                None => (Certificate::Incomplete, Why::NotRead),
            };
        }
        // A register that lies once for the region has no county months of its own.
        if let Some(worst) = self.registers.get(dataset) {
            return worst.as_why();
        }
        let Some(folders) = self.export.get(dataset) else { return (Certificate::Undeclared, Why::NoFile) };
        let folder = folders.get(&(county.to_string(), month.to_string()));
        folder.map_or((Certificate::Undeclared, Why::NoFolder), |folder| folder.worst.as_why())
    }

    /// The certificate of a dataset as a whole.
    fn whole(&self, dataset: &str) -> (Certificate, Why<'_>) {
        if self.platform_datasets.contains(dataset) {
            let missing = self.windows.get(dataset).filter(|(declared, given)| declared != given);
            return match missing {
                Some((declared, given)) => (Certificate::Incomplete, Why::Windows(*declared, *given)),
                None => self.certificate(dataset, ALL, ALL),
            };
        }
        let folders = self.export.get(dataset).into_iter().flat_map(BTreeMap::values);
        worst_of(folders.map(|folder| &folder.worst)).map_or((Certificate::Undeclared, Why::NoFile), Worst::as_why)
    }

    /// The certificate of an indicator value of a county (or the region) and month.
    #[must_use]
    pub fn of(&self, indicator: &Indicator, county: &str, month: &str) -> &'static str {
        let Ok(last) = Month::parse(month) else { return Certificate::Undeclared.text() };
        let counties: Vec<&str> = match county == self.region && !self.counties.is_empty() {
            true => self.counties.iter().map(String::as_str).collect(),
            false => vec![county],
        };
        let mut worst = Certificate::Complete;
        for need in &indicator.card.needs {
            if self.platform_datasets.contains(need) {
                // A window that was read to its end holds what was published of every earlier month too.
                worst = worst.max(self.certificate(need, ALL, month).0);
                continue;
            }
            for back in 0..months_back(&indicator.card.window) {
                let month = last.plus(-back).to_string();
                for county in &counties {
                    worst = worst.max(self.certificate(need, county, &month).0);
                }
            }
        }
        worst.text()
    }

    /// What a month's fingerprint must hold of the certificates.
    #[must_use]
    pub fn text(&self, indicator: &Indicator, month: Month) -> String {
        let month = month.to_string();
        std::iter::once(self.region.as_str())
            .chain(self.counties.iter().map(String::as_str))
            .map(|county| format!("{county} {}\n", self.of(indicator, county, &month)))
            .collect()
    }

    /// The rows of `_ops.completeness`: the cells in which something was received or declared, for datasets of counties every county and
    /// month from the first on, and the datasets' totals.
    ///
    /// # Errors
    /// [`WarehouseError::Balance`] when a cell's counts do not add up.
    pub fn rows(&self, cells: &BTreeMap<String, BTreeMap<Cell, CellCounts>>) -> Result<BTreeMap<CertificateKey, CertificateRow>> {
        let counties = self.all_counties(cells);
        let mut rows = BTreeMap::new();
        for dataset in &self.datasets {
            let none = BTreeMap::new();
            let counts = cells.get(dataset).unwrap_or(&none);
            let folders = self.export.get(dataset);
            let mut keys: BTreeSet<Cell> = counts.keys().cloned().collect();
            keys.extend(folders.into_iter().flat_map(BTreeMap::keys).map(|(county, month)| Cell::new(county.as_str(), month.as_str())));
            if self.by_county.contains(dataset) && !self.registers.contains_key(dataset) {
                keys.extend(counties.iter().flat_map(|county| self.months().map(move |m| Cell::new(county.as_str(), m.to_string()))));
            }
            let mut total = CellCounts::default();
            for cell in keys {
                let of = counts.get(&cell).copied().unwrap_or_default();
                if of.received != of.accounted() {
                    return Err(WarehouseError::Balance {
                        dataset: format!("{dataset} {cell}"),
                        received: of.received,
                        accounted: of.accounted(),
                    });
                }
                total = total.plus(of);
                let folder = folders.and_then(|f| f.get(&(cell.county.clone(), cell.month.clone())));
                let declared = folder.and_then(|f| f.declared);
                let (state, why) = self.certificate(dataset, &cell.county, &cell.month);
                let row = CertificateRow {
                    declared,
                    delivered: folder.filter(|_| declared.is_some()).map(|f| f.delivered),
                    counts: of,
                    state: state.text().to_string(),
                    reason: why.to_string(),
                };
                rows.insert(CertificateKey { dataset: dataset.clone(), county: cell.county, month: cell.month }, row);
            }
            let (declared, delivered) = self.totals(dataset);
            let (state, why) = self.whole(dataset);
            let row = CertificateRow { declared, delivered, counts: total, state: state.text().to_string(), reason: why.to_string() };
            rows.insert(CertificateKey { dataset: dataset.clone(), county: ALL.to_string(), month: ALL.to_string() }, row);
        }
        Ok(rows)
    }

    /// Rows declared and delivered of a dataset as a whole; none where one file declares none.
    fn totals(&self, dataset: &str) -> (Option<u64>, Option<u64>) {
        if let Some((declared, given)) = self.windows.get(dataset) {
            return (Some(*declared), Some(*given));
        }
        let Some(folders) = self.export.get(dataset) else { return (None, None) };
        let declared = folders.values().map(|f| f.declared).sum::<Option<u64>>();
        (declared, declared.map(|_| folders.values().map(|f| f.delivered).sum()))
    }

    /// Counties that deliver files, and those with rows.
    fn all_counties(&self, cells: &BTreeMap<String, BTreeMap<Cell, CellCounts>>) -> BTreeSet<String> {
        let seen = self.by_county.iter().filter_map(|dataset| cells.get(dataset)).flat_map(BTreeMap::keys).map(|cell| cell.county.clone());
        self.counties.iter().cloned().chain(seen).filter(|county| *county != self.region && county != UNKNOWN).collect()
    }

    /// From the first month to that of the instant.
    fn months(&self) -> impl Iterator<Item = Month> + use<> {
        let last = Month::of_micros(self.instant - 1);
        let first = self.first_month.unwrap_or(last);
        (0..=last.since(first)).map(move |n| first.plus(n))
    }
}

/// The first of the worst.
fn worst_of<'a>(all: impl Iterator<Item = &'a Worst>) -> Option<&'a Worst> {
    all.reduce(|worst, next| if next.certificate > worst.certificate { next } else { worst })
}

#[cfg(test)]
mod tests {
    use super::*;

    const JULY: i64 = 1_719_792_000_000_000; // 2024-07-01

    fn load(dataset: &str, name: &str, state: &str, declared: i64, rows: u64) -> LoadMark {
        LoadMark {
            run_seq: 1,
            run_id: String::new(),
            dataset: dataset.into(),
            name: name.into(),
            sha256: String::new(),
            state: state.into(),
            reason: if state == "refused" { "rows".into() } else { String::new() },
            declared,
            rows,
            parser: String::new(),
        }
    }

    fn certified(loads: &[LoadMark]) -> Completeness {
        let registry = Registry::embedded().unwrap();
        let cursors = BTreeMap::from([("ord_detl".to_string(), JULY - 86_400_000_000)]);
        Completeness::new(&registry, "652800", Month::parse("2024-05").unwrap(), JULY, loads, cursors)
    }

    fn rows(of: &Completeness) -> BTreeMap<CertificateKey, CertificateRow> {
        let counts = CellCounts { received: 3, parsed: 3, accepted: 2, quarantined: 1, ..CellCounts::default() };
        let cells = BTreeMap::from([("fee_list".to_string(), BTreeMap::from([(Cell::new("652801", "2024-05"), counts)]))]);
        of.rows(&cells).unwrap()
    }

    fn at<'a>(rows: &'a BTreeMap<CertificateKey, CertificateRow>, dataset: &str, county: &str, month: &str) -> &'a CertificateRow {
        let key = CertificateKey { dataset: dataset.into(), county: county.into(), month: month.into() };
        rows.get(&key).unwrap_or_else(|| panic!("no certificate of {key:?}"))
    }

    #[test]
    fn files_certify_their_folder() {
        let of = certified(&[
            load("fee_list", "fee_list/652801/202405/a.csv", "loaded", 2, 2),
            load("fee_list", "fee_list/652801/202405/b.csv", "loaded", 1, 1),
            load("fee_list", "fee_list/652801/202406/a.csv", "refused", 9, 0),
            load("fee_list", "fee_list/652822/202405/a.csv", "loaded", -1, 4),
            load("fee_list", "fee_list/652822/202405/b.csv", "loaded", 5, 5),
        ]);
        let rows = rows(&of);
        let whole = at(&rows, "fee_list", "652801", "2024-05");
        assert_eq!((whole.declared, whole.delivered, whole.counts.received, whole.state.as_str()), (Some(3), Some(3), 3, "complete"));
        let refused = at(&rows, "fee_list", "652801", "2024-06");
        assert_eq!((refused.declared, refused.delivered, refused.state.as_str()), (Some(9), Some(0), "incomplete"));
        assert!(refused.reason.contains("202406/a.csv") && refused.reason.contains("rows"), "{}", refused.reason);
        let silent = at(&rows, "fee_list", "652822", "2024-05");
        assert_eq!((silent.declared, silent.delivered, silent.state.as_str()), (None, None, "undeclared"));
        assert_eq!(at(&rows, "fee_list", "652822", "2024-06").state, "undeclared");
        let total = at(&rows, "fee_list", "*", "*");
        assert_eq!((total.declared, total.counts.received, total.state.as_str()), (None, 3, "incomplete"));
        // Nobody delivered stock: every county and month says so.
        assert_eq!(at(&rows, "stock_month", "652822", "2024-05").state, "undeclared");
    }

    #[test]
    fn a_file_delivered_again_has_the_last_word() {
        let of = certified(&[
            load("fee_list", "fee_list/652801/202406/a.csv", "refused", 9, 0),
            load("fee_list", "fee_list/652801/202406/a.csv", "loaded", 9, 9),
        ]);
        assert_eq!(at(&rows(&of), "fee_list", "652801", "2024-06").state, "complete");
    }

    #[test]
    fn an_announced_file_that_is_not_there_is_missing_until_it_came() {
        let missing = load("stock_month", "stock_month/652801/202405/lost.csv.ctl.json", "missing", 120, 0);
        let of = certified(std::slice::from_ref(&missing));
        let row = at(&rows(&of), "stock_month", "652801", "2024-05").clone();
        assert_eq!((row.declared, row.delivered, row.state.as_str()), (Some(120), Some(0), "incomplete"));
        assert!(row.reason.contains("lost.csv.ctl.json") && row.reason.contains("120"), "{}", row.reason);
        let withdrawn = LoadMark { state: "withdrawn".into(), declared: -1, ..missing.clone() };
        let of = certified(&[missing, load("stock_month", "stock_month/652801/202405/lost.csv", "loaded", 120, 120), withdrawn]);
        let row = at(&rows(&of), "stock_month", "652801", "2024-05").clone();
        assert_eq!((row.declared, row.delivered, row.state.as_str()), (Some(120), Some(120), "complete"));
    }

    #[test]
    fn the_platform_is_complete_up_to_where_it_was_read() {
        let of = certified(&[
            load("ord_detl", "2024-05-01 00:00:00..2024-06-30 00:00:00", "loaded", 7, 7),
            load("fee_list", "fee_list/652801/202405/a.csv", "loaded", 3, 3),
        ]);
        let rows = rows(&of);
        assert_eq!(at(&rows, "ord_detl", "652801", "2024-05").state, "complete");
        let june = at(&rows, "ord_detl", "652801", "2024-06");
        assert_eq!((june.declared, june.state.as_str(), june.reason.as_str()), (None, "incomplete", "平台数据只读到2024-06-30 00:00:00"));
        let total = at(&rows, "ord_detl", "*", "*");
        assert_eq!((total.declared, total.delivered, total.state.as_str()), (Some(7), Some(7), "incomplete"));
        assert_eq!(at(&rows, "shp", "652801", "2024-05").reason, "平台数据尚未读取");
    }

    #[test]
    fn a_cell_that_does_not_add_up_is_an_error() {
        let counts = CellCounts { received: 3, accepted: 2, ..CellCounts::default() };
        let cells = BTreeMap::from([("fee_list".to_string(), BTreeMap::from([(Cell::new("652801", "2024-05"), counts)]))]);
        assert!(matches!(certified(&[]).rows(&cells), Err(WarehouseError::Balance { .. })));
    }
}
