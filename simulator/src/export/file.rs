//! One export file and how it is turned into bytes.

use std::path::PathBuf;

use crate::error::SimError;
use crate::row::Row;

/// The format of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ext {
    /// Comma-separated.
    Csv,
    /// TAB-separated.
    Txt,
    /// Comma-separated, compressed.
    CsvGz,
    /// A spreadsheet.
    Xlsx,
    /// Parquet.
    Parquet,
}

impl Ext {
    /// The ending of the name.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Txt => "txt",
            Self::CsvGz => "csv.gz",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }
}

/// The encoding of a delimited file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    /// UTF-8.
    Utf8,
    /// UTF-8 with a byte order mark.
    Bom,
    /// GB18030.
    Gb18030,
}

/// How the control file is named and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Control {
    /// There is none.
    None,
    /// `x.ctl.json`, everything in it.
    Short,
    /// `x.csv.ctl.json`, everything in it.
    Long,
    /// Only the number of rows.
    Rows,
    /// The number of rows is wrong: the file must be refused.
    LyingRows,
    /// The sum is wrong: the file must be refused.
    LyingSums,
}

/// What must become of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It loads.
    Loads,
    /// It is refused, for this reason.
    Refused(&'static str),
    /// Its content came before.
    SameContent,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Rows.
    Rows(Vec<Row>),
    /// The fee lines of a county (its position) in the n-th month; made when the file is written.
    Fees {
        /// Position of the county.
        county: usize,
        /// Number of the month.
        month: u32,
        /// The corrections that come afterwards instead of the rest.
        late: bool,
        /// Rows that are also in the file.
        extra: Vec<Row>,
    },
    /// Exactly these bytes.
    Bytes(Vec<u8>),
}

/// One export file.
#[derive(Debug, Clone)]
pub(crate) struct ExportFile {
    /// Which dataset.
    pub dataset: &'static str,
    /// The folder of the county or region.
    pub admdvs: String,
    /// The folder of the month, `yyyyMM`.
    pub month: String,
    /// The name without ending.
    pub name: String,
    /// The format.
    pub ext: Ext,
    /// The encoding.
    pub charset: Charset,
    /// Chinese titles instead of dictionary names.
    pub titles: bool,
    /// Columns no contract knows, among them personal ones.
    pub personal: bool,
    /// Which way dates are written.
    pub dates: u8,
    /// The control file.
    pub control: Control,
    /// What must become of it.
    pub verdict: Verdict,
    /// What it holds.
    pub content: Content,
}

/// A file as bytes, with its control file, ready to be laid down.
#[derive(Debug)]
pub(crate) struct Fileset {
    /// Path of the data file below the world folder.
    pub path: PathBuf,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Name and text of the control file.
    pub control: Option<(PathBuf, String)>,
}

impl ExportFile {
    /// A plain file: UTF-8, dictionary names, no control file.
    pub(crate) fn new(dataset: &'static str, admdvs: &str, month: &str, name: &str, ext: Ext, rows: Vec<Row>) -> Self {
        Self {
            dataset,
            admdvs: admdvs.to_owned(),
            month: month.to_owned(),
            name: name.to_owned(),
            ext,
            charset: Charset::Utf8,
            titles: false,
            personal: false,
            dates: 0,
            control: Control::None,
            verdict: Verdict::Loads,
            content: Content::Rows(rows),
        }
    }

    /// Path below the world folder, with forward slashes.
    pub(crate) fn path(&self) -> String {
        format!("exports/{}/{}/{}/{}.{}", self.dataset, self.admdvs, self.month, self.name, self.ext.text())
    }

    /// The bytes of the file holding `rows`.
    pub(crate) fn encode(&self, rows: &[Row]) -> Result<Fileset, SimError> {
        let path = PathBuf::from(self.path());
        let bytes = match (&self.content, self.ext) {
            (Content::Bytes(bytes), _) => bytes.clone(),
            (_, Ext::Csv | Ext::Txt | Ext::CsvGz) => super::delimited::encode(self, rows, &path)?,
            (_, Ext::Xlsx) => super::sheet::encode(self, rows, &path)?,
            (_, Ext::Parquet) => super::table::encode(self, rows, &path)?,
        };
        let control = super::control::control(self, rows, &bytes);
        Ok(Fileset { path, bytes, control })
    }
}
