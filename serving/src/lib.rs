//! What people and programs read of a warehouse: one release, through its reader, explained and as pages.
//!
//! ```text
//! warehouse::read (one release, SQL) ─► explain (alert → value → rule → rows → original bytes) ─► html (a page to be filed)
//! ```
//! Nothing here writes, loads or knows a source: what only connectors know (how a file's row is cut out) is asked through
//! [`explain::FileRows`].

pub mod error;
pub mod explain;
pub mod html;

pub use error::ServingError;
