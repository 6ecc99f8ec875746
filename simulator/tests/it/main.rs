//! The simulator from outside: worlds, folders, and the platform over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod client;
mod platform;
mod worlds;
mod zj;
