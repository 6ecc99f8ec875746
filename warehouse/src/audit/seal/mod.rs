//! Seals: a month as published, signed, chained to the seal before, checkable with the public key alone.
//!
//! ```text
//! _ops/seals/000003-2024-03.json     DSSE envelope over an in-toto statement
//!   subject    every gold cell of the month: SHA-256 of its pinned file, canonical digest, rows
//!   predicate  release, run, instant, Merkle roots, texts, the list of objects it stands on, the seal before
//! _ops/sealed/ab/abcd….parquet       the pinned files, by their SHA-256
//! _ops/texts/…                       the list of objects: path, size, SHA-256
//! _ops/seals/keys/000002-….json      hand-overs from one key to the next, signed by the one before
//! ```

mod dsse;
mod key;
mod keys;
mod make;
mod objects;
mod published;
mod shelf;
mod statement;
mod verify;

pub use dsse::Envelope;
pub use key::{SealKey, SealPublicKey};
pub use keys::{HandOver, HandOverPredicate, Trust, hand_over};
pub use make::{SealAsk, Sealed, listed_by_seals, pinned_by_seals, seal};
pub use objects::Object;
pub use shelf::{SealMark, seals};
pub use statement::{Predicate, PreviousSeal, SealedHead, Statement, Subject};
pub use verify::{Finding, Verdict, verify};
