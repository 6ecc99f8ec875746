//! Export files: what is in them, in which of many formats, and what must become of them.

mod control;
mod delimited;
mod file;
mod plan;
mod sheet;
mod table;

pub(crate) use file::{Content, ExportFile, Verdict};
pub(crate) use plan::plan;
