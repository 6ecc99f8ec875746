//! A deterministic world of medicine procurement, and a platform that behaves as badly as a real one.
//!
//! [`generate`] makes a [`World`] from a [`WorldConfig`]: the rows a procurement platform publishes
//! and the files that health insurance exports, in the shapes of the source contract, with dirt in
//! them if wanted. [`server::serve`] puts such rows (or those of a folder, [`load_folder`]) behind
//! real HTTP.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
#![allow(clippy::cast_possible_truncation, reason = "indices and small counts: a world has at most some thousand of anything")]

mod config;
mod decimal;
mod dice;
mod error;
mod export;
mod platform_data;
mod row;
mod schema;
pub mod server;
mod time;
mod world;

pub use config::{Scale, WorldConfig};
pub use error::SimError;
pub use platform_data::{DatasetRows, PlatformData, Window, load_folder};
pub use world::{DatasetTruth, FilesTruth, Truth, World, generate};
