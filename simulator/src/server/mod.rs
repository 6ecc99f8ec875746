//! The platform behind real HTTP: dialect `tps` of the source contract.

mod call;
mod config;
mod envelope;
mod hostile;
mod page;
mod running;
mod sign;
mod state;
mod tap;
mod token;

pub use config::{Mode, RateAnswer, ServerConfig, Signing, default_infnos};
pub use running::{RunningServer, Stats, serve};
