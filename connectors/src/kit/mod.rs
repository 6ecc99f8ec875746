//! What every source needs.

pub mod artifact;
pub(crate) mod clock;
pub mod http;
pub mod kept;
pub mod personal;
pub mod rate;
pub mod retry;
pub mod secret;
