//! The wall clock, for the gateway's signature only: it never reaches a row.

/// Unix seconds now.
#[expect(clippy::disallowed_methods, reason = "a gateway signature carries the real time of the call; no data depends on it")]
pub(crate) fn unix_seconds() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
