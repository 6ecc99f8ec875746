//! How far an indicator's window reaches back.

/// Months a window reaches back, its own included, as the card's text begins: `12m`, `3m`, anything else looks at its own month.
pub(crate) fn months_back(window: &str) -> i32 {
    if window.starts_with("12m") {
        12
    } else if window.starts_with("3m") {
        3
    } else {
        1
    }
}
