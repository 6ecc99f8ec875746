//! Acceptance tests: they drive the real binary as its users do, and look at what it leaves behind.
//!
//! Needs the binary (`YAOJIA`, or `yaojia` in the target directory: `cargo build --workspace --bins`) and, for `interop`, Python
//! with duckdb, deltalake and pyarrow.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and says what it saw"
)]

mod around;
mod audit;
mod backfill;
mod checks;
mod cli;
mod codes;
mod completeness;
mod crash;
mod delta;
mod dialect;
mod explain;
mod extend;
mod interop;
mod landing;
mod layering;
mod lineage;
mod maintain;
mod memory;
mod nights;
mod partial;
mod personal;
mod profile;
mod prove;
mod quarantine;
mod readers;
mod release;
mod retry;
mod silver;
mod support;
mod time;
mod worlds;
