//! What every error of every crate can say of itself: a code that stays, how it is to be taken, what to do about it.
//!
//! A person reads sentence and hint; a scheduler, a web page and a database client each want a number. All of them follow from
//! [`FaultKind`], so that one failure is never taken in two ways.

use std::borrow::Cow;

/// Something asked for does not exist, whichever layer is asked.
pub const NOT_FOUND: &str = "E-RUN-001";
/// What was given cannot be understood or is not allowed: flags, words, SQL that is no query.
pub const WRONG_USAGE: &str = "E-CLI-001";

/// How whoever asked should take a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// It ran, and the answer is negative, or it failed: a person looks.
    Negative,
    /// Wrong usage or configuration: to be corrected first.
    Usage,
    /// A source or the storage was unreachable or incomplete; what arrived is kept: to be tried again.
    Unavailable,
    /// A check kept something from being published; the last good data still serve.
    Check,
    /// Another run holds the lease: to be waited for.
    Leased,
    /// A defect of the program: to be reported.
    Bug,
}

impl FaultKind {
    /// The exit code of a command that ends so (architecture §9).
    #[must_use]
    pub const fn exit(self) -> u8 {
        match self {
            Self::Negative => 1,
            Self::Usage => 2,
            Self::Unavailable => 3,
            Self::Check => 4,
            Self::Leased => 5,
            Self::Bug => 70,
        }
    }
}

/// An error that can be told to a person and to a program.
pub trait Fault: std::error::Error {
    /// The stable code, such as `E-SRC-003`. Each stands for one thing and in docs/operations.md.
    fn code(&self) -> &'static str;

    /// How to take it.
    fn kind(&self) -> FaultKind;

    /// What to do about it, where there is something to do.
    fn hint(&self) -> Option<Cow<'static, str>>;
}
