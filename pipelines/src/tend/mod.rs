//! Keeping the warehouse fit: merging, checkpoints, removing what nobody needs; the backup.

pub mod maintain;
