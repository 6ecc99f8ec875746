//! What an auditor stands on: the texts every release was made with, the warehouse as it was known then, and where two differ.

mod basis;
mod compare;
mod heads;
mod inspect;
mod known;
pub mod seal;
mod texts;

pub use basis::{Basis, all_bases, basis_of, record_basis};
pub use compare::{Difference, compare, file_digest};
pub use heads::{HeadChain, HeadReport, check_heads, head_at, put_on_record};
pub use inspect::{Inspection, inspect_bytes, inspect_tables};
pub use known::{Known, as_known};
pub use texts::{TEXTS, Texts};
