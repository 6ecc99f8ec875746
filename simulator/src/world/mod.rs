//! The world: who is in it, what they do month by month, and the rows that result.

mod agreements;
mod aliases;
mod batches;
mod cast;
mod consumables;
mod drugs;
mod fees;
mod generate;
mod institutions;
pub(crate) mod json;
mod market;
mod noise;
mod orders;
pub(crate) mod parts;
mod platform;
mod products;
mod reference;
mod services;
mod shipments;
mod stock;
mod tables;
mod truth;
mod usage;

pub use generate::{World, generate};
pub use truth::{DatasetTruth, FilesTruth, Truth};

pub(crate) use cast::Cast;
