//! Delta tables as this warehouse uses them: files written by us, one atomic commit a change.
//!
//! A table is partitioned by `county` and `month` (the quarantine by `dataset` before them). We write the Parquet files and
//! the log actions ourselves, through the Delta library's commit path: that keeps "all changed cells of a table in one commit,
//! position and run id in it" in one place and plans no SQL for it.

mod cell;
mod file;
mod rows;
mod shelf;
mod table;

pub use cell::{Cell, UNKNOWN};
pub use file::{hash_in, is_as_written, read_bytes, read_file, read_rows, scan_bytes, write_file};
pub use rows::{CellRows, RowDigest, canonical, cell_path, digest_in, file_schema, split_cells, write_cell};
pub(crate) use shelf::Shelf;
pub use table::{Change, FileEntry, NewFile, Table};
