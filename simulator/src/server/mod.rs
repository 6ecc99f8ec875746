//! The platform behind real HTTP: dialect `tps` of the source contract, or `zj`.

mod call;
mod config;
mod envelope;
mod fields;
mod hostile;
mod page;
mod running;
mod sign;
mod state;
mod tap;
mod token;
mod zj;

pub use config::{Dialect, Mode, RateAnswer, ServerConfig, Signing, default_infnos};
pub use running::{RunningServer, Stats, serve};
