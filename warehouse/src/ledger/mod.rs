//! The ledger: why everything is as it is. Small append-only Delta tables below `_ops/`.

mod backfills;
mod cells;
mod certificates;
mod checks;
mod counts;
mod landing;
mod loads;
mod parses;
mod releases;
mod restatements;
mod rollbacks;
mod rules;
mod runs;
mod sheet;
mod undone;
mod unreleased;
mod vacuums;

pub use backfills::{Backfill, BackfillEvent, BackfillState, Step, StepState, backfills, record_backfill};
pub use cells::{CellMark, CellMarks};
pub use certificates::{CertificateKey, CertificateRow, certificates, record_certificates};
pub use checks::{CheckMark, Refused, record_checks};
pub use counts::{read_counts, write_counts};
pub use landing::{LandingKey, LandingMark, LandingState, landing, record_landing};
pub use loads::{LoadMark, loads, record_loads};
pub use parses::{KeptParse, ParseMark, parses, record_parses};
pub use releases::{Release, current_release, publish_release, releases};
pub use restatements::{Restatement, record_restatements, restatements};
pub use rollbacks::{Rollback, last_built, record_rollback, rollbacks};
pub use rules::UsedRules;
pub use runs::{RunRecord, RunStamp, last_run, open_run, record_run, runs};
pub use sheet::{Kind, Sheet, Value};
pub use undone::{Undone, UndoneKind, record_undone, undone};
pub use unreleased::{Unreleased, record_unreleased, unreleased};
pub use vacuums::{record_vacuumed, refuse_vacuumed, vacuumed};
