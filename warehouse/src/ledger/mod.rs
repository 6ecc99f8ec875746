//! The ledger: why everything is as it is. Small append-only Delta tables below `_ops/`.

mod cells;
mod checks;
mod counts;
mod loads;
mod releases;
mod rules;
mod runs;
mod sheet;

pub use cells::{CellMark, CellMarks};
pub use checks::{CheckMark, Refused, record_checks};
pub use counts::{read_counts, write_counts};
pub use loads::{LoadMark, loads, record_loads};
pub use releases::{Release, current_release, publish_release, releases};
pub use rules::UsedRules;
pub use runs::{RunRecord, RunStamp, last_run, open_run, record_run, runs};
pub use sheet::{Kind, Sheet, Value};
