//! Releases after they were made: listed, compared, taken back to, replayed, proved, sealed.

mod prove;
pub mod release;
mod replay;
mod seal;

pub use prove::prove;
pub use replay::{CellDifference, ReplayAsk, ReplayReport, Which, replay};
pub use seal::{SealLine, VerifyReport, seal_month, verify_seals};
