//! Keeping a warehouse fit: merging small files, checkpoints, and removing what no kept release, seal or reader needs.
//!
//! ```text
//! Compaction ─► Checkpoints ─► Vacuum: releases given up (ledger) ─► files ─► OldLog
//! ```
//! Every operation first tells what it would do (`plan`), then does it (`run`). New state is committed before old files are removed, so
//! that a run killed anywhere leaves a whole warehouse, and the next one finishes. The caller holds the lease.

mod backup;
mod checkpoint;
mod compact;
mod history;
mod leftover;
mod log;
mod lost;
mod merge;
mod pinned;
mod policy;
mod tables;
mod vacuum;

pub use backup::{Backup, Copied};
pub use checkpoint::Checkpoints;
pub use compact::{Compaction, Merges};
pub use history::History;
pub use leftover::{Leftover, leftovers};
pub use log::OldLog;
pub use lost::{Lost, Repaired, damaged, lost, repair, repairable};
pub use pinned::{Pinned, pinned};
pub use policy::{Keep, Tally};
pub(crate) use tables::LAYERS;
pub use tables::{TableName, tables};
pub use vacuum::{Removal, Removals, Vacuum, strays};
