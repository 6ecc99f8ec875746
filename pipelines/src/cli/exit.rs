//! Exit codes: what a scheduler may trust.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ExitStatus {
    /// Done, also "nothing to do": go on.
    Done = 0,
    /// Ran, and the answer is negative, or it failed: alert a person.
    Negative = 1,
    /// Wrong usage or configuration: fix, rerun.
    Usage = 2,
    /// A source or the storage was unreachable or incomplete; what arrived is kept: retry.
    Unavailable = 3,
    /// A data check kept something from being published; the old release still serves: page the data owner.
    Check = 4,
    /// Another run holds the lease: wait.
    Leased = 5,
    /// A bug: report it.
    Bug = 70,
}

impl ExitStatus {
    /// All of them, in order.
    pub const ALL: [Self; 7] = [Self::Done, Self::Negative, Self::Usage, Self::Unavailable, Self::Check, Self::Leased, Self::Bug];

    /// The code.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The status of a code; one that we do not have is a failure.
    #[must_use]
    pub fn of(code: u8) -> Self {
        Self::ALL.into_iter().find(|status| status.code() == code).unwrap_or(Self::Negative)
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        assert_eq!(ExitStatus::ALL.map(ExitStatus::code), [0, 1, 2, 3, 4, 5, 70]);
        assert_eq!(ExitStatus::of(4), ExitStatus::Check);
        assert_eq!(ExitStatus::of(99), ExitStatus::Negative);
    }
}
